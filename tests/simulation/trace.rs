//! What happened in a run, line by line: printed when one seed is played, and always put into one number by which two
//! runs are compared.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex},
};

use tokio::time::Instant;

/// The lines of one run.
#[derive(Clone)]
pub(crate) struct Trace {
    begin: Instant,
    lines: Arc<Mutex<Lines>>,
}

struct Lines {
    print: bool,
    digest: DefaultHasher,
    count: u64,
    kept: Vec<String>,
    keep: bool,
}

impl Trace {
    pub(crate) fn new(print: bool, keep: bool) -> Self {
        let lines = Lines { print, digest: DefaultHasher::new(), count: 0, kept: Vec::new(), keep };
        Self { begin: Instant::now(), lines: Arc::new(Mutex::new(lines)) }
    }

    /// Writes a line down.
    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        let at = self.begin.elapsed();
        let line = format!("{:>11.6} {}", at.as_secs_f64(), what());
        let mut lines = self.lines.lock().unwrap();
        line.hash(&mut lines.digest);
        lines.count += 1;
        if lines.print {
            eprintln!("{line}");
        }
        if lines.keep {
            lines.kept.push(line);
        }
    }

    /// One number for all lines so far, and how many they are.
    pub(crate) fn digest(&self) -> (u64, u64) {
        let lines = self.lines.lock().unwrap();
        (lines.digest.finish(), lines.count)
    }

    pub(crate) fn kept(&self) -> Vec<String> {
        self.lines.lock().unwrap().kept.clone()
    }
}
