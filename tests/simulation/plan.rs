//! What happens in a run, drawn from its seed: how the service is set up, what is asked, and what goes wrong until when.

use std::{fmt::Write as _, time::Duration};

use crate::dice::Dice;

/// Everything drawn before a run begins. Its `Debug` is what a failing seed prints.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Processes on the one store.
    pub(crate) instances: usize,
    /// Settings of the carrier, as lines of its section.
    pub(crate) carrier: String,
    pub(crate) hold: bool,
    pub(crate) batch: u64,
    pub(crate) questions: u64,
    /// Questions come within this time.
    pub(crate) asking: Duration,
    /// From then on nothing goes wrong any more.
    pub(crate) calm_at: Duration,
    pub(crate) store: StoreFaults,
    pub(crate) net: NetFaults,
    pub(crate) smsc: SmscWays,
    /// In order of time.
    pub(crate) ends: Vec<End>,
}

/// What goes wrong with calls of the databases, times in a thousand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoreFaults {
    /// Every call takes up to so many milliseconds.
    pub(crate) slow_ms: u64,
    pub(crate) read_fails: u64,
    pub(crate) begin_fails: u64,
    pub(crate) statement_fails: u64,
    pub(crate) commit_fails: u64,
    /// The commit is kept, and its answer is lost.
    pub(crate) commit_lost: u64,
    /// A call takes up to so many seconds.
    pub(crate) stalls: u64,
    pub(crate) stall_s: u64,
    /// Nothing can be asked from then for so long.
    pub(crate) outage: Option<(Duration, Duration)>,
}

/// What goes wrong with connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NetFaults {
    /// Octets take up to so many milliseconds.
    pub(crate) delay_ms: u64,
    /// What is written arrives in pieces, times in a thousand.
    pub(crate) splits: u64,
    pub(crate) refused: u64,
    /// Times in a thousand that a connection is cut behind some octet.
    pub(crate) cut_behind: u64,
    /// The same after some time.
    pub(crate) cut_after: u64,
    /// The same: nothing arrives for some seconds.
    pub(crate) silent: u64,
}

/// What the SMSC does, times in a thousand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SmscWays {
    pub(crate) window: u64,
    pub(crate) bind_refused: u64,
    pub(crate) unbinds: u64,
    /// A submit is taken and its response never sent.
    pub(crate) submit_silent: u64,
    pub(crate) submit_throttled: u64,
    pub(crate) submit_queue_full: u64,
    pub(crate) submit_system_error: u64,
    pub(crate) submit_refused: u64,
    /// Responses take up to so many milliseconds.
    pub(crate) slow_ms: u64,
    pub(crate) receipts: bool,
    /// What is not answered for too long is sent again on the same session.
    pub(crate) resends: bool,
}

/// An end of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) at: Duration,
    pub(crate) instance: usize,
    /// Killed; else stopped in order.
    pub(crate) killed: bool,
    /// Started again so much later.
    pub(crate) down: Duration,
}

impl Plan {
    pub(crate) fn of(seed: u64) -> Self {
        let dice = Dice::new(seed, "plan");
        let instances = if dice.permille(200) { 2 } else { 1 };
        let calm_at = Duration::from_secs(dice.between(40, 90));
        let hold = dice.permille(200);
        let receipts = dice.permille(400);
        let smsc = SmscWays {
            window: dice.between(1, 20),
            bind_refused: dice.seldom(300),
            unbinds: dice.seldom(200),
            submit_silent: dice.seldom(80),
            submit_throttled: dice.seldom(200),
            submit_queue_full: dice.seldom(200),
            submit_system_error: dice.seldom(100),
            submit_refused: dice.seldom(50),
            slow_ms: dice.pick(&[0, 5, 200, 3_000]),
            receipts,
            resends: dice.permille(300),
        };
        let outage = dice.permille(250).then(|| {
            let at = dice.millis(2_000, 40_000);
            (at, dice.millis(500, 20_000))
        });
        let store = StoreFaults {
            slow_ms: dice.pick(&[0, 2, 20, 300]),
            read_fails: dice.seldom(100),
            begin_fails: dice.seldom(100),
            statement_fails: dice.seldom(40),
            commit_fails: dice.seldom(150),
            commit_lost: dice.seldom(150),
            stalls: dice.seldom(20),
            stall_s: dice.between(1, 12),
            outage,
        };
        let net = NetFaults {
            delay_ms: dice.pick(&[0, 5, 100, 1_000]),
            splits: dice.pick(&[0, 0, 100, 900]),
            refused: dice.seldom(400),
            cut_behind: dice.seldom(900),
            cut_after: dice.seldom(900),
            silent: dice.seldom(500),
        };
        let kills = dice.pick(&[0, 0, 1, 2, 4]);
        let mut ends: Vec<End> = (0..kills).map(|_| End::draw(&dice, calm_at, instances)).collect();
        ends.sort_by_key(|end| end.at);
        Self {
            seed,
            instances,
            carrier: carrier(&dice, hold, receipts),
            hold,
            batch: dice.pick(&[1, 4, 64]),
            questions: dice.between(5, 50),
            asking: dice.millis(100, 30_000),
            calm_at,
            store,
            net,
            smsc,
            ends,
        }
    }
}

impl End {
    fn draw(dice: &Dice, calm_at: Duration, instances: usize) -> Self {
        Self {
            at: dice.millis(100, calm_at.as_millis() as u64),
            instance: dice.between(0, instances as u64 - 1) as usize,
            killed: dice.permille(750),
            down: dice.millis(0, 15_000),
        }
    }
}

/// The carrier's settings. What would end a reply for good without a fault of ours is set out of reach: a reply lives for
/// longer than all faults last, and is tried again as often as it may be.
fn carrier(dice: &Dice, hold: bool, receipts: bool) -> String {
    let mut text =
        String::from("submit_tries = 50\nsubmit_timeout_ms = 10000\nsmsc_response_s = 5\nequal_replies = 10000\n");
    let mut set = |name: &str, value: String| {
        let _ = writeln!(text, "{name} = {value}");
    };
    set("lines", dice.between(1, 2).to_string());
    set("bind", dice.pick(&["\"transceiver\"", "\"transceiver\"", "\"pair\""]).to_owned());
    set("window", dice.pick(&[1, 3, 10, 100]).to_string());
    set("inbound_window", dice.pick(&[1, 4, 256]).to_string());
    set("answer_deadline_ms", dice.pick(&[500, 1_500, 3_000]).to_string());
    set("temporary_at_most_s", dice.pick(&[2, 30]).to_string());
    set("ordered_answers", dice.permille(200).to_string());
    set("rate", dice.pick(&[0, 0, 5, 50]).to_string());
    set("split", dice.pick(&["\"udh8\"", "\"udh16\"", "\"sar\""]).to_owned());
    set("reconnect_min_ms", dice.pick(&[50, 1_000]).to_string());
    set("reconnect_max_ms", "5000".to_owned());
    set("in_doubt", if hold { "\"hold\"" } else { "\"resend\"" }.to_owned());
    set("receipts", receipts.to_string());
    text
}
