//! The user data header before a part's text (3GPP TS 23.040, 9.2.3.24).

use crate::message::{Concat, ConcatKind};

/// What a header says about how the text behind it is coded. Three octets when it is stored beside a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Form {
    /// Bits between the header and the first septet of a packed text, 0 to 6: septets are counted from the header's
    /// first octet (9.2.3.24).
    pub fill: u8,
    /// National language of the whole text (element 25); 0 is the default alphabet.
    pub locking: u8,
    /// National language of what follows an escape (element 24); 0 is the default extension table.
    pub single: u8,
}

impl Form {
    /// As it is stored.
    pub fn octets(self) -> [u8; 3] {
        [self.fill, self.locking, self.single]
    }

    /// As it was stored.
    pub fn from_octets([fill, locking, single]: [u8; 3]) -> Self {
        Self { fill: fill % 7, locking, single }
    }
}

/// A part's octets, taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Udh<'a> {
    /// The part's place in a long text; `None` for a text that stands alone.
    pub concat: Option<Concat>,
    /// How the text is coded.
    pub form: Form,
    /// An element names a place that cannot be: total 0, index 0, or an index above the total.
    pub absurd: bool,
    /// It names no place at all, not even that of a text which stands alone.
    pub placeless: bool,
    /// It is for a port (elements 04 and 05), which makes no difference here.
    pub ports: bool,
    /// What follows the header.
    pub body: &'a [u8],
}

impl std::fmt::Debug for Udh<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Udh({:?}, {:?}, <{} octets>)", self.concat, self.form, self.body.len())
    }
}

/// The header cannot be cut off. Answer the part with ESME_RINVESMCLASS (0x43) and put it aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUdh {
    /// A header is announced, but there is not one octet.
    #[error("a user data header is announced and nothing follows")]
    Missing,
    /// The header is longer than what came.
    #[error("the user data header claims {claimed} octets, {present} came")]
    PastEnd {
        /// Octets after the length octet that the header claims.
        claimed: usize,
        /// Octets after the length octet that came.
        present: usize,
    },
}

/// Cuts the header off `octets`, which must be those of a part with the UDHI bit set, and finds the place in a long text.
///
/// Besides 00 and 08 it knows the elements 24 and 25 (national language tables), and 04 and 05 (ports); others are
/// skipped. An element with an impossible place (total 0, index 0, index above total) or
/// of the wrong length is ignored, as 9.2.3.24.1 asks; so is a total of 1, which is a text that stands alone. Of several the
/// last counts. An element that runs past the header's end is ignored and those before it stand.
///
/// # Errors
/// [`BadUdh`] if the header runs past the end, so that nobody knows where the text begins.
pub fn read_udh(octets: &[u8]) -> Result<Udh<'_>, BadUdh> {
    let (&length, rest) = octets.split_first().ok_or(BadUdh::Missing)?;
    let (mut elements, body) = rest
        .split_at_checked(usize::from(length))
        .ok_or(BadUdh::PastEnd { claimed: usize::from(length), present: rest.len() })?;
    let (mut concat, mut absurd, mut placeless, mut ports) = (None, false, true, false);
    let mut form = Form { fill: (7 - (8 * (u16::from(length) + 1) % 7) as u8) % 7, ..Form::default() };
    while let [id, length, rest @ ..] = elements {
        let Some((content, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        if let Some(place) = place(*id, content) {
            placeless = false;
            absurd |= !place.is_possible();
            concat = Some(place).filter(|place| place.total >= 2 && place.is_possible()).or(concat);
        }
        match (*id, content) {
            (0x24, &[language]) => form.single = language,
            (0x25, &[language]) => form.locking = language,
            (0x04, [_, _]) | (0x05, [_, _, _, _]) => ports = true,
            _ => {}
        }
        elements = rest;
    }
    Ok(Udh { concat, form, absurd, placeless, ports, body })
}

/// The place in a long text that one element states, possible or not.
fn place(id: u8, content: &[u8]) -> Option<Concat> {
    let (kind, reference, total, index) = match (id, content) {
        (0x00, &[reference, total, index]) => (ConcatKind::Udh8, u16::from(reference), total, index),
        (0x08, &[high, low, total, index]) => (ConcatKind::Udh16, u16::from_be_bytes([high, low]), total, index),
        _ => return None,
    };
    Some(Concat { kind, reference, total, index })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(kind: ConcatKind, reference: u16, total: u8, index: u8) -> Concat {
        Concat { kind, reference, total, index }
    }

    #[test]
    fn the_place_is_found_among_all_elements() {
        use ConcatKind::{Udh8, Udh16};
        for (label, octets, concat, body) in [
            ("8 bit", &[5, 0, 3, 0x2A, 2, 1, b'A'][..], Some(at(Udh8, 0x2A, 2, 1)), &b"A"[..]),
            ("16 bit", &[6, 8, 4, 1, 2, 3, 3, b'A'], Some(at(Udh16, 0x0102, 3, 3)), b"A"),
            ("reference 0", &[5, 0, 3, 0, 2, 2, b'A'], Some(at(Udh8, 0, 2, 2)), b"A"),
            ("ports before", &[11, 5, 4, 0, 0, 0, 0, 0, 3, 7, 2, 1, b'A'], Some(at(Udh8, 7, 2, 1)), b"A"),
            ("language after", &[8, 0, 3, 7, 2, 1, 0x25, 1, 1, b'A'], Some(at(Udh8, 7, 2, 1)), b"A"),
            ("ports only", &[6, 5, 4, 0, 0, 0, 0, b'A'], None, b"A"),
            ("no element", &[0, b'A'], None, b"A"),
            ("no text after it", &[5, 0, 3, 7, 2, 1], Some(at(Udh8, 7, 2, 1)), b""),
            ("total 0", &[5, 0, 3, 7, 0, 1, b'A'], None, b"A"),
            ("index 0", &[5, 0, 3, 7, 2, 0, b'A'], None, b"A"),
            ("index above total", &[5, 0, 3, 7, 2, 3, b'A'], None, b"A"),
            ("total 1", &[5, 0, 3, 7, 1, 1, b'A'], None, b"A"),
            ("wrong length", &[4, 0, 2, 7, 2, b'A'], None, b"A"),
            ("8 bit, then 16 bit", &[11, 0, 3, 7, 2, 1, 8, 4, 0, 9, 3, 2, b'A'], Some(at(Udh16, 9, 3, 2)), b"A"),
            (
                "a good one, then an absurd one",
                &[10, 0, 3, 7, 2, 1, 0, 3, 7, 0, 0, b'A'],
                Some(at(Udh8, 7, 2, 1)),
                b"A",
            ),
            ("a last element past the header", &[7, 0, 3, 7, 2, 1, 5, 4, b'A'], Some(at(Udh8, 7, 2, 1)), b"A"),
            ("a stray octet in the header", &[6, 0, 3, 7, 2, 1, 0, b'A'], Some(at(Udh8, 7, 2, 1)), b"A"),
        ] {
            let read = read_udh(octets).unwrap();
            assert_eq!((read.concat, read.body), (concat, body), "{label}");
        }
    }

    #[test]
    fn t104_shift_tables_are_named_by_the_header() {
        for (label, octets, fill, locking, single) in [
            ("locking Turkish", &[3, 0x25, 1, 1][..], 3, 1, 0),
            ("single Spanish", &[3, 0x24, 1, 2], 3, 0, 2),
            ("both, and a place", &[11, 0, 3, 7, 2, 1, 0x24, 1, 3, 0x25, 1, 3], 2, 3, 3),
            ("of the wrong length", &[4, 0x25, 2, 1, 1], 2, 0, 0),
            ("the last counts", &[6, 0x25, 1, 1, 0x25, 1, 3], 0, 3, 0),
            ("none", &[5, 0, 3, 7, 2, 1], 1, 0, 0),
        ] {
            let form = read_udh(octets).unwrap().form;
            assert_eq!(form, Form { fill, locking, single }, "{label}");
            assert_eq!(Form::from_octets(form.octets()), form, "{label}");
        }
    }

    #[test]
    fn t111_several_ies() {
        let read = read_udh(&[11, 5, 4, 0x0B, 0x84, 0, 0, 0, 3, 7, 2, 2, b'A']).unwrap();
        assert_eq!((read.concat, read.ports, read.body), (Some(at(ConcatKind::Udh8, 7, 2, 2)), true, &b"A"[..]));
        assert!(read_udh(&[4, 4, 2, 0, 0]).unwrap().ports && !read_udh(&[4, 5, 2, 0, 0]).unwrap().ports);
    }

    #[test]
    fn t112_udhi_without_concat() {
        let read = read_udh(&[6, 5, 4, 0, 0, 0, 0, b'A']).unwrap();
        assert_eq!((read.concat, read.placeless, read.absurd, read.body), (None, true, false, &b"A"[..]));
    }

    #[test]
    fn t114_absurd_index() {
        for (total, index, absurd) in
            [(0, 1, true), (0, 0, true), (2, 0, true), (2, 3, true), (1, 1, false), (1, 2, true)]
        {
            let octets = [5, 0, 3, 0x2A, total, index, b'A'];
            let read = read_udh(&octets).unwrap();
            assert_eq!((read.concat, read.absurd, read.placeless), (None, absurd, false), "{index} of {total}");
        }
    }

    #[test]
    fn t116_reference_zero() {
        assert_eq!(read_udh(&[5, 0, 3, 0, 2, 2]).unwrap().concat, Some(at(ConcatKind::Udh8, 0, 2, 2)));
    }

    #[test]
    fn a_header_past_the_end_is_refused() {
        assert_eq!(read_udh(&[]), Err(BadUdh::Missing));
        assert_eq!(read_udh(&[0xFF, 0, 3]), Err(BadUdh::PastEnd { claimed: 255, present: 2 }));
        assert_eq!(read_udh(&[5, 0, 3, 7, 2]), Err(BadUdh::PastEnd { claimed: 5, present: 4 }));
    }

    #[test]
    fn debug_shows_no_text() {
        let shown = format!("{:?}", read_udh(b"\x00TTCD"));
        assert!(shown.contains("<4 octets>") && !shown.contains("84"), "{shown}");
    }

    proptest! {
        #[test]
        fn any_octets_give_a_possible_place_and_the_end_of_the_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(udh) = read_udh(&octets) {
                prop_assert!(octets.ends_with(udh.body));
                prop_assert_eq!(octets.len(), 1 + usize::from(octets[0]) + udh.body.len());
                if let Some(at) = udh.concat {
                    prop_assert!(at.total >= 2 && at.index >= 1 && at.index <= at.total);
                }
            }
        }
    }
}
