//! How fast one carrier's segments leave, over all its lines: a bucket of tokens that fills at the agreed rate, or at
//! what the carrier's refusals have brought it down to.
//!
//! Additive increase, multiplicative decrease: a refusal for haste halves the rate, each second without one gives back
//! a twentieth. Where no rate was agreed there is none, until the carrier throttles: then the rate is learned from what
//! it took, and let go of again when the carrier has taken twice as much.

use std::time::Duration;

use tokio::time::Instant;

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// Never slower than so many a second, unless less was agreed.
pub(super) const SLOWEST: f64 = 1.0;

/// Where nothing better is known, a carrier is taken to be good for so many a second.
pub(super) const AT_LEAST: f64 = 10.0;

/// What is left of the best second's memory after each second: half of it after eleven minutes.
const FADES: f64 = 0.999;

/// What a good second gives back, of the agreed or observed rate.
const GROWTH: f64 = 0.05;

/// What the bucket holds, in seconds of the rate: enough for timers of milliseconds, little enough that no second
/// sees noticeably more than the rate.
const BUCKET_SECONDS: f64 = 0.02;

/// congestion_state (SMPP 5.0, 4.8.4.18): from here on the carrier is nearly congested.
const NEARLY_CONGESTED: u8 = 90;
/// It is congested.
const CONGESTED: u8 = 100;
/// Below this it has room.
const ROOM: u8 = 80;

/// The pace of one carrier in this process. All moments are handed in, in order.
#[derive(Debug)]
pub(super) struct Pacer {
    /// What was agreed for this process.
    agreed: Option<f64>,
    /// What may leave a second now; `None`: whatever the windows allow.
    rate: Option<f64>,
    /// What growth is measured by: the agreed rate, or what the carrier took when it began to throttle.
    base: f64,
    /// What the carrier took in its best second, as far as that is remembered.
    best: f64,
    tokens: f64,
    filled_at: Instant,
    second: Second,
    lowered_at: Option<Instant>,
    raised_at: Option<Instant>,
    pause: Option<(Instant, u32)>,
}

/// What happened in the present second, and how much was taken in the one before.
#[derive(Debug)]
struct Second {
    began: Instant,
    taken: u32,
    taken_before: u32,
    bad: bool,
}

impl Pacer {
    /// A pacer for an agreed rate.
    pub(super) fn new(agreed: Option<f64>, now: Instant) -> Self {
        Self {
            agreed,
            rate: agreed,
            base: agreed.unwrap_or(AT_LEAST),
            best: 0.0,
            tokens: 1.0,
            filled_at: now,
            second: Second { began: now, taken: 0, taken_before: 0, bad: false },
            lowered_at: None,
            raised_at: None,
            pause: None,
        }
    }

    /// The share of an agreed rate has changed, because another process came or went.
    pub(super) fn agree(&mut self, agreed: f64) {
        if let Some(before) = self.agreed.filter(|before| (*before - agreed).abs() > f64::EPSILON) {
            self.rate = self.rate.map(|rate| rate * agreed / before);
            (self.agreed, self.base) = (Some(agreed), agreed);
        }
    }

    /// What may leave a second now, when there is a limit.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// Fills the bucket, and judges the seconds that have passed.
    pub(super) fn tick(&mut self, now: Instant) {
        if now >= self.second.began + SECOND {
            let Second { began, taken, bad, .. } = self.second;
            if !bad && taken > 0 {
                self.grow(GROWTH);
            }
            self.best = f64::from(taken).max(self.best * FADES);
            let taken_before = if now < began + 2 * SECOND { taken } else { 0 };
            self.second = Second { began: now, taken: 0, taken_before, bad: false };
        }
        if let Some(rate) = self.rate {
            let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
            self.tokens = (self.tokens + rate * passed).min(bucket(rate));
        }
        self.filled_at = now;
    }

    /// Whether a text of so many segments may leave: there is a token for each, or the bucket is full.
    pub(super) fn allows(&self, segments: u8) -> bool {
        self.rate.is_none_or(|rate| self.lacking(rate, segments) <= 0.0)
    }

    /// How long until it may.
    pub(super) fn wait(&self, segments: u8) -> Duration {
        let lacking = self.rate.map_or(0.0, |rate| self.lacking(rate, segments).max(0.0) / rate);
        // Rounded up, so that the wait is over when it ends.
        Duration::from_secs_f64(lacking.min(3_600.0)) + Duration::from_micros(50)
    }

    fn lacking(&self, rate: f64, segments: u8) -> f64 {
        // A hair less, for what adding fractions loses.
        f64::from(segments).min(bucket(rate)) - self.tokens - 1e-6
    }

    /// So many segments leave. A text larger than the bucket leaves it in debt.
    pub(super) fn spend(&mut self, segments: u8) {
        if self.rate.is_some() {
            self.tokens -= f64::from(segments);
        }
    }

    /// So many did not leave after all.
    pub(super) fn give_back(&mut self, segments: usize) {
        if self.rate.is_some() {
            self.tokens += segments as f64;
        }
    }

    /// The carrier took one.
    pub(super) fn taken(&mut self) {
        self.second.taken = self.second.taken.saturating_add(1);
    }

    /// The carrier is busy: nothing leaves for so long, and then half as much. Refusals that come together count once.
    pub(super) fn slow_down(&mut self, status: u32, pause: Duration, now: Instant) {
        self.pause_until(now + pause, status);
        self.lower(0.5, now);
    }

    /// Nothing leaves before this.
    pub(super) fn pause_until(&mut self, until: Instant, status: u32) {
        if self.pause.is_none_or(|(before, _)| before < until) {
            self.pause = Some((until, status));
        }
    }

    /// Until when nothing leaves, and the command_status that said so.
    pub(super) fn paused(&mut self, now: Instant) -> Option<(Instant, u32)> {
        self.pause = self.pause.filter(|(until, _)| now < *until);
        self.pause
    }

    /// The end of the pause, as last asked.
    pub(super) fn pause_ends(&self) -> Option<Instant> {
        self.pause.map(|(until, _)| until)
    }

    /// A response said how congested the carrier is, 0 to 100.
    pub(super) fn congestion(&mut self, level: u8, now: Instant) {
        if level >= NEARLY_CONGESTED {
            self.lower(0.8, now);
            if level >= CONGESTED {
                self.pause_until(now + SECOND, 0);
            }
        } else if level >= ROOM {
            // As it should be: no faster, no slower.
            self.second.bad = true;
        } else if self.rate.is_some() && self.raised_at.is_none_or(|at| now >= at + SECOND) {
            self.raised_at = Some(now);
            self.grow(2.0 * GROWTH);
        }
    }

    fn lower(&mut self, by: f64, now: Instant) {
        self.second.bad = true;
        if self.lowered_at.is_some_and(|at| now < at + SECOND) {
            return;
        }
        self.lowered_at = Some(now);
        let taken = f64::from(self.second.taken.max(self.second.taken_before));
        // A refusal on a quiet line says little about what the carrier is good for.
        let before = self.rate.unwrap_or_else(|| taken.max(self.best).max(AT_LEAST));
        if self.agreed.is_none() {
            // At least what the rate was, so that it is not let go of at once.
            self.base = taken.max(before).max(AT_LEAST);
        }
        let rate = (before * by).max(self.agreed.map_or(SLOWEST, |agreed| agreed.min(SLOWEST)));
        self.rate = Some(rate);
        self.tokens = self.tokens.min(bucket(rate));
    }

    fn grow(&mut self, by: f64) {
        let Some(rate) = self.rate else { return };
        let rate = rate + self.base * by;
        self.rate = match self.agreed {
            Some(agreed) => Some(rate.min(agreed)),
            None => (rate < 2.0 * self.base).then_some(rate),
        };
    }
}

fn bucket(rate: f64) -> f64 {
    (rate * BUCKET_SECONDS).max(1.0)
}
