//! `tracuu quarantine`: messages that could not be taken for what they were sent as, for whoever must show a carrier what
//! its SMSC does. Works beside the running service.

use super::{ConfigFile, Failed, say};
use crate::{
    clock::Micros,
    config::Config,
    db::Db,
    ledger::{Keys, Table, read},
    message::{CarrierId, LineId, RowKey},
    service,
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// How many were put aside, by carrier and oddity
    Count {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// The newest, without what they say
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Only this oddity, such as sm_length_past_end
        #[arg(long, value_name = "NAME")]
        trap: Option<String>,
        /// How many
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
    },
    /// The octets of one, which may hold a citizen's number and text
    Show {
        #[command(flatten)]
        file: ConfigFile,
        /// Its key, as `list` shows it
        key: i64,
    },
}

/// Octets in a line of a dump.
const LINE: usize = 16;

/// Runs one of them.
pub(super) async fn run(command: Command) -> Result<(), Failed> {
    let (Command::Count { file } | Command::List { file, .. } | Command::Show { file, .. }) = &command;
    let config = file.load()?;
    let mut open = service::store_options(&config);
    open.read_only = true;
    let db = Db::open(&open).await.map_err(service::ServiceError::from)?;
    let done = match command {
        Command::Count { .. } => count(&db, &config).await,
        Command::List { trap, limit, .. } => list(&db, &config, trap.as_deref(), limit.into()).await,
        Command::Show { key, .. } => show(&db, &config, key).await,
    };
    db.close().await;
    done
}

async fn count(db: &Db, config: &Config) -> Result<(), Failed> {
    let counts = read::trap_counts(db).await.map_err(service::ServiceError::from)?;
    if counts.is_empty() {
        say("nothing was put aside");
    }
    for one in counts {
        let (first, last) = (when(config, one.first_at), when(config, one.last_at));
        say(format!("{:<12} {:<28} {:>6}  {first} to {last}", one.carrier, one.trap, one.messages));
    }
    Ok(())
}

async fn list(db: &Db, config: &Config, trap: Option<&str>, limit: i64) -> Result<(), Failed> {
    for one in read::put_aside(db, trap, limit).await.map_err(service::ServiceError::from)? {
        let row = u16::try_from(one.line).unwrap_or_default();
        let line = CarrierId::parse(&one.carrier).map(|id| LineId::from_row(id, row).to_string());
        say(format!(
            "{}  {}  {}  {}  answered {:#04x}  {} octets",
            one.key,
            when(config, one.at),
            line.unwrap_or(one.carrier),
            one.trap,
            one.status,
            one.octets
        ));
    }
    Ok(())
}

async fn show(db: &Db, config: &Config, key: i64) -> Result<(), Failed> {
    let sealed = read::sealed_frame(db, key).await.map_err(service::ServiceError::from)?;
    let sealed = sealed.ok_or_else(|| Failed::Wrong(format!("nothing was put aside under {key}, or it has gone")))?;
    let keys = Keys::read(&config.store.key_file).map_err(Failed::wrong)?;
    let epochs = read::epoch_keys(db, &keys).await.map_err(service::ServiceError::from)?;
    let row = RowKey(key);
    let epoch = epochs.get(&row.epoch());
    let epoch = epoch.ok_or_else(|| Failed::Wrong(format!("the key file has no key for {key}")))?;
    let frame = epoch.open(Table::Quarantine, row, &sealed).map_err(Failed::wrong)?;
    for (at, octets) in frame.chunks(LINE).enumerate() {
        say(dump(at * LINE, octets));
    }
    Ok(())
}

/// One line of a dump: place, octets, and the characters among them.
fn dump(place: usize, octets: &[u8]) -> String {
    let hex: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    let shown = |octet: &u8| if octet.is_ascii_graphic() || *octet == b' ' { char::from(*octet) } else { '.' };
    let text: String = octets.iter().map(shown).collect();
    format!("{place:04x}  {:<47}  {text}", hex.join(" "))
}

fn when(config: &Config, at: i64) -> String {
    let zone = jiff::tz::TimeZone::get(&config.billing.zone).unwrap_or(jiff::tz::TimeZone::UTC);
    Micros(at).in_zone(&zone).map_or_else(String::new, |at| at.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_shows_octets_and_characters() {
        assert_eq!(dump(16, b"HD\0\xff"), format!("0010  {:<47}  HD..", "48 44 00 ff"));
    }
}
