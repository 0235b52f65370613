//! A line to an SMSC: SMPP 3.4 as an ESME. The only room besides the simulator that names the codec `rusmpp`.
//!
//! A line is one task: [`run`] connects, binds, converses, and connects again until it is told to stop. It reads
//! nothing of what citizens write. It hands up [`LineEvent`](crate::message::LineEvent)s, takes
//! [`LineCommand`](crate::message::LineCommand)s, and answers a `deliver_sm` only when it is told how, or with the
//! carrier's temporary error when nobody told it in time.
//!
//! From the socket upwards: `dial` reaches an address, `link` is plain TCP or TLS, [`frame`] cuts PDUs, `deliver` and
//! `lenient` read those that carry a message, `receipt` reads what a delivery receipt says, `bind` and `submit` write the
//! two PDUs with a body, `questions` and `window` keep what is open in either direction, `keepalive` watches for silence,
//! `owed` for receipts that stay away, `down` for a line that stays without a session, `pause` for a store that takes
//! nothing, `conversation` is the protocol without any socket, `session` joins it to one, `line` holds sessions one after
//! the other.

mod backoff;
mod bind;
mod conversation;
mod deliver;
mod dial;
mod down;
mod error;
pub mod frame;
#[doc(hidden)]
pub mod fuzzing;
mod keepalive;
mod lenient;
mod line;
mod link;
mod owed;
mod pause;
mod pdu;
mod poison;
mod post;
mod probe;
mod questions;
mod receipt;
mod seldom;
mod session;
mod sources;
mod station;
mod submit;
#[cfg(test)]
mod tests;
mod tls;
mod trap;
mod window;

pub use error::LineError;
pub use line::{run, run_over};
pub use owed::Owed;
pub use probe::try_bind;
pub use session::{Ended, converse};
pub use station::{Station, Wiring};
