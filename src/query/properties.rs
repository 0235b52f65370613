//! What holds for any text.

use std::sync::LazyLock;

use proptest::{collection::vec, prelude::*, sample::select};

use super::Grammar;
use crate::{
    config::QuerySettings,
    message::{Field, Lang, OldId, Query, TypedKey, Why},
};

static SHIPPED: LazyLock<Grammar> = LazyLock::new(|| Grammar::build(&QuerySettings::default()).unwrap());

fn keys() -> impl Strategy<Value = TypedKey> {
    "9[0-9]{5}|99[0-9]{7}|9[0-9]{11}".prop_map(|digits| TypedKey::parse(&digits).unwrap())
}

fn queries() -> impl Strategy<Value = Query> {
    let langs = || select(Lang::ALL.to_vec());
    let fields = vec(select(Field::ALL.to_vec()), 0..6).prop_map(|mut fields| {
        let mut seen = 0;
        fields.retain(|field| {
            let new = seen & field.bit() == 0;
            seen |= field.bit();
            new
        });
        fields
    });
    prop_oneof![
        (keys(), fields, langs()).prop_map(|(key, fields, lang)| Query::Record { key, fields, lang }),
        ("99[0-9]{7}", keys(), langs()).prop_map(|(old, key, lang)| Query::OldCard {
            old: OldId::parse(&old).unwrap(),
            key,
            lang
        }),
        langs().prop_map(|lang| Query::HowTo { lang }),
        langs().prop_map(|lang| Query::Contact { lang }),
    ]
}

/// The parts of a question's canonical text.
fn parts(query: &Query) -> Vec<String> {
    let word = |vi: &str, en: &str| match query.lang() {
        Lang::Vi => vi.to_owned(),
        Lang::En => en.to_owned(),
    };
    match query {
        Query::Record { key, fields, .. } => [word("TTCD", "INFO"), key.expose().to_owned()]
            .into_iter()
            .chain(fields.iter().map(|field| field.word().to_owned()))
            .collect(),
        Query::OldCard { old, key, .. } => {
            vec![word("CMND", "CARD"), old.expose().to_owned(), key.expose().to_owned()]
        }
        Query::HowTo { .. } => vec![word("HD", "HELP")],
        Query::Contact { .. } => vec![word("LH", "CONTACT")],
    }
}

const SEPARATORS: [&str; 20] =
    [" ", "_", "-", ".", ",", "[", "]", "(", ")", ";", ":", "/", "<", ">", "\"", "'", "˽", "\n", "\r\n", "\u{a0}"];

/// Writes a text as a careless hand would; each choice takes the next of `dice`.
fn scribble(parts: &[String], dice: &[u8]) -> String {
    let mut dice = dice.iter().copied().cycle();
    let mut roll = move || usize::from(dice.next().unwrap_or_default());
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        // A keyword may be glued to the number after it, a number to the word after it: either way part 1 begins it.
        let least = usize::from(at > 0 && (at > 2 || roll() % 3 > 0));
        for _ in 0..least + roll() % 3 {
            text.push_str(SEPARATORS[roll() % SEPARATORS.len()]);
        }
        for (place, c) in part.chars().enumerate() {
            if c.is_ascii_digit() && place > 0 && roll() % 5 == 0 {
                text.push_str(SEPARATORS[roll() % SEPARATORS.len()]);
            }
            match roll() % 6 {
                0 => text.push(char::from_u32(c as u32 - 0x21 + 0xff01).unwrap()),
                1 | 2 => text.push(c.to_ascii_lowercase()),
                3 if c == 'D' => text.push('đ'),
                4 if c.is_ascii_alphabetic() => text.extend([c, '\u{301}']),
                _ => text.push(c),
            }
        }
    }
    text
}

proptest! {
    #[test]
    fn a_question_reads_back_whatever_the_separators_and_the_case(query in queries(), dice in vec(any::<u8>(), 1..200)) {
        let text = scribble(&parts(&query), &dice);
        prop_assert_eq!(SHIPPED.read(&text), Ok(query), "{:?}", text);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = SHIPPED.read(&text);
    }

    #[test]
    fn texts_like_questions_are_read_or_get_a_plain_form(text in "(TTCD|INFO|CMND|HD|ttcđ|tt cd)?[0-9 _\\[\\]˽\n]{0,30}([A-Zđ ]{0,20}[\\PC]{0,9}){0,4}") {
        if let Err(misread) = SHIPPED.read(&text) {
            prop_assert!(misread.why != Why::TooLong);
            prop_assert!(!misread.form.is_empty() && misread.form.is_ascii());
        }
    }

    #[test]
    fn a_text_is_too_long_by_its_characters(extra in 0_usize..3, letter in select(vec!["A", "ế", "😀"])) {
        let text = letter.repeat(999 + extra);
        let why = SHIPPED.read(&text).unwrap_err().why;
        prop_assert_eq!(why == Why::TooLong, extra == 2, "{:?}", why);
    }
}
