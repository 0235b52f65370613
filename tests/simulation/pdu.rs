//! The few PDUs of the simulation's SMSC, by hand: a second opinion on what the service writes.

pub(crate) const BIND_RECEIVER: u32 = 0x01;
pub(crate) const BIND_TRANSMITTER: u32 = 0x02;
pub(crate) const SUBMIT_SM: u32 = 0x04;
pub(crate) const DELIVER_SM: u32 = 0x05;
pub(crate) const UNBIND: u32 = 0x06;
pub(crate) const BIND_TRANSCEIVER: u32 = 0x09;
pub(crate) const ENQUIRE_LINK: u32 = 0x15;
pub(crate) const RESPONSE: u32 = 0x8000_0000;

/// One PDU.
pub(crate) struct Pdu {
    pub(crate) command: u32,
    pub(crate) status: u32,
    pub(crate) sequence: u32,
    pub(crate) body: Vec<u8>,
}

/// The octets of a PDU.
pub(crate) fn write(command: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(16 + body.len());
    for word in [16 + body.len() as u32, command, status, sequence] {
        octets.extend(word.to_be_bytes());
    }
    octets.extend(body);
    octets
}

/// Cuts the first whole PDU off.
pub(crate) fn cut(buffer: &mut Vec<u8>) -> Option<Pdu> {
    let word = |at: usize| Some(u32::from_be_bytes(buffer.get(at..at + 4)?.try_into().ok()?));
    let length = word(0)? as usize;
    assert!((16..100_000).contains(&length), "a PDU of {length} octets");
    if buffer.len() < length {
        return None;
    }
    let (command, status, sequence) = (word(4)?, word(8)?, word(12)?);
    let body = buffer[16..length].to_vec();
    buffer.drain(..length);
    Some(Pdu { command, status, sequence, body })
}

/// A question, or a part of one: `esm_class` 0x40 when the text begins with a user data header.
pub(crate) fn question(from: &str, to: &str, esm_class: u8, text: &[u8]) -> Vec<u8> {
    deliver(from, to, esm_class, text)
}

/// A delivery receipt.
pub(crate) fn receipt(from: &str, to: &str, message_id: &str) -> Vec<u8> {
    let text = format!(
        "id:{message_id} sub:001 dlvrd:001 submit date:2611270000 done date:2611270001 stat:DELIVRD err:000 text:"
    );
    let mut body = deliver(from, to, 0x04, text.as_bytes());
    let id = [message_id.as_bytes(), &[0]].concat();
    body.extend(0x001E_u16.to_be_bytes());
    body.extend((id.len() as u16).to_be_bytes());
    body.extend(id);
    body.extend([0x04, 0x27, 0, 1, 2]);
    body
}

fn deliver(from: &str, to: &str, esm_class: u8, text: &[u8]) -> Vec<u8> {
    let mut body = vec![0, 1, 1];
    body.extend(from.as_bytes());
    body.extend([0, 0, 1]);
    body.extend(to.as_bytes());
    body.extend([0, esm_class, 0, 0, 0, 0, 0, 0, 0, 0]);
    body.push(u8::try_from(text.len()).expect("a short text"));
    body.extend(text);
    body
}

/// What the SMSC looks at in a submit_sm.
pub(crate) struct Submit {
    pub(crate) source: String,
    pub(crate) destination: String,
    /// Place among the segments of its text, from 1.
    pub(crate) segment: u8,
    pub(crate) wants_receipt: bool,
}

/// Reads the body of a submit_sm.
pub(crate) fn submit(body: &[u8]) -> Submit {
    let mut at = 0;
    let mut text = |skip: usize| {
        let rest = &body[at + skip..];
        let end = rest.iter().position(|octet| *octet == 0).expect("a text ends");
        at += skip + end + 1;
        String::from_utf8(rest[..end].to_vec()).expect("digits")
    };
    let (_, source, destination) = (text(0), text(2), text(2));
    let esm_class = body[at];
    at += 3;
    for _ in 0..2 {
        at += body[at..].iter().position(|octet| *octet == 0).expect("a time ends") + 1;
    }
    let wants_receipt = body[at] & 1 == 1;
    let length = usize::from(body[at + 4]);
    let message = &body[at + 5..at + 5 + length];
    let mut segment = 1;
    if esm_class & 0x40 != 0 {
        segment = message[usize::from(message[0])];
    }
    let mut tlvs = &body[at + 5 + length..];
    while let [a, b, c, d, rest @ ..] = tlvs {
        let (tag, long) = (u16::from_be_bytes([*a, *b]), usize::from(u16::from_be_bytes([*c, *d])));
        if tag == 0x020F {
            segment = rest[0];
        }
        tlvs = &rest[long..];
    }
    Submit { source, destination, segment, wants_receipt }
}
