//! The registry as its callers see it, on SQLite files of its own.

use std::collections::{HashMap, HashSet};

use tempfile::TempDir;

use super::*;
use crate::message::{Field, OldId, PersonStatus};

struct Home {
    folder: TempDir,
    settings: RegistrySettings,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("registry.db").display());
        let settings = RegistrySettings { url: url.into(), timeout: Duration::from_secs(20), readers: 2 };
        Self { folder, settings }
    }

    async fn with(people: u64, seed: u64) -> (Self, Summary) {
        let home = Self::new();
        let summary = generate(&home.settings.url, people, seed, |_| ()).await.unwrap();
        (home, summary)
    }

    /// Runs statements on the file, as its owner would.
    async fn change(&self, statements: &'static str) {
        store::change(&self.settings.url, statements).await;
    }
}

/// Asks for everything of each.
fn whole(phones: &[Msisdn]) -> Vec<(Msisdn, Fields)> {
    phones.iter().map(|&phone| (phone, Fields::ALL)).collect()
}

fn person<'a>(found: &'a HashMap<Msisdn, Vec<Person>>, member: &cast::Member) -> &'a Person {
    let own = found[&member.msisdn()].iter().find(|person| person.personal_id.same(&member.personal()));
    own.unwrap_or_else(|| panic!("{} is not there", member.name))
}

fn shown(person: &Person, field: Field) -> Option<&str> {
    person.value(field).map(|value| value.vi.expose())
}

#[tokio::test]
async fn the_whole_cast_is_found_in_one_call_as_documented() {
    let (home, summary) = Home::with(0, 1).await;
    assert_eq!(summary, Summary { people: 11, phones: 9, rows: 11, locked: 1, deceased: 1, entries: summary.entries });
    let registry = Registry::open(&home.settings).await.unwrap();
    assert_eq!(registry.kind(), "SQLite");
    let mut phones: Vec<Msisdn> = cast::ALL.iter().map(|member| member.msisdn()).collect();
    phones.push(Msisdn::from_canonical(cast::NOBODYS_PHONE));
    let found = registry.people(&whole(&phones)).await.unwrap();
    assert_eq!(found.len(), 9, "one list a number, none for nobody's");
    for member in cast::ALL {
        let person = person(&found, member);
        assert_eq!(shown(person, Field::FullName), Some(member.name));
        assert!(person.old_id == member.old() && member.old_id.is_none_or(|old| OldId::parse(old).is_some()));
        let status = match member.phone {
            phone if phone == cast::LOCKED.phone => PersonStatus::Locked,
            phone if phone == cast::DECEASED.phone => PersonStatus::Deceased,
            _ => PersonStatus::Active,
        };
        assert_eq!(person.status, status, "{}", member.name);
    }
    assert_eq!(found[&cast::PARENT.msisdn()].len(), 3);
    assert_eq!(cast::PARENT.short_key(), cast::SAME_KEY_CHILD.short_key());
    assert_ne!(cast::PARENT.short_key(), cast::CHILD.short_key());
    let long: usize = Field::ALL
        .iter()
        .filter_map(|&field| shown(person(&found, &cast::LONG), field))
        .map(|v| v.chars().count())
        .sum();
    assert!(long > 3 * 153, "all fields of {} are only {long} characters", cast::LONG.name);
    for (member, field, expected) in [
        (&cast::ADULT, Field::PermanentResidence, Some("Số 12 phố Trúc Bạch, Phường Ba Đình, Hà Nội")),
        (&cast::ADULT, Field::TemporaryResidence, None),
        (&cast::SPARSE, Field::BirthDate, Some("1950")),
        (&cast::SPARSE, Field::BloodGroup, None),
        (&cast::MINORITY, Field::Ethnicity, Some("HMông")),
        (&cast::MINORITY, Field::Religion, Some("Tin Lành")),
        (&cast::OLD_PROVINCE, Field::Hometown, Some("Phường Quang Trung, Thành phố Phủ Lý, Hà Nam")),
        (&cast::BORN_ABROAD, Field::BirthPlace, Some("Leipzig, Đức")),
        (&cast::BORN_ABROAD, Field::BirthRegistration, Some("Đại sứ quán Việt Nam tại Berlin, Đức")),
    ] {
        assert_eq!(shown(person(&found, member), field), expected, "{} {field:?}", member.name);
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_people_and_another_seed_others() {
    let mut known = Vec::new();
    for seed in [7, 7, 8] {
        let (home, summary) = Home::with(300, seed).await;
        let registry = Registry::open(&home.settings).await.unwrap();
        known.push((summary, registry.phones(1_000).await.unwrap()));
    }
    assert!(known[0] == known[1]);
    assert!(known[0] != known[2]);
}

#[tokio::test]
async fn invented_people_are_believable_and_cannot_be_anybody() {
    let (home, summary) = Home::with(3_000, 42).await;
    assert_eq!(summary.people, 3_000);
    let share = summary.rows as f64 / summary.phones as f64;
    assert!((1.2..1.4).contains(&share), "{share} people a phone");
    assert!(summary.locked > 3 && summary.deceased > 50, "{summary:?}");
    let registry = Registry::open(&home.settings).await.unwrap();
    let all = store::all_phones(&home.settings.url).await;
    let (mut ids, mut shared, mut unreadable) = (HashSet::new(), 0, 0);
    for batch in all.chunks(64) {
        for (phone, people) in registry.people(&whole(batch)).await.unwrap() {
            let block = phone.expose() / 1_000_000;
            assert!(matches!(block, 84_520 | 84_521 | 84_524..=84_527 | 84_529 | 84_550..=84_558));
            shared += u64::from(people.len() > 1);
            for person in people {
                let id = person.personal_id.expose().to_owned();
                assert!(id.starts_with('9') && person.old_id.is_none_or(|old| old.expose().starts_with("99")));
                let woman = (id.as_bytes()[3] - b'0') % 2 == 1;
                assert_eq!(shown(&person, Field::Sex), Some(if woman { "Nữ" } else { "Nam" }));
                assert!(shown(&person, Field::BirthDate).unwrap().ends_with(&id[4..6]), "year of birth");
                unreadable += u32::from(shown(&person, Field::FullName).is_none());
                let home = shown(&person, Field::PermanentResidence).unwrap();
                assert!(home.contains(", ") || person.personal_id == cast::SPARSE.personal(), "{home}");
                ids.insert(id);
            }
        }
    }
    assert!(shared > 100 && unreadable == 0);
    assert!(ids.len() > 2_800, "{} different people have a phone", ids.len());
}

#[tokio::test]
async fn phones_for_the_load_belong_to_one_open_record_each() {
    let (home, _) = Home::with(500, 3).await;
    let registry = Registry::open(&home.settings).await.unwrap();
    let phones = registry.phones(200).await.unwrap();
    assert_eq!(phones.len(), 200);
    let asked: Vec<Msisdn> = phones.iter().map(|(phone, _)| *phone).collect();
    let found = registry.people(&whole(&asked)).await.unwrap();
    for (phone, id) in &phones {
        let [person] = found[phone].as_slice() else { panic!("a shared phone") };
        assert!(person.personal_id.same(id) && person.status == PersonStatus::Active);
    }
    for shared in [&cast::PARENT, &cast::LOCKED, &cast::DECEASED] {
        assert!(!asked.contains(&shared.msisdn()), "{}", shared.name);
    }
}

#[tokio::test]
async fn a_number_beside_too_many_people_does_not_crowd_out_its_batch() {
    let (home, _) = Home::with(200, 3).await;
    home.change("insert into phone select 84520000998, person_id from person").await;
    let registry = Registry::open(&home.settings).await.unwrap();
    let crowd = Msisdn::from_canonical(84_520_000_998);
    let found = registry.people(&whole(&[crowd, cast::ADULT.msisdn()])).await.unwrap();
    assert_eq!(found[&crowd].len(), MOST_PEOPLE_A_PHONE);
    assert_eq!(found[&cast::ADULT.msisdn()].len(), 1);
    assert_eq!(registry.people(&whole(&[crowd])).await.unwrap()[&crowd].len(), MOST_PEOPLE_A_PHONE);
    assert!(registry.people(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_row_that_holds_what_parts_rows_is_left_out_and_spoils_no_other() {
    let (home, _) = Home::with(0, 1).await;
    // The row comes to its end, and another follows that would be whole, of another number: were rows parted by their
    // separator alone, a stranger's record would be read there.
    home.change(
        "update person set full_name = 'A' || replace(hex(zeroblob(12)), '0', char(31)) || char(30) || '84520000001'
             || char(31) || '901098000009' || char(31) || char(31) || '1' || char(31) || 'Forged'
         where person_id in (select person_id from phone where msisdn = 84520000003)",
    )
    .await;
    let registry = Registry::open(&home.settings).await.unwrap();
    let torn = Msisdn::from_canonical(84_520_000_003);
    let phones: Vec<Msisdn> = cast::ALL.iter().map(|member| member.msisdn()).collect();
    assert!(phones.contains(&torn));
    let found = registry.people(&whole(&phones)).await.unwrap();
    assert!(!found.contains_key(&torn));
    let everybody = found.values().flatten();
    assert!(everybody.filter_map(|person| shown(person, Field::FullName)).all(|name| name != "Forged"));
    for member in cast::ALL.iter().filter(|member| member.msisdn() != torn) {
        assert_eq!(shown(person(&found, member), Field::FullName), Some(member.name));
    }
}

#[tokio::test]
async fn nothing_is_read_of_a_record_but_what_is_wanted_of_it() {
    let (home, _) = Home::with(0, 1).await;
    let registry = Registry::open(&home.settings).await.unwrap();
    let name: Fields = [Field::FullName].into_iter().collect();
    let asked = [(cast::ADULT.msisdn(), name), (cast::LONG.msisdn(), Fields::NONE)];
    let found = registry.people(&asked).await.unwrap();
    for (member, wanted) in [(&cast::ADULT, name), (&cast::LONG, Fields::NONE)] {
        let person = person(&found, member);
        for field in Field::ALL {
            assert!(person.value(field).is_none() || wanted.has(field), "{field:?}");
        }
        assert!(person.status == PersonStatus::Active && person.old_id == member.old());
    }
    for field in Field::ALL {
        let only = [field].into_iter().collect();
        let whole = registry.people(&[(cast::LONG.msisdn(), Fields::ALL)]).await.unwrap();
        let found = registry.people(&[(cast::LONG.msisdn(), only)]).await.unwrap();
        assert_eq!(
            person(&found, &cast::LONG).value(field),
            person(&whole, &cast::LONG).value(field),
            "alone it is read as among all others"
        );
    }
}

#[tokio::test]
async fn a_registry_that_breaks_the_contract_is_refused_by_name() {
    for (statements, expected) in [
        ("drop view tracuu_person", "there is no view tracuu_person that may be read"),
        (
            "drop view tracuu_catalogue; create view tracuu_catalogue as select catalogue, code, name_vi from catalogue_entry",
            "the view tracuu_catalogue has no column name_en, code_system, code_source, valid_from, valid_to, parent",
        ),
        ("drop table phone", "no such table"),
        ("delete from catalogue_entry where catalogue = 'sex'", "the catalogue sex is empty"),
        ("update catalogue_entry set valid_to = 'x' where code = '00004'", "valid_to of commune 00004 is no day"),
        ("update catalogue_entry set parent = '99' where code = '00004'", "commune 00004 names a unit above it"),
        ("update catalogue_entry set catalogue = 'shoes' where code = 'KR'", "there is no catalogue \"shoes\""),
    ] {
        let (home, _) = Home::with(0, 1).await;
        home.change(statements).await;
        let error = Registry::open(&home.settings).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{statements}: {error}");
    }
}

#[tokio::test]
async fn a_registry_is_never_written_over_and_never_made_by_reading() {
    let (home, _) = Home::with(0, 1).await;
    let again = generate(&home.settings.url, 10, 2, |_| ()).await;
    assert!(matches!(again, Err(RegistryError::Occupied)), "{again:?}");
    assert!(Registry::open(&home.settings).await.is_ok());
    let files: Vec<_> = std::fs::read_dir(home.folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["registry.db"], "one plain file, that can be copied and read without the right to write");
    let nothing = Home::new();
    let error = Registry::open(&nothing.settings).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_registry_that_is_too_slow_is_unavailable() {
    let (home, _) = Home::with(0, 1).await;
    let mut registry = Registry::open(&home.settings).await.unwrap();
    registry.timeout = Duration::from_millis(30);
    let locked = store::lock(&home.settings.url).await;
    let error = registry.people(&whole(&[cast::ADULT.msisdn()])).await.unwrap_err();
    assert_eq!(error.to_string(), "the registry cannot be asked now: no answer within 30 ms");
    drop(locked);
}

#[tokio::test]
async fn catalogues_tell_units_of_before_and_after_the_reform_apart() {
    let (home, _) = Home::with(0, 1).await;
    let registry = Registry::open(&home.settings).await.unwrap();
    let catalogues = registry.catalogues();
    let day = |text| Day::parse(text).unwrap();
    for (code, on, expected) in [
        ("00004", None, Some("Phường Ba Đình")),
        ("00004", Some("2025-06-30"), Some("Phường Trúc Bạch")),
        ("00004", Some("2025-07-01"), Some("Phường Ba Đình")),
        ("00001", None, Some("Phường Phúc Xá")),
        ("00001", Some("2025-07-01"), None),
        ("77777", None, None),
    ] {
        let entry = match on {
            None => catalogues.entry(Catalogue::Commune, code),
            Some(on) => catalogues.entry_on(Catalogue::Commune, code, day(on)),
        };
        assert_eq!(entry.map(|entry| &*entry.name_vi), expected, "{code} {on:?}");
    }
    assert_eq!(catalogues.entries(Catalogue::Commune).count(), 3_321 + 10_035);
    assert!(catalogues.entries(Catalogue::District).all(|entry| entry.valid_to.is_some()));
}
