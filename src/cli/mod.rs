//! The commands, one file each.
//!
//! Exit codes: 0 done; 1 it went wrong, or a check found something; 2 the arguments are off; 64 the configuration is
//! wrong; 65 the store's file is damaged; 69 something that is needed (database, SMSC) cannot be reached; 74 the disk did
//! not keep what was written to it.

mod ask;
mod billing;
mod check;
mod demo;
mod demo_play;
mod init;
mod progress;
mod quarantine;
mod registry;
mod serve;
mod sim;
mod sim_phone;
mod sim_script;
mod status;
mod store;
mod template;

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::{Config, ConfigFaults};

/// SMS look-up service for a national population registry.
#[derive(Debug, Parser)]
#[command(name = "tracuu", version, about, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done; 1 it went wrong or a check found something; 2 the arguments are off; \
64 the configuration is wrong; 65 the store's file is damaged; 69 a database or SMSC cannot be reached; 74 the disk did \
not keep what was written to it.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays conversations against the built-in SMSC on a synthetic registry, and shows the billing file and the accounts
    Demo(demo::Arguments),
    /// Runs the service
    ///
    /// SIGTERM or SIGINT stops it in order within 20 s: new questions get a temporary error, what was taken is finished,
    /// replies under way are settled, lines unbind. A second signal ends it at once, with exit code 1, as does the first
    /// one before it has started; what is not settled is found at the next start.
    Serve(ConfigFile),
    /// Writes a commented configuration, keys and reply templates into a folder
    Init(init::Arguments),
    /// Tries configuration, templates, databases and every SMSC
    Check(check::Arguments),
    /// How the running service stands: lines, limits, oddities, alarms
    Status(status::Arguments),
    /// Walks one text through the whole path without an SMSC and shows each step
    Ask(ask::Arguments),
    /// The built-in SMSC: stand-alone, or as a load generator
    Sim(sim::Arguments),
    /// The synthetic registry and the catalogues
    #[command(subcommand)]
    Registry(registry::Command),
    /// Reply templates
    #[command(subcommand)]
    Template(template::Command),
    /// Billing files
    #[command(subcommand)]
    Billing(billing::Command),
    /// The service's own database: removal of the old, audit chain, room on the disk
    #[command(subcommand)]
    Store(store::Command),
    /// Messages of carriers that were put aside
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// Prints the completions for a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Which configuration.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ConfigFile {
    /// The configuration file
    #[arg(short, long, default_value = "tracuu.toml", value_name = "FILE")]
    pub(crate) config: PathBuf,
}

impl ConfigFile {
    /// Reads it; every fault at once.
    pub(crate) fn load(&self) -> Result<Config, Failed> {
        Config::load(&self.config).map_err(Failed::Config)
    }
}

/// Why a command failed; decides the exit code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The configuration.
    #[error("{0}")]
    Config(ConfigFaults),
    /// A database file is damaged, or is none.
    #[error("{0}")]
    Damaged(String),
    /// The disk did not keep what was written.
    #[error("{0}")]
    Unsynced(String),
    /// Something needed cannot be reached.
    #[error("{0}")]
    Unreachable(String),
    /// It was told to end at once: nothing is waited for any more.
    #[error("{0}")]
    AtOnce(&'static str),
    /// Anything else.
    #[error("{0}")]
    Wrong(String),
}

impl Failed {
    fn code(&self) -> u8 {
        match self {
            Self::Config(_) => 64,
            Self::Damaged(_) => 65,
            Self::Unreachable(_) => 69,
            Self::Unsynced(_) => 74,
            Self::AtOnce(_) | Self::Wrong(_) => 1,
        }
    }

    /// Anything that prints, as a plain failure.
    pub(crate) fn wrong(error: impl std::fmt::Display) -> Self {
        Self::Wrong(error.to_string())
    }
}

impl From<crate::service::ServiceError> for Failed {
    fn from(error: crate::service::ServiceError) -> Self {
        use crate::{
            db::DbError,
            ledger::{LedgerError, WriterEnd},
            registry::RegistryError,
            service::ServiceError,
        };
        let text = error.to_string();
        match error {
            ServiceError::Db(DbError::Unavailable { .. })
            | ServiceError::Ledger(LedgerError::Db(DbError::Unavailable { .. }))
            | ServiceError::Registry(RegistryError::Unavailable { .. }) => Self::Unreachable(text),
            ServiceError::Db(DbError::Damaged { .. })
            | ServiceError::Ledger(LedgerError::Db(DbError::Damaged { .. })) => Self::Damaged(text),
            ServiceError::Db(DbError::Unsynced { .. })
            | ServiceError::Ledger(LedgerError::Db(DbError::Unsynced { .. }))
            | ServiceError::Writer(WriterEnd::Unsynced(_)) => Self::Unsynced(text),
            ServiceError::Db(_)
            | ServiceError::Ledger(_)
            | ServiceError::Registry(_)
            | ServiceError::Seal(_)
            | ServiceError::Templates(_)
            | ServiceError::Grammar(_)
            | ServiceError::Writer(WriterEnd::Fenced)
            | ServiceError::TaskEnded(_) => Self::Wrong(text),
        }
    }
}

impl From<crate::billing::BillingError> for Failed {
    fn from(error: crate::billing::BillingError) -> Self {
        use crate::{billing::BillingError, db::DbError};
        let text = error.to_string();
        match error {
            BillingError::Store(DbError::Unavailable { .. }) => Self::Unreachable(text),
            BillingError::Store(DbError::Damaged { .. }) => Self::Damaged(text),
            BillingError::Store(DbError::Unsynced { .. }) => Self::Unsynced(text),
            BillingError::Store(DbError::Unfit { .. } | DbError::Refused { .. } | DbError::Inconsistent { .. })
            | BillingError::Keys(_)
            | BillingError::EpochKey { .. }
            | BillingError::Folder { .. }
            | BillingError::Unwritable { .. }
            | BillingError::Differs { .. }
            | BillingError::ContractKey { .. }
            | BillingError::Miscounted { .. }
            | BillingError::Zone { .. }
            | BillingError::Busy => Self::Wrong(text),
        }
    }
}

/// Runs the command that was typed.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Failed::wrong(error)),
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Demo(arguments) => Box::pin(demo::run(arguments)).await,
            Command::Serve(file) => Box::pin(serve::run(&file)).await,
            Command::Init(arguments) => init::run(&arguments),
            Command::Check(arguments) => check::run(&arguments).await,
            Command::Status(arguments) => status::run(&arguments).await,
            Command::Ask(arguments) => ask::run(&arguments).await,
            Command::Sim(arguments) => Box::pin(sim::run(arguments)).await,
            Command::Registry(command) => registry::run(command).await,
            Command::Template(command) => template::run(command),
            Command::Billing(command) => Box::pin(billing::run(command)).await,
            Command::Store(command) => Box::pin(store::run(command)).await,
            Command::Quarantine(command) => quarantine::run(command).await,
            Command::Completions { shell } => {
                completions(shell);
                Ok(())
            }
        }
    });
    if matches!(done, Err(Failed::AtOnce(_))) {
        runtime.shutdown_background();
    } else {
        // A look-up that hangs must not keep the process after its command is done.
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    }
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// Writes a shell's completions. A closed pipe is no error.
fn completions(shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "tracuu", &mut script);
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
}

#[expect(clippy::print_stderr, reason = "the one place that tells the person at the terminal what went wrong")]
fn failed(error: &Failed) -> ExitCode {
    for line in error.to_string().lines() {
        eprintln!("tracuu: {line}");
    }
    ExitCode::from(error.code())
}

/// Prints a line for the person at the terminal. A closed pipe (`| head`) is no error.
pub(crate) fn say(line: impl std::fmt::Display) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_tree_is_sound() {
        super::Arguments::command().debug_assert();
    }
}
