//! The numbers that name a person: the personal identification number, the old identity card number, and what a
//! citizen may type in their place.

use std::fmt;

use subtle::ConstantTimeEq as _;

macro_rules! digits_type {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Takes exactly this many ASCII digits; `None` for anything else.
            pub fn parse(digits: &str) -> Option<Self> {
                let bytes: [u8; $len] = digits.as_bytes().try_into().ok()?;
                bytes.iter().all(u8::is_ascii_digit).then_some(Self(bytes))
            }

            /// The digits. Each call is a place where a number leaves its wrapping.
            pub fn expose(&self) -> &str {
                std::str::from_utf8(&self.0).unwrap_or_default()
            }

            /// Whether both are the same number, in the same time whatever the answer.
            pub fn same(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "(<", $len, " digits>)"))
            }
        }
    };
}

digits_type!(
    /// The personal identification number (số định danh cá nhân): 12 digits, no check digit (Decree 137/2015/NĐ-CP,
    /// article 13). Any 12 digits are taken: the place part of births abroad is not public.
    PersonalId, 12
);
digits_type!(
    /// The number of the old identity card (chứng minh nhân dân): 9 digits, no structure. Cards ended on 2025-01-01;
    /// the number stays as field 13 of the record (Law 26/2023/QH15, article 9).
    OldId, 9
);
digits_type!(
    /// The last six digits of a personal identification number.
    LastSix, 6
);

impl PersonalId {
    /// The number as it may appear in a reply to someone who did not type it whole: `*` but for the last three.
    pub fn masked(&self) -> String {
        format!("*********{}", &self.expose()[9..])
    }
}

/// What the citizen typed to name the record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TypedKey {
    /// The whole personal number.
    Full(PersonalId),
    /// The old card's number.
    Old(OldId),
    /// The last six digits of the personal number.
    Short(LastSix),
}

impl TypedKey {
    /// Reads 12, 9 or 6 digits; `None` for any other length.
    pub fn parse(digits: &str) -> Option<Self> {
        match digits.len() {
            12 => PersonalId::parse(digits).map(Self::Full),
            9 => OldId::parse(digits).map(Self::Old),
            6 => LastSix::parse(digits).map(Self::Short),
            _ => None,
        }
    }

    /// The digits as typed. Each call is a place where a number leaves its wrapping.
    pub fn expose(&self) -> &str {
        match self {
            Self::Full(id) => id.expose(),
            Self::Old(id) => id.expose(),
            Self::Short(id) => id.expose(),
        }
    }

    /// Whether this key names the person with these numbers; constant in time for each kind of key.
    pub fn names(&self, personal: &PersonalId, old: Option<&OldId>) -> bool {
        match self {
            Self::Full(id) => id.same(personal),
            Self::Old(id) => old.is_some_and(|old| id.same(old)),
            Self::Short(id) => personal.0[6..].ct_eq(&id.0).into(),
        }
    }

    /// Whether the whole personal number was typed.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }
}

impl fmt::Debug for TypedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedKey(<{} digits>)", self.expose().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_by_length_and_name_their_person_only() {
        let person = PersonalId::parse("901098012345").unwrap();
        let old = OldId::parse("990123456").unwrap();
        for (typed, expected) in [
            ("901098012345", true),
            ("901098012346", false),
            ("012345", true),
            ("112345", false),
            ("990123456", true),
            ("990123457", false),
        ] {
            assert_eq!(TypedKey::parse(typed).unwrap().names(&person, Some(&old)), expected, "{typed}");
        }
        assert!(!TypedKey::parse("990123456").unwrap().names(&person, None));
        for wrong in ["", "12345", "1234567", "90109801234a", "９０１０９８"] {
            assert!(TypedKey::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn nothing_prints_the_digits() {
        let key = TypedKey::parse("901098012345").unwrap();
        let person = PersonalId::parse("901098012345").unwrap();
        assert!(!format!("{key:?} {person:?}").contains("012345"));
        assert_eq!(person.masked(), "*********345");
    }
}
