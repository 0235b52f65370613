//! What the program logs while it is tested, down to the last detail of our own code: some conditions show nowhere
//! else, and nothing of a citizen may be in it.

use std::{
    io,
    sync::{Mutex, Once, PoisonError},
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

use crate::harness::PATIENCE;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Begins to gather. All gateways of this test binary write here.
pub(crate) fn gather() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let lines =
            tracing_subscriber::fmt().with_env_filter("warn,tracuu=trace").with_writer(Gatherer).with_ansi(false);
        lines.init();
    });
}

/// All that was logged so far.
pub(crate) fn so_far() -> String {
    String::from_utf8_lossy(&LINES.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// Waits until a line holds all of these words.
pub(crate) async fn until(words: &[&str]) {
    let found = tokio::time::timeout(PATIENCE, async {
        while !so_far().lines().any(|line| words.iter().all(|word| line.contains(word))) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(found.await.is_ok(), "no line with {words:?} was logged");
}

struct Gatherer;

impl<'a> MakeWriter<'a> for Gatherer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

impl io::Write for Gatherer {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
