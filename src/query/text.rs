//! A citizen's text in the one spelling that is compared: capitals without marks, one space between words.

/// Characters that only part words.
#[derive(Debug)]
pub(super) struct Separators {
    ascii: [bool; 128],
    further: Vec<char>,
}

impl Separators {
    /// All kinds of space part words, and so does each of `signs`.
    pub(super) fn new(signs: &str) -> Self {
        let mut ascii = [false; 128];
        ascii[usize::from(b' ')] = true;
        let mut further = Vec::new();
        for sign in signs.chars() {
            match ascii.get_mut(sign as usize) {
                Some(place) => *place = true,
                None => further.push(sign),
            }
        }
        Self { ascii, further }
    }

    fn part(&self, c: char) -> bool {
        self.ascii.get(c as usize).copied().unwrap_or_else(|| self.further.contains(&c))
    }
}

/// Folds a text and makes every run of separators one space; none at its ends.
pub(super) fn plain(text: &str, separators: &Separators) -> String {
    let folded = crate::sms::fold_for_reading(text);
    let mut plain = String::with_capacity(folded.len());
    let mut parted = false;
    for c in folded.chars() {
        if separators.part(c) {
            parted = !plain.is_empty();
        } else {
            if parted {
                plain.push(' ');
                parted = false;
            }
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_to_one_spelling() {
        let separators = Separators::new("_-˽[]");
        for (label, text, expected) in [
            ("capitals", "ttcd 123456", "TTCD 123456"),
            ("runs and ends", "  -_ttcd__ [123456] \r\n", "TTCD 123456"),
            ("drawn space", "TTCD˽123456", "TTCD 123456"),
            ("composed marks", "Quê Quán Đ đ ữ", "QUE QUAN D D U"),
            ("marks apart", "Que\u{302} Qua\u{301}n", "QUE QUAN"),
            ("full width", "ＴＴＣＤ　１２３", "TTCD 123"),
            ("no width", "TT\u{200b}CD\u{feff}", "TTCD"),
            ("strange spaces", "A\u{a0}B\u{2003}C\tD\u{2028}E", "A B C D E"),
            ("other signs stay", "A@B", "A@B"),
            ("nothing", " _ ", ""),
        ] {
            assert_eq!(plain(text, &separators), expected, "{label}");
        }
    }
}
