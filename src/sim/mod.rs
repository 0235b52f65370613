//! The built-in SMSC: a server that our service connects to as to a carrier's. For the demo, for tests, for a
//! newcomer's first hour, and for a load with an exact account ([`load`]).
//!
//! It speaks SMPP 3.4 with codecs of its own for PDUs and texts, so that it is a second opinion on what the service
//! writes. Where it is not told otherwise it is a friendly SMSC: it accepts every bind and every submit. All its
//! queues are bounded, and its tasks run on the tracker it is given.

mod accounting;
mod engine;
mod histogram;
pub mod load;
mod message;
mod open;
mod phone;
mod report;
pub mod script;
mod session;
mod smsc;
mod state;
mod text;
mod wire;

#[cfg(test)]
mod tests;

pub use load::{Limit, LoadPlan, LoadProgress, LoadRun, Question};
pub use message::{
    Deliver, DeliverAnswer, Dialect, Ids, Receipts, SmscCounts, SmscSettings, StrayResponse, SubmitAnswer, Submitted,
};
pub use phone::{Phone, PhoneReply};
pub use report::{Latency, LoadReport};
pub use smsc::Smsc;

/// What the simulator cannot do, and what its caller does then.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// No ESME is bound as receiver or transceiver.
    #[error("no session can take a message: wait until the service is bound")]
    NoSession,
    /// The session ended before the answer came.
    #[error("the session ended before the answer: send the message again after the next bind")]
    SessionLost,
    /// Too many requests wait for an answer on one session.
    #[error("65536 requests of the session are without an answer: wait for some")]
    TooManyOpen,
    /// A field is longer than its PDU can hold.
    #[error("{what} is longer than {greatest} octets or holds a NUL: shorten it")]
    DoesNotFit {
        /// The field.
        what: &'static str,
        /// How many octets it may have.
        greatest: usize,
    },
    /// A text does not have the parts that were named.
    #[error("the text has {parts} parts: name each of 0 to {parts} (exclusive) at most as often as it shall be sent")]
    NoSuchPart {
        /// How many parts it has.
        parts: usize,
    },
    /// A load is running on this SMSC already.
    #[error("a load is running on this SMSC: wait for its end")]
    LoadRunning,
    /// A plan without questions, window or rate.
    #[error("the plan asks nothing: give it questions, a window and a rate of at least 1")]
    EmptyPlan,
}
