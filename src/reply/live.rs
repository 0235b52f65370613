//! The set in use: exchanged whole while replies are being made, never in part.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;

use super::{fault::TemplateFaults, request::ReplyRequest, set::TemplateSet, settings::Settings};
use crate::message::Reply;

/// What a reload did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReloadOutcome {
    /// The files are what they were.
    Unchanged,
    /// The new set is in use.
    Accepted {
        /// Its version, as replies carry it.
        version: i64,
        /// Its version for people.
        hex: String,
    },
}

/// The templates of a running service.
#[derive(Debug)]
pub struct Templates {
    dir: PathBuf,
    settings: Settings,
    current: ArcSwap<TemplateSet>,
    fallbacks: AtomicU64,
}

impl Templates {
    /// Loads the set in a folder.
    ///
    /// # Errors
    /// Every fault of the set: there is no good one to fall back on yet, so the service must not start.
    pub fn open(dir: &Path, settings: Settings) -> Result<Self, TemplateFaults> {
        let set = TemplateSet::load(dir, &settings)?;
        Ok(Self { dir: dir.to_owned(), settings, current: ArcSwap::from_pointee(set), fallbacks: AtomicU64::new(0) })
    }

    /// Reads the folder again. The new set is built and checked whole before it takes the old one's place.
    ///
    /// # Errors
    /// Every fault of the new set; the last good one stays in use.
    pub fn reload(&self) -> Result<ReloadOutcome, TemplateFaults> {
        let set = TemplateSet::load(&self.dir, &self.settings)?;
        if set.version() == self.current.load().version() {
            return Ok(ReloadOutcome::Unchanged);
        }
        let accepted = ReloadOutcome::Accepted { version: set.version(), hex: set.version_hex() };
        self.current.store(Arc::new(set));
        Ok(accepted)
    }

    /// The set in use.
    pub fn current(&self) -> Arc<TemplateSet> {
        self.current.load_full()
    }

    /// The folder of the set.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Makes a reply. It cannot fail: a text that cannot be made is replaced by a fixed one with the contact phone,
    /// which is counted and logged.
    pub fn compose(&self, request: &ReplyRequest<'_>) -> Reply {
        let set = self.current.load();
        set.try_compose(request).unwrap_or_else(|error| {
            let count = self.fallbacks.fetch_add(1, Ordering::Relaxed) + 1;
            // A template that fails once fails often: the first, second, fourth ... are logged. The error's own detail
            // stays out, because it may quote a value.
            if count.is_power_of_two() {
                let file = set.language(request.lang).slot(request.facts.outcome()).file.as_str();
                let kind = error.kind().to_string();
                tracing::error!(
                    template.file = file,
                    template.line = error.line(),
                    error.kind = kind,
                    fallbacks = count,
                    "Reply template failed, the citizen was sent the fixed text with the contact phone"
                );
            }
            set.neutral(request)
        })
    }

    /// How many replies had to be the fixed text since the start.
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks.load(Ordering::Relaxed)
    }
}
