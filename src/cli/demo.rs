//! `tracuu demo`: the main job on one machine. Built-in SMSCs, a synthetic registry, the real service, conversations as
//! a phone shows them, then the carriers' billing files and the accounts. Any mismatch is a failure.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Failed,
    demo_play::{Played, Way, play, talks},
    init, say,
};
use crate::{
    billing,
    clock::{Chance, Clock},
    config::Config,
    db::Db,
    ledger::read::store::{Balance, RecordKind, Span, balance, mo_rows},
    message::Outcome,
    registry,
    service::{self, Service},
    sim::{Smsc, SmscSettings},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Keep configuration, databases and files in this folder, ready for `tracuu serve`
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
    /// People in the registry
    #[arg(long, default_value_t = 10_000)]
    people: u64,
}

/// Plain replies, and replies with marks: two carriers.
const CARRIERS: [&str; 2] = ["sim", "simdau"];

/// The usual ports of the kept configuration; the demo itself takes free ones.
const KEPT_PORTS: [u16; 2] = [2775, 2776];

/// Plays everything.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failed> {
    let scratch;
    let folder = if let Some(folder) = &arguments.keep {
        folder.clone()
    } else {
        scratch = tempfile::tempdir().map_err(Failed::wrong)?;
        scratch.path().to_owned()
    };
    let tracker = TaskTracker::new();
    let mut smscs = Vec::new();
    for _ in CARRIERS {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let smsc = Smsc::listen(any, SmscSettings::default(), &tracker, Clock::System).await;
        smscs.push(smsc.map_err(Failed::wrong)?);
    }
    let ports = [smscs[0].address().port(), smscs[1].address().port()];
    init::write(&folder, &configuration(ports))?;
    let file = folder.join("tracuu.toml");
    let config = Config::load(&file).map_err(Failed::Config)?;
    let mut bar = super::progress::Counted::new("people", arguments.people);
    let summary = registry::generate(&config.registry.url, arguments.people, 1, |done| bar.at(done))
        .await
        .map_err(Failed::wrong)?;
    drop(bar);
    say(format!(
        "Registry: {} synthetic people, {} phone numbers, {} catalogue entries",
        summary.people, summary.phones, summary.entries
    ));
    let stop = CancellationToken::new();
    let service = Service::build(&config, Clock::System, Chance::from_system()).await?;
    let running = service.run(stop.clone());
    let talking = async {
        let result = converse(&smscs, &config, &folder).await;
        stop.cancel();
        result
    };
    let (ended, told) = tokio::join!(running, talking);
    ended?;
    let told = told?;
    for smsc in smscs {
        smsc.stop().await;
    }
    tracker.close();
    tracker.wait().await;
    let files = close_billing(&config).await?;
    outcomes(&config).await?;
    accounts(&config, &told, &files).await?;
    if let Some(kept) = &arguments.keep {
        fs::write(&file, configuration(KEPT_PORTS)).map_err(Failed::wrong)?;
        say(format!("\nKept in {}. Next:", kept.display()));
        say(format!("  tracuu sim load --config {} --count 1000     the SMSC, in one terminal", file.display()));
        say(format!("  tracuu serve --config {}                     the service, in another", file.display()));
    }
    Ok(())
}

/// The shipped example with the demo's two carriers in the place of its one.
fn configuration(ports: [u16; 2]) -> String {
    let example = init::EXAMPLE;
    let head = example.find("# One section a carrier;").map_or(example, |at| &example[..at]);
    let mut text = head.to_owned();
    for ((name, port), marks) in CARRIERS.into_iter().zip(ports).zip([false, true]) {
        let code = name.to_ascii_uppercase();
        let section = format!(
            "[carriers.{name}]\naddress = \"127.0.0.1:{port}\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\n\
             code = \"{code}\"\nmarks = {marks}\nwindow = 100\nreconnect_min_ms = 200\n\n"
        );
        text.push_str(&section);
    }
    text
}

/// What the conversations came to, counted on the SMSC's side.
#[derive(Default)]
struct Told {
    questions: u64,
    acknowledged_parts: u64,
    parts: u64,
    replies: u64,
    silences: u64,
}

async fn converse(smscs: &[Smsc], config: &Config, folder: &Path) -> Result<Told, Failed> {
    for smsc in smscs {
        let bound = tokio::time::timeout(Duration::from_secs(20), smsc.bound()).await;
        bound.map_err(|_| Failed::Wrong("the service did not bind within 20 s".to_owned()))?;
    }
    let code = config.service.short_codes.first().map_or("", |code| code.as_str()).to_owned();
    let mut told = Told::default();
    for (at, talk) in talks().iter().enumerate() {
        let smsc = &smscs[usize::from(talk.way == Way::WithMarks)];
        let away = (talk.way == Way::RegistryAway).then(|| RegistryAway::begin(&folder.join("registry.db")));
        let played = play(at + 1, talk, smsc, &code).await;
        if let Some(away) = away {
            away?.end()?;
        }
        let Played { acknowledged, parts, replied } = played?;
        told.questions += 1;
        told.parts += parts;
        told.acknowledged_parts += acknowledged;
        told.replies += u64::from(replied);
        told.silences += u64::from(!replied);
    }
    Ok(told)
}

/// The registry's file without its content, for one conversation: what a broken registry looks like from here.
struct RegistryAway {
    path: PathBuf,
    content: Vec<u8>,
}

impl RegistryAway {
    fn begin(path: &Path) -> Result<Self, Failed> {
        let content = fs::read(path).map_err(Failed::wrong)?;
        fs::OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(0)).map_err(Failed::wrong)?;
        Ok(Self { path: path.to_owned(), content })
    }

    fn end(self) -> Result<(), Failed> {
        fs::write(&self.path, &self.content).map_err(Failed::wrong)
    }
}

async fn close_billing(config: &Config) -> Result<Vec<billing::ClosedFile>, Failed> {
    let (db, keys) = service::open_store(config).await?;
    let mut files = Vec::new();
    for carrier in config.carriers.values() {
        files.extend(super::billing::close_all(&db, &keys, carrier, &config.billing).await?);
    }
    for closed in &files {
        say(format!("\nBilling file {}", closed.name()));
        let text = fs::read_to_string(&closed.path).map_err(Failed::wrong)?;
        for line in super::billing::readable(&text) {
            say(format!("  {line}"));
        }
        match billing::verify(&closed.path) {
            Ok(verified) => say(format!("  verified: {verified}")),
            Err(findings) => {
                let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
                return Err(Failed::Wrong(lines.join("\n")));
            }
        }
    }
    db.close().await;
    Ok(files)
}

/// Each conversation must have ended as it should: the ledger says how it did, in the order they were played.
async fn outcomes(config: &Config) -> Result<(), Failed> {
    let db = Db::open(&service::store_options(config)).await.map_err(Failed::wrong)?;
    let talks = talks();
    for carrier in config.carriers.values() {
        let span = Span::all(RecordKind::Mo, &carrier.id, carrier.stream);
        let rows = mo_rows(&db, span, 1_000).await.map_err(Failed::wrong)?;
        let played = talks.iter().filter(|talk| (talk.way == Way::WithMarks) == carrier.marks);
        for (row, talk) in rows.iter().zip(played) {
            let ended = i16::try_from(row.outcome).ok().and_then(Outcome::from_code);
            if ended != Some(talk.outcome) {
                let ended = ended.map_or("nothing known", Outcome::as_str);
                let wanted = talk.outcome.as_str();
                return Err(Failed::Wrong(format!("\"{}\" ended as {ended} instead of {wanted}", talk.title)));
            }
        }
    }
    db.close().await;
    Ok(())
}

/// The equations that must hold: any difference ends the demo as failed.
async fn accounts(config: &Config, told: &Told, files: &[billing::ClosedFile]) -> Result<(), Failed> {
    let db = Db::open(&service::store_options(config)).await.map_err(Failed::wrong)?;
    let store: Balance = balance(&db).await.map_err(Failed::wrong)?;
    db.close().await;
    let mo: u64 = files.iter().map(|file| file.mo).sum();
    let mt: u64 = files.iter().map(|file| file.mt).sum();
    let count = |n: i64| u64::try_from(n).unwrap_or(u64::MAX);
    say("\nAccounts");
    let equations: [(&str, Vec<(&str, u64)>); 4] = [
        ("messages sent = acknowledged", vec![("sent", told.parts), ("acknowledged", told.acknowledged_parts)]),
        (
            "questions = exchanges = MO records",
            vec![("questions", told.questions), ("exchanges", count(store.exchanges)), ("MO records", mo)],
        ),
        (
            "replies = settled = MT records",
            vec![("replies", told.replies), ("settled", count(store.settled)), ("MT records", mt)],
        ),
        (
            "replies + recorded silences = questions",
            vec![("replies + silences", told.replies + count(store.silences)), ("questions", told.questions)],
        ),
    ];
    let mut wrong = Vec::new();
    for (name, sides) in equations {
        let holds = sides.windows(2).all(|pair| pair[0].1 == pair[1].1);
        let shown: Vec<String> = sides.iter().map(|(what, n)| format!("{what} {n}")).collect();
        say(format!("  {}  {name}: {}", if holds { "ok" } else { "NO" }, shown.join(", ")));
        if !holds {
            wrong.push(name);
        }
    }
    let left = store.waiting + store.lost + store.doubled + store.parts;
    say(format!(
        "  {}  nothing waiting, lost, doubled or half received: {} {} {} {}",
        if left == 0 { "ok" } else { "NO" },
        store.waiting,
        store.lost,
        store.doubled,
        store.parts
    ));
    if left != 0 {
        wrong.push("nothing left over");
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Failed::Wrong(format!("the accounts do not agree: {}", wrong.join("; "))))
    }
}
