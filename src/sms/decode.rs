//! From a part's data_coding and octets to a text.

use std::borrow::Cow;

use super::{Form, charset::Charset, fold, gsm};

/// The alphabet behind data_coding 0: each carrier's own choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DefaultAlphabet {
    /// GSM 03.38, one septet an octet.
    #[default]
    Gsm,
    /// ISO 8859-1.
    Latin1,
    /// ASCII.
    Ascii,
    /// GSM 03.38, septets packed into octets (3GPP TS 23.038, 6.1.2.1).
    Packed,
    /// UTF-8.
    Utf8,
}

/// What octets under a data_coding of eight-bit data are at a carrier: 2, 4, and those of 3GPP TS 23.038 (14, F4 ...).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum BinaryText {
    /// Data, as the standard says.
    #[default]
    NotText,
    /// GSM 03.38, one septet an octet.
    Gsm,
    /// ISO 8859-1.
    Latin1,
    /// UTF-16.
    Ucs2,
}

/// The order of octets under data_coding 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ByteOrder {
    /// By the mark, else by what gives letters, else big endian.
    #[default]
    Auto,
    /// Big endian, as the standard says.
    Big,
    /// Little endian.
    Little,
}

/// How a carrier codes the texts it hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Codings {
    /// data_coding 0.
    pub default: DefaultAlphabet,
    /// data_coding 1 is GSM 03.38 and not ASCII.
    pub one_is_gsm: bool,
    /// data_coding 2, 4, and every other that says eight-bit data.
    pub binary: BinaryText,
    /// data_coding 8.
    pub ucs2: ByteOrder,
    /// Texts with a message class (F0-F3) are packed.
    pub class_is_packed: bool,
}

/// The octets are no text that can be read. Such a part is acknowledged and answered as misread; the octets are never
/// echoed. Each variant holds the data_coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotText {
    /// Eight-bit data.
    #[error("data_coding {0:#04x} says binary")]
    Binary(u8),
    /// Compressed text (3GPP TS 23.042), which no carrier is known to deliver.
    #[error("data_coding {0:#04x} says compressed")]
    Compressed(u8),
    /// A Japanese or Korean character set, or a reserved one.
    #[error("data_coding {0:#04x} names a character set that is not read here")]
    OtherSet(u8),
}

/// The text of one part, its header cut off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// data_coding.
    pub data_coding: u8,
    /// What the header said about the coding.
    pub form: Form,
    /// The octets behind the header.
    pub octets: &'a [u8],
}

impl<'a> From<(u8, &'a [u8])> for Piece<'a> {
    /// A part without a header.
    fn from((data_coding, octets): (u8, &'a [u8])) -> Self {
        Self { data_coding, form: Form::default(), octets }
    }
}

impl std::fmt::Debug for Piece<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Piece({:#04x}, {:?}, <{} octets>)", self.data_coding, self.form, self.octets.len())
    }
}

/// Reads a text that came in one part. The result is in NFC.
///
/// Octets that do not fit the coding they came under are read as well as can be: UTF-8 or Latin-1 under a seven-bit
/// alphabet, little endian under data_coding 8, U+FFFD for half of a surrogate pair.
///
/// # Errors
/// [`NotText`] if the data_coding names no character set that is read here: answer that the text was not understood.
pub fn decode(piece: Piece<'_>, codings: Codings) -> Result<String, NotText> {
    Ok(fold::to_nfc(charset(piece.data_coding, codings)?.read(piece.octets, piece.form)))
}

/// Reads a long text from its parts, in order. The result is in NFC.
///
/// Neighbours in the same character set are put together before they are read, because senders cut through escapes
/// and surrogate pairs; parts in different sets are read each by its own.
///
/// # Errors
/// [`NotText`] if any part is no text: answer that the text was not understood.
pub fn join(parts: &[Piece<'_>], codings: Codings) -> Result<String, NotText> {
    let parts: Vec<Stretch<'_>> = parts.iter().map(|piece| Stretch::of(*piece, codings)).collect::<Result<_, _>>()?;
    let mut text = String::new();
    for run in parts.chunk_by(|a, b| (a.set, a.languages) == (b.set, b.languages)) {
        text.push_str(&run[0].set.read(&octets_of(run), run[0].languages));
    }
    Ok(fold::to_nfc(text))
}

/// A part as it is put together with its neighbours: packed septets are taken out, because each part packs anew.
struct Stretch<'a> {
    set: Charset,
    languages: Form,
    octets: Cow<'a, [u8]>,
}

impl<'a> Stretch<'a> {
    fn of(piece: Piece<'a>, codings: Codings) -> Result<Self, NotText> {
        let set = charset(piece.data_coding, codings)?;
        let languages = if set.is_seven_bit() { Form { fill: 0, ..piece.form } } else { Form::default() };
        if set != Charset::Packed {
            return Ok(Self { set, languages, octets: Cow::Borrowed(piece.octets) });
        }
        let octets = Cow::Owned(gsm::unpack(piece.octets, piece.form.fill));
        Ok(Self { set: Charset::Gsm, languages, octets })
    }
}

/// The octets of neighbours in the same set.
fn octets_of<'a>(run: &'a [Stretch<'_>]) -> Cow<'a, [u8]> {
    if let [stretch] = run {
        return Cow::Borrowed(&stretch.octets);
    }
    let total: usize = run.iter().map(|stretch| stretch.octets.len()).sum();
    // An even sum may hide a unit cut in two between parts; an odd one means that some part has an octet too many,
    // which would put every later part out of step.
    let stray = matches!(run[0].set, Charset::Utf16(_)) && total % 2 == 1;
    let mut joined = Vec::with_capacity(total);
    for Stretch { octets, .. } in run {
        joined.extend_from_slice(if stray { &octets[..octets.len() / 2 * 2] } else { octets });
    }
    Cow::Owned(joined)
}

/// The character set behind a data_coding. 00-0F are SMPP's own (SMPP 3.4, 5.2.19), the rest 3GPP TS 23.038, 4, where
/// reserved values are to be taken for the default alphabet; class, waiting indication and deletion are ignored.
pub(super) fn charset(data_coding: u8, codings: Codings) -> Result<Charset, NotText> {
    Ok(match data_coding {
        0x00 => match codings.default {
            DefaultAlphabet::Gsm => Charset::Gsm,
            DefaultAlphabet::Packed => Charset::Packed,
            DefaultAlphabet::Latin1 => Charset::Latin1,
            DefaultAlphabet::Ascii => Charset::Ascii,
            DefaultAlphabet::Utf8 => Charset::Utf8,
        },
        0x01 if codings.one_is_gsm => Charset::Gsm,
        0x01 => Charset::Ascii,
        0x03 => Charset::Latin1,
        0x06 => Charset::Cyrillic,
        0x07 => Charset::Hebrew,
        0x08 | 0xE0..=0xEF => Charset::Utf16(codings.ucs2),
        0x02 | 0x04 => eight_bit(data_coding, codings)?,
        0x05 | 0x09..=0x0F => return Err(NotText::OtherSet(data_coding)),
        0x10..=0x7F if data_coding & 0x20 != 0 => return Err(NotText::Compressed(data_coding)),
        0x10..=0x7F => match data_coding & 0x0C {
            0x04 => eight_bit(data_coding, codings)?,
            0x08 => Charset::Utf16(codings.ucs2),
            _ => Charset::Gsm,
        },
        0xF0..=0xFF if data_coding & 0x04 != 0 => eight_bit(data_coding, codings)?,
        0xF0..=0xFF if codings.class_is_packed => Charset::Packed,
        0x80..=0xDF | 0xF0..=0xFF => Charset::Gsm,
    })
}

/// What eight-bit data is at this carrier.
fn eight_bit(data_coding: u8, codings: Codings) -> Result<Charset, NotText> {
    match codings.binary {
        BinaryText::NotText => Err(NotText::Binary(data_coding)),
        BinaryText::Gsm => Ok(Charset::Gsm),
        BinaryText::Latin1 => Ok(Charset::Latin1),
        BinaryText::Ucs2 => Ok(Charset::Utf16(codings.ucs2)),
    }
}
