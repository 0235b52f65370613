//! How a part's content is written before it is sealed: a mark of this form, source address and short code, each with its
//! length, what its header said about its coding, body.

use crate::{
    message::{RawAddress, ShortCode},
    sms::Form,
};

/// The first octet. Rows of the version before begin with a type of number, which is far smaller, and say nothing about
/// the coding.
const FORM: u8 = 0xF1;

/// Writes a part's content.
pub(super) fn write(source: &RawAddress, code: &ShortCode, form: Form, body: &[u8]) -> Vec<u8> {
    let mut to = vec![FORM, source.ton, source.npi, source.octets.len().min(255) as u8];
    to.extend(source.octets.iter().take(255));
    to.push(code.as_str().len() as u8);
    to.extend(code.as_str().bytes());
    to.extend(form.octets());
    to.extend(body);
    to
}

/// Reads it back; `None` when it was not written by [`write`].
pub(super) fn read(octets: &[u8]) -> Option<(RawAddress, ShortCode, Form, Vec<u8>)> {
    let (marked, octets) = match octets {
        [FORM, rest @ ..] => (true, rest),
        before => (false, before),
    };
    let (&[ton, npi, length], rest) = octets.split_first_chunk::<3>()?;
    let (address, rest) = rest.split_at_checked(length.into())?;
    let (&length, rest) = rest.split_first()?;
    let (code, rest) = rest.split_at_checked(length.into())?;
    let (form, body) = match rest.split_first_chunk::<3>() {
        _ if !marked => (Form::default(), rest),
        Some((form, body)) => (Form::from_octets(*form), body),
        None => return None,
    };
    let code = ShortCode::parse(std::str::from_utf8(code).ok()?)?;
    Some((RawAddress { ton, npi, octets: address.to_vec() }, code, form, body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_reads_back_and_a_cut_one_does_not() {
        let source = RawAddress { ton: 1, npi: 1, octets: b"84520000001".to_vec() };
        let code = ShortCode::parse("9999").unwrap();
        let form = Form { fill: 1, locking: 3, single: 2 };
        let written = write(&source, &code, form, b"TTCD");
        assert_eq!(read(&written), Some((source, code, form, b"TTCD".to_vec())));
        for cut in 0..23 {
            assert!(read(&written[..cut]).is_none(), "{cut}");
        }
    }

    #[test]
    fn a_part_of_the_version_before_keeps_all_of_its_text() {
        let (source, code, form, body) = read(b"\x01\x01\x0b84520000001\x049999TTCD").unwrap();
        assert_eq!((source.octets.as_slice(), code.as_str()), (&b"84520000001"[..], "9999"));
        assert_eq!((form, body.as_slice()), (Form::default(), &b"TTCD"[..]));
    }
}
