//! `tracuu check`: everything a start needs, tried one by one and reported together.

use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::{ConfigFile, Failed, progress::during, say};
use crate::{
    config::Config,
    db::{Db, DbError},
    ledger::{Keys, LedgerError, try_keys},
    registry::Registry,
    service, smpp,
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// One JSON document instead of lines
    #[arg(long)]
    json: bool,
    /// Leave the SMSCs alone
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Serialize)]
struct Finding {
    what: String,
    ok: bool,
    detail: String,
    #[serde(skip)]
    unreachable: bool,
}

/// Tries everything. Exit code 64 for the configuration, 69 when only something is out of reach, 1 for the rest.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failed> {
    let config = match arguments.file.load() {
        Ok(config) => config,
        Err(Failed::Config(faults)) => {
            if arguments.json {
                let rows: Vec<Finding> = faults.0.iter().map(|fault| bad("configuration", fault, false)).collect();
                print(&rows, true)?;
            }
            return Err(Failed::Config(faults));
        }
        Err(other) => return Err(other),
    };
    let mut found = vec![good("configuration", config.file.display())];
    templates(&config, &mut found);
    store(&config, &mut found).await;
    registry(&config, &mut found).await;
    if !arguments.offline {
        for carrier in config.carriers.values() {
            let what = format!("carrier {} at {}", carrier.id, carrier.line.addresses.join(", "));
            let bound = during(|| format!("binding to {}", carrier.id), smpp::try_bind(&carrier.line)).await;
            found.push(match bound {
                Ok(()) => good(&what, "bound and unbound"),
                Err(error) => bad(&what, error, true),
            });
        }
    }
    print(&found, arguments.json)?;
    let broken = found.iter().filter(|finding| !finding.ok).count();
    if broken == 0 {
        Ok(())
    } else if found.iter().all(|finding| finding.ok || finding.unreachable) {
        Err(Failed::Unreachable(format!("{broken} of {} checks: out of reach", found.len())))
    } else {
        Err(Failed::Wrong(format!("{broken} of {} checks failed", found.len())))
    }
}

fn templates(config: &Config, found: &mut Vec<Finding>) {
    let checked = service::build_grammar(config)
        .and_then(|_| service::open_templates(config).map_err(service::ServiceError::from));
    found.push(match checked {
        Ok(templates) => good("templates", format!("version {}", templates.current().version_hex())),
        Err(error) => bad("templates", error, false),
    });
}

/// The store is looked at without being changed: a file that is not there yet is made by the first start.
async fn store(config: &Config, found: &mut Vec<Finding>) {
    let keys = Keys::read(&config.store.key_file);
    found.push(match &keys {
        Ok(_) => good("keys", config.store.key_file.display()),
        Err(error) => bad("keys", error, false),
    });
    let url = config.store.url.expose_secret();
    let file = url.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
    if let Some(path) = file.filter(|path| !std::path::Path::new(path).exists()) {
        found.push(good("store", format!("{path} is not there yet; the first start makes it")));
        return;
    }
    let mut open = service::store_options(config);
    open.read_only = true;
    let tried = match (Db::open(&open).await, keys) {
        (Ok(db), keys) => sound(&db, keys.ok()).await.map(|()| db.kind()),
        (Err(error), _) => Err(error.into()),
    };
    found.push(match tried {
        Ok(kind) => good("store", kind),
        // No tables yet: the first start makes them.
        Err(LedgerError::Db(DbError::Unfit { .. })) => good("store", "empty; the first start fills it"),
        Err(error) => bad("store", &error, matches!(error, LedgerError::Db(DbError::Unavailable { .. }))),
    });
}

/// Reads a file through, however large it is, and tries the keys.
async fn sound(db: &Db, keys: Option<Keys>) -> Result<(), LedgerError> {
    db.examine(true).await?;
    match keys {
        Some(keys) => try_keys(db, &keys).await,
        None => Ok(()),
    }
}

async fn registry(config: &Config, found: &mut Vec<Finding>) {
    found.push(match Registry::open(&config.registry).await {
        Ok(registry) => good("registry", registry.kind()),
        Err(error) => {
            let unreachable = matches!(error, crate::registry::RegistryError::Unavailable { .. });
            bad("registry", error, unreachable)
        }
    });
}

fn good(what: &str, detail: impl std::fmt::Display) -> Finding {
    Finding { what: what.to_owned(), ok: true, detail: detail.to_string(), unreachable: false }
}

fn bad(what: &str, detail: impl std::fmt::Display, unreachable: bool) -> Finding {
    Finding { what: what.to_owned(), ok: false, detail: detail.to_string(), unreachable }
}

fn print(found: &[Finding], json: bool) -> Result<(), Failed> {
    if json {
        say(serde_json::to_string_pretty(found).map_err(Failed::wrong)?);
        return Ok(());
    }
    for finding in found {
        say(format!("{}  {}: {}", if finding.ok { "ok    " } else { "FAILED" }, finding.what, finding.detail));
    }
    Ok(())
}
