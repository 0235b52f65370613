//! The settings: one section a file, each checked into types, every fault reported at once with its file and key path.
//!
//! A configuration is one TOML file; an environment variable `TRACUU__SECTION__KEY` stands above it
//! (`TRACUU__CARRIERS__VTL__PASSWORD`). Unknown keys are refused. `tracuu.example.toml` shows every setting.

mod billing;
mod carrier;
mod load;
mod query;
mod reader;
mod registry;
mod reply;
mod retention;
mod service;
mod store;

use secrecy::SecretString;

pub use crate::sms::{Codings, DefaultAlphabet};
pub use billing::BillingSettings;
pub use carrier::{
    AnswerBody, BindForm, Carrier, Flow, IdForm, InDoubtRule, Line, NumberForm, ReceiptRules, ReceiptSegments,
    ReceiptsBy, StatusRule, TemporaryStatus, Tls, Tlvs, Validity,
};
pub use load::{Config, ConfigFaults};
pub use query::{KindSettings, PerLang, QueryKind, QuerySettings, Wording};
pub use reader::{Fault, Findings, Section, distance};
pub use registry::RegistrySettings;
pub use reply::{Contact, ReplySettings};
pub use retention::RetentionSettings;
pub use service::{LogSettings, ServiceSettings};
pub use store::StoreSettings;

/// A secret: written at `key`, or in the file that `key_file` names (its first line, without the line's end).
fn secret(s: &mut Section, key: &str) -> Option<SecretString> {
    let file_key = format!("{key}_file");
    let written: Option<String> = s.optional(key, "a text");
    let file: Option<String> = s.optional(&file_key, "the path of a file");
    match (written, file) {
        (Some(_), Some(_)) => {
            s.fault(&file_key, format!("give {key} or {file_key}, not both"));
            None
        }
        (Some(text), None) => Some(text.into()),
        (None, Some(path)) => match std::fs::read_to_string(s.path(&path)) {
            Ok(text) => Some(text.lines().next().unwrap_or_default().to_owned().into()),
            Err(error) => {
                s.fault(&file_key, format!("cannot read \"{path}\": {error}"));
                None
            }
        },
        (None, None) => None,
    }
}
