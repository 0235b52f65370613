//! `tracuu sim`: the built-in SMSC, to type at or to load a service with.

use std::net::SocketAddr;

use tokio_util::task::TaskTracker;

use super::{ConfigFile, Failed, progress::during, say, sim_phone, sim_script};
use crate::{
    clock::Clock,
    registry::Registry,
    sim::{Limit, LoadPlan, LoadRun, Question, Smsc, SmscSettings},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:2775", value_name = "ADDRESS")]
    pub(super) listen: SocketAddr,
    /// The code the phones text to
    #[arg(long, default_value = "9999", value_name = "CODE")]
    pub(super) to: String,
    /// Send a delivery receipt for each reply that asks for one
    #[arg(long)]
    pub(super) receipts: bool,
    /// Rehearse a carrier's fault: the name of a script, or its beginning such as t09
    #[arg(long, value_name = "NAME")]
    script: Option<String>,
    /// List the scripts and what each needs in the service's configuration
    #[arg(long)]
    scripts: bool,
    /// The phone that texts until another is named; of a script the first one, its others follow by number
    #[arg(long, default_value_t = 84_520_000_001, value_name = "NUMBER")]
    pub(super) phone: u64,
    /// What the phones of a script text
    #[arg(long, default_value = "HD", value_name = "TEXT")]
    pub(super) text: String,
    /// How long a script waits for what a healthy service does at once
    #[arg(long, default_value_t = 10, value_name = "SECONDS")]
    pub(super) patience: u64,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Sends questions of people in the registry as fast as they are answered, and accounts for each
    Load(Load),
}

#[derive(Debug, clap::Args)]
struct Load {
    #[command(flatten)]
    file: ConfigFile,
    /// Which carrier's SMSC to be; the first one unless told
    #[arg(long, value_name = "NAME")]
    carrier: Option<String>,
    /// Questions without an answer at a time
    #[arg(long, default_value_t = 100)]
    window: u32,
    /// How many questions
    #[arg(long, value_name = "N", conflicts_with = "seconds")]
    count: Option<u64>,
    /// For how long
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Questions a second at most
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// Fields each question asks for; none asks for the default set
    #[arg(long, default_value = "HOTEN NGAYSINH", value_name = "WORDS")]
    fields: String,
    /// Phones taking part
    #[arg(long, default_value_t = 8_000)]
    phones: u32,
    /// One JSON document instead of lines
    #[arg(long)]
    json: bool,
}

/// Runs the SMSC.
pub(super) async fn run(arguments: Arguments) -> Result<(), Failed> {
    if arguments.scripts {
        sim_script::list();
        return Ok(());
    }
    if let Some(name) = &arguments.script {
        return sim_script::run(&arguments, name).await;
    }
    match arguments.command {
        Some(Command::Load(load)) => run_load(load).await,
        None => sim_phone::run(&arguments).await,
    }
}

async fn run_load(arguments: Load) -> Result<(), Failed> {
    let config = arguments.file.load()?;
    let carrier = match &arguments.carrier {
        Some(name) => config.carriers.values().find(|carrier| carrier.id.as_str() == name),
        None => config.carriers.values().next(),
    };
    let carrier = carrier.ok_or_else(|| Failed::Wrong("there is no such carrier in the configuration".to_owned()))?;
    let address = carrier.line.addresses.first().map_or("", String::as_str);
    let address: SocketAddr = address.parse().map_err(|_| {
        Failed::Wrong(format!("{address} is not an address to listen on; the load stands in for the SMSC"))
    })?;
    let registry = Registry::open(&config.registry).await.map_err(crate::service::ServiceError::from)?;
    let people = registry.phones(arguments.phones).await.map_err(crate::service::ServiceError::from)?;
    registry.close().await;
    let keyword = config.query.kind(crate::config::QueryKind::Record).wording.of(crate::message::Lang::Vi);
    let keyword = keyword.keywords.first().map_or("TTCD", String::as_str);
    let questions = people.iter().map(|(phone, person)| Question {
        from: phone.expose(),
        text: format!("{keyword} {} {}", &person.expose()[6..], arguments.fields).into_bytes().into(),
        data_coding: 0,
    });
    let limit = match (arguments.count, arguments.seconds) {
        (Some(count), _) => Limit::Count(count),
        (None, seconds) => Limit::Seconds(seconds.unwrap_or(10)),
    };
    let code = carrier.short_codes.first().map_or("", |code| code.as_str());
    let mut plan = LoadPlan::new(questions.collect(), code, limit);
    plan.window = arguments.window;
    plan.rate = arguments.rate;
    let tracker = TaskTracker::new();
    let smsc = Smsc::listen(address, SmscSettings::default(), &tracker, Clock::System).await;
    let smsc = smsc.map_err(|error| Failed::Unreachable(format!("{address}: {error}")))?;
    if !arguments.json {
        say(format!("SMSC listens on {address} with {} phones; waiting for the service to bind", people.len()));
    }
    tokio::select! {
        () = smsc.bound() => {}
        _ = tokio::signal::ctrl_c() => return Ok(()),
    }
    let run = LoadRun::start(&smsc, &plan).map_err(Failed::wrong)?;
    let progress = run.progress();
    let says = || {
        let now = *progress.borrow();
        format!("{} asked, {} replied to, {} lines lost", now.questions, now.replies, now.breaks)
    };
    let report = during(says, run.finish()).await;
    let clean = report.is_clean();
    if arguments.json {
        say(serde_json::to_string_pretty(&report).map_err(Failed::wrong)?);
    } else {
        say(report);
    }
    smsc.stop().await;
    tracker.close();
    tracker.wait().await;
    if clean { Ok(()) } else { Err(Failed::Wrong("questions were lost or doubled".to_owned())) }
}
