//! The national language tables of the GSM alphabet (3GPP TS 23.038, annex A), for reading. A part's user data header
//! names a language for the whole text (locking shift) and one for what follows an escape (single shift).
//!
//! Each table is four rows of 32 places. A place that the standard leaves empty is a space.

use super::gsm;

type Table = [&'static str; 4];

/// The table that replaces the default one. Spanish has none, and a number that names no language neither.
fn locking(language: u8) -> Option<&'static Table> {
    Some(match language {
        1 => &TURKISH_LOCKING,
        3 => &PORTUGUESE_LOCKING,
        4 => &BENGALI_LOCKING,
        5 => &GUJARATI_LOCKING,
        6 => &HINDI_LOCKING,
        7 => &KANNADA_LOCKING,
        8 => &MALAYALAM_LOCKING,
        9 => &ORIYA_LOCKING,
        10 => &PUNJABI_LOCKING,
        11 => &TAMIL_LOCKING,
        12 => &TELUGU_LOCKING,
        13 => &URDU_LOCKING,
        _ => return None,
    })
}

/// The table behind the escape.
fn single(language: u8) -> Option<&'static Table> {
    Some(match language {
        1 => &TURKISH_SINGLE,
        2 => &SPANISH_SINGLE,
        3 => &PORTUGUESE_SINGLE,
        4 => &BENGALI_SINGLE,
        5 => &GUJARATI_SINGLE,
        6 => &HINDI_SINGLE,
        7 => &KANNADA_SINGLE,
        8 => &MALAYALAM_SINGLE,
        9 => &ORIYA_SINGLE,
        10 => &PUNJABI_SINGLE,
        11 => &TAMIL_SINGLE,
        12 => &TELUGU_SINGLE,
        13 => &URDU_SINGLE,
        _ => return None,
    })
}

/// Whether either number names a language whose tables are known here.
pub(super) fn known(locking_shift: u8, single_shift: u8) -> bool {
    locking(locking_shift).is_some() || single(single_shift).is_some()
}

/// Reads septets, one an octet, by the tables of these languages; the default tables stand in for those that are not
/// known. Odd escapes are read as in the default alphabet.
pub(super) fn read(septets: &[u8], locking_shift: u8, single_shift: u8) -> String {
    let (base, extension) = (locking(locking_shift), single(single_shift));
    let plain = |septet: u8| base.map_or_else(|| gsm::plain(septet), |table| place(table, septet));
    let mut text = String::with_capacity(septets.len() * 2);
    let mut septets = septets.iter();
    while let Some(&septet) = septets.next() {
        if septet != gsm::ESCAPE {
            text.push(plain(septet));
            continue;
        }
        text.push(match septets.next() {
            None | Some(&gsm::ESCAPE) => ' ',
            Some(&septet) => {
                let shifted = extension.map_or_else(|| gsm::extended(septet), |table| Some(place(table, septet)));
                shifted.filter(|&c| c != ' ').unwrap_or_else(|| plain(septet))
            }
        });
    }
    text
}

fn place(table: &Table, septet: u8) -> char {
    let row = table[usize::from(septet >> 5 & 3)];
    row.chars().nth(usize::from(septet & 31)).unwrap_or(' ')
}

const TURKISH_LOCKING: Table = [
    "@£$¥€éùıòÇ\nĞğ\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1B}ŞşßÉ",
    " !\"#¤%&'()*+,-./0123456789:;<=>?",
    "İABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§",
    "çabcdefghijklmnopqrstuvwxyzäöñüà",
];
const PORTUGUESE_LOCKING: Table = [
    "@£$¥êéúíóç\nÔô\rÁáΔ_ªÇÀ∞^\\€Ó|\u{1B}ÂâÊÉ",
    " !\"#º%&'()*+,-./0123456789:;<=>?",
    "ÍABCDEFGHIJKLMNOPQRSTUVWXYZÃÕÚÜ§",
    "~abcdefghijklmnopqrstuvwxyzãõ`üà",
];
const BENGALI_LOCKING: Table = [
    "\u{981}\u{982}\u{983}অআইঈউঊঋ\nঌ \r এঐ  ওঔকখগঘঙচ\u{1B}ছজঝঞ",
    " !টঠডঢণত)(থদ,ধ.ন0123456789:; পফ?",
    "বভমযর ল   শষসহ\u{9BC}ঽ\u{9BE}\u{9BF}\u{9C0}\u{9C1}\u{9C2}\u{9C3}\u{9C4}  \u{9C7}\u{9C8}  \u{9CB}\u{9CC}\u{9CD}",
    "ৎabcdefghijklmnopqrstuvwxyz\u{9D7}\u{9DC}\u{9DD}ৰৱ",
];
const GUJARATI_LOCKING: Table = [
    "\u{A81}\u{A82}\u{A83}અઆઇઈઉઊઋ\nઌઍ\r એઐઑ ઓઔકખગઘઙચ\u{1B}છજઝઞ",
    " !ટઠડઢણત)(થદ,ધ.ન0123456789:; પફ?",
    "બભમયર લળ વશષસહ\u{ABC}ઽ\u{ABE}\u{ABF}\u{AC0}\u{AC1}\u{AC2}\u{AC3}\u{AC4}\u{AC5} \u{AC7}\u{AC8}\u{AC9} \u{ACB}\u{ACC}\u{ACD}",
    "ૐabcdefghijklmnopqrstuvwxyzૠૡ\u{AE2}\u{AE3}૱",
];
const HINDI_LOCKING: Table = [
    "\u{901}\u{902}\u{903}अआइईउऊऋ\nऌऍ\rऎएऐऑऒओऔकखगघङच\u{1B}छजझञ",
    " !टठडढणत)(थद,ध.न0123456789:;ऩपफ?",
    "बभमयरऱलळऴवशषसह\u{93C}ऽ\u{93E}\u{93F}\u{940}\u{941}\u{942}\u{943}\u{944}\u{945}\u{946}\u{947}\u{948}\u{949}\u{94A}\u{94B}\u{94C}\u{94D}",
    "ॐabcdefghijklmnopqrstuvwxyzॲॻॼॾॿ",
];
const KANNADA_LOCKING: Table = [
    " \u{C82}\u{C83}ಅಆಇಈಉಊಋ\nಌ \rಎಏಐ ಒಓಔಕಖಗಘಙಚ\u{1B}ಛಜಝಞ",
    " !ಟಠಡಢಣತ)(ಥದ,ಧ.ನ0123456789:; ಪಫ?",
    "ಬಭಮಯರಱಲಳ ವಶಷಸಹ\u{CBC}ಽ\u{CBE}\u{CBF}\u{CC0}\u{CC1}\u{CC2}\u{CC3}\u{CC4} \u{CC6}\u{CC7}\u{CC8} \u{CCA}\u{CCB}\u{CCC}\u{CCD}",
    "\u{CD5}abcdefghijklmnopqrstuvwxyz\u{CD6}ೠೡ\u{CE2}\u{CE3}",
];
const MALAYALAM_LOCKING: Table = [
    " \u{D02}\u{D03}അആഇഈഉഊഋ\nഌ \rഎഏഐ ഒഓഔകഖഗഘങച\u{1B}ഛജഝഞ",
    " !ടഠഡഢണത)(ഥദ,ധ.ന0123456789:; പഫ?",
    "ബഭമയരറലളഴവശഷസഹ ഽ\u{D3E}\u{D3F}\u{D40}\u{D41}\u{D42}\u{D43}\u{D44} \u{D46}\u{D47}\u{D48} \u{D4A}\u{D4B}\u{D4C}\u{D4D}",
    "\u{D57}abcdefghijklmnopqrstuvwxyzൠൡ\u{D62}\u{D63}൹",
];
const ORIYA_LOCKING: Table = [
    "\u{B01}\u{B02}\u{B03}ଅଆଇଈଉଊଋ\nଌ \r ଏଐ  ଓଔକଖଗଘଙଚ\u{1B}ଛଜଝଞ",
    " !ଟଠଡଢଣତ)(ଥଦ,ଧ.ନ0123456789:; ପଫ?",
    "ବଭମଯର ଲଳ ଵଶଷସହ\u{B3C}ଽ\u{B3E}\u{B3F}\u{B40}\u{B41}\u{B42}\u{B43}\u{B44}  \u{B47}\u{B48}  \u{B4B}\u{B4C}\u{B4D}",
    "\u{B56}abcdefghijklmnopqrstuvwxyz\u{B57}ୠୡ\u{B62}\u{B63}",
];
const PUNJABI_LOCKING: Table = [
    "\u{A01}\u{A02}\u{A03}ਅਆਇਈਉਊ \n  \r ਏਐ  ਓਔਕਖਗਘਙਚ\u{1B}ਛਜਝਞ",
    " !ਟਠਡਢਣਤ)(ਥਦ,ਧ.ਨ0123456789:; ਪਫ?",
    "ਬਭਮਯਰ ਲ\u{A33} ਵ\u{A36} ਸਹ\u{A3C} \u{A3E}\u{A3F}\u{A40}\u{A41}\u{A42}    \u{A47}\u{A48}  \u{A4B}\u{A4C}\u{A4D}",
    "\u{A51}abcdefghijklmnopqrstuvwxyz\u{A70}\u{A71}ੲੳੴ",
];
const TAMIL_LOCKING: Table = [
    " \u{B82}ஃஅஆஇஈஉஊ \n  \rஎஏஐ ஒஓஔக   ஙச\u{1B} ஜ ஞ",
    " !ட   ணத)(  , .ந0123456789:;னப ?",
    "  மயரறலளழவஶஷஸஹ  \u{BBE}\u{BBF}\u{BC0}\u{BC1}\u{BC2}   \u{BC6}\u{BC7}\u{BC8} \u{BCA}\u{BCB}\u{BCC}\u{BCD}",
    "ௐabcdefghijklmnopqrstuvwxyz\u{BD7}௰௱௲௹",
];
const TELUGU_LOCKING: Table = [
    "\u{C01}\u{C02}\u{C03}అఆఇఈఉఊఋ\nఌ \rఎఏఐ ఒఓఔకఖగఘఙచ\u{1B}ఛజఝఞ",
    " !టఠడఢణత)(థద,ధ.న0123456789:; పఫ?",
    "బభమయరఱలళ వశషసహ ఽ\u{C3E}\u{C3F}\u{C40}\u{C41}\u{C42}\u{C43}\u{C44} \u{C46}\u{C47}\u{C48} \u{C4A}\u{C4B}\u{C4C}\u{C4D}",
    "\u{C55}abcdefghijklmnopqrstuvwxyz\u{C56}ౠౡ\u{C62}\u{C63}",
];
const URDU_LOCKING: Table = [
    "\u{627}\u{622}\u{628}\u{67B}\u{680}\u{67E}\u{6A6}\u{62A}\u{6C2}\u{67F}\n\u{679}\u{67D}\r\u{67A}\u{67C}\u{62B}\u{62C}\u{681}\u{684}\u{683}\u{685}\u{686}\u{687}\u{62D}\u{62E}\u{62F}\u{1B}\u{68C}\u{688}\u{689}\u{68A}",
    " !\u{68F}\u{68D}\u{630}\u{631}\u{691}\u{693})(\u{699}\u{632},\u{696}.\u{698}0123456789:;\u{69A}\u{633}\u{634}?",
    "\u{635}\u{636}\u{637}\u{638}\u{639}\u{641}\u{642}\u{6A9}\u{6AA}\u{6AB}\u{6AF}\u{6B3}\u{6B1}\u{644}\u{645}\u{646}\u{6BA}\u{6BB}\u{6BC}\u{648}\u{6C4}\u{6D5}\u{6C1}\u{6BE}\u{621}\u{6CC}\u{6D0}\u{6D2}\u{64D}\u{64F}\u{650}\u{657}",
    "\u{654}abcdefghijklmnopqrstuvwxyz\u{651}\u{670}\u{655}\u{656}\u{653}",
];
const TURKISH_SINGLE: Table = [
    "          \u{0C}         ^           ",
    "        {}     \\            [~] ",
    "|      Ğ İ         Ş            ",
    "   ç € ğ ı         ş            ",
];
const SPANISH_SINGLE: Table = [
    "         ç\u{0C}         ^           ",
    "        {}     \\            [~] ",
    "|Á       Í     Ó     Ú          ",
    " á   €   í     ó     ú          ",
];
const PORTUGUESE_SINGLE: Table = [
    "     ê   ç\u{0C}Ôô Áá  ΦΓ^ΩΠΨΣΘ     Ê",
    "        {}     \\            [~] ",
    "|À       Í     Ó     Ú     ÃÕ   ",
    " Â   €   í     ó     ú     ãõ  â",
];
const BENGALI_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*০১ ২৩৪৫",
    "৬৭৮৯\u{9DF}ৠৡ\u{9E2}{}\u{9E3}৲৳৴৵\\৶৷৸৹৺       [~] ",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];
const GUJARATI_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*।॥ ૦૧૨૩",
    "૪૫૬૭૮૯  {}     \\            [~] ",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];
const HINDI_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*।॥ ०१२३",
    "४५६७८९\u{952}\u{951}{}\u{953}\u{954}\u{958}\u{959}\u{95A}\\\u{95B}\u{95C}\u{95D}\u{95E}\u{95F}ॠॡ\u{962}\u{963}॰ॱ [~] ",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];
const KANNADA_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*।॥ ೦೧೨೩",
    "೪೫೬೭೮೯ೞೱ{}ೲ    \\            [~] ",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];
const MALAYALAM_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*।॥ ൦൧൨൩",
    "൪൫൬൭൮൯൰൱{}൲൳൴൵ൺ\\ൻർൽൾൿ       [~] ",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];
const ORIYA_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*।॥ ୦୧୨୩",
    "୪୫୬୭୮୯\u{B5C}\u{B5D}{}ୟ୰ୱ  \\            [~] ",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];
const PUNJABI_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*।॥ ੦੧੨੩",
    "੪੫੬੭੮੯\u{A59}\u{A5A}{}\u{A5B}ੜ\u{A5E}\u{A75} \\            [~] ",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];
const TAMIL_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*।॥ ௦௧௨௩",
    "௪௫௬௭௮௯௳௴{}௵௶௷௸௺\\            [~] ",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];
const TELUGU_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*   ౦౧౨౩",
    "౪౫౬౭౮౯ౘౙ{}౸౹౺౻౼\\౽౾౿         [~] ",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];
const URDU_SINGLE: Table = [
    "@£$¥¿\"¤%&'\u{0C}*+ -/<=>¡^¡_#*\u{600}\u{601} \u{6F0}\u{6F1}\u{6F2}\u{6F3}",
    "\u{6F4}\u{6F5}\u{6F6}\u{6F7}\u{6F8}\u{6F9}\u{60C}\u{60D}{}\u{60E}\u{60F}\u{610}\u{611}\u{612}\\\u{613}\u{614}\u{61B}\u{61F}\u{640}\u{652}\u{658}\u{66B}\u{66C}\u{672}\u{673}\u{6CD}[~]\u{6D4}",
    "|ABCDEFGHIJKLMNOPQRSTUVWXYZ     ",
    "     €                          ",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_128_places() {
        for language in 0..=255 {
            for (kind, table) in [("locking", locking(language)), ("single", single(language))] {
                let Some(table) = table else { continue };
                assert!(table.iter().all(|row| row.chars().count() == 32), "{kind} {language}");
                let escape = if kind == "locking" { '\u{1B}' } else { ' ' };
                assert_eq!(place(table, 0x1B), escape, "{kind} {language}");
            }
        }
    }

    /// The scripts of India stand in Unicode in one order, and so they do in these tables, which were laid out alike.
    #[test]
    fn the_indian_tables_run_in_parallel() {
        let scripts =
            [(4, 0x980), (5, 0xA80), (7, 0xC80), (8, 0xD00), (9, 0xB00), (10, 0xA00), (11, 0xB80), (12, 0xC00)];
        for (language, block) in scripts {
            for septet in (0..0x60).chain(0x61..0x7B) {
                let (hindi, here) = (place(&HINDI_LOCKING, septet), place(locking(language).unwrap(), septet));
                let expected = if hindi.is_ascii() { u32::from(hindi) } else { u32::from(hindi) - 0x900 + block };
                assert!(here == ' ' || u32::from(here) == expected, "{language} {septet:#x}");
            }
        }
    }

    #[test]
    fn characters_stand_where_the_standard_puts_them() {
        for (label, shifts, septets, text) in [
            ("Turkish, both", (1, 1), &b"\x04\x07\x0B\x0C\x1C\x1D\x40\x60\x1Bg\x1Be"[..], "€ıĞğŞşİçğ€"),
            ("Turkish, single only", (0, 1), b"\x04\x1BI\x1BS\x1Bc\x1Bi", "èİŞçı"),
            ("Spanish", (0, 2), b"\x1B\x09\x1BA\x1Ba\x1BU\x1Bu", "çÁáÚú"),
            ("Spanish has no locking table", (2, 2), b"\x04A", "èA"),
            ("Portuguese, both", (3, 3), b"\x04\x12\x15\x18\x5B\x7B\x1B\x12\x1B\x7B", "êª∞€ÃãΦã"),
            ("Hindi", (6, 6), b"\x15\x1BT\x1BA", "कTA"),
            ("Urdu", (13, 13), b"\x00\x1B\x1C", "ا۰"),
            ("a language nobody knows", (200, 200), b"\x04\x1B<", "è["),
            ("the escape's partner is in no table", (1, 1), b"\x1BA\x1B\x60", "Aç"),
            ("a lone escape", (1, 1), b"A\x1B", "A "),
        ] {
            assert_eq!(read(septets, shifts.0, shifts.1), text, "{label}");
        }
    }
}
