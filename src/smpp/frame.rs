//! Cuts a byte stream into PDUs by their command_length, before any codec sees them, so that a PDU that cannot be
//! decoded never pulls the stream out of step (SMPP 3.4, 3.2).

use bytes::{Buf as _, Bytes, BytesMut};

/// Octets of a PDU header: command_length, command_id, command_status, sequence_number.
pub const HEADER: usize = 16;

/// The greatest PDU that is read, in octets. A message_payload may hold 65,535 octets.
pub const MAX_FRAME: usize = 70_000;

/// One whole PDU, its header read, its body not yet decoded.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// command_id.
    pub command_id: u32,
    /// command_status.
    pub command_status: u32,
    /// sequence_number.
    pub sequence_number: u32,
    /// All octets, header included.
    pub octets: Bytes,
}

impl Frame {
    /// The octets behind the header.
    pub fn body(&self) -> &[u8] {
        &self.octets[HEADER..]
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Frame(id {:#010x}, status {:#x}, sequence {}, <{} octets>)",
            self.command_id,
            self.command_status,
            self.sequence_number,
            self.octets.len()
        )
    }
}

/// A command_length that no PDU can have: the stream is lost and the connection must be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("command_length {0} is outside 16 to {MAX_FRAME}")]
pub struct BadLength(pub u32);

/// Takes the next whole PDU from the front of `buffer`; `None` when more octets are needed. Nothing is allocated for a
/// length before it is checked.
///
/// # Errors
/// [`BadLength`]: answer with a generic_nack of sequence 0 and close.
pub fn next_frame(buffer: &mut BytesMut) -> Result<Option<Frame>, BadLength> {
    let Some(mut head) = buffer.get(..4) else { return Ok(None) };
    let announced = head.get_u32();
    let length = usize::try_from(announced).unwrap_or(usize::MAX);
    if !(HEADER..=MAX_FRAME).contains(&length) {
        return Err(BadLength(announced));
    }
    if buffer.len() < length {
        return Ok(None);
    }
    let octets = buffer.split_to(length).freeze();
    let mut header = &octets[4..HEADER];
    let (command_id, command_status, sequence_number) = (header.get_u32(), header.get_u32(), header.get_u32());
    Ok(Some(Frame { command_id, command_status, sequence_number, octets }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pdu(length: u32, body: &[u8]) -> Vec<u8> {
        let mut octets = length.to_be_bytes().to_vec();
        octets.extend([0, 0, 0, 0x15, 0, 0, 0, 0, 0, 0, 0, 7]);
        octets.extend(body);
        octets
    }

    #[test]
    fn frames_are_cut_however_the_octets_arrive() {
        let stream: Vec<u8> = [pdu(16, b""), pdu(18, b"ab"), pdu(16, b"")].concat();
        let mut buffer = BytesMut::new();
        let mut lengths = Vec::new();
        for octet in stream {
            buffer.extend([octet]);
            while let Some(frame) = next_frame(&mut buffer).unwrap() {
                assert_eq!((frame.command_id, frame.sequence_number), (0x15, 7));
                lengths.push(frame.octets.len());
            }
        }
        assert_eq!((lengths, buffer.len()), (vec![16, 18, 16], 0));
    }

    #[test]
    fn impossible_lengths_are_refused_before_anything_is_read() {
        for length in [0, 4, 15, 70_001, 0x7fff_ffff, u32::MAX] {
            let mut buffer = BytesMut::from(pdu(length, b"").as_slice());
            assert_eq!(next_frame(&mut buffer), Err(BadLength(length)));
        }
    }
}
