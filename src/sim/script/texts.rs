//! Scripts: texts. An SMSC that codes them in an odd way is understood when the reply is the one that the plain text
//! gets.

use super::{Deliver, Done, Peer, Script, Stage, Unmet, Want, hold, script};

pub(super) const SCRIPTS: &[Script] = &[
    script!(t95_dc0_is_latin1, "data_coding 0 is Latin-1").settings("default_alphabet = \"latin1\""),
    script!(t96_dc0_is_packed, "data_coding 0 is GSM packed into octets, in one part and in two")
        .settings("default_alphabet = \"packed\""),
    script!(t97_text_with_zero_octet, "a text with a zero octet, which is a character"),
    script!(t98_binary, "data that is no text is acknowledged and answered as misread; at another carrier it is text")
        .more_carriers(&["binary_is = \"gsm\""])
        .counts(&["binary"]),
    script!(t99_ucs2_little_endian, "UTF-16 with the lower octet first, marked and not")
        .counts(&["ucs2_little_endian"]),
    script!(t100_ucs2_odd_length, "UTF-16 with an octet too many").counts(&["ucs2_odd_length"]),
    script!(t101_ucs2_surrogates, "an emoji that is cut over two parts"),
    script!(t102_class_flash_mwi, "texts with a class or a waiting indication").counts(&["class_flash_mwi"]),
    script!(t103_utf8_in_dc0, "UTF-8 and Latin-1 under data_coding 0").counts(&["utf8_in_dc0"]),
    script!(t104_shift_tables, "a national language's table, and one of a language nobody knows")
        .counts(&["shift_tables"]),
    script!(t105_escape_at_end, "an escape at the end of a part, its partner in the next"),
    script!(t117_mixed_coding, "a long text whose parts are in different codings"),
];

/// The reply to a question, as one text.
async fn told(peer: &mut Peer, question: &Deliver) -> Result<String, Unmet> {
    peer.send(question).await?;
    peer.expect(Want::answer(question.sequence, 0)).await?;
    Ok(peer.reply_to(question).await?.iter().map(super::Submit::text).collect())
}

/// Sends a long text in two parts; the second one's number.
async fn told_in_two(peer: &mut Peer, first: Deliver, second: Deliver) -> Result<String, Unmet> {
    let first = first.part(7, 2, 1);
    peer.send(&first).await?;
    peer.expect(Want::answer(first.sequence, 0)).await?;
    let mut second = second.part(7, 2, 2);
    (second.sequence, second.source) = (peer.sequence(), first.source.clone());
    told(peer, &second).await
}

/// What three questions are told that any coding can carry: how to use the service, in either language, and whom to ask.
struct Right {
    help: String,
    guide: String,
    contact: String,
}

/// In UTF-16, which means the same to every carrier.
async fn right(peer: &mut Peer) -> Result<Right, Unmet> {
    let mut told_plainly = async |text: &str| {
        let question = peer.question().coding(8).text(wide(text));
        told(peer, &question).await
    };
    let (help, guide) = (told_plainly("HELP").await?, told_plainly("HD").await?);
    Ok(Right { help, guide, contact: told_plainly("LH").await? })
}

async fn all_are_told(peer: &mut Peer, right: &str, texts: &[(u8, Vec<u8>)]) -> Done {
    for (data_coding, octets) in texts {
        let question = peer.question().coding(*data_coding).text(octets.clone());
        is_right(right, &told(peer, &question).await?, &format!("a text under data_coding {data_coding:#x}"))?;
    }
    Ok(())
}

fn is_right(right: &str, told: &str, what: &str) -> Done {
    hold(right == told, format!("{what} is understood"), "the reply to another question")
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn turned(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Septets packed into octets, after `fill` bits (3GPP TS 23.038, 6.1.2.1).
fn packed(septets: &[u8], fill: usize) -> Vec<u8> {
    let mut octets = vec![0; (fill + 7 * septets.len()).div_ceil(8)];
    for (at, septet) in septets.iter().enumerate() {
        for bit in (0..7).filter(|bit| septet >> bit & 1 == 1) {
            let place = fill + 7 * at + bit;
            octets[place / 8] |= 1 << (place % 8);
        }
    }
    octets
}

async fn t95_dc0_is_latin1(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    // 5F is the underscore, which parts words, and not the paragraph sign, which does not; EA is a letter.
    all_are_told(&mut peer, &right.help, &[(0, b"HELP_1".to_vec())]).await?;
    all_are_told(&mut peer, &right.contact, &[(0, b"LI\xCANHE".to_vec())]).await
}

async fn t96_dc0_is_packed(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    let whole = [b"HELP 1".as_slice(), b"HELP 12\r", b"HELP 123"].map(|text| (0, packed(text, 0)));
    all_are_told(&mut peer, &right.help, &whole).await?;
    let (first, second) = (peer.question().text(packed(b"HE", 1)), peer.question().text(packed(b"LP 1", 1)));
    is_right(&right.help, &told_in_two(&mut peer, first, second).await?, "a text in two packed parts")
}

async fn t97_text_with_zero_octet(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    all_are_told(&mut peer, &right.help, &[(0, b"HELP \x00\x11 1".to_vec())]).await
}

async fn t98_binary(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    for data_coding in [0x02, 0x04, 0x14, 0xF4, 0xF5, 0xF7] {
        let question = peer.question().coding(data_coding).text(b"\x06\x01\xAE\xFFHELP".as_slice());
        let told = told(&mut peer, &question).await?;
        hold(
            told != right.help && !told.contains('\u{AE}'),
            "data is misread, and none of it comes back",
            "another reply",
        )?;
    }
    let mut other = stage.bound_at(1).await?;
    let texts = [0x02, 0x04, 0x14, 0xF4, 0xF5, 0xF7].map(|data_coding| (data_coding, b"HELP".to_vec()));
    all_are_told(&mut other, &right.help, &texts).await
}

async fn t99_ucs2_little_endian(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    let marked = [b"\xFF\xFE".to_vec(), turned("HELP")].concat();
    all_are_told(&mut peer, &right.help, &[(8, marked), (8, turned("HELP 1")), (8, wide("\u{FEFF}HELP"))]).await
}

async fn t100_ucs2_odd_length(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    all_are_told(&mut peer, &right.help, &[(8, [wide("HELP"), vec![0]].concat())]).await
}

async fn t101_ucs2_surrogates(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    let octets = wide("HELP 😀");
    let (first, second) = octets.split_at(octets.len() - 2);
    let (first, second) = (peer.question().coding(8).text(first), peer.question().coding(8).text(second));
    is_right(&right.help, &told_in_two(&mut peer, first, second).await?, "a text cut within a character")?;
    all_are_told(&mut peer, &right.help, &[(8, octets[..octets.len() - 2].to_vec())]).await
}

async fn t102_class_flash_mwi(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    let narrow = [0x10, 0x13, 0xC0, 0xD8, 0xF0, 0xF3].map(|coding| (coding, b"HELP\x111".to_vec()));
    all_are_told(&mut peer, &right.help, &narrow).await?;
    all_are_told(&mut peer, &right.help, &[0x18, 0x1B, 0xE0, 0xE8].map(|coding| (coding, wide("HELP")))).await
}

async fn t103_utf8_in_dc0(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    all_are_told(&mut peer, &right.guide, &[(0, "HƯỚNGDẪN".as_bytes().to_vec())]).await?;
    all_are_told(&mut peer, &right.contact, &[(0, b"LI\xCANHE".to_vec())]).await
}

async fn t104_shift_tables(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    // Portuguese has the E with a circumflex at 1E; a language that nobody knows leaves the default table in force.
    for (header, text, right) in [
        (&[3, 0x25, 1, 3][..], &b"LI\x1ENHE"[..], &right.contact),
        (&[3, 0x24, 1, 3], b"LI\x1B\x1FNHE", &right.contact),
        (&[6, 0x24, 1, 3, 0x25, 1, 3], b"LI\x1ENHE", &right.contact),
        (&[3, 0x25, 1, 99], b"HELP\x111", &right.help),
    ] {
        let question = peer.question().esm(0x40).text([header, text].concat());
        is_right(right, &told(&mut peer, &question).await?, "a text with national tables")?;
    }
    Ok(())
}

async fn t105_escape_at_end(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    let (first, second) = (peer.question().text(b"HELP\x1B".as_slice()), peer.question().text(b"<1".as_slice()));
    is_right(&right.help, &told_in_two(&mut peer, first, second).await?, "a text cut behind an escape")?;
    all_are_told(&mut peer, &right.help, &[(0, b"HELP\x1B".to_vec())]).await
}

async fn t117_mixed_coding(stage: &mut Stage) -> Done {
    let mut peer = stage.bound().await?;
    let right = right(&mut peer).await?;
    let (first, second) = (peer.question().text(b"LI".as_slice()), peer.question().coding(8).text(wide("ÊNHE")));
    is_right(&right.contact, &told_in_two(&mut peer, first, second).await?, "a text in two codings")
}
