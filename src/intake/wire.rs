//! How a part's content is written before it is sealed: source address and short code, each with its length, what its
//! header said about its coding, body.

use crate::{
    message::{RawAddress, ShortCode},
    sms::Form,
};

/// Writes a part's content.
pub(super) fn write(source: &RawAddress, code: &ShortCode, form: Form, body: &[u8]) -> Vec<u8> {
    let mut to = vec![source.ton, source.npi, source.octets.len().min(255) as u8];
    to.extend(source.octets.iter().take(255));
    to.push(code.as_str().len() as u8);
    to.extend(code.as_str().bytes());
    to.extend(form.octets());
    to.extend(body);
    to
}

/// Reads it back; `None` when it was not written by [`write`].
pub(super) fn read(octets: &[u8]) -> Option<(RawAddress, ShortCode, Form, Vec<u8>)> {
    let (&[ton, npi, length], rest) = octets.split_first_chunk::<3>()?;
    let (address, rest) = rest.split_at_checked(length.into())?;
    let (&length, rest) = rest.split_first()?;
    let (code, rest) = rest.split_at_checked(length.into())?;
    let (&form, body) = rest.split_first_chunk::<3>()?;
    let code = ShortCode::parse(std::str::from_utf8(code).ok()?)?;
    Some((RawAddress { ton, npi, octets: address.to_vec() }, code, Form::from_octets(form), body.to_vec()))
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
        for cut in 0..22 {
            assert!(read(&written[..cut]).is_none(), "{cut}");
        }
    }
}
