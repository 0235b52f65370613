//! A reply as it is sealed in the outbox: where it goes, from which code, in which alphabet, how urgent it is, and its
//! text.

use crate::{
    clock::Micros,
    message::{Alphabet, Masked, RawAddress, Segment},
    sms::{self, WireForm},
};

/// Who goes first when not everything can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Urgency {
    /// Somebody waits for it.
    #[default]
    Reply,
    /// Nobody does: what was asked could not be put together in its time.
    Notice,
}

/// What is needed to send a reply, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The citizen, as the question's source_addr had it.
    pub destination: RawAddress,
    /// The short code.
    pub source: RawAddress,
    /// How it is coded.
    pub alphabet: Alphabet,
    /// Who goes first.
    pub urgency: Urgency,
    /// When the question came: with the row's key it makes the billing record's id.
    pub asked_at: Micros,
    /// The text.
    pub text: Masked,
}

/// The first octet. Rows of the version before begin with a type of number, which is far smaller.
const FORM: u8 = 0xF1;

impl Content {
    /// Writes it, to be sealed.
    pub fn to_octets(&self) -> Vec<u8> {
        let mut to = Vec::with_capacity(80 + self.text.expose().len());
        to.extend([FORM, u8::from(self.urgency == Urgency::Notice)]);
        to.extend(self.asked_at.0.to_be_bytes());
        for address in [&self.destination, &self.source] {
            to.extend([address.ton, address.npi, address.octets.len().min(255) as u8]);
            to.extend(address.octets.iter().take(255));
        }
        to.push(self.alphabet.data_coding());
        to.extend(self.text.expose().bytes());
        to
    }

    /// Reads it back; `None` when it was not written by [`Content::to_octets`].
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let (urgency, asked_at, rest) = match octets {
            [FORM, notice, rest @ ..] => {
                let (at, rest) = rest.split_first_chunk::<8>()?;
                let urgency = if *notice == 0 { Urgency::Reply } else { Urgency::Notice };
                (urgency, Micros(i64::from_be_bytes(*at)), rest)
            }
            before => (Urgency::Reply, Micros(0), before),
        };
        let (destination, rest) = address(rest)?;
        let (source, rest) = address(rest)?;
        let (coding, rest) = rest.split_first()?;
        // The version before kept the reference here.
        let text = if octets.first() == Some(&FORM) { rest } else { rest.split_first()?.1 };
        let alphabet = [Alphabet::Gsm7, Alphabet::Ucs2].into_iter().find(|one| one.data_coding() == *coding)?;
        let text = Masked::new(std::str::from_utf8(text).ok()?);
        Some(Self { destination, source, alphabet, urgency, asked_at, text })
    }

    /// The physical messages in a carrier's form, and how many it makes on the air. A text that cannot be coded as planned
    /// goes out folded to plain letters.
    pub(super) fn segments(&self, form: WireForm, reference: u16) -> (Vec<Segment>, u8) {
        let text = self.text.expose();
        match sms::split(text, self.alphabet, &form, reference) {
            Ok(segments) => counted(text, form, segments),
            Err(_) => self.folded(form, reference).unwrap_or_default(),
        }
    }

    /// The same, folded to plain letters. `None` when that is no other text.
    pub(super) fn folded(&self, form: WireForm, reference: u16) -> Option<(Vec<Segment>, u8)> {
        let plain = sms::plain(self.text.expose());
        let segments = sms::split(&plain, Alphabet::Gsm7, &form, reference).ok()?;
        Some(counted(&plain, form, segments))
    }
}

/// With how many messages on the air they make: the SMSC cuts what is handed to it whole.
fn counted(text: &str, form: WireForm, segments: Vec<Segment>) -> (Vec<Segment>, u8) {
    let count = match &segments[..] {
        [whole] if whole.payload => sms::measure(text, &form).segments,
        cut => cut.len(),
    };
    (segments, count.try_into().unwrap_or(u8::MAX))
}

fn address(octets: &[u8]) -> Option<(RawAddress, &[u8])> {
    let (&[ton, npi, length], rest) = octets.split_first_chunk::<3>()?;
    let (address, rest) = rest.split_at_checked(length.into())?;
    Some((RawAddress { ton, npi, octets: address.to_vec() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::Split;

    fn content(text: &str, alphabet: Alphabet) -> Content {
        Content {
            destination: RawAddress { ton: 1, npi: 1, octets: b"84520000001".to_vec() },
            source: RawAddress { ton: 0, npi: 1, octets: b"9999".to_vec() },
            alphabet,
            urgency: Urgency::Notice,
            asked_at: Micros(1_790_000_000_000_000),
            text: Masked::new(text),
        }
    }

    #[test]
    fn a_reply_reads_back_and_a_cut_one_does_not() {
        let content = content("Họ tên", Alphabet::Ucs2);
        let written = content.to_octets();
        assert_eq!(Content::from_octets(&written).as_ref(), Some(&content));
        assert!((0..31).all(|cut| Content::from_octets(&written[..cut]).is_none()));
        assert_eq!(content.segments(WireForm::USUAL, 1).0.len(), 1);
    }

    #[test]
    fn a_reply_of_the_version_before_reads_as_one_that_is_waited_for() {
        let written = b"\x01\x01\x0b84520000001\x00\x01\x049999\x08\x09H\xe1\xbb\x8d t\xc3\xaan";
        let read = Content::from_octets(written).unwrap();
        let expected = content("Họ tên", Alphabet::Ucs2);
        assert_eq!(read, Content { urgency: Urgency::Reply, asked_at: Micros(0), ..expected });
    }

    #[test]
    fn a_text_handed_over_whole_counts_as_it_goes_over_the_air() {
        let form = WireForm { split: Split::Payload, ..WireForm::USUAL };
        let (segments, count) = content(&"a".repeat(400), Alphabet::Gsm7).segments(form, 1);
        assert_eq!((segments.len(), count), (1, 3));
    }

    #[test]
    fn what_cannot_be_coded_as_planned_goes_out_folded() {
        let (segments, count) = content("Họ tên", Alphabet::Gsm7).segments(WireForm::USUAL, 1);
        assert_eq!((segments[0].octets.as_slice(), count), (&b"Ho ten"[..], 1));
    }
}
