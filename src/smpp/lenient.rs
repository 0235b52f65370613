//! Reads the messages that the codec refuses, as far as they can be read: strings of any octets, text up to
//! `sm_length`, and those optional parameters that are whole. Stray octets and broken parameters at the end are left
//! out; service_type, times and other fields nobody needs may be of any length.

use super::deliver::{Deliver, Malformed};
use crate::message::RawAddress;

/// The longest address in a `deliver_sm`, without its NUL (SMPP 3.4, 5.2.8).
const LONGEST_ADDRESS: usize = 20;
/// The longest address in a `data_sm`, without its NUL (SMPP 3.4, 4.7.1).
const LONGEST_DATA_ADDRESS: usize = 64;

/// Reads the body of a `deliver_sm`.
pub(super) fn deliver_sm(body: &[u8]) -> Result<Deliver, Malformed> {
    let mut rest = Rest(body);
    let mut read = Deliver::default();
    read.options.ussd = rest.text()? == b"USSD";
    read.source = rest.address(LONGEST_ADDRESS, Malformed::SourceTooLong)?;
    read.destination = rest.address(LONGEST_ADDRESS, Malformed::DestinationTooLong)?;
    read.esm_class = rest.octet()?;
    let [_protocol_id, _priority_flag] = [rest.octet()?, rest.octet()?];
    let [_schedule_delivery_time, _validity_period] = [rest.text()?, rest.text()?];
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
    let mut read = Deliver::default();
    read.options.ussd = rest.text()? == b"USSD";
    read.source = rest.address(LONGEST_DATA_ADDRESS, Malformed::SourceTooLong)?;
    read.destination = rest.address(LONGEST_DATA_ADDRESS, Malformed::DestinationTooLong)?;
    read.esm_class = rest.octet()?;
    let _registered_delivery = rest.octet()?;
    read.data_coding = rest.octet()?;
    take_parameters(&mut read, rest.0);
    read.choose_text(&[]);
    Ok(read)
}

/// Takes in the whole parameters of a tail. Some SMSCs write a NUL behind the text that sm_length does not count: when
/// the tail makes sense only without it, it is skipped.
fn take_parameters(read: &mut Deliver, tail: &[u8]) {
    let tail = match tail {
        [0, shifted @ ..] if !is_whole(tail) && is_whole(shifted) => shifted,
        _ => tail,
    };
    for (tag, value) in parameters(tail) {
        read.options.take(tag, value);
    }
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
