//! People and questions who do not exist, to try templates with: the ordinary ones and the worst.

use super::{request::Facts, settings::Words};
use crate::message::{Field, FieldValue, Lang, Masked, OldId, Outcome, Person, PersonStatus, PersonalId};

/// The fields of the ordinary question.
pub(super) const USUAL: [Field; 5] =
    [Field::FullName, Field::BirthDate, Field::Sex, Field::Hometown, Field::PermanentResidence];

/// The short code of samples: as long as short codes get in practice, and nobody's.
pub(super) const SHORT_CODE: &str = "000000";

/// One thing to try a text with.
pub(super) struct Sample {
    pub(super) name: &'static str,
    facts: Owned,
}

enum Owned {
    Answered(Box<Person>, Vec<Field>, bool),
    OldCard(Box<Person>, OldId, bool, bool),
    Form(Outcome, String),
    Plain(Facts<'static>),
}

impl Sample {
    pub(super) fn facts(&self) -> Facts<'_> {
        match &self.facts {
            Owned::Answered(person, fields, full) => Facts::Answered { person, fields, full_number_typed: *full },
            Owned::OldCard(person, old, true, full) => Facts::OldCardMatches { person, old, full_number_typed: *full },
            Owned::OldCard(person, old, false, full) => Facts::OldCardDiffers { person, old, full_number_typed: *full },
            Owned::Form(Outcome::FullNumberNeeded, form) => Facts::FullNumberNeeded { form },
            Owned::Form(_, form) => Facts::Misread { form },
            Owned::Plain(facts) => *facts,
        }
    }
}

/// A made-up person: the number begins with 9, which no real one does. Fields without a value have none.
pub(super) fn person(values: &[(Field, &str, Option<&str>)]) -> Person {
    #[expect(clippy::expect_used, reason = "two constants that are right numbers")]
    let (personal_id, old_id) =
        (PersonalId::parse("901185000345").expect("12 digits"), OldId::parse("990000456").expect("9 digits"));
    let mut person =
        Person { personal_id, old_id: Some(old_id), status: PersonStatus::Active, values: Default::default() };
    for (field, vi, en) in values {
        person.values[*field as usize] = Some(FieldValue { vi: Masked::new(*vi), en: en.map(Masked::new) });
    }
    person
}

/// Someone with the usual fields.
pub(super) fn ordinary() -> Person {
    person(&[
        (Field::FullName, "Nguyễn Thị Mẫu", None),
        (Field::BirthDate, "15/03/1985", None),
        (Field::Sex, "Nữ", Some("Female")),
        (Field::Hometown, "Xã Mẫu, tỉnh Mẫu", None),
        (Field::PermanentResidence, "12 phố Mẫu, phường Mẫu, tỉnh Mẫu", None),
    ])
}

/// Someone whose every value is as long as records have them.
fn longest() -> Person {
    let address = "Số nhà 1234/56/78 ngách 90 ngõ 123 đường Nguyễn Thị Minh Khai Mẫu, tổ dân phố số 12, khu đô thị mới \
                   Bắc Thường Mẫu, phường Thượng Đình Mẫu, thành phố Thượng Nghiêng Mẫu";
    let values = Field::ALL.map(|field| match field {
        Field::FullName | Field::OtherName => {
            (field, "Công Tằng Tôn Nữ Thị Ngọc Hoàng Phương Nghiêng Thương Mẫu", None)
        }
        Field::BirthDate => (field, "15/03/1985", None),
        Field::Sex => (field, "Nữ", Some("Female")),
        Field::BirthPlace
        | Field::BirthRegistration
        | Field::Hometown
        | Field::Ethnicity
        | Field::Religion
        | Field::Nationality
        | Field::BloodGroup
        | Field::OldCard
        | Field::Card
        | Field::PermanentResidence
        | Field::TemporaryResidence
        | Field::PresentResidence
        | Field::MaritalStatus
        | Field::RelationToHead => (field, address, None),
    });
    person(&values)
}

/// What to try an outcome's text with. The first is the ordinary one.
pub(super) fn samples(lang: Lang, outcome: Outcome, words: &Words) -> Vec<Sample> {
    let sample = |name, facts| Sample { name, facts };
    let plain = |facts| vec![sample("the only one", Owned::Plain(facts))];
    match outcome {
        Outcome::Answered => answered(),
        Outcome::OldCardMatches | Outcome::OldCardDiffers => {
            let card = |full| {
                let person = ordinary();
                let old = person.old_id;
                old.map(|old| Owned::OldCard(Box::new(person), old, outcome == Outcome::OldCardMatches, full))
            };
            [("short number typed", card(false)), ("full number typed", card(true))]
                .into_iter()
                .filter_map(|(name, facts)| Some(sample(name, facts?)))
                .collect()
        }
        Outcome::FullNumberNeeded | Outcome::Misread => {
            let (key, long) = match lang {
                Lang::Vi => ("<12 so dinh danh>", "<9 so CMND> <6 so cuoi so dinh danh>"),
                Lang::En => ("<12 digits of your ID number>", "<old 9 digits> <last 6 digits of your ID number>"),
            };
            vec![
                sample("short form", Owned::Form(outcome, format!("{} {key}", words.info))),
                sample("long form", Owned::Form(outcome, format!("{} {long}", words.card))),
            ]
        }
        Outcome::Refused => plain(Facts::Refused),
        Outcome::HowTo => plain(Facts::HowTo),
        Outcome::Contact => plain(Facts::Contact),
        Outcome::Unavailable => plain(Facts::Unavailable),
        Outcome::Silenced => Vec::new(),
    }
}

fn answered() -> Vec<Sample> {
    let sample = |name, person, fields: &[Field], full| Sample {
        name,
        facts: Owned::Answered(Box::new(person), fields.to_vec(), full),
    };
    vec![
        sample("ordinary person", ordinary(), &USUAL, false),
        sample("full number typed", ordinary(), &USUAL, true),
        sample("name of one word", person(&[(Field::FullName, "Mẫu", None)]), &[Field::FullName], false),
        sample("nothing recorded", person(&[]), &USUAL, false),
        sample("one long address", longest(), &[Field::PermanentResidence], false),
        sample("long name and addresses", longest(), &USUAL, true),
        sample("every field, all long", longest(), &Field::ALL, true),
    ]
}
