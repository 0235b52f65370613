//! A reply as it is sealed in the outbox: where it goes, from which code, in which alphabet, and its text.

use crate::{
    message::{Alphabet, Masked, RawAddress, Segment},
    sms,
};

/// What is needed to send a reply, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The citizen, as the question's source_addr had it.
    pub destination: RawAddress,
    /// The short code.
    pub source: RawAddress,
    /// How it is coded.
    pub alphabet: Alphabet,
    /// Reference of its segments, when there are several.
    pub reference: u8,
    /// The text.
    pub text: Masked,
}

impl Content {
    /// Writes it, to be sealed.
    pub fn to_octets(&self) -> Vec<u8> {
        let mut to = Vec::with_capacity(64 + self.text.expose().len());
        for address in [&self.destination, &self.source] {
            to.extend([address.ton, address.npi, address.octets.len().min(255) as u8]);
            to.extend(address.octets.iter().take(255));
        }
        to.extend([self.alphabet.data_coding(), self.reference]);
        to.extend(self.text.expose().bytes());
        to
    }

    /// Reads it back; `None` when it was not written by [`Content::to_octets`].
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let (destination, rest) = address(octets)?;
        let (source, rest) = address(rest)?;
        let (&[coding, reference], text) = rest.split_first_chunk::<2>()?;
        let alphabet = [Alphabet::Gsm7, Alphabet::Ucs2].into_iter().find(|one| one.data_coding() == coding)?;
        let text = Masked::new(std::str::from_utf8(text).ok()?);
        Some(Self { destination, source, alphabet, reference, text })
    }

    /// The physical messages. A text that cannot be coded as planned goes out folded to plain letters.
    pub fn segments(&self) -> Vec<Segment> {
        sms::split(self.text.expose(), self.alphabet, &sms::WireForm::USUAL, self.reference.into())
            .or_else(|_| {
                sms::split(
                    &sms::plain(self.text.expose()),
                    Alphabet::Gsm7,
                    &sms::WireForm::USUAL,
                    self.reference.into(),
                )
            })
            .unwrap_or_default()
    }
}

fn address(octets: &[u8]) -> Option<(RawAddress, &[u8])> {
    let (&[ton, npi, length], rest) = octets.split_first_chunk::<3>()?;
    let (address, rest) = rest.split_at_checked(length.into())?;
    Some((RawAddress { ton, npi, octets: address.to_vec() }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_reads_back_and_a_cut_one_does_not() {
        let content = Content {
            destination: RawAddress { ton: 1, npi: 1, octets: b"84520000001".to_vec() },
            source: RawAddress { ton: 0, npi: 1, octets: b"9999".to_vec() },
            alphabet: Alphabet::Ucs2,
            reference: 9,
            text: Masked::new("Họ tên"),
        };
        let written = content.to_octets();
        assert_eq!(Content::from_octets(&written).as_ref(), Some(&content));
        assert!((0..22).all(|cut| Content::from_octets(&written[..cut]).is_none()));
        assert_eq!(content.segments().len(), 1);
    }
}
