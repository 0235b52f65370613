//! A file line by line, with its SHA-256, in bounded memory.

use std::io::{self, BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use crate::ledger::hex;

/// The longest line. A record with 255 message ids of 65 characters stays far below it.
const LONGEST: usize = 1 << 16;

/// One line as it was read. It may hold a number, so it cannot be printed outside tests.
#[cfg_attr(test, derive(Debug))]
#[derive(PartialEq, Eq)]
pub(super) enum RawLine {
    /// Its text, without its end.
    Text(String),
    /// The last line, its end missing.
    Unended(String),
    /// Octets that are no UTF-8.
    NotText,
    /// More than [`LONGEST`] octets.
    TooLong,
}

/// The lines of a file, and what they sum up to.
pub(super) struct Lines<R> {
    from: R,
    sha: Sha256,
    /// Octets read so far.
    pub(super) bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, sha: Sha256::new(), bytes: 0 }
    }

    /// The next line; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<RawLine>> {
        let mut octets = self.piece()?;
        if octets.is_empty() {
            return Ok(None);
        }
        let ended = octets.pop_if(|last| *last == b'\n').is_some();
        if !ended && octets.len() >= LONGEST {
            while !matches!(self.piece()?.last(), None | Some(b'\n')) {}
            return Ok(Some(RawLine::TooLong));
        }
        Ok(Some(match String::from_utf8(octets) {
            Ok(text) if ended => RawLine::Text(text),
            Ok(text) => RawLine::Unended(text),
            Err(_) => RawLine::NotText,
        }))
    }

    fn piece(&mut self) -> io::Result<Vec<u8>> {
        let mut octets = Vec::new();
        self.from.by_ref().take(LONGEST as u64).read_until(b'\n', &mut octets)?;
        self.sha.update(&octets);
        self.bytes += octets.len() as u64;
        Ok(octets)
    }

    /// The SHA-256 of what was read, in hex.
    pub(super) fn sha256(&self) -> String {
        hex(&self.sha.clone().finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_from_what_is_none() {
        let mut octets = b"a\n\n\xff\n".to_vec();
        octets.extend(vec![b'x'; LONGEST * 2 + 5]);
        octets.extend(b"\nend");
        let mut lines = Lines::new(octets.as_slice());
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            read.push(line);
        }
        let text = |text: &str| RawLine::Text(text.to_owned());
        let end = RawLine::Unended("end".to_owned());
        assert_eq!(read, [text("a"), text(""), RawLine::NotText, RawLine::TooLong, end]);
        assert_eq!(lines.bytes, octets.len() as u64);
        assert_eq!(lines.sha256(), hex(&Sha256::digest(&octets)));
    }
}
