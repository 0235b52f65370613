//! The fields of a person's record that a citizen may read by text, and the record itself.

use std::fmt;

use super::{Masked, OldId, PersonalId};

/// A field of the record (Law 26/2023/QH15, article 9). Fields 15 and 23, other people's data, are not here on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Field {
    /// Field 1: full name at birth.
    FullName = 0,
    /// Field 2: other name.
    OtherName,
    /// Field 4: date of birth; may be a year only.
    BirthDate,
    /// Field 5: sex.
    Sex,
    /// Field 6: place of birth.
    BirthPlace,
    /// Field 7: place of birth registration.
    BirthRegistration,
    /// Field 8: hometown.
    Hometown,
    /// Field 9: ethnicity.
    Ethnicity,
    /// Field 10: religion.
    Religion,
    /// Field 11: nationality.
    Nationality,
    /// Field 12: blood group.
    BloodGroup,
    /// Field 13: number of the old 9-digit identity card.
    OldCard,
    /// Field 14: issue date, place and expiry of the identity card.
    Card,
    /// Field 16: permanent residence.
    PermanentResidence,
    /// Field 17: temporary residence.
    TemporaryResidence,
    /// Field 18: present residence.
    PresentResidence,
    /// Field 21: marital status.
    MaritalStatus,
    /// Field 22: relation to the head of household.
    RelationToHead,
}

impl Field {
    /// All fields, in the order of the law.
    pub const ALL: [Self; 18] = [
        Self::FullName,
        Self::OtherName,
        Self::BirthDate,
        Self::Sex,
        Self::BirthPlace,
        Self::BirthRegistration,
        Self::Hometown,
        Self::Ethnicity,
        Self::Religion,
        Self::Nationality,
        Self::BloodGroup,
        Self::OldCard,
        Self::Card,
        Self::PermanentResidence,
        Self::TemporaryResidence,
        Self::PresentResidence,
        Self::MaritalStatus,
        Self::RelationToHead,
    ];

    /// The word that names this field in the configuration and in instructions, without marks.
    pub fn word(self) -> &'static str {
        match self {
            Self::FullName => "HOTEN",
            Self::OtherName => "TENKHAC",
            Self::BirthDate => "NGAYSINH",
            Self::Sex => "GIOITINH",
            Self::BirthPlace => "NOISINH",
            Self::BirthRegistration => "KHAISINH",
            Self::Hometown => "QUEQUAN",
            Self::Ethnicity => "DANTOC",
            Self::Religion => "TONGIAO",
            Self::Nationality => "QUOCTICH",
            Self::BloodGroup => "NHOMMAU",
            Self::OldCard => "CMND",
            Self::Card => "CCCD",
            Self::PermanentResidence => "THUONGTRU",
            Self::TemporaryResidence => "TAMTRU",
            Self::PresentResidence => "NOIO",
            Self::MaritalStatus => "HONNHAN",
            Self::RelationToHead => "QHCH",
        }
    }

    /// Finds a field by its word, whatever the case.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.word().eq_ignore_ascii_case(word))
    }

    /// The field's bit in a set stored as one integer.
    pub fn bit(self) -> i32 {
        1 << (self as u8)
    }
}

/// Some of the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fields(i32);

impl Fields {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self((1 << Field::ALL.len()) - 1);

    /// Whether it is one of them.
    pub fn has(self, field: Field) -> bool {
        self.0 & field.bit() != 0
    }

    /// The set stored as one integer ([`Field::bit`]).
    pub fn bits(self) -> i32 {
        self.0
    }

    /// Those of either.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

impl FromIterator<Field> for Fields {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Self(fields.into_iter().fold(0, |set, field| set | field.bit()))
    }
}

/// What the registry holds for one field, ready to be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldValue {
    /// In Vietnamese, with marks, NFC. Empty when the registry has nothing.
    pub vi: Masked,
    /// In English, where a catalogue gives it; `None` shows the Vietnamese.
    pub en: Option<Masked>,
}

/// Whether the registry lets a record be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonStatus {
    /// Alive and open.
    Active,
    /// Closed by the authority, for instance during a correction.
    Locked,
    /// Dead or missing (field 24).
    Deceased,
}

/// One person's record, as far as it can be read by text.
#[derive(Clone)]
pub struct Person {
    /// Field 3.
    pub personal_id: PersonalId,
    /// Field 13.
    pub old_id: Option<OldId>,
    /// May it be read.
    pub status: PersonStatus,
    /// The values, indexed by `Field as usize`; `None` where the registry has none, or was not asked for it.
    pub values: [Option<FieldValue>; Field::ALL.len()],
}

impl Person {
    /// The value of a field, if the registry has one and was asked for it.
    pub fn value(&self, field: Field) -> Option<&FieldValue> {
        self.values[field as usize].as_ref()
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({:?})", self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_places_agree() {
        for (at, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, at);
            assert_eq!(Field::from_word(field.word()), Some(field));
        }
    }

    #[test]
    fn a_set_has_what_was_put_into_it() {
        let some: Fields = [Field::FullName, Field::RelationToHead].into_iter().collect();
        let more = some.and([Field::Sex].into_iter().collect());
        for field in Field::ALL {
            let (first, last) = (field == Field::FullName, field == Field::RelationToHead);
            assert_eq!(some.has(field), first || last);
            assert_eq!(more.has(field), first || last || field == Field::Sex);
            assert!(Fields::ALL.has(field) && !Fields::NONE.has(field));
        }
        assert_eq!(Fields::ALL, Field::ALL.into_iter().collect());
    }
}
