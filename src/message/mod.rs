//! The nouns that cross rooms. They know nothing of sockets, databases or templates, and none of them can print a
//! number, a text or a registry value: their `Debug` and `Display` are masked (law 5 of the service).

mod address;
mod carrier;
mod field;
mod key;
mod lease;
mod line;
mod number;
mod outcome;
mod query;
mod receipt;
mod reply;
mod text;

pub use address::{Msisdn, RawAddress, Sender, ShortCode};
pub use carrier::{CarrierId, LineId, Role, Stream};
pub use field::{Field, FieldValue, Fields, Person, PersonStatus};
pub use key::{EPOCH_BITS, RowKey};
pub use lease::Lease;
pub use line::{
    Answer, AnswerStatus, Concat, ConcatKind, InDoubt, LineCommand, LineEvent, LineNo, Octets, Odd, Part, ReceiptState,
    ReceiptTlvs, Submit, SubmitId, SubmitResult, Ticket, Validity,
};
pub use number::{OldId, PersonalId, TypedKey};
pub use outcome::{ChargeClass, Outcome, Reason, Service};
pub use query::{Lang, Misread, Query, Why};
pub use receipt::{ReceiptField, ReceiptForm};
pub use reply::{Alphabet, Reply, Segment};
pub use text::Masked;
