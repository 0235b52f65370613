//! The catalogues that ship with the program, for the synthetic registry. Where each list comes from stands in
//! `data/SOURCES.md`, and for the short ones in every row.

use super::catalogue::Catalogue;

/// The last day of the units before the reform of 2025 (QĐ 19/2025/QĐ-TTg).
pub(super) const LAST_OLD_DAY: &str = "2025-06-30";
/// The first day of the units in force.
const FIRST_NEW_DAY: &str = "2025-07-01";

/// One entry as it stands in a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    pub(super) code: &'static str,
    pub(super) name_vi: &'static str,
    pub(super) name_en: Option<&'static str>,
    pub(super) code_system: &'static str,
    pub(super) code_source: &'static str,
    pub(super) valid_from: Option<&'static str>,
    pub(super) valid_to: Option<&'static str>,
    pub(super) parent: Option<&'static str>,
    /// For an old province: the province in force that it became part of.
    pub(super) successor: Option<&'static str>,
}

/// Reads a file: comment lines, a line of column names, rows.
fn lines(file: &'static str) -> impl Iterator<Item = Line> {
    let mut rows = file.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = rows.next().unwrap_or_default().split('\t').collect();
    rows.map(move |row| {
        let mut line = Line::default();
        for (name, cell) in names.iter().zip(row.split('\t')) {
            let given = (!cell.is_empty()).then_some(cell);
            match *name {
                "code" => line.code = cell,
                "name_vi" => line.name_vi = cell,
                "name_en" => line.name_en = given,
                "code_system" => line.code_system = cell,
                "code_source" => line.code_source = cell,
                "parent" => line.parent = given,
                "successor" => line.successor = given,
                _ => {}
            }
        }
        line
    })
}

/// The provinces in force, 34.
pub(super) fn provinces() -> impl Iterator<Item = Line> {
    lines(include_str!("data/province.tsv")).map(in_force)
}

/// The communes in force, 3,321.
pub(super) fn communes() -> impl Iterator<Item = Line> {
    lines(include_str!("data/commune.tsv")).map(in_force)
}

/// The old provinces, 63.
pub(super) fn old_provinces() -> impl Iterator<Item = Line> {
    lines(include_str!("data/legacy_province.tsv")).map(ended)
}

/// The old districts, 696.
pub(super) fn old_districts() -> impl Iterator<Item = Line> {
    lines(include_str!("data/legacy_district.tsv")).map(ended)
}

/// The old communes, 10,035.
pub(super) fn old_communes() -> impl Iterator<Item = Line> {
    lines(include_str!("data/legacy_commune.tsv")).map(ended)
}

fn in_force(line: Line) -> Line {
    Line { code_system: "GSO", code_source: "QĐ 19/2025/QĐ-TTg", valid_from: Some(FIRST_NEW_DAY), ..line }
}

fn ended(line: Line) -> Line {
    Line { code_system: "GSO", code_source: "GSO, as of 2025-06-30", valid_to: Some(LAST_OLD_DAY), ..line }
}

fn country(line: Line) -> Line {
    Line { code_system: "ISO 3166-1 alpha-2", code_source: "QCVN 109:2017, annex H", ..line }
}

/// Every entry of every catalogue.
pub(super) fn all() -> Vec<(Catalogue, Line)> {
    let mut all = Vec::with_capacity(15_000);
    for (catalogue, file) in [
        (Catalogue::BloodGroup, include_str!("data/blood_group.tsv")),
        (Catalogue::Sex, include_str!("data/sex.tsv")),
        (Catalogue::Ethnicity, include_str!("data/ethnicity.tsv")),
        (Catalogue::Religion, include_str!("data/religion.tsv")),
        (Catalogue::MaritalStatus, include_str!("data/marital_status.tsv")),
        (Catalogue::RelationToHead, include_str!("data/relation_to_head.tsv")),
    ] {
        all.extend(lines(file).map(|line| (catalogue, line)));
    }
    for catalogue in [Catalogue::Nationality, Catalogue::Country] {
        all.extend(lines(include_str!("data/country.tsv")).map(|line| (catalogue, country(line))));
    }
    all.extend(old_provinces().chain(provinces()).map(|line| (Catalogue::Province, line)));
    all.extend(old_districts().map(|line| (Catalogue::District, line)));
    all.extend(old_communes().chain(communes()).map(|line| (Catalogue::Commune, line)));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use unicode_normalization::is_nfc;

    use super::*;

    #[test]
    fn the_lists_hold_what_the_sources_count() {
        let all = all();
        let count = |catalogue, open: bool| {
            all.iter().filter(|(c, line)| *c == catalogue && line.valid_to.is_none() == open).count()
        };
        for (catalogue, in_force, ended) in [
            (Catalogue::BloodGroup, 5, 0),
            (Catalogue::Sex, 3, 0),
            (Catalogue::Ethnicity, 54, 0),
            (Catalogue::Religion, 17, 0),
            (Catalogue::MaritalStatus, 4, 0),
            (Catalogue::Nationality, 249, 0),
            (Catalogue::Country, 249, 0),
            (Catalogue::Province, 34, 63),
            (Catalogue::District, 0, 696),
            (Catalogue::Commune, 3_321, 10_035),
            (Catalogue::RelationToHead, 41, 0),
        ] {
            assert_eq!((count(catalogue, true), count(catalogue, false)), (in_force, ended), "{catalogue:?}");
        }
        // By kind, as the reform counts them.
        let kind = |prefix: &str| communes().filter(|line| line.name_vi.starts_with(prefix)).count();
        assert_eq!((kind("Xã "), kind("Phường "), kind("Đặc khu ")), (2_621, 687, 13));
    }

    #[test]
    fn every_entry_is_whole_and_no_code_is_given_twice_at_a_time() {
        let mut seen = HashSet::new();
        for (catalogue, line) in all() {
            assert!(!line.code.is_empty() && !line.name_vi.is_empty(), "{catalogue:?} {line:?}");
            assert!(!line.code_system.is_empty() && !line.code_source.is_empty(), "{catalogue:?} {line:?}");
            assert!(is_nfc(line.name_vi), "{line:?}");
            assert!(seen.insert((catalogue, line.code, line.valid_to)), "{catalogue:?} {line:?}");
            let units = [(Catalogue::Province, 2), (Catalogue::District, 3), (Catalogue::Commune, 5)];
            if let Some((_, digits)) = units.iter().find(|(unit, _)| *unit == catalogue) {
                assert!(line.code.len() == *digits && line.code.parse::<u32>().is_ok(), "{line:?}");
            }
        }
    }

    #[test]
    fn codes_that_nobody_published_say_so() {
        for (catalogue, line) in all() {
            if catalogue == Catalogue::RelationToHead {
                assert!(line.code_source.starts_with("ours"), "{line:?}");
            }
            if catalogue == Catalogue::Ethnicity {
                let inferred = line.code_source.starts_with("inferred");
                assert_eq!(inferred, line.code.parse::<u8>().unwrap() > 20, "{line:?}");
                assert!(line.code_system.contains("2008"), "{line:?}");
            }
        }
    }
}
