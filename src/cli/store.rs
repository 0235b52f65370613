//! `tracuu store`: removing the old, checking the audit chain, giving room back to the disk.

use std::cell::Cell;

use super::{ConfigFile, Failed, progress::during, say};
use crate::{
    clock::Clock,
    config::Config,
    db::{Db, DbError},
    ledger::{Keys, LedgerError, PruneError, read::store::live_writers, verify_chain},
    retention::{self, Manner},
    service::{self, ServiceError},
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Removes what is older than [retention] says, billed, published and done with; works beside the running service
    Prune {
        #[command(flatten)]
        file: ConfigFile,
        /// Say what would go, and remove nothing
        #[arg(long)]
        dry_run: bool,
        /// No rests between batches: for a store that nobody uses meanwhile
        #[arg(long, conflicts_with = "dry_run")]
        at_once: bool,
    },
    /// Makes the audit chain again from all rows, and says whether one was altered, put in or taken away by hand
    Verify {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Gives the room of removed rows back to the disk; a SQLite store must not be in use, and needs as much room again
    Vacuum {
        #[command(flatten)]
        file: ConfigFile,
    },
}

/// Runs one of them.
pub(super) async fn run(command: Command) -> Result<(), Failed> {
    let (Command::Prune { file, .. } | Command::Verify { file } | Command::Vacuum { file }) = &command;
    let config = file.load()?;
    let keys = std::sync::Arc::new(Keys::read(&config.store.key_file).map_err(Failed::wrong)?);
    let db = open(&config, &command).await?;
    let done = match command {
        Command::Prune { dry_run, at_once, .. } => {
            let manner = match (dry_run, at_once) {
                (true, _) => Manner::Dry,
                (false, true) => Manner::AtOnce,
                (false, false) => Manner::Gentle,
            };
            prune(&db, &keys, &config, manner).await
        }
        Command::Verify { .. } => verify(&db, &keys).await,
        Command::Vacuum { .. } => vacuum(&db).await,
    };
    db.close().await;
    done
}

/// Only what changes the store opens it for writing: that would make a file that is not there.
async fn open(config: &Config, command: &Command) -> Result<Db, Failed> {
    let mut open = service::store_options(config);
    let found = Db::inspect(&crate::db::OpenDb { read_only: true, ..open.clone() }).await;
    found.map_err(ServiceError::from)?;
    open.read_only = matches!(command, Command::Verify { .. } | Command::Prune { dry_run: true, .. });
    if !open.read_only {
        // Tries that it is there.
        let there = Db::open(&crate::db::OpenDb { read_only: true, ..open.clone() }).await;
        there.map_err(ServiceError::from)?.close().await;
    }
    Ok(Db::open(&open).await.map_err(ServiceError::from)?)
}

async fn prune(db: &Db, keys: &std::sync::Arc<Keys>, config: &Config, manner: Manner) -> Result<(), Failed> {
    let told = Cell::new((0, 0));
    let pruning = retention::prune(db, keys, &config.retention, Clock::System.now(), manner, |removed| {
        told.set((removed.exchanges, removed.settlements));
    });
    let says = || {
        let (exchanges, settlements) = told.get();
        format!("{exchanges} questions and {settlements} settlements so far")
    };
    let removed = during(says, pruning).await.map_err(failed)?;
    say(format!("{}: {removed}", if manner == Manner::Dry { "would be removed" } else { "removed" }));
    for why in &removed.held {
        say(format!("stays: {why}"));
    }
    say(space(db).await?);
    Ok(())
}

async fn verify(db: &Db, keys: &Keys) -> Result<(), Failed> {
    let read = Cell::new(0);
    let verifying = verify_chain(db, keys, |rows| read.set(rows));
    let report = during(|| format!("{} rows followed", read.get()), verifying).await;
    let report = report.map_err(ServiceError::from)?;
    if report.broken.is_empty() {
        say(format!(
            "the audit chain holds: {} rows of {} starts, {} rows before them pruned by age",
            report.rows, report.epochs, report.pruned
        ));
        return Ok(());
    }
    Err(Failed::Wrong(report.broken.join("\n")))
}

async fn vacuum(db: &Db) -> Result<(), Failed> {
    let live = live_writers(db, Clock::System.now()).await.map_err(ServiceError::from)?;
    if matches!(db, Db::Sqlite { .. }) && live > 0 {
        return Err(Failed::Wrong("the service runs on this store: stop it first".to_owned()));
    }
    during(|| "giving room back".to_owned(), db.vacuum()).await.map_err(ServiceError::from)?;
    say(space(db).await?);
    Ok(())
}

/// What the store takes on the disk, in words.
async fn space(db: &Db) -> Result<String, Failed> {
    let mib = |octets: u64| format!("{:.1} MiB", octets as f64 / 1_048_576.0);
    let (all, free) = db.space().await.map_err(ServiceError::from)?;
    let all = mib(all);
    Ok(match free {
        Some(free) => format!("the store takes {all}, {} of them free for new rows", mib(free)),
        None => format!("the store takes {all}; autovacuum makes the room of removed rows free for new ones"),
    })
}

fn failed(error: PruneError) -> Failed {
    match error {
        PruneError::Ledger(LedgerError::Db(DbError::Unfit { why, .. })) => Failed::Wrong(format!(
            "the store does not fit this program ({why}): start the service once, it changes that"
        )),
        PruneError::Ledger(error) => ServiceError::from(error).into(),
        error @ (PruneError::Elsewhere | PruneError::Mark { .. }) => Failed::wrong(error),
    }
}
