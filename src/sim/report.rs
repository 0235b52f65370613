//! What a load found, for people and as JSON.

use std::fmt;

use serde::Serialize;

use super::engine::Engine;

/// Waiting times in microseconds: from the first writing of the deliver_sm to the writing of our submit_sm_resp for
/// the first segment of its reply, whatever breaks and repetitions lie between. Off by less than 2 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Latency {
    /// Mean.
    pub mean_us: u64,
    /// Half wait no longer.
    pub p50_us: u64,
    /// 90 of 100 wait no longer.
    pub p90_us: u64,
    /// 99 of 100 wait no longer.
    pub p99_us: u64,
    /// 999 of 1,000 wait no longer.
    pub p99_9_us: u64,
    /// The longest wait.
    pub max_us: u64,
}

/// The books of a load, closed.
///
/// `acknowledged + refused + unanswered = questions`, and the replies read are `replies + doubled`.
#[derive(Clone, Copy, Debug, PartialEq, Default, Serialize)]
pub struct LoadReport {
    /// Questions asked, each counted once however often it was sent.
    pub questions: u64,
    /// deliver_sm written.
    pub deliver_sent: u64,
    /// Of these, sent again because a session ended without their answer.
    pub resent_after_break: u64,
    /// Sent again after a temporary error.
    pub resent_after_temporary: u64,
    /// Sent again because a living session did not answer in time.
    pub resent_after_silence: u64,
    /// Questions acknowledged with ESME_ROK.
    pub acknowledged: u64,
    /// Temporary errors received (0x58, 0x14, 0x08, 0x64).
    pub temporary: u64,
    /// Questions refused for good.
    pub refused: u64,
    /// Questions neither acknowledged nor refused at the end.
    pub unanswered: u64,
    /// Questions with a reply.
    pub replies: u64,
    /// submit_sm accepted for phones of the plan, all segments.
    pub segments: u64,
    /// submit_sm accepted for numbers that are not in the plan.
    pub strangers: u64,
    /// Acknowledged questions without a reply.
    pub lost: u64,
    /// Replies beyond the questions of their phone.
    pub doubled: u64,
    /// Of these, replies to a question that was in flight when a session ended: the service could not know that the
    /// first one had arrived.
    pub doubled_after_break: u64,
    /// Sessions lost.
    pub breaks: u64,
    /// From the first deliver_sm to the last reply.
    pub seconds: f64,
    /// Replies whose submit_sm_resp was written, a second.
    pub answered_per_second: f64,
    /// How long a question waits.
    pub latency: Latency,
}

impl LoadReport {
    pub(super) fn of(engine: &Engine) -> Self {
        let (totals, remains) = (engine.books.totals, engine.books.remains());
        let seconds = match (engine.first_sent, engine.last_written) {
            (Some(first), Some(last)) => last.duration_since(first).as_secs_f64(),
            _ => 0.0,
        };
        Self {
            questions: totals.questions,
            deliver_sent: totals.sent,
            resent_after_break: totals.after_break,
            resent_after_temporary: totals.after_temporary,
            resent_after_silence: totals.after_silence,
            acknowledged: totals.acknowledged,
            temporary: totals.temporary,
            refused: totals.refused,
            unanswered: remains.unanswered,
            replies: totals.replies,
            segments: engine.segments,
            strangers: engine.strangers,
            lost: remains.lost,
            doubled: totals.doubled,
            doubled_after_break: totals.doubled_after_break,
            breaks: totals.breaks,
            seconds,
            answered_per_second: if seconds > 0.0 { engine.answered as f64 / seconds } else { 0.0 },
            latency: Latency {
                mean_us: engine.histogram.mean(),
                p50_us: engine.histogram.percentile(500),
                p90_us: engine.histogram.percentile(900),
                p99_us: engine.histogram.percentile(990),
                p99_9_us: engine.histogram.percentile(999),
                max_us: engine.histogram.greatest(),
            },
        }
    }

    /// Whether every question was acknowledged and replied to, and nothing was doubled but what a break excuses.
    pub fn is_clean(&self) -> bool {
        self.lost == 0
            && self.unanswered == 0
            && self.refused == 0
            && self.strangers == 0
            && self.doubled == self.doubled_after_break
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let resent = self.resent_after_break + self.resent_after_temporary + self.resent_after_silence;
        let ms = |micros: u64| micros as f64 / 1_000.0;
        writeln!(f, "questions     {:>10}", self.questions)?;
        writeln!(
            f,
            "acknowledged  {:>10}   refused {}, unanswered {}",
            self.acknowledged, self.refused, self.unanswered
        )?;
        writeln!(f, "replies       {:>10}   in {} messages", self.replies, self.segments)?;
        writeln!(f, "lost          {:>10}", self.lost)?;
        writeln!(f, "doubled       {:>10}   of these after a break {}", self.doubled, self.doubled_after_break)?;
        if self.strangers > 0 {
            writeln!(f, "strangers     {:>10}   messages to numbers that asked nothing", self.strangers)?;
        }
        writeln!(
            f,
            "deliver_sm    {:>10}   sent again {resent} (break {}, temporary {}, silence {})",
            self.deliver_sent, self.resent_after_break, self.resent_after_temporary, self.resent_after_silence
        )?;
        writeln!(f, "breaks        {:>10}   temporary errors {}", self.breaks, self.temporary)?;
        writeln!(f, "answered/s    {:>10.0}   over {:.2} s", self.answered_per_second, self.seconds)?;
        write!(
            f,
            "latency ms    {:>10.2}   p50 {:.2}, p90 {:.2}, p99 {:.2}, p99.9 {:.2}, max {:.2} (first: mean)",
            ms(self.latency.mean_us),
            ms(self.latency.p50_us),
            ms(self.latency.p90_us),
            ms(self.latency.p99_us),
            ms(self.latency.p99_9_us),
            ms(self.latency.max_us)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_clean_only_when_nothing_is_missing_or_unexcused() {
        let clean = LoadReport { questions: 9, acknowledged: 9, replies: 9, ..LoadReport::default() };
        for (label, report, expected) in [
            ("all well", clean, true),
            ("doubled after a break", LoadReport { doubled: 1, doubled_after_break: 1, ..clean }, true),
            ("doubled without a break", LoadReport { doubled: 2, doubled_after_break: 1, ..clean }, false),
            ("lost", LoadReport { lost: 1, ..clean }, false),
            ("unanswered", LoadReport { unanswered: 1, ..clean }, false),
            ("refused", LoadReport { refused: 1, ..clean }, false),
            ("stranger", LoadReport { strangers: 1, ..clean }, false),
        ] {
            assert_eq!(report.is_clean(), expected, "{label}");
        }
    }

    #[test]
    fn the_figures_stand_in_the_text_and_in_the_json() {
        let report = LoadReport {
            questions: 12_345,
            lost: 678,
            answered_per_second: 10_234.4,
            latency: Latency { p99_us: 42_500, ..Latency::default() },
            ..LoadReport::default()
        };
        let text = report.to_string();
        for figure in ["12345", "678", "10234", "p99 42.50"] {
            assert!(text.contains(figure), "{figure} in {text}");
        }
        let json = serde_json::to_value(report).unwrap();
        assert_eq!((json["questions"].as_u64(), json["latency"]["p99_us"].as_u64()), (Some(12_345), Some(42_500)));
    }
}
