//! What the desk cannot take, and what it met while it took the rest.

use crate::message::{CarrierId, LineNo, Octets, Odd, Part};

/// The destination is no code of ours.
pub(super) const NOT_OURS: &str = "destination_not_ours";
/// A user data header that cannot be cut off.
pub(super) const BAD_HEADER: &str = "udh_past_end";

/// ESME_RINVDSTADR (SMPP 3.4, 5.1.3).
const INVALID_DESTINATION: u32 = 0x0B;
/// ESME_RINVESMCLASS.
const INVALID_ESM_CLASS: u32 = 0x43;

/// An oddity, for the board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// Whose line.
    pub carrier: CarrierId,
    /// Which line.
    pub line: LineNo,
    /// Its name.
    pub trap: &'static str,
    /// What someone must be told.
    pub alarm: Option<String>,
}

impl Met {
    pub(super) fn new(carrier: &CarrierId, line: LineNo, trap: &'static str) -> Self {
        Self { carrier: carrier.clone(), line, trap, alarm: None }
    }
}

/// What someone must be told about a code that is not ours. The code is public; anything longer may be a citizen's number.
pub(super) fn not_ours(destination: &str) -> String {
    let code = destination.trim_start_matches('+');
    let public = (1..=8).contains(&code.len()) && code.bytes().all(|octet| octet.is_ascii_digit());
    let code = if public { format!("the code {code}") } else { format!("an address of {} characters", code.len()) };
    format!("texts for {code} come over its lines and are refused; is short_codes complete?")
}

/// A part that is put aside. Its PDU is not there any more: a `deliver_sm` is made of what was read from it.
pub(super) fn refused(part: Part, trap: &'static str) -> Odd {
    let status = if trap == NOT_OURS { INVALID_DESTINATION } else { INVALID_ESM_CLASS };
    let frame = frame(&part);
    let Part { line, session, sequence, ticket, received_at, .. } = part;
    Odd { line, session, sequence, ticket, trap, status, frame: Octets(frame), received_at }
}

/// A `deliver_sm` (SMPP 3.4, 4.6.1), its text as message_payload where it is too long for short_message.
fn frame(part: &Part) -> Vec<u8> {
    let mut body = vec![0];
    for address in [&part.source, &part.destination] {
        body.extend([address.ton, address.npi]);
        body.extend(&address.octets);
        body.push(0);
    }
    let text = &part.octets.0;
    body.extend([if part.udhi { 0x40 } else { 0 }, 0, 0, 0, 0, 0, 0, part.data_coding, 0]);
    if let Ok(length) = u8::try_from(text.len()) {
        body.push(length);
        body.extend(text);
    } else {
        body.extend([0, 0x04, 0x24]);
        body.extend((text.len() as u16).to_be_bytes());
        body.extend(text);
    }
    let mut frame = Vec::with_capacity(16 + body.len());
    frame.extend((16 + body.len() as u32).to_be_bytes());
    frame.extend(5_u32.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(part.sequence.to_be_bytes());
    frame.extend(body);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_names_a_code_and_never_a_number() {
        assert!(not_ours("+1234").contains("the code 1234"));
        for other in ["84520000001", "Viettel", ""] {
            let text = not_ours(other);
            assert!(text.contains("an address of") && (other.is_empty() || !text.contains(other)), "{text}");
        }
    }
}
