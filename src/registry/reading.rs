//! A row of the view of people becomes a person: codes become names, places become addresses, dates are shown as people
//! write them. A value that cannot be read is left out and counted; it never spoils the other rows of a batch.

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

use super::{
    Catalogue, Catalogues, Day,
    catalogue::Unit,
    contract::{Column, PERSON_COLUMNS},
    faults::Faults,
};
use crate::message::{Field, FieldValue, Fields, Masked, OldId, Person, PersonStatus, PersonalId};

/// Stands between the columns of a row, which travel as one text: that costs a fraction of what 28 columns would.
/// (U+001F is the information separator one of ISO/IEC 6429, made for this.)
pub(super) const SEPARATOR: char = '\u{1f}';

/// In `card_expires_on`: the card does not expire.
pub(super) const NO_EXPIRY: &str = "9999-12-31";

/// What a field is made of.
fn columns(field: Field) -> &'static [Column] {
    match field {
        Field::FullName => &[Column::FullName],
        Field::OtherName => &[Column::OtherName],
        Field::BirthDate => &[Column::BirthDate],
        Field::Sex => &[Column::Sex],
        Field::BirthPlace => &[Column::BirthPlaceUnit, Column::BirthPlaceDetail],
        Field::BirthRegistration => &[Column::RegistrationUnit, Column::RegistrationDetail],
        Field::Hometown => &[Column::HometownUnit, Column::HometownDetail],
        Field::Ethnicity => &[Column::Ethnicity],
        Field::Religion => &[Column::Religion],
        Field::Nationality => &[Column::Nationality],
        Field::BloodGroup => &[Column::BloodGroup],
        Field::OldCard => &[Column::OldId],
        Field::Card => &[Column::CardIssuedOn, Column::CardIssuedBy, Column::CardExpiresOn],
        Field::PermanentResidence => &[Column::PermanentUnit, Column::PermanentDetail],
        Field::TemporaryResidence => &[Column::TemporaryUnit, Column::TemporaryDetail],
        Field::PresentResidence => &[Column::PresentUnit, Column::PresentDetail],
        Field::MaritalStatus => &[Column::MaritalStatus],
        Field::RelationToHead => &[Column::RelationToHead],
    }
}

/// Whether the column at this place is needed for these fields. Who it is and whether it may be read is always needed.
pub(super) fn wants(fields: Fields, place: usize) -> bool {
    let is_it = |column: &Column| *column as usize == place;
    [Column::PersonalId, Column::OldId, Column::Status].iter().any(is_it)
        || Field::ALL.into_iter().any(|field| fields.has(field) && columns(field).iter().any(is_it))
}

/// Reads one row, and of its fields those that are wanted.
pub(super) fn person(packed: &str, wanted: Fields, catalogues: &Catalogues, faults: &mut Faults) -> Option<Person> {
    let mut cells = [""; PERSON_COLUMNS.len()];
    let mut count = 0;
    for cell in packed.split(SEPARATOR) {
        if let Some(place) = cells.get_mut(count) {
            *place = cell.trim();
        }
        count += 1;
    }
    let Some(personal_id) = PersonalId::parse(cells[Column::PersonalId as usize]).filter(|_| count == cells.len())
    else {
        faults.row(Column::PersonalId);
        return None;
    };
    let mut row = Row { cells, catalogues, faults };
    let old_id = row.old_id();
    let status = row.status();
    let values = Field::ALL.map(|field| wanted.has(field).then(|| row.value(field, old_id.as_ref())).flatten());
    Some(Person { personal_id, old_id, status, values })
}

struct Row<'a> {
    cells: [&'a str; PERSON_COLUMNS.len()],
    catalogues: &'a Catalogues,
    faults: &'a mut Faults,
}

impl<'a> Row<'a> {
    /// A cell, when there is something in it.
    fn cell(&self, column: Column) -> Option<&'a str> {
        let text = self.cells[column as usize];
        (!text.is_empty()).then_some(text)
    }

    fn old_id(&mut self) -> Option<OldId> {
        let text = self.cell(Column::OldId)?;
        let old = OldId::parse(text);
        if old.is_none() {
            self.faults.value(Column::OldId);
        }
        old
    }

    /// An unknown status closes the record: whatever a registry means by it, it does not say "open".
    fn status(&mut self) -> PersonStatus {
        match self.cell(Column::Status) {
            Some("1") => PersonStatus::Active,
            Some("2") => PersonStatus::Locked,
            Some("3") => PersonStatus::Deceased,
            _ => {
                self.faults.value(Column::Status);
                PersonStatus::Locked
            }
        }
    }

    fn value(&mut self, field: Field, old_id: Option<&OldId>) -> Option<FieldValue> {
        match field {
            Field::FullName => self.text(Column::FullName),
            Field::OtherName => self.text(Column::OtherName),
            Field::BirthDate => self.date(Column::BirthDate).map(same),
            Field::Sex => self.coded(Catalogue::Sex, Column::Sex),
            Field::BirthPlace => self.place(Column::BirthPlaceUnit, Column::BirthPlaceDetail),
            Field::BirthRegistration => self.place(Column::RegistrationUnit, Column::RegistrationDetail),
            Field::Hometown => self.place(Column::HometownUnit, Column::HometownDetail),
            Field::Ethnicity => self.coded(Catalogue::Ethnicity, Column::Ethnicity),
            Field::Religion => self.coded(Catalogue::Religion, Column::Religion),
            Field::Nationality => self.coded(Catalogue::Nationality, Column::Nationality),
            Field::BloodGroup => self.coded(Catalogue::BloodGroup, Column::BloodGroup),
            Field::OldCard => old_id.map(|old| same(old.expose().to_owned())),
            Field::Card => self.card(),
            Field::PermanentResidence => self.place(Column::PermanentUnit, Column::PermanentDetail),
            Field::TemporaryResidence => self.place(Column::TemporaryUnit, Column::TemporaryDetail),
            Field::PresentResidence => self.place(Column::PresentUnit, Column::PresentDetail),
            Field::MaritalStatus => self.coded(Catalogue::MaritalStatus, Column::MaritalStatus),
            Field::RelationToHead => self.coded(Catalogue::RelationToHead, Column::RelationToHead),
        }
    }

    fn text(&self, column: Column) -> Option<FieldValue> {
        self.cell(column).map(|text| same(composed(text)))
    }

    /// A date as it is shown: dd/mm/yyyy, mm/yyyy or yyyy.
    fn date(&mut self, column: Column) -> Option<String> {
        let text = self.cell(column)?;
        let shown = shown_date(text);
        if shown.is_none() {
            self.faults.value(column);
        }
        shown
    }

    fn coded(&mut self, catalogue: Catalogue, column: Column) -> Option<FieldValue> {
        let code = self.cell(column)?;
        // The codes 0 and 00 of these lists mean that nothing was recorded.
        let blank = matches!(catalogue, Catalogue::Sex | Catalogue::BloodGroup | Catalogue::MaritalStatus);
        if blank && code.bytes().all(|b| b == b'0') {
            return None;
        }
        let Some(entry) = self.catalogues.entry(catalogue, code) else {
            self.faults.value(column);
            return None;
        };
        Some(FieldValue { vi: Masked::new(&*entry.name_vi), en: entry.name_en.as_deref().map(Masked::new) })
    }

    fn place(&mut self, unit: Column, detail: Column) -> Option<FieldValue> {
        let detail = self.cell(detail);
        let Some(code) = self.cell(unit) else { return detail.map(|text| same(composed(text))) };
        let unit_and_entry = Unit::parse(code).and_then(|unit| Some((unit, self.catalogues.unit(unit)?)));
        let Some((place, entry)) = unit_and_entry else {
            self.faults.value(unit);
            return detail.map(|text| same(composed(text)));
        };
        let en = entry.name_en.as_deref().filter(|_| place.abroad());
        Some(FieldValue {
            vi: Masked::new(address(detail, &entry.place)),
            en: en.map(|country| Masked::new(address(detail, country))),
        })
    }

    fn card(&mut self) -> Option<FieldValue> {
        let issued = self.date(Column::CardIssuedOn)?;
        let by = self.cell(Column::CardIssuedBy).map(composed);
        let endless = self.cell(Column::CardExpiresOn) == Some(NO_EXPIRY);
        let until = if endless { None } else { self.date(Column::CardExpiresOn) };
        let write = |words: [&str; 4]| {
            let mut text = format!("{} {issued}", words[0]);
            for (word, value) in [(words[1], by.as_deref()), (words[2], until.as_deref())] {
                if let Some(value) = value {
                    text.extend([", ", word, " ", value]);
                }
            }
            if endless {
                text.extend([", ", words[3]]);
            }
            Masked::new(text)
        };
        Some(FieldValue {
            vi: write(["cấp", "nơi cấp", "đến", "không thời hạn"]),
            en: Some(write(["issued", "by", "until", "no expiry"])),
        })
    }
}

/// A value that is the same in both languages.
fn same(text: String) -> FieldValue {
    FieldValue { vi: Masked::new(text), en: None }
}

/// The text in NFC: a registry may hold Vietnamese letters and marks apart, and they would be counted apart.
fn composed(text: &str) -> String {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text.to_owned();
    }
    text.nfc().collect()
}

fn address(detail: Option<&str>, place: &str) -> String {
    detail.map_or_else(|| place.to_owned(), |detail| [&composed(detail), ", ", place].concat())
}

fn shown_date(text: &str) -> Option<String> {
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    match text.len() {
        10 => Day::parse(text).map(|_| [&text[8..], "/", &text[5..7], "/", &text[..4]].concat()),
        7 => {
            let (year, month) = text.split_once('-')?;
            (year.len() == 4 && digits(year) && digits(month)).then(|| [month, "/", year].concat())
        }
        4 => digits(text).then(|| text.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::registry::catalogue::Entry;

    fn catalogues() -> Catalogues {
        let entry = |line: super::super::builtin::Line| Entry {
            code: line.code.into(),
            name_vi: line.name_vi.into(),
            name_en: line.name_en.map(Into::into),
            code_system: line.code_system.into(),
            code_source: line.code_source.into(),
            valid_from: line.valid_from.and_then(Day::parse),
            valid_to: line.valid_to.and_then(Day::parse),
            parent: line.parent.map(Into::into),
            place: "".into(),
        };
        Catalogues::new(super::super::builtin::all().into_iter().map(|(catalogue, line)| (catalogue, entry(line))))
            .unwrap()
    }

    fn packed(cells: &[(Column, &str)]) -> String {
        let mut row = [""; PERSON_COLUMNS.len()];
        row[Column::PersonalId as usize] = "901098012345";
        row[Column::Status as usize] = "1";
        for (column, cell) in cells {
            row[*column as usize] = cell;
        }
        row.join(&SEPARATOR.to_string())
    }

    #[test]
    fn values_are_shown_as_people_write_them() {
        let catalogues = catalogues();
        let cut = "Nguye\u{302}\u{303}n Va\u{306}n A";
        for (cells, field, vi, en) in [
            (vec![(Column::FullName, cut)], Field::FullName, Some("Nguyễn Văn A"), None),
            (vec![(Column::BirthDate, "1998-02-05")], Field::BirthDate, Some("05/02/1998"), None),
            (vec![(Column::BirthDate, "1952")], Field::BirthDate, Some("1952"), None),
            (vec![(Column::BirthDate, "1952-07")], Field::BirthDate, Some("07/1952"), None),
            (vec![(Column::BirthDate, "05/02/1998")], Field::BirthDate, None, None),
            (vec![(Column::BirthDate, "1998-13-05")], Field::BirthDate, None, None),
            (vec![(Column::Sex, "2")], Field::Sex, Some("Nữ"), Some("Female")),
            (vec![(Column::Sex, "0")], Field::Sex, None, None),
            (vec![(Column::BloodGroup, "00")], Field::BloodGroup, None, None),
            (vec![(Column::Religion, "00")], Field::Religion, Some("Không"), Some("None")),
            // 04 is Mường in the numbering of 2008 and Hoa in that of 1979.
            (vec![(Column::Ethnicity, "04")], Field::Ethnicity, Some("Mường"), None),
            (vec![(Column::Ethnicity, "77")], Field::Ethnicity, None, None),
            (vec![(Column::Nationality, "VN")], Field::Nationality, Some("Việt Nam"), Some("Vietnam")),
            (vec![(Column::OldId, "990000001")], Field::OldCard, Some("990000001"), None),
            (vec![(Column::OldId, "99000000")], Field::OldCard, None, None),
            (
                vec![
                    (Column::CardIssuedOn, "2024-08-15"),
                    (Column::CardIssuedBy, "Bộ Công an"),
                    (Column::CardExpiresOn, "2038-02-05"),
                ],
                Field::Card,
                Some("cấp 15/08/2024, nơi cấp Bộ Công an, đến 05/02/2038"),
                Some("issued 15/08/2024, by Bộ Công an, until 05/02/2038"),
            ),
            (
                vec![(Column::CardIssuedOn, "2024-08-15"), (Column::CardExpiresOn, NO_EXPIRY)],
                Field::Card,
                Some("cấp 15/08/2024, không thời hạn"),
                Some("issued 15/08/2024, no expiry"),
            ),
        ] {
            let read = person(&packed(&cells), Fields::ALL, &catalogues, &mut Faults::default()).unwrap();
            let value = read.value(field);
            assert_eq!(value.map(|v| v.vi.expose()), vi, "{cells:?}");
            assert_eq!(value.and_then(|v| v.en.as_ref()).map(Masked::expose), en, "{cells:?}");
        }
    }

    #[test]
    fn a_district_stands_in_old_places_and_never_in_new_ones() {
        let catalogues = catalogues();
        for (unit, detail, vi, en) in [
            // One code, before and after the reform.
            ("00004", "Số 5 phố Trúc Bạch", Some("Số 5 phố Trúc Bạch, Phường Ba Đình, Hà Nội"), None),
            ("00004@2025-06-30", "", Some("Phường Trúc Bạch, Quận Ba Đình, Hà Nội"), None),
            ("001@2025-06-30", "", Some("Quận Ba Đình, Hà Nội"), None),
            ("02@2025-06-30", "", Some("Hà Giang"), None),
            // A code that ended, without its day, can only mean the old unit.
            ("02", "", Some("Hà Giang"), None),
            ("46@2025-06-30", "", Some("Huế"), None),
            ("FR", "Paris", Some("Paris, Pháp"), Some("Paris, France")),
            ("FR", "", Some("Pháp"), Some("France")),
            ("", "Trại trẻ mồ côi", Some("Trại trẻ mồ côi"), None),
            ("99999", "Số 1", Some("Số 1"), None),
            ("1234", "", None, None),
            ("00004@yesterday", "", None, None),
        ] {
            let cells = [(Column::PermanentUnit, unit), (Column::PermanentDetail, detail)];
            let read = person(&packed(&cells), Fields::ALL, &catalogues, &mut Faults::default()).unwrap();
            let value = read.value(Field::PermanentResidence);
            assert_eq!(value.map(|v| v.vi.expose()), vi, "{unit} {detail}");
            assert_eq!(value.and_then(|v| v.en.as_ref()).map(Masked::expose), en, "{unit} {detail}");
        }
    }

    #[test]
    fn what_cannot_be_read_closes_the_record_and_is_counted_without_its_value() {
        let catalogues = catalogues();
        for (status, expected) in [
            ("1", PersonStatus::Active),
            ("2", PersonStatus::Locked),
            ("3", PersonStatus::Deceased),
            ("9", PersonStatus::Locked),
            ("", PersonStatus::Locked),
        ] {
            let read =
                person(&packed(&[(Column::Status, status)]), Fields::ALL, &catalogues, &mut Faults::default()).unwrap();
            assert_eq!(read.status, expected, "{status}");
        }
        let mut faults = Faults::default();
        assert!(person(&packed(&[(Column::PersonalId, "12")]), Fields::ALL, &catalogues, &mut faults).is_none());
        // A separator inside a value shifts the columns: nothing in such a row can be trusted.
        assert!(person(&packed(&[(Column::FullName, "A\u{1f}B")]), Fields::ALL, &catalogues, &mut faults).is_none());
        let sexless = packed(&[(Column::Sex, "7")]);
        person(&sexless, [Field::FullName].into_iter().collect(), &catalogues, &mut faults).unwrap();
        assert_eq!(faults.values, 0, "nobody asked for it");
        person(&sexless, Fields::ALL, &catalogues, &mut faults).unwrap();
        assert_eq!(faults, Faults { rows: 2, values: 1, column: Some("personal_id") });
    }

    proptest! {
        #[test]
        fn any_row_is_read_without_panic(cells in prop::collection::vec(any::<String>(), 20..36)) {
            let catalogues = Catalogues::default();
            let mut row = cells;
            row[0] = "901098012345".to_owned();
            let _ = person(&row.join("\u{1f}"), Fields::ALL, &catalogues, &mut Faults::default());
        }
    }
}
