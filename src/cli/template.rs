//! `tracuu template`: what an operator needs before and after editing.

use super::{ConfigFile, Failed, say};
use crate::{
    reply::{TemplateSet, render_samples},
    service,
};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Checks every text in every language with every sample; names all faults at once
    Check {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Shows every text with every sample, as a phone would get it
    Render {
        #[command(flatten)]
        file: ConfigFile,
        /// Only files whose name contains this
        only: Option<String>,
    },
}

/// Runs one of them.
pub(super) fn run(command: Command) -> Result<(), Failed> {
    let (file, render) = match command {
        Command::Check { file } => (file, None),
        Command::Render { file, only } => (file, Some(only.unwrap_or_default())),
    };
    let config = file.load()?;
    let settings = service::template_settings(&config);
    let set = TemplateSet::load(&config.reply.templates, &settings).map_err(Failed::wrong)?;
    let Some(only) = render else {
        say(format!("{}: no fault, version {}", config.reply.templates.display(), set.version_hex()));
        return Ok(());
    };
    for sample in render_samples(&set).into_iter().filter(|sample| sample.file.contains(&only)) {
        say(format!(
            "{} ({}): {} segment(s) as {}\n    {}",
            sample.file,
            sample.sample,
            sample.segments,
            sample.alphabet.as_str(),
            sample.text
        ));
    }
    Ok(())
}
