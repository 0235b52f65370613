//! How a part's content is written before it is sealed: source address, short code, body; each with its length.

use crate::message::{RawAddress, ShortCode};

/// Writes a part's content.
pub(super) fn write(source: &RawAddress, code: &ShortCode, body: &[u8]) -> Vec<u8> {
    let mut to = vec![source.ton, source.npi, source.octets.len().min(255) as u8];
    to.extend(source.octets.iter().take(255));
    to.push(code.as_str().len() as u8);
    to.extend(code.as_str().bytes());
    to.extend(body);
    to
}

/// Reads it back; `None` when it was not written by [`write`].
pub(super) fn read(octets: &[u8]) -> Option<(RawAddress, ShortCode, Vec<u8>)> {
    let (&[ton, npi, length], rest) = octets.split_first_chunk::<3>()?;
    let (address, rest) = rest.split_at_checked(length.into())?;
    let (&length, rest) = rest.split_first()?;
    let (code, body) = rest.split_at_checked(length.into())?;
    let code = ShortCode::parse(std::str::from_utf8(code).ok()?)?;
    Some((RawAddress { ton, npi, octets: address.to_vec() }, code, body.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_reads_back_and_a_cut_one_does_not() {
        let source = RawAddress { ton: 1, npi: 1, octets: b"84520000001".to_vec() };
        let code = ShortCode::parse("9999").unwrap();
        let written = write(&source, &code, b"TTCD");
        assert_eq!(read(&written), Some((source, code, b"TTCD".to_vec())));
        for cut in 0..18 {
            assert!(read(&written[..cut]).is_none(), "{cut}");
        }
    }
}
