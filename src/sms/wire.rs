//! How a carrier wants texts on the wire: which octets stand for a character, how many fit, how long texts are cut.

use super::{CannotEncode, DefaultAlphabet, gsm};
use crate::message::Alphabet;

/// Octets of a short_message (SMPP 3.4, 5.2.21).
pub(super) const LONGEST: usize = 254;

/// How the segments of a long text are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Split {
    /// By a user data header with an 8-bit reference.
    #[default]
    Udh8,
    /// By a user data header with a 16-bit reference.
    Udh16,
    /// By the SAR parameters (SMPP 3.4, 5.3.2.22 to 24).
    Sar,
    /// Not by us: the whole text in a message_payload, for the SMSC to cut.
    Payload,
    /// Not at all: segments without a mark, each readable alone.
    None,
}

/// How a carrier wants texts coded and cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireForm {
    /// The alphabet that data_coding 0 means.
    pub default: DefaultAlphabet,
    /// How segments are told apart.
    pub split: Split,
    /// Septets (or UTF-16 units) left free in each segment.
    pub slack: u8,
    /// data_coding of texts in the default alphabet.
    pub gsm_coding: u8,
    /// data_coding of texts in UCS-2.
    pub ucs2_coding: u8,
}

impl WireForm {
    /// What the standards say, and most carriers.
    pub const USUAL: Self =
        Self { default: DefaultAlphabet::Gsm, split: Split::Udh8, slack: 0, gsm_coding: 0x00, ucs2_coding: 0x08 };

    /// The same for an SMSC that takes 140 octets and not 160 septets in a short_message: short texts are left so much
    /// free, and the header counts like text.
    #[must_use]
    pub fn in_140_octets(self) -> Self {
        Self { slack: self.slack.max(20), ..self }
    }

    /// The alphabet of texts without marks: where their data_coding names one by itself, that one.
    fn gsm_set(self) -> DefaultAlphabet {
        match self.gsm_coding {
            // SMPP 3.4, 5.2.19.
            0x01 => DefaultAlphabet::Ascii,
            0x03 => DefaultAlphabet::Latin1,
            _ => self.default,
        }
    }
}

impl Default for WireForm {
    fn default() -> Self {
        Self::USUAL
    }
}

/// What a character or a text takes, or what there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Septets, or UTF-16 units: what it takes on the air.
    pub(super) units: usize,
    /// Octets on the wire, when they are not packed.
    pub(super) octets: usize,
}

impl Size {
    /// Whether all of it fits.
    pub(super) fn holds(self, other: Self) -> bool {
        other.units <= self.units && other.octets <= self.octets
    }

    /// Takes room away. `false`, and nothing taken, when there is not enough.
    pub(super) fn take(&mut self, other: Self) -> bool {
        let fits = self.holds(other);
        if fits {
            *self = Self { units: self.units - other.units, octets: self.octets - other.octets };
        }
        fits
    }
}

/// One alphabet in a carrier's form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wire {
    pub(super) alphabet: Alphabet,
    pub(super) data_coding: u8,
    set: DefaultAlphabet,
    split: Split,
    slack: usize,
}

impl Wire {
    pub(super) fn new(alphabet: Alphabet, form: WireForm) -> Self {
        let data_coding = match alphabet {
            Alphabet::Gsm7 => form.gsm_coding,
            Alphabet::Ucs2 => form.ucs2_coding,
        };
        Self { alphabet, data_coding, set: form.gsm_set(), split: form.split, slack: form.slack.into() }
    }

    /// What one character takes. `None` if it cannot be sent in this alphabet: it must be in GSM 03.38, which goes over
    /// the air, and in the set that the carrier takes it in.
    pub(super) fn size_of(self, c: char) -> Option<Size> {
        match self.alphabet {
            Alphabet::Ucs2 => Some(Size { units: c.len_utf16(), octets: 2 * c.len_utf16() }),
            Alphabet::Gsm7 => {
                let units = gsm::septets(c)?;
                let octets = match self.set {
                    DefaultAlphabet::Gsm | DefaultAlphabet::Packed => units,
                    DefaultAlphabet::Latin1 => u8::try_from(c).ok().map(|_| 1)?,
                    DefaultAlphabet::Ascii => c.is_ascii().then_some(1)?,
                    DefaultAlphabet::Utf8 => c.len_utf8(),
                };
                Some(Size { units, octets })
            }
        }
    }

    /// What a text takes. `None` if the alphabet lacks one of its characters.
    pub(super) fn size(self, text: &str) -> Option<Size> {
        text.chars().try_fold(Size::default(), |sum, c| {
            let one = self.size_of(c)?;
            Some(Size { units: sum.units + one.units, octets: sum.octets + one.octets })
        })
    }

    /// The room in a text that is sent in one segment.
    pub(super) fn alone(self) -> Size {
        let units = match self.alphabet {
            Alphabet::Gsm7 => 160,
            Alphabet::Ucs2 => 70,
        };
        Size { units: units - self.slack, octets: LONGEST }
    }

    /// The room in one segment of several: 140 octets on the air without the header, which the SMSC makes where we
    /// do not. It may take the longer one for SAR references, which have 16 bits.
    pub(super) fn together(self) -> Size {
        let (gsm, ucs2, header) = match self.split {
            Split::Udh8 => (153, 67, 6),
            Split::Payload => (153, 67, 0),
            Split::Udh16 => (152, 66, 7),
            Split::Sar => (152, 66, 0),
            Split::None => (160, 70, 0),
        };
        let units = match self.alphabet {
            Alphabet::Gsm7 => gsm,
            Alphabet::Ucs2 => ucs2,
        };
        Size { units: units - self.slack, octets: LONGEST - header }
    }

    /// Appends a text's octets behind a header of so many octets that ends them now.
    pub(super) fn append(self, octets: &mut Vec<u8>, header: usize, text: &str) -> Result<(), CannotEncode> {
        let fits = match (self.alphabet, self.set) {
            (Alphabet::Ucs2, _) => {
                octets.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
                true
            }
            (Alphabet::Gsm7, DefaultAlphabet::Gsm) => text.chars().all(|c| gsm::push(octets, c)),
            (Alphabet::Gsm7, DefaultAlphabet::Packed) => {
                let mut septets = Vec::with_capacity(text.len());
                let fits = text.chars().all(|c| gsm::push(&mut septets, c));
                pack(octets, header, &septets);
                fits
            }
            (Alphabet::Gsm7, DefaultAlphabet::Latin1 | DefaultAlphabet::Ascii) => text.chars().all(|c| {
                octets.extend(u8::try_from(c).ok());
                self.size_of(c).is_some()
            }),
            (Alphabet::Gsm7, DefaultAlphabet::Utf8) => {
                octets.extend_from_slice(text.as_bytes());
                self.size(text).is_some()
            }
        };
        if fits { Ok(()) } else { Err(CannotEncode::NotInGsm) }
    }
}

/// Packs septets into octets, low bits first, behind a header of so many octets, the first septet on a septet boundary
/// counted from the header's start (3GPP TS 23.038, 6.1.2.1; 23.040, 9.2.3.24). Seven bits left over hold a carriage
/// return, because seven zeros would be read as `@` (6.1.2.3.1).
fn pack(octets: &mut Vec<u8>, header: usize, septets: &[u8]) {
    let fill = (7 - header * 8 % 7) % 7;
    let padding = if (fill + septets.len() * 7) % 8 == 1 { Some(&b'\r') } else { None };
    let (mut bits, mut count) = (0_u32, fill);
    for septet in septets.iter().chain(padding) {
        bits |= u32::from(septet & 0x7F) << count;
        count += 7;
        if count >= 8 {
            octets.push(bits as u8);
            bits >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        octets.push(bits as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sms::{measure, split};

    use Alphabet::{Gsm7, Ucs2};

    fn form(default: DefaultAlphabet) -> WireForm {
        WireForm { default, ..WireForm::USUAL }
    }

    #[test]
    fn septets_are_packed_low_bits_first() {
        let packed = form(DefaultAlphabet::Packed);
        let octets = |text: &str| split(text, Gsm7, &packed, 1).unwrap().remove(0).octets;
        assert_eq!(octets("Hello"), [0xC8, 0x32, 0x9B, 0xFD, 0x06]);
        // Seven septets leave seven bits: a carriage return, not an `@`.
        assert_eq!(octets("1234567"), [0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x1A]);
        assert_eq!(octets("12345678"), [0x31, 0xD9, 0x8C, 0x56, 0xB3, 0xDD, 0x70]);
        assert_eq!(octets(&"a".repeat(160)).len(), 140);
    }

    #[test]
    fn packed_septets_begin_on_a_boundary_behind_the_header() {
        let text = "a".repeat(306);
        let packed = form(DefaultAlphabet::Packed);
        let segments = split(&text, Gsm7, &packed, 0x2A).unwrap();
        assert_eq!(segments.iter().map(|s| s.octets.len()).collect::<Vec<_>>(), [140, 140]);
        // One bit of filling: `a` (0x61) moved by one.
        assert_eq!(segments[0].octets[..7], [5, 0, 3, 0x2A, 2, 1, 0xC2]);
        // Seven octets of header are eight septets: no filling.
        let segments = split(&"a".repeat(304), Gsm7, &WireForm { split: Split::Udh16, ..packed }, 0x102A).unwrap();
        assert_eq!(segments.iter().map(|s| s.octets.len()).collect::<Vec<_>>(), [140, 140]);
        assert_eq!(segments[1].octets[..9], [6, 8, 4, 0x10, 0x2A, 2, 2, 0xE1, 0x70]);
    }

    #[test]
    fn a_set_has_the_characters_that_are_in_gsm_as_well() {
        for (default, text, octets) in [
            (DefaultAlphabet::Latin1, "a@\u{e9}$", Some(&b"a@\xE9$"[..])),
            (DefaultAlphabet::Latin1, "\u{3a9}", None),
            (DefaultAlphabet::Latin1, "\u{20ac}", None),
            (DefaultAlphabet::Latin1, "\u{e3}", None),
            (DefaultAlphabet::Ascii, "a@_[]", Some(b"a@_[]")),
            (DefaultAlphabet::Ascii, "\u{e9}", None),
            (DefaultAlphabet::Ascii, "`", None),
            (DefaultAlphabet::Utf8, "\u{e9}\u{20ac}", Some("\u{e9}\u{20ac}".as_bytes())),
            (DefaultAlphabet::Utf8, "\u{1ebf}", None),
        ] {
            let sent = split(text, Gsm7, &form(default), 1).ok().map(|mut s| s.remove(0).octets);
            assert_eq!(sent.as_deref(), octets, "{default:?} {text}");
            let alphabet = if octets.is_some() { Gsm7 } else { Ucs2 };
            assert_eq!(measure(text, &form(default)).alphabet, alphabet, "{default:?} {text}");
        }
    }

    #[test]
    fn the_data_coding_of_replies_is_the_carriers_and_names_its_set() {
        let ascii = WireForm { gsm_coding: 0x01, ucs2_coding: 0x18, ..WireForm::USUAL };
        assert_eq!(split("a@", Gsm7, &ascii, 1).unwrap()[0].octets, b"a@");
        assert_eq!(split("a@", Gsm7, &ascii, 1).unwrap()[0].data_coding, 0x01);
        assert_eq!(split("a", Ucs2, &ascii, 1).unwrap()[0].data_coding, 0x18);
        let class = WireForm { gsm_coding: 0xF1, ..WireForm::USUAL };
        assert_eq!(split("a@", Gsm7, &class, 1).unwrap()[0].octets, b"a\0");
        let latin1 = WireForm { gsm_coding: 0x03, ..WireForm::USUAL };
        assert_eq!(split("\u{e9}", Gsm7, &latin1, 1).unwrap()[0].octets, [0xE9]);
    }

    #[test]
    fn every_split_has_its_room_and_its_mark() {
        let long = |split_by, slack| -> Vec<(usize, Option<(u16, u8)>)> {
            let form = WireForm { split: split_by, slack, ..WireForm::USUAL };
            let segments = split(&"a".repeat(400), Gsm7, &form, 0x1234).unwrap();
            assert!(segments.iter().all(|s| s.udhi == matches!(split_by, Split::Udh8 | Split::Udh16)));
            segments.into_iter().map(|s| (s.octets.len(), s.sar.map(|sar| (sar.reference, sar.index)))).collect()
        };
        let none = [(160, None), (160, None), (80, None)];
        assert_eq!(long(Split::None, 0), none);
        assert_eq!(long(Split::Udh8, 0), [(159, None), (159, None), (100, None)]);
        assert_eq!(long(Split::Udh16, 0), [(159, None), (159, None), (103, None)]);
        let sar = [(152, Some((0x1234, 1))), (152, Some((0x1234, 2))), (96, Some((0x1234, 3)))];
        assert_eq!(long(Split::Sar, 0), sar);
        assert_eq!(long(Split::Payload, 0), [(400, None)]);
        assert_eq!(long(Split::Udh8, 3), [(156, None), (156, None), (106, None)]);
    }

    #[test]
    fn a_text_for_the_smsc_to_cut_is_measured_as_it_goes_over_the_air() {
        let form = WireForm { split: Split::Payload, ..WireForm::USUAL };
        for (length, segments) in [(160, 1), (161, 2), (306, 2), (307, 3)] {
            let text = "a".repeat(length);
            assert_eq!(measure(&text, &form).segments, segments, "{length}");
            let sent = split(&text, Gsm7, &form, 1).unwrap();
            assert_eq!((sent.len(), sent[0].payload), (1, segments > 1), "{length}");
        }
    }

    #[test]
    fn a_form_in_140_octets_keeps_to_them_with_its_header() {
        let form = WireForm::USUAL.in_140_octets();
        assert_eq!(split(&"a".repeat(140), Gsm7, &form, 1).unwrap().len(), 1);
        let segments = split(&"a".repeat(141), Gsm7, &form, 1).unwrap();
        assert!(segments.len() == 2 && segments.iter().all(|s| s.octets.len() <= 140));
    }
}
