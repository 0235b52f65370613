//! The lines of a file: names of columns, quoting (RFC 4180), and the chain of line hashes.
//!
//! Every line is one line of text: control characters in a field are written as U+FFFD, so no field ever holds a line's
//! end. Each line but the one of names ends in its hash: the first 64 bits, in hex, of SHA-256 over the hash of the line
//! before (its 16 hex digits) and this line's octets up to the comma before its own hash. The header's predecessor is
//! the trailer of the file before; the first file of a stream begins with [`FIRST_HASH`].

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use crate::ledger::hex;

/// The names of the columns of records, in order: the file's first line.
pub(super) const NAMES: [&str; 44] = [
    "line",
    "seq",
    "record_id",
    "exchange_id",
    "kind",
    "action",
    "ref_seq",
    "reason",
    "stream",
    "carrier",
    "smsc",
    "short_code",
    "service",
    "msisdn",
    "msisdn_token",
    "smsc_msg_id",
    "smsc_msg_id_norm",
    "dlr_msg_id",
    "concat_ref",
    "event_time",
    "accept_time",
    "final_time",
    "period",
    "late",
    "dcs",
    "encoding",
    "chars",
    "seg_planned",
    "seg_accepted",
    "seg_delivered",
    "seg_billed",
    "result",
    "smpp_status",
    "dlr_err",
    "charge_basis",
    "payer",
    "tariff",
    "unit_price_micro",
    "amount_micro",
    "currency",
    "free_reason",
    "charge_class",
    "flags",
    "line_hash",
];

/// What the first header of a stream names as the hash of the line before it.
pub(super) const FIRST_HASH: &str = "0000000000000000";

/// What the first header of a stream names as the SHA-256 of the file before it.
pub(super) const FIRST_SHA256: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The first line, without its end.
pub(super) fn names() -> String {
    NAMES.join(",")
}

/// One line being written, field by field.
pub(super) struct Line {
    text: String,
}

impl Line {
    /// Begins a line with its kind: `H`, `R` or `T`.
    pub(super) fn new(kind: &str) -> Self {
        let mut text = String::with_capacity(512);
        text.push_str(kind);
        Self { text }
    }

    /// Adds a field, quoted where it must be.
    pub(super) fn field(&mut self, value: &str) -> &mut Self {
        self.text.push(',');
        if !value.contains(|c: char| c.is_control() || c == ',' || c == '"') {
            self.text.push_str(value);
            return self;
        }
        self.text.push('"');
        for c in value.chars() {
            match c {
                '"' => self.text.push_str("\"\""),
                c if c.is_control() => self.text.push(char::REPLACEMENT_CHARACTER),
                c => self.text.push(c),
            }
        }
        self.text.push('"');
        self
    }

    /// Adds a whole number.
    pub(super) fn number(&mut self, value: impl Into<i128>) -> &mut Self {
        // Writing to a text cannot fail.
        let _ = write!(self.text, ",{}", value.into());
        self
    }

    /// Adds a whole number, or nothing where it is not known.
    pub(super) fn maybe(&mut self, value: Option<i64>) -> &mut Self {
        match value {
            Some(value) => self.number(value),
            None => self.blank(),
        }
    }

    /// Adds an empty field.
    pub(super) fn blank(&mut self) -> &mut Self {
        self.text.push(',');
        self
    }

    /// Adds `name=value`, the form of the fields of headers and trailers.
    pub(super) fn named(&mut self, name: &str, value: &str) -> &mut Self {
        self.field(&format!("{name}={value}"))
    }
}

/// The chain of line hashes.
#[derive(Clone, Debug)]
pub(super) struct Chain {
    /// The hash of the last line.
    pub(super) head: String,
}

impl Chain {
    /// Goes on behind a line with this hash.
    pub(super) fn behind(head: &str) -> Self {
        Self { head: head.to_owned() }
    }

    /// Ends a line with its hash, and puts it behind the others. `name` stands before the hash in headers and trailers.
    pub(super) fn close(&mut self, line: &Line, name: &str, out: &mut Vec<u8>) {
        self.head = link(&self.head, &line.text);
        for piece in [line.text.as_str(), ",", name, &self.head, "\n"] {
            out.extend_from_slice(piece.as_bytes());
        }
    }
}

/// The name before the hash in headers and trailers.
pub(super) const NAMED_HASH: &str = "line_hash=";

/// The hash of a line behind another.
pub(super) fn link(before: &str, line: &str) -> String {
    let mut sha = Sha256::new();
    sha.update(before.as_bytes());
    sha.update(line.as_bytes());
    hex(&sha.finalize()[..8])
}

/// A line as it was read: what its hash covers, and the hash it states. `None` for a line with no comma.
pub(super) fn cut_hash(line: &str) -> Option<(&str, &str)> {
    let (covered, stated) = line.rsplit_once(',')?;
    Some((covered, stated.strip_prefix(NAMED_HASH).unwrap_or(stated)))
}

/// The fields of one line, quotes taken off. `None` when the quoting is wrong.
pub(super) fn fields(line: &str) -> Option<Vec<String>> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars().peekable();
    let (mut quoted, mut begun) = (false, false);
    while let Some(c) = chars.next() {
        let field = fields.last_mut()?;
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if quoted => {
                quoted = false;
                if !matches!(chars.peek(), None | Some(',')) {
                    return None;
                }
            }
            '"' if begun => return None,
            '"' => quoted = true,
            ',' if !quoted => {
                fields.push(String::new());
                begun = false;
                continue;
            }
            c => field.push(c),
        }
        begun = true;
    }
    (!quoted).then_some(fields)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_names_are_told_apart_and_stand_where_the_format_says() {
        let unique: std::collections::BTreeSet<&str> = NAMES.into_iter().collect();
        assert_eq!(unique.len(), 44);
        // The last field of the published list is number 43; charge_class stands between 41 and 42.
        for (number, name) in [(1, "line"), (20, "event_time"), (28, "seg_planned"), (41, "free_reason")] {
            assert_eq!(NAMES[number - 1], name);
        }
    }

    #[test]
    fn a_changed_line_or_predecessor_changes_the_hash() {
        let mut out = Vec::new();
        let mut chain = Chain::behind(FIRST_HASH);
        let mut line = Line::new("T");
        line.named("records", "1").number(-5_i64).blank().maybe(None);
        chain.close(&line, NAMED_HASH, &mut out);
        let text = String::from_utf8(out).unwrap();
        let (covered, stated) = cut_hash(text.trim_end()).unwrap();
        assert_eq!(covered, "T,records=1,-5,,");
        assert_eq!((stated, stated.len()), (chain.head.as_str(), 16));
        assert_eq!(link(FIRST_HASH, covered), stated);
        assert_ne!(link(FIRST_HASH, "T,records=2,-5,,"), stated);
        assert_ne!(link("0000000000000001", covered), stated);
    }

    #[test]
    fn wrong_quoting_is_not_read() {
        for wrong in ["a,\"b", "a,b\"c", "a,\"b\"c", "\"", "a,\"b\"\"", "a,\"\"\""] {
            assert!(fields(wrong).is_none(), "{wrong}");
        }
        assert_eq!(fields("a,,\"\",\"x,\"\"y\"\"\"").unwrap(), ["a", "", "", "x,\"y\""]);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_here_and_in_the_csv_crate(values in prop::collection::vec("\\PC{0,12}", 0..6)) {
            let mut line = Line::new("R");
            for value in &values {
                line.field(value);
            }
            let mut expected = vec!["R".to_owned()];
            expected.extend(values);
            prop_assert_eq!(fields(&line.text).unwrap(), expected.clone());
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line.text.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            prop_assert_eq!(record.iter().map(str::to_owned).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn any_text_is_written_on_one_line(value in any::<String>()) {
            let mut line = Line::new("R");
            line.field(&value);
            prop_assert!(!line.text.contains(char::is_control), "{:?}", line.text);
            prop_assert_eq!(fields(&line.text).unwrap().len(), 2);
        }

        #[test]
        fn reading_any_line_never_panics(line in any::<String>()) {
            let _ = (fields(&line), cut_hash(&line));
        }
    }
}
