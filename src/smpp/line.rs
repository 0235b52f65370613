//! A line for as long as the service runs: one session after the other, with growing waits in between.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep, timeout},
};

use super::{
    backoff::Backoff,
    dial::Route,
    error::{LineError, Pace, in_words},
    session::{Ended, converse},
    station::{Station, Wiring},
    trap::Trap,
};
use crate::{
    board::LineState,
    config::Line,
    message::{LineId, Role},
};

/// How long the last events may take to be handed up when the line stops.
const LAST_EVENTS: Duration = Duration::from_secs(5);

/// Runs a line until its `commands` are closed: connects, binds, converses, connects again. Then it unbinds in good
/// order and returns; submits that are still open come up with the last [`Down`](crate::message::LineEvent::Down).
///
/// - `desk` is given questions, receipts, Up and Down; `outbox` responses, Up, and Down with what is in doubt. Events
///   come in batches and in order: Up before all of its session, Down after it.
/// - Each submit that is taken comes back exactly once, as a response or in doubt. One that never left for want of a
///   session or of room comes back as `Unsent`, one that cannot be written as rejected with the status for its field.
///   A response after `TimedOut` comes up as a second one.
/// - A message that nobody answers within `answer_deadline` is answered with the temporary error if its ticket can be
///   given up; so are, without being handed up, those that come after `quiesce`. After such errors alone for
///   `temporary_at_most` messages are left with the SMSC instead, and one at a time is handed up until one is stored.
/// - Tickets of messages that are undecided when a session ends are given up: the SMSC sends those messages again.
pub async fn run(settings: Line, wiring: Wiring) {
    let route = Route::new(&settings);
    run_over(&settings, wiring, |was_bound| route.dial(was_bound)).await;
}

/// [`run`] over any kind of stream: `connect` makes the next one, and is told whether the last one was bound.
pub async fn run_over<S, C>(settings: &Line, wiring: Wiring, connect: impl Fn(bool) -> C)
where
    S: AsyncRead + AsyncWrite + Unpin,
    C: Future<Output = Result<S, LineError>>,
{
    let mut station = Station::new(wiring);
    station.down.begins(settings.down_after, Instant::now(), station.clock.now());
    let mut backoff = Backoff::new(settings);
    let (mut session, mut was_bound) = (1, true);
    while let Some(connected) = station.meanwhile(connect(was_bound)).await {
        let ended = match connected {
            Ok(stream) => converse(stream, settings, &mut station, session).await,
            Err(error) => Ended { bound_for: None, why: Err(error) },
        };
        was_bound = ended.bound_for.is_some();
        session += u32::from(was_bound);
        let Err(error) = ended.why else { break };
        let others_are_bound = station.board.others_are_bound(&station.label);
        let pace = error.pace(others_are_bound);
        tell_the_board(&mut station, &error, was_bound, others_are_bound);
        let wait = backoff.after(pace, ended.bound_for, &station.chance);
        is_down(&mut station, settings, &error);
        report(&station.label, &error, pace, was_bound, wait);
        if station.meanwhile(sleep(wait)).await.is_none() {
            break;
        }
    }
    station.pulse.rest();
    let label = &station.label;
    tracing::info!(carrier.name = %label.carrier, line = %label, "Line {label} closed");
    let last_events = async {
        while station.post.is_waiting() {
            station.post.room().await;
            station.post.hand_up();
        }
    };
    if timeout(LAST_EVENTS, last_events).await.is_err() {
        let label = &station.label;
        tracing::warn!(carrier.name = %label.carrier, line = %label, "Line {label} closed, its last events untaken");
    }
}

/// The line has no session, since now or since an earlier failure, and for this reason.
fn is_down(station: &mut Station, settings: &Line, error: &LineError) {
    let now = station.clock.now();
    station.down.begins(settings.down_after, Instant::now(), now);
    station.down.because(error.to_string());
    let down = LineState::Down { since: station.down.since().unwrap_or(now), why: error.to_string() };
    station.board.line(&station.label, down);
    station.tell_down();
}

/// Counts what the error is, and raises the alarm where people must act.
fn tell_the_board(station: &mut Station, error: &LineError, was_bound: bool, others_are_bound: bool) {
    for trap in error.traps(was_bound, others_are_bound) {
        station.note(*trap);
    }
    if was_bound {
        let other = match station.label.role {
            Role::Transmitter => Role::Receiver,
            Role::Receiver => Role::Transmitter,
            Role::Transceiver => return,
        };
        let other = LineId { role: other, ..station.label.clone() };
        if matches!(station.board.state(&other), Some(LineState::Bound { .. })) {
            station.note(Trap::PairHalfLost);
        }
    } else {
        station.not_bound(error, error.pace(others_are_bound), Instant::now());
    }
}

/// One line in the log for each failure, with the wait in words.
fn report(label: &LineId, error: &LineError, pace: Pace, was_bound: bool, wait: Duration) {
    let carrier = &label.carrier;
    let wait = in_words(wait);
    match pace {
        // Only people can mend these: the settings, or the carrier's side of them.
        Pace::Configuration | Pace::WrongPeer => tracing::error!(
            carrier.name = %carrier, line = %label, error = %error,
            "Line {label} cannot be bound until somebody corrects its settings, trying again in {wait}"
        ),
        Pace::Usual | Pace::AlreadyBound | Pace::SessionLimit | Pace::Busy if was_bound => tracing::info!(
            carrier.name = %carrier, line = %label, error = %error,
            "Line {label} lost, binding again in {wait}"
        ),
        Pace::Usual | Pace::AlreadyBound | Pace::SessionLimit | Pace::Busy => tracing::warn!(
            carrier.name = %carrier, line = %label, error = %error,
            "Line {label} not bound, trying again in {wait}"
        ),
    }
}
