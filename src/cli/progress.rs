//! What a person sees of work that takes more than a second: a bar or a turning sign on standard error, and nothing
//! where standard error is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::{Instant, interval};

/// Work that is done sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often a sign turns.
const TURN: Duration = Duration::from_millis(100);

/// A bar for work that can be counted.
pub(super) struct Counted {
    bar: ProgressBar,
    begun: Instant,
    shown: bool,
}

impl Counted {
    /// Work of `total` steps.
    pub(super) fn new(what: &'static str, total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg} [{bar:40}] {human_pos} of {human_len}, {eta} left");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
        bar.set_message(what);
        Self { bar, begun: Instant::now(), shown: false }
    }

    /// So many steps are done.
    pub(super) fn at(&mut self, done: u64) {
        if !self.shown && self.begun.elapsed() >= PATIENCE {
            self.shown = true;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Shows that something goes on while `work` does. `says` tells how far it is, each time it is asked.
pub(super) async fn during<T>(says: impl Fn() -> String, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    if let Ok(done) = tokio::time::timeout(PATIENCE, &mut work).await {
        return done;
    }
    let sign = ProgressBar::new_spinner();
    let mut turns = interval(TURN);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = turns.tick() => {
                sign.set_message(says());
                sign.tick();
            }
        }
    };
    sign.finish_and_clear();
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_gives_its_result_whether_it_is_shown_or_not() {
        for seconds in [0, 5] {
            let work = async {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                seconds
            };
            assert_eq!(during(|| "working".to_owned(), work).await, seconds);
        }
        let mut counted = Counted::new("people", 10);
        counted.at(3);
        assert!(!counted.shown, "a moment shows nothing");
        tokio::time::advance(PATIENCE).await;
        counted.at(7);
        assert!(counted.shown);
    }
}
