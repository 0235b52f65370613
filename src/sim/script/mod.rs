//! The scripted SMSC: every misbehaviour that carriers' SMSCs are known for, as a script with a name, played against a
//! real service over a real connection. `tracuu sim --script NAME` rehearses one, and the tests play them all.
//!
//! # How to add one
//!
//! 1. In the file of its section (`framing.rs` ... `load.rs`) write what the SMSC does and what it expects:
//!    ```ignore
//!    async fn t09_sm_length_past_end(stage: &mut Stage) -> Done {
//!        let mut peer = stage.bound().await?;                          // the service connects and binds
//!        let broken = peer.question().sm_length(200);                  // d{sm_length=200}
//!        peer.send(&broken).await?;
//!        peer.expect(Want::answer(broken.sequence, 0x01)).await?;      // deliver_sm_resp, status 0x01
//!        peer.is_alive(peer.patience()).await?;                        // enquire_link is answered
//!        peer.converse().await.map(drop)                               // a question, its answer, its reply
//!    }
//!    ```
//! 2. Add it to that file's `SCRIPTS`: `script!(t09_sm_length_past_end, "what it rehearses")`, with `.settings("...")`
//!    (lines of the carrier's section), `.counts(&["sm_length_past_end"])` (what the board must have counted in the
//!    end), `.alarms(&["..."])` (what must stand in the end), `.more_carriers(&["..."])` (one listener each:
//!    `stage.bound_at(1)`; or more listeners of one carrier by a line `address = ["{0}", "{1}"]`).
//! 3. In `tests/traps/<section>.rs`: `trap!(t09_sm_length_past_end);`, or with checks of what is inside the service, at
//!    rest: `trap!(t09_sm_length_past_end, async |run| { assert_eq!(run.balance().await.exchanges, 1); });` (also
//!    `run.counted("..").await`, `run.carrier_board("sim")`, `run.open_store().await`, `run.clock`). What a script
//!    cannot do from the wire it asks for by `stage.cue("lock the store").await`, and the test does it:
//!    `trap!(t40_enquire_while_we_are_busy, cue: async |run, what| {..}, check: async |run| {..});`. What needs files,
//!    TLS or settings made by the test calls `harness::play(name, Around {..}, cue, check)` itself.
//! 4. Fill its row in `TRAPS.md`.
//!
//! A reply may come before or after the answer to its question: [`Peer::expect`] sets aside what it does not wait for.
//! Each [`Peer::question`] is from another phone and of another text. When a script is done, a friendly SMSC takes its
//! connections over, so that the service comes to rest and its books can be checked. Nothing of a message is noted.

mod flow;
mod framing;
mod friendly;
mod keepalive;
mod load;
mod long;
mod matching;
pub mod pdu;
mod peer;
mod questions;
mod receipts;
mod replies;
mod responses;
mod seen;
mod sent_again;
mod sessions;
mod stage;
mod statuses;
mod texts;

use std::{pin::Pin, time::Duration};

pub use pdu::{Deliver, Side, SubmitResp};
pub use peer::{Judged, Peer};
pub use seen::{Bind, Seen, Submit, Want};
pub use stage::{Cue, Done, Scene, Stage, Tell, Unmet, hold};

/// The traps one by one: what the SMSC does, what the service does, which test shows it.
#[doc = include_str!("../TRAPS.md")]
pub mod traps {}

/// What a script does.
pub type Body = for<'a> fn(&'a mut Stage) -> Pin<Box<dyn Future<Output = Done> + Send + 'a>>;

/// A misbehaviour of an SMSC, and what a service that copes does about it.
#[derive(Clone, Copy)]
pub struct Script {
    /// Its name, which is that of the trap and of the test.
    pub name: &'static str,
    /// What it rehearses, in one sentence.
    pub about: &'static str,
    /// The lines of the carrier's section beyond address and account.
    pub lines: &'static str,
    /// The same for each carrier that it needs besides.
    pub more_carriers: &'static [&'static str],
    /// What the board has counted in the end.
    pub counts: &'static [&'static str],
    /// Which alarms stand in the end.
    pub alarms: &'static [&'static str],
    /// The size of the sockets' receive buffers, where it matters.
    pub receive_buffer: Option<u32>,
    body: Body,
}

impl Script {
    /// A script for one carrier with the usual settings.
    #[must_use]
    pub const fn new(name: &'static str, about: &'static str, body: Body) -> Self {
        Self { name, about, lines: "", more_carriers: &[], counts: &[], alarms: &[], receive_buffer: None, body }
    }

    /// With these lines in the carrier's section.
    #[must_use]
    pub const fn settings(mut self, lines: &'static str) -> Self {
        self.lines = lines;
        self
    }

    /// With more carriers, and these lines in the section of each.
    #[must_use]
    pub const fn more_carriers(mut self, lines: &'static [&'static str]) -> Self {
        self.more_carriers = lines;
        self
    }

    /// With what the board must have counted.
    #[must_use]
    pub const fn counts(mut self, counts: &'static [&'static str]) -> Self {
        self.counts = counts;
        self
    }

    /// With the alarms that must stand.
    #[must_use]
    pub const fn alarms(mut self, alarms: &'static [&'static str]) -> Self {
        self.alarms = alarms;
        self
    }

    /// With sockets that hold so little.
    #[must_use]
    pub const fn receive_buffer(mut self, octets: u32) -> Self {
        self.receive_buffer = Some(octets);
        self
    }

    /// The lines of each carrier's section.
    pub fn carriers(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.lines).chain(self.more_carriers.iter().copied())
    }

    /// How many addresses it listens on: one for each carrier, and one for each more that its settings name.
    pub fn addresses(&self) -> usize {
        let named = |at: usize| self.carriers().any(|lines| lines.contains(&format!("{{{at}}}")));
        (0..9).filter(|at| named(*at)).map(|at| at + 1).max().unwrap_or(0).max(self.carriers().count())
    }

    /// Plays it to its end, or for `limit`.
    ///
    /// # Errors
    /// [`Unmet`]: the first expectation that the service did not meet.
    pub async fn play(&self, stage: &mut Stage, limit: Duration) -> Done {
        let played = tokio::time::timeout(limit, (self.body)(stage)).await;
        played.unwrap_or_else(|_| Err(Unmet::new(format!("the script ends within {limit:?}"), "it has not ended")))
    }
}

/// A script by the function that plays it.
macro_rules! script {
    ($body:ident, $about:literal) => {
        $crate::sim::script::Script::new(stringify!($body), $about, |stage| Box::pin($body(stage)))
    };
}
use script;

const SECTIONS: [&[Script]; 14] = [
    framing::SCRIPTS,
    sessions::SCRIPTS,
    keepalive::SCRIPTS,
    responses::SCRIPTS,
    flow::SCRIPTS,
    statuses::SCRIPTS,
    questions::SCRIPTS,
    sent_again::SCRIPTS,
    texts::SCRIPTS,
    long::SCRIPTS,
    replies::SCRIPTS,
    matching::SCRIPTS,
    receipts::SCRIPTS,
    load::SCRIPTS,
];

/// All scripts, in the order of their numbers within a section.
pub fn scripts() -> impl Iterator<Item = &'static Script> {
    SECTIONS.into_iter().flatten()
}

/// The script of this name, or the only one whose name begins so (`t09`).
pub fn find(name: &str) -> Option<&'static Script> {
    let mut begun = scripts().filter(|script| script.name.starts_with(name));
    let first = begun.next();
    scripts().find(|script| script.name == name).or_else(|| first.filter(|_| begun.next().is_none()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn scripts_have_names_of_their_own_and_are_found_by_them() {
        let mut names = BTreeSet::new();
        for script in scripts() {
            assert!(names.insert(script.name), "{} is there twice", script.name);
            assert!(!script.about.is_empty() && script.addresses() >= script.carriers().count(), "{}", script.name);
            assert_eq!(find(script.name).map(|found| found.name), Some(script.name));
        }
        let beginning = |name| find(name).map(|found| found.name);
        assert_eq!(beginning("t09"), Some("t09_sm_length_past_end"));
        assert_eq!((beginning("t0"), beginning("t999"), beginning("")), (None, None, None));
        assert_eq!(find("t38").map(Script::addresses), Some(2));
    }
}
