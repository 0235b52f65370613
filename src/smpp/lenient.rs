//! Reads messages as far as they can be read: strings of any octets, text up to `sm_length`, and those optional
//! parameters that are whole. Stray octets and broken parameters at the end are left out; service_type, times and
//! other fields nobody needs may be of any length. Each such mending is noted under its own name.

use super::{
    deliver::{Deliver, Malformed, Options},
    trap::Trap,
};
use crate::message::RawAddress;

/// The longest address in a `deliver_sm`, without its NUL (SMPP 3.4, 5.2.8).
const LONGEST_ADDRESS: usize = 20;
/// The longest address in a `data_sm`, without its NUL (SMPP 3.4, 4.7.1).
const LONGEST_DATA_ADDRESS: usize = 64;
/// The longest service_type, without its NUL (SMPP 3.4, 5.2.11).
const LONGEST_SERVICE_TYPE: usize = 5;
/// The longest receipted_message_id, without its NUL (SMPP 3.4, 5.3.2.12).
const LONGEST_RECEIPT_ID: usize = 64;

/// Reads the body of a `deliver_sm`.
pub(super) fn deliver_sm(body: &[u8]) -> Result<Deliver, Malformed> {
    let mut rest = Rest(body);
    let mut read = Deliver::default();
    take_service_type(&mut read, rest.text()?);
    read.source = rest.address(LONGEST_ADDRESS, Malformed::SourceTooLong)?;
    read.destination = rest.address(LONGEST_ADDRESS, Malformed::DestinationTooLong)?;
    read.esm_class = rest.octet()?;
    let [_protocol_id, _priority_flag] = [rest.octet()?, rest.octet()?];
    let [schedule_delivery_time, validity_period] = [rest.text()?, rest.text()?];
    if [schedule_delivery_time, validity_period].iter().any(|time| !matches!(time.len(), 0 | 16)) {
        read.traps.push(Trap::BadTime);
    }
    let [_registered_delivery, _replace_if_present] = [rest.octet()?, rest.octet()?];
    read.data_coding = rest.octet()?;
    let _sm_default_msg_id = rest.octet()?;
    let sm_length = usize::from(rest.octet()?);
    let (short_message, parameters) = rest.0.split_at_checked(sm_length).ok_or(Malformed::TextPastEnd)?;
    take_parameters(&mut read, parameters);
    read.choose_text(short_message);
    Ok(read)
}

/// Reads the body of a `data_sm`: its text is in message_payload.
pub(super) fn data_sm(body: &[u8]) -> Result<Deliver, Malformed> {
    let mut rest = Rest(body);
    let mut read = Deliver { data_sm: true, ..Deliver::default() };
    take_service_type(&mut read, rest.text()?);
    read.source = rest.address(LONGEST_DATA_ADDRESS, Malformed::SourceTooLong)?;
    read.destination = rest.address(LONGEST_DATA_ADDRESS, Malformed::DestinationTooLong)?;
    read.esm_class = rest.octet()?;
    let _registered_delivery = rest.octet()?;
    read.data_coding = rest.octet()?;
    take_parameters(&mut read, rest.0);
    read.choose_text(&[]);
    Ok(read)
}

fn take_service_type(read: &mut Deliver, service_type: &[u8]) {
    read.options.ussd = service_type == b"USSD";
    if service_type.len() > LONGEST_SERVICE_TYPE {
        read.traps.push(Trap::FieldTooLong);
    }
}

/// Takes in the whole parameters of a tail. Some SMSCs write a NUL behind the text that sm_length does not count: when
/// the tail makes sense only without it, it is skipped.
fn take_parameters(read: &mut Deliver, tail: &[u8]) {
    let stray = (1..=3).find(|&count| {
        tail.len() >= count && tail[..count].iter().all(|&octet| octet == 0) && is_whole(&tail[count..])
    });
    let tail = match stray.filter(|_| !is_whole(tail)) {
        Some(count) => {
            read.traps.push(Trap::StrayOctets);
            &tail[count..]
        }
        None => tail,
    };
    let mut taken = 0;
    let mut seen: Vec<u16> = Vec::new();
    for (tag, value) in parameters(tail) {
        taken += 4 + value.len();
        read.options.any = true;
        if seen.contains(&tag) {
            if !may_repeat(tag) {
                note(&mut read.traps, Trap::TlvRepeated);
            }
        } else if seen.len() < MOST_TAGS {
            seen.push(tag);
        }
        if let Some(trap) = read.options.take(tag, value) {
            note(&mut read.traps, trap);
        }
    }
    match tail.len() - taken {
        0 => {}
        1..=3 => note(&mut read.traps, Trap::StrayOctets),
        _ => note(&mut read.traps, Trap::TlvPastEnd),
    }
}

/// Different tags among which a repeated one is found out; no PDU has more.
const MOST_TAGS: usize = 64;

fn note(traps: &mut Vec<Trap>, trap: Trap) {
    if !traps.contains(&trap) {
        traps.push(trap);
    }
}

/// callback_num and what goes with it may be given several times (SMPP 3.4, 5.3.2.36 to 38).
fn may_repeat(tag: u16) -> bool {
    matches!(tag, 0x0302 | 0x0303 | 0x0381)
}

impl Options {
    /// Takes one parameter in; the first of a tag counts. One of a length it cannot have says nothing, and an empty
    /// one neither.
    fn take(&mut self, tag: u16, value: &[u8]) -> Option<Trap> {
        let Some(lengths) = lengths(tag) else { return Some(Trap::TlvUnknown) };
        if !lengths.contains(&value.len()) {
            return Some(Trap::TlvLength);
        }
        match (tag, value) {
            (_, []) => {}
            (0x0424, _) => _ = self.payload.get_or_insert_with(|| value.to_vec()),
            (0x020C, &[high, low]) => _ = self.sar_reference.get_or_insert(u16::from_be_bytes([high, low])),
            (0x020E, &[total]) => _ = self.sar_total.get_or_insert(total),
            (0x020F, &[index]) => _ = self.sar_index.get_or_insert(index),
            (0x001E, _) => {
                let id = trimmed(value);
                let well_formed = value.len() == id.len() + 1 && value.ends_with(b"\0") && !id.contains(&0);
                self.receipt_id.get_or_insert_with(|| id.to_vec());
                return (!well_formed || id.len() > LONGEST_RECEIPT_ID).then_some(Trap::TlvTerminator);
            }
            (0x0427, &[state]) => _ = self.state.get_or_insert(state),
            (0x0423, &[kind, high, low]) => {
                _ = self.network_error.get_or_insert((kind, u16::from_be_bytes([high, low])));
            }
            (0x0501, _) => self.ussd = true,
            (0x020A | 0x020B, _) => self.port = true,
            _ => {}
        }
        None
    }
}

/// The lengths a parameter's value may have (SMPP 3.4, 5.3.2, and 5.0, 4.8.4, which differ in some); `None` for a tag
/// that neither has. The sizes of strings are not held against anyone.
fn lengths(tag: u16) -> Option<std::ops::RangeInclusive<usize>> {
    Some(match tag {
        0x0008 | 0x0204 | 0x020A..=0x020C | 0x1203 | 0x1383 => 2..=2,
        0x0017 => 4..=4,
        0x0423 => 3..=3,
        0x1204 => 1..=4,
        0x130C => 0..=1,
        0x0005..=0x0007
        | 0x000D..=0x0010
        | 0x0019
        | 0x0030
        | 0x0201
        | 0x0205
        | 0x020D..=0x0210
        | 0x0302
        | 0x0304
        | 0x0420..=0x0422
        | 0x0425..=0x0428
        | 0x0501
        | 0x1201
        | 0x1380 => 1..=1,
        0x001D | 0x001E | 0x0202 | 0x0203 | 0x0303 | 0x0381 | 0x0424 | 0x0600..=0x0613 => 0..=usize::MAX,
        _ => return None,
    })
}

/// Without NULs and blanks at either end.
fn trimmed(octets: &[u8]) -> &[u8] {
    let padding = |octet: &u8| *octet == 0 || octet.is_ascii_whitespace();
    let start = octets.iter().position(|octet| !padding(octet)).unwrap_or(octets.len());
    let end = octets.iter().rposition(|octet| !padding(octet)).map_or(start, |last| last + 1);
    &octets[start..end]
}

/// Whether the parameters fill the tail to its end.
fn is_whole(tail: &[u8]) -> bool {
    parameters(tail).map(|(_, value)| 4 + value.len()).sum::<usize>() == tail.len()
}

/// The parameters (tag, value) at the head of a tail, up to the first that runs past its end.
fn parameters(tail: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    let mut rest = tail;
    std::iter::from_fn(move || {
        let (&[t1, t2, l1, l2], behind) = rest.split_first_chunk::<4>()?;
        let (value, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes([l1, l2])))?;
        rest = behind;
        Some((u16::from_be_bytes([t1, t2]), value))
    })
}

/// What has not been read of the mandatory part.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn octet(&mut self) -> Result<u8, Malformed> {
        let (&octet, rest) = self.0.split_first().ok_or(Malformed::Unreadable)?;
        self.0 = rest;
        Ok(octet)
    }

    /// Octets up to a NUL, which is taken off.
    fn text(&mut self) -> Result<&'a [u8], Malformed> {
        let end = self.0.iter().position(|&octet| octet == 0).ok_or(Malformed::Unreadable)?;
        let (text, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        Ok(text)
    }

    fn address(&mut self, longest: usize, too_long: Malformed) -> Result<RawAddress, Malformed> {
        let (ton, npi, text) = (self.octet()?, self.octet()?, self.text()?);
        if text.len() > longest {
            return Err(too_long);
        }
        Ok(RawAddress { ton, npi, octets: text.to_vec() })
    }
}
