//! A big registry against a small one.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use sqlx::Connection as _;
use tracuu::{
    config::RegistrySettings,
    message::{Fields, Msisdn},
    registry::Registry,
    sim::{Limit, LoadPlan, Question, SmscSettings, load},
};

use crate::{bed, median};

/// Numbers in one look-up, as the desk asks under load.
const BATCH: usize = 64;

/// What is compared, and for how long.
pub(crate) struct Ask {
    pub(crate) sizes: [u64; 2],
    pub(crate) places: [Option<PathBuf>; 2],
    pub(crate) phones: usize,
    /// Questions of the load without an answer at a time.
    pub(crate) window: u32,
    pub(crate) seconds: u64,
    pub(crate) rounds: u64,
}

/// A registry, and whom of it is asked for.
struct Side {
    file: PathBuf,
    people: u64,
    /// Numbers of one person alone, whose record is open, and that person's number.
    phones: Vec<(u64, String)>,
}

/// A registry at a place; made when it is not there.
fn registry(folder: &Path, place: Option<&PathBuf>, people: u64) -> PathBuf {
    let file = place.cloned().unwrap_or_else(|| folder.join(format!("registry{people}.db")));
    if !file.exists() {
        let begun = Instant::now();
        let url = format!("sqlite:{}", file.display());
        bed::tracuu(folder, &["registry", "generate", "--people", &people.to_string(), "--url", &url]);
        println!("a registry of {people} people was made in {:.1} s", begun.elapsed().as_secs_f64());
    }
    file
}

/// People spread evenly over the whole registry, in an order that jumps about in it.
async fn spread(file: &Path, most: usize) -> Side {
    let mut db = sqlx::SqliteConnection::connect(&format!("sqlite:{}?mode=ro", file.display())).await.unwrap();
    let (people,): (i64,) = sqlx::query_as("select max(person_id) from person").fetch_one(&mut db).await.unwrap();
    let phones: Vec<(i64, String)> = sqlx::query_as(
        "with recursive
             ends(low, high) as (select min(msisdn), max(msisdn) from phone),
             places(v) as (select low from ends
                           union all
                           select v + max(1, (high - low) / ($1 * 2)) from places, ends where v < high),
             found(msisdn) as (select distinct (select p.msisdn from phone p where p.msisdn >= v order by p.msisdn limit 1)
                               from places)
         select f.msisdn, t.personal_id from found f join tracuu_person t on t.msisdn = f.msisdn
         where t.status = 1 and (select count(*) from phone c where c.msisdn = f.msisdn) = 1 order by f.msisdn",
    )
    .bind(most as i64)
    .fetch_all(&mut db)
    .await
    .unwrap();
    db.close().await.unwrap();
    let count = phones.len();
    // A stride that has no divisor in common with most counts, so that neighbours are asked for far apart.
    let order = (0..count).map(|at| at.wrapping_mul(7_919) % count);
    let mut taken = std::collections::HashSet::new();
    let phones = order.filter(|at| taken.insert(*at)).map(|at| (phones[at].0.unsigned_abs(), phones[at].1.clone()));
    Side { file: file.to_owned(), people: people.unsigned_abs(), phones: phones.collect() }
}

/// Numbers looked up a second, at the registry's own face, each at least once.
async fn look_ups(side: &Side, seconds: u64) -> f64 {
    let url = format!("sqlite:{}", side.file.display()).into();
    let settings = RegistrySettings { url, timeout: Duration::from_secs(10), readers: 2 };
    let registry = Registry::open(&settings).await.unwrap();
    let asked = side.phones.iter().map(|(phone, _)| (Msisdn::from_canonical(*phone), Fields::ALL));
    let numbers: Vec<(Msisdn, Fields)> = asked.collect();
    let (begun, mut done) = (Instant::now(), 0);
    for batch in numbers.chunks(BATCH).cycle() {
        let found = registry.people(batch).await.unwrap();
        assert_eq!(found.len(), batch.len(), "somebody was not found");
        done += batch.len();
        if done >= numbers.len() && begun.elapsed().as_secs() >= seconds {
            break;
        }
    }
    let rate = done as f64 / begun.elapsed().as_secs_f64();
    registry.close().await;
    rate
}

/// Questions answered a second by the whole service, on a fresh store.
async fn questions(side: &Side, window: u32, seconds: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let at = bed::free();
    let carrier = format!(
        "[carriers.sim]\naddress = \"{at}\"\nsystem_id = \"tracuu\"\npassword = \"secret\"\nwindow = {window}\n\
         equal_replies = 10000\nequal_minutes = 1\n"
    );
    let registry = format!("sqlite:{}", side.file.display());
    bed::configure(folder.path(), &carrier, Some(["sqlite:tracuu.db", &registry]));
    let service = bed::Service::start(folder.path());
    let smsc = bed::listen(at, SmscSettings::default()).await;
    smsc.bound().await;
    let asked = side.phones.iter().map(|(phone, person)| Question {
        from: *phone,
        text: format!("TTCD {} HOTEN NGAYSINH", &person[6..]).into_bytes().into(),
        data_coding: 0,
    });
    let mut plan = LoadPlan::new(asked.collect(), "9999", Limit::Seconds(seconds));
    plan.window = window;
    let report = load::run(&smsc, &plan).await.unwrap();
    smsc.stop().await;
    drop(service);
    assert_eq!((report.lost, report.doubled), (0, 0), "replies were lost or doubled");
    report.answered_per_second
}

/// Compares, in turns, so that a change of the machine's temper meets both.
pub(crate) async fn compare(ask: &Ask) {
    let folder = tempfile::tempdir().unwrap();
    let mut sides = Vec::new();
    for (place, people) in ask.places.iter().zip(ask.sizes) {
        let side = spread(&registry(folder.path(), place.as_ref(), people), ask.phones).await;
        let octets = std::fs::metadata(&side.file).unwrap().len();
        println!(
            "registry of {} people: {:.1} MiB, {:.0} octets a person; {} people asked for, spread over all of it",
            side.people,
            octets as f64 / 1_048_576.0,
            octets as f64 / side.people as f64,
            side.phones.len()
        );
        // All of them once for nothing: what the machine can keep in memory it keeps.
        let begun = Instant::now();
        look_ups(&side, 0).await;
        println!("the first look-up of all of them took {:.1} s", begun.elapsed().as_secs_f64());
        sides.push(side);
    }
    let mut seen = [[Vec::new(), Vec::new()], [Vec::new(), Vec::new()]];
    for round in 1..=ask.rounds {
        // Another first each time, so that a machine that grows faster or slower favours neither.
        let order = if round % 2 == 0 { [1, 0] } else { [0, 1] };
        for side in order.map(|side: usize| (&sides[side], side)) {
            let (found, answered) =
                (look_ups(side.0, ask.seconds).await, questions(side.0, ask.window, ask.seconds).await);
            println!(
                "round {round}: {:>9} people: {found:>8.0} look-ups/s, {answered:>7.0} questions/s",
                side.0.people
            );
            seen[side.1][0].push(found);
            seen[side.1][1].push(answered);
        }
    }
    for (at, what) in ["look-ups", "questions"].into_iter().enumerate() {
        let [small, big] = [0, 1].map(|side: usize| &seen[side][at]);
        let reached: Vec<f64> = small.iter().zip(big).map(|(small, big)| big / small * 100.0).collect();
        println!(
            "{what}: median {:.0}/s and {:.0}/s; with the big registry {:.1} % of the small (median of {:.0?}, a round each)",
            median(small.clone()),
            median(big.clone()),
            median(reached.clone()),
            reached,
        );
    }
}
