//! The eleven shared catalogues in memory: code lists, and the units of which places are made.

use std::collections::HashMap;

use super::RegistryError;

/// Which catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Catalogue {
    /// Nhóm máu.
    BloodGroup,
    /// Giới tính.
    Sex,
    /// Dân tộc.
    Ethnicity,
    /// Tôn giáo.
    Religion,
    /// Tình trạng hôn nhân.
    MaritalStatus,
    /// Quốc tịch.
    Nationality,
    /// Quốc gia.
    Country,
    /// Tỉnh, thành phố: 2 digits.
    Province,
    /// Huyện, quận: 3 digits; history only, districts ended on 2025-06-30.
    District,
    /// Xã, phường, đặc khu, thị trấn: 5 digits.
    Commune,
    /// Quan hệ với chủ hộ.
    RelationToHead,
}

impl Catalogue {
    /// All eleven.
    pub const ALL: [Self; 11] = [
        Self::BloodGroup,
        Self::Sex,
        Self::Ethnicity,
        Self::Religion,
        Self::MaritalStatus,
        Self::Nationality,
        Self::Country,
        Self::Province,
        Self::District,
        Self::Commune,
        Self::RelationToHead,
    ];

    /// Its word in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::BloodGroup => "blood_group",
            Self::Sex => "sex",
            Self::Ethnicity => "ethnicity",
            Self::Religion => "religion",
            Self::MaritalStatus => "marital_status",
            Self::Nationality => "nationality",
            Self::Country => "country",
            Self::Province => "province",
            Self::District => "district",
            Self::Commune => "commune",
            Self::RelationToHead => "relation_to_head",
        }
    }

    /// Finds a catalogue by its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|catalogue| catalogue.word() == word)
    }
}

/// A day of the calendar, as the number yyyymmdd: days compare as numbers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(u32);

impl Day {
    /// Reads `yyyy-mm-dd`.
    pub fn parse(text: &str) -> Option<Self> {
        let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text.as_bytes() else { return None };
        let number = [y1, y2, y3, y4, m1, m2, d1, d2]
            .iter()
            .try_fold(0_u32, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0')))?;
        let (month, day) = (number / 100 % 100, number % 100);
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self(number))
    }
}

/// One entry of a catalogue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The code that people's rows hold.
    pub code: Box<str>,
    /// The name in Vietnamese.
    pub name_vi: Box<str>,
    /// The name in English, where there is one.
    pub name_en: Option<Box<str>>,
    /// Whose numbering the code is from.
    pub code_system: Box<str>,
    /// Where the code was found; begins with `ours` or `inferred` when it is not official.
    pub code_source: Box<str>,
    /// The first day it was valid, when known.
    pub valid_from: Option<Day>,
    /// The last day it was valid; `None` while it is in force.
    pub valid_to: Option<Day>,
    /// The code of the unit above, for districts and communes.
    pub parent: Option<Box<str>>,
    /// For units: how a place ends, from this unit up to the province ("Phường Ba Đình, Hà Nội").
    pub(super) place: Box<str>,
}

impl Entry {
    fn valid_on(&self, day: Day) -> bool {
        self.valid_from.is_none_or(|from| from <= day) && self.valid_to.is_none_or(|to| day <= to)
    }
}

/// A place's code in a person's row: an administrative code of 2, 3 or 5 digits (QCVN 109:2017: province, district,
/// commune) read as it is in force now, or behind `@` as it was on a day (`00004@2025-06-30`), because codes of before
/// and after 2025-07-01 look alike; or the two letters of a country (ISO 3166-1 alpha-2) for a place abroad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit<'a> {
    catalogue: Catalogue,
    code: &'a str,
    on: Option<Day>,
}

impl<'a> Unit<'a> {
    /// Reads a code; `None` when it has none of these forms.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (code, on) = match text.split_once('@') {
            Some((code, day)) => (code, Some(Day::parse(day)?)),
            None => (text, None),
        };
        let digits = code.bytes().all(|b| b.is_ascii_digit());
        let catalogue = match code.len() {
            2 if digits => Catalogue::Province,
            3 if digits => Catalogue::District,
            5 if digits => Catalogue::Commune,
            2 if code.bytes().all(|b| b.is_ascii_uppercase()) => Catalogue::Country,
            _ => return None,
        };
        Some(Self { catalogue, code, on })
    }

    /// Whether the place is abroad.
    pub(super) fn abroad(self) -> bool {
        self.catalogue == Catalogue::Country
    }
}

/// All catalogues.
#[derive(Debug, Default)]
pub struct Catalogues {
    lists: [HashMap<Box<str>, Vec<Entry>>; Catalogue::ALL.len()],
}

impl Catalogues {
    /// Takes the entries and joins each unit to those above it.
    ///
    /// # Errors
    /// [`RegistryError::Inconsistent`] when a catalogue is empty or a unit's parent is not there.
    pub(super) fn new(entries: impl IntoIterator<Item = (Catalogue, Entry)>) -> Result<Self, RegistryError> {
        let mut all = Self::default();
        for (catalogue, entry) in entries {
            all.lists[catalogue as usize].entry(entry.code.clone()).or_default().push(entry);
        }
        for list in &mut all.lists {
            for same_code in list.values_mut() {
                same_code.sort_by_key(|entry| (entry.valid_to.is_none(), entry.valid_to));
            }
        }
        if let Some(empty) = Catalogue::ALL.into_iter().find(|&catalogue| all.lists[catalogue as usize].is_empty()) {
            return Err(RegistryError::Inconsistent { why: format!("the catalogue {} is empty", empty.word()) });
        }
        // From the top down, so that each level finds the finished one above it.
        for catalogue in [Catalogue::Country, Catalogue::Province, Catalogue::District, Catalogue::Commune] {
            let mut list = std::mem::take(&mut all.lists[catalogue as usize]);
            for entry in list.values_mut().flatten() {
                entry.place = all.place_of(catalogue, entry)?;
            }
            all.lists[catalogue as usize] = list;
        }
        Ok(all)
    }

    /// How a place ends with this unit. The kind of a province is left out, as on identity cards; that of a commune and
    /// district stays, because many are called by a number.
    fn place_of(&self, catalogue: Catalogue, entry: &Entry) -> Result<Box<str>, RegistryError> {
        if matches!(catalogue, Catalogue::Country | Catalogue::Province) {
            let name = &entry.name_vi;
            return Ok(name.strip_prefix("Tỉnh ").or_else(|| name.strip_prefix("Thành phố ")).unwrap_or(name).into());
        }
        let above = entry.parent.as_deref().and_then(Unit::parse);
        let above = above.and_then(|unit| self.unit(Unit { on: entry.valid_to, ..unit }));
        above.map(|above| format!("{}, {}", entry.name_vi, above.place).into()).ok_or_else(|| {
            let why = format!("{} {} names a unit above it that is not there", catalogue.word(), entry.code);
            RegistryError::Inconsistent { why }
        })
    }

    /// The entry of a code that is in force; the last one that was, where none is.
    pub fn entry(&self, catalogue: Catalogue, code: &str) -> Option<&Entry> {
        self.lists[catalogue as usize].get(code)?.last()
    }

    /// The entry that a code meant on a day.
    pub fn entry_on(&self, catalogue: Catalogue, code: &str, day: Day) -> Option<&Entry> {
        self.lists[catalogue as usize].get(code)?.iter().find(|entry| entry.valid_on(day))
    }

    pub(super) fn unit(&self, unit: Unit<'_>) -> Option<&Entry> {
        match unit.on {
            Some(day) => self.entry_on(unit.catalogue, unit.code, day),
            None => self.entry(unit.catalogue, unit.code),
        }
    }

    /// All entries of a catalogue, ended ones included, in no order.
    pub fn entries(&self, catalogue: Catalogue) -> impl Iterator<Item = &Entry> {
        self.lists[catalogue as usize].values().flatten()
    }
}
