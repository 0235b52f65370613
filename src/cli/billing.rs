//! `tracuu billing`: carriers' files.

use std::path::{Path, PathBuf};

use super::{ConfigFile, Failed, progress::during, say};
use crate::{
    billing,
    clock::Clock,
    config::{BillingSettings, Carrier},
    db::Db,
    ledger::Keys,
    service,
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Closes the next file of a carrier with everything settled so far
    Close {
        #[command(flatten)]
        file: ConfigFile,
        /// Which carrier
        #[arg(long, value_name = "NAME")]
        carrier: String,
    },
    /// Checks a file against itself, its manifest and the file before it
    Verify {
        /// The .csv file
        file: PathBuf,
    },
}

/// Runs one of them.
pub(super) async fn run(command: Command) -> Result<(), Failed> {
    match command {
        Command::Close { file, carrier } => {
            let config = file.load()?;
            let carrier = config.carriers.values().find(|one| one.id.as_str() == carrier);
            let carrier =
                carrier.ok_or_else(|| Failed::Wrong("there is no such carrier in the configuration".to_owned()))?;
            let (db, keys) = service::open_store(&config).await?;
            let closing = close_all(&db, &keys, carrier, &config.billing);
            let files = during(|| format!("closing a file of {}", carrier.id), closing).await;
            db.close().await;
            for closed in files? {
                say(format!(
                    "{}: {} records ({} MO, {} MT), sha256 {}",
                    closed.path.display(),
                    closed.records,
                    closed.mo,
                    closed.mt,
                    closed.sha256
                ));
            }
            Ok(())
        }
        Command::Verify { file } => match verify(&file).await? {
            Ok(verified) => {
                say(format!("{}: {verified}", file.display()));
                Ok(())
            }
            Err(findings) => {
                let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
                Err(Failed::Wrong(lines.join("\n")))
            }
        },
    }
}

/// A file of millions of records takes a while.
async fn verify(file: &Path) -> Result<Result<billing::Verified, Vec<billing::Finding>>, Failed> {
    let path = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || billing::verify(&path));
    during(|| format!("verifying {}", file.display()), reading).await.map_err(Failed::wrong)
}

/// Closes files until everything settled so far is in one. A file belongs to one month, so there may be two.
pub(super) async fn close_all(
    db: &Db,
    keys: &Keys,
    carrier: &Carrier,
    settings: &BillingSettings,
) -> Result<Vec<billing::ClosedFile>, Failed> {
    let mut files = Vec::new();
    loop {
        let now = Clock::System.now();
        let closed = billing::close(db, keys, carrier, settings, now, billing::CloseReason::Manual).await;
        let closed = closed?;
        let more = closed.more;
        files.push(closed);
        if !more {
            return Ok(files);
        }
    }
}

/// Lines of a billing file as a person reads them: the head and the foot as they are, of each record what matters.
pub(super) fn readable(text: &str) -> Vec<String> {
    const SHOWN: [&str; 11] = [
        "seq",
        "kind",
        "event_time",
        "msisdn",
        "service",
        "encoding",
        "seg_planned",
        "seg_billed",
        "result",
        "charge_class",
        "flags",
    ];
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut places: Vec<usize> = Vec::new();
    let mut lines = Vec::new();
    for record in reader.records().flatten() {
        match record.get(0) {
            Some("R") => {
                let cells: Vec<&str> = places.iter().map(|at| record.get(*at).unwrap_or_default()).collect();
                lines.push(format!("R {}", cells.join("  ")));
            }
            Some("line") => {
                let place = |name: &&str| record.iter().position(|column| column == *name);
                places = SHOWN.iter().filter_map(place).collect();
                lines.push(format!("  {}  (11 of {} columns)", SHOWN.join(", "), record.len()));
            }
            _ => lines.push(record.iter().collect::<Vec<_>>().join(",")),
        }
    }
    lines
}
