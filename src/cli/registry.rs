//! `tracuu registry`: the synthetic registry and the catalogues.

use secrecy::ExposeSecret as _;

use super::{ConfigFile, Failed, say};
use crate::registry::{self, Catalogue, Registry};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Writes synthetic people with documents and phone numbers into the configured registry, which must be empty
    Generate {
        #[command(flatten)]
        file: ConfigFile,
        /// How many people
        #[arg(long, default_value_t = 10_000)]
        people: u64,
        /// The same seed writes the same people
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Another database than the configured one
        #[arg(long, value_name = "URL")]
        url: Option<String>,
    },
    /// Lists a catalogue, or all of them with their sizes
    Catalogue {
        #[command(flatten)]
        file: ConfigFile,
        /// Its name, such as ethnicity
        name: Option<String>,
    },
    /// Lists the fixed synthetic people of the demo, with what each is for
    Cast,
}

/// Runs one of them.
pub(super) async fn run(command: Command) -> Result<(), Failed> {
    match command {
        Command::Generate { file, people, seed, url } => {
            let url = match url {
                Some(url) => url.into(),
                None => file.load()?.registry.url,
            };
            let shown = url.expose_secret().split('@').next_back().unwrap_or_default().to_owned();
            let mut bar = super::progress::Counted::new("people", people);
            let summary = registry::generate(&url, people, seed, |done| bar.at(done)).await.map_err(Failed::wrong)?;
            drop(bar);
            say(format!(
                "{shown}: {} people ({} locked, {} dead or missing), {} phone numbers, {} catalogue entries",
                summary.people, summary.locked, summary.deceased, summary.phones, summary.entries
            ));
        }
        Command::Catalogue { file, name } => {
            let registry = Registry::open(&file.load()?.registry).await.map_err(crate::service::ServiceError::from)?;
            match name {
                None => {
                    for catalogue in Catalogue::ALL {
                        let count = registry.catalogues().entries(catalogue).count();
                        say(format!("{:<16} {count:>6}", catalogue.word()));
                    }
                }
                Some(name) => {
                    let catalogue = Catalogue::from_word(&name);
                    let catalogue =
                        catalogue.ok_or_else(|| Failed::Wrong(format!("no catalogue is called \"{name}\"")))?;
                    for entry in registry.catalogues().entries(catalogue) {
                        say(format!("{:<8} {}", entry.code, entry.name_vi));
                    }
                }
            }
        }
        Command::Cast => {
            for one in registry::cast::ALL {
                say(format!("{}  {}  {:<9}  {}", one.phone, one.personal_id, one.old_id.unwrap_or("-"), one.name));
            }
        }
    }
    Ok(())
}
