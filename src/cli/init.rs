//! `tracuu init`: writes what a first start needs.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use super::{Failed, say};
use crate::{ledger, reply};

/// The example is the configuration that is written: every setting with its default and its meaning.
pub(crate) const EXAMPLE: &str = include_str!("../../tracuu.example.toml");

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where to write; made when it is not there
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
}

/// Writes configuration, keys and templates; never over a file that is there.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failed> {
    let folder = &arguments.folder;
    write(folder, EXAMPLE)?;
    say(format!("Written to {}: tracuu.toml, tracuu.keys, sms-templates/", folder.display()));
    say("Next, in that folder:");
    say("  tracuu registry generate --people 10000    a synthetic registry to try with");
    say("  tracuu sim                                 the built-in SMSC, in another terminal");
    say("  tracuu check                               what is missing or wrong");
    say("  tracuu serve                               the service");
    Ok(())
}

/// Writes a configuration with new keys and the shipped templates into a folder.
pub(super) fn write(folder: &Path, configuration: &str) -> Result<(), Failed> {
    fs::create_dir_all(folder).map_err(|error| Failed::Wrong(format!("{}: {error}", folder.display())))?;
    let (file, keys, templates) =
        (folder.join("tracuu.toml"), folder.join("tracuu.keys"), folder.join("sms-templates"));
    for path in [&file, &keys, &templates] {
        if path.exists() {
            return Err(Failed::Wrong(format!("{} is there already; nothing was written", path.display())));
        }
    }
    create(&file, configuration.as_bytes(), 0o640)?;
    create(&keys, ledger::Keys::new_file(&ledger::random().map_err(Failed::wrong)?).as_bytes(), 0o600)?;
    reply::Shipped::write_to(&templates).map_err(|error| Failed::Wrong(format!("{}: {error}", templates.display())))?;
    Ok(())
}

fn create(path: &Path, content: &[u8], mode: u32) -> Result<(), Failed> {
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    made.and_then(|mut file| file.write_all(content))
        .map_err(|error| Failed::Wrong(format!("{}: {error}", path.display())))
}
