//! Invents synthetic households. Everything is drawn from one seeded generator of chance, so that a seed gives the same
//! people for ever. Numbers are of forms that real people cannot have: see [`super::generate`].

use std::{borrow::Cow, collections::HashSet};

use super::{
    builtin::{self, LAST_OLD_DAY},
    cast,
    contract::{Column, PERSON_COLUMNS},
    names::{self, Share},
    reading::NO_EXPIRY,
    writing::store::Cell,
};
use crate::clock::Chance;

/// The year in which the synthetic registry was taken: ages count from here, whatever the day it is made on.
const YEAR: u16 = 2026;

/// Blocks of mobile numbers that were never given to a carrier, with country code: 0520, 0521, 0524 to 0527, 0529 and
/// 0550 to 0558. A text to such a number reaches nobody.
const PHONE_BLOCKS: [u64; 16] = [
    84_520, 84_521, 84_524, 84_525, 84_526, 84_527, 84_529, 84_550, 84_551, 84_552, 84_553, 84_554, 84_555, 84_556,
    84_557, 84_558,
];

/// The first 1,000 numbers of each block are left to the fixed cast and to tests.
const KEPT_OF_A_BLOCK: u64 = 1_000;

/// One invented person: the columns of a row, and the phones.
pub(super) struct Invented {
    pub(super) cells: [Cell; PERSON_COLUMNS.len()],
    pub(super) phones: Vec<u64>,
}

impl Invented {
    pub(super) fn empty() -> Self {
        Self { cells: [const { None }; PERSON_COLUMNS.len()], phones: Vec::new() }
    }

    pub(super) fn set(&mut self, column: Column, value: impl Into<Cow<'static, str>>) {
        self.cells[column as usize] = Some(value.into());
    }
}

/// An old province with its communes and the provinces in force around it.
struct OldProvince {
    code: &'static str,
    successor: &'static str,
    /// Code of a commune and of its district.
    communes: Vec<(&'static str, &'static str)>,
}

/// A commune in force.
struct Home {
    code: &'static str,
    province: &'static str,
    urban: bool,
}

/// Draws households.
pub(super) struct Inventor {
    chance: Chance,
    homes: Vec<Home>,
    old: Vec<OldProvince>,
    personal_ids: HashSet<u64>,
    old_cards: u64,
    phones: u64,
}

/// What the members of one household share.
struct Household {
    home: usize,
    address: String,
    ethnicity: &'static str,
    religion: &'static str,
    family: &'static str,
}

#[derive(Clone, Copy)]
struct Age {
    year: u16,
    woman: bool,
}

impl Inventor {
    pub(super) fn new(seed: u64) -> Self {
        let homes = builtin::communes()
            .map(|line| Home {
                code: line.code,
                province: line.parent.unwrap_or_default(),
                urban: line.name_vi.starts_with("Phường"),
            })
            .collect();
        let districts: Vec<builtin::Line> = builtin::old_districts().collect();
        let communes: Vec<builtin::Line> = builtin::old_communes().collect();
        let old = builtin::old_provinces()
            .map(|province| {
                let own: HashSet<&str> =
                    districts.iter().filter(|d| d.parent == Some(province.code)).map(|d| d.code).collect();
                let communes = communes
                    .iter()
                    .filter_map(|commune| Some((commune.code, commune.parent?)))
                    .filter(|(_, district)| own.contains(district));
                OldProvince {
                    code: province.code,
                    successor: province.successor.unwrap_or_default(),
                    communes: communes.collect(),
                }
            })
            .collect();
        let personal_ids = cast::ALL.iter().filter_map(|member| member.personal_id.parse().ok()).collect();
        Self { chance: Chance::seeded(seed), homes, old, personal_ids, old_cards: 0, phones: 0 }
    }

    fn among(&self, count: usize) -> usize {
        self.chance.below(count as u64) as usize
    }

    fn one_in_hundred(&self, hundredths: u64) -> bool {
        self.chance.below(100) < hundredths
    }

    fn one_of<T: Copy>(&self, list: &[T]) -> T {
        list[self.among(list.len())]
    }

    fn by_share<T: Copy>(&self, list: &[Share<T>]) -> T {
        let sum: u16 = list.iter().map(|(share, _)| share).sum();
        let mut drawn = self.chance.below(u64::from(sum)) as u16;
        for (share, item) in list {
            if drawn < *share {
                return *item;
            }
            drawn -= share;
        }
        list[0].1
    }

    /// One household: an adult alone, or a couple, with children who share a parent's phone, sometimes an elder.
    pub(super) fn household(&mut self) -> Vec<Invented> {
        let home = self.among(self.homes.len());
        let ethnicity = self.ethnicity(self.homes[home].province);
        let household = Household {
            home,
            address: self.address(home),
            ethnicity,
            religion: self.religion(self.homes[home].province, ethnicity),
            family: self.family(ethnicity),
        };
        let (youngest, span) = self.by_share(&[(30, (20, 15)), (35, (35, 15)), (22, (50, 15)), (13, (65, 21))]);
        let age = youngest + self.chance.below(span) as u16;
        let head = Age { year: YEAR - age, woman: self.one_in_hundred(20) };
        let mut people = vec![self.person(&household, head, household.family, "CHU_HO", age > 30)];
        if self.one_in_hundred(65) {
            let spouse = Age {
                year: (head.year + 3).saturating_sub(self.chance.below(7) as u16).min(YEAR - 19),
                woman: !head.woman,
            };
            let family = self.family(ethnicity);
            let relation = if spouse.woman { "VO" } else { "CHONG" };
            people.push(self.person(&household, spouse, family, relation, true));
            for adult in &mut people {
                adult.set(Column::MaritalStatus, "2");
            }
            if age < 50 {
                let children = self.by_share(&[(25, 0_u16), (35, 1), (32, 2), (8, 3)]);
                let shared: Vec<u64> = people.iter().filter_map(|adult| adult.phones.first().copied()).collect();
                for _ in 0..children {
                    let child = Age { year: YEAR - 1 - self.chance.below(14) as u16, woman: self.one_in_hundred(48) };
                    let mut child = self.person(&household, child, household.family, "CON_DE", false);
                    child.phones = if shared.is_empty() { Vec::new() } else { vec![self.one_of(&shared)] };
                    people.push(child);
                }
            }
            if age < 60 && self.one_in_hundred(12) {
                let elder = Age { year: head.year - 22 - self.chance.below(10) as u16, woman: self.one_in_hundred(65) };
                let relation = if elder.woman { "ME_DE" } else { "CHA_DE" };
                let family = if elder.woman { self.family(ethnicity) } else { household.family };
                people.push(self.person(&household, elder, family, relation, true));
            }
        }
        people
    }

    fn person(
        &mut self,
        household: &Household,
        age: Age,
        family: &'static str,
        relation: &'static str,
        was_married: bool,
    ) -> Invented {
        let mut person = Invented::empty();
        let years = YEAR - age.year;
        let birthplace = self.birthplace(self.homes[household.home].province);
        let (month, day) = (1 + self.chance.below(12), 1 + self.chance.below(28));
        let birthday = format!("{}-{month:02}-{day:02}", age.year);
        let id = self.personal_id(birthplace, age);
        person.set(Column::PersonalId, id);
        person.set(Column::Status, self.status(years));
        let name = self.name(household, family, age);
        if self.one_in_hundred(2) {
            let given = name.rsplit(' ').next().unwrap_or_default();
            person.set(Column::OtherName, format!("{family} {} {given}", self.one_of(&["Ngọc", "Thiện", "Diệu"])));
        }
        person.set(Column::FullName, name);
        let year_only = age.year < 1965 && self.one_in_hundred(8);
        if !year_only && age.year <= 2006 && years >= 18 && self.one_in_hundred(90) {
            self.old_cards += 1;
            person.set(Column::OldId, old_card(self.old_cards));
        }
        self.places(&mut person, household, birthplace, age);
        if years > 14 {
            self.card(&mut person, age.year, &birthday[4..]);
        }
        person.set(Column::BirthDate, if year_only { age.year.to_string() } else { birthday });
        person.set(Column::Sex, if age.woman { "2" } else { "1" });
        person.set(Column::Ethnicity, household.ethnicity);
        person.set(Column::Religion, household.religion);
        person.set(Column::Nationality, "VN");
        if self.one_in_hundred(40) {
            person.set(Column::BloodGroup, self.by_share(&[(21, "01"), (31, "02"), (6, "03"), (42, "04")]));
        }
        let marital = if was_married { self.by_share(&[(70, "3"), (30, "1")]) } else { "1" };
        person.set(Column::MaritalStatus, marital);
        person.set(Column::RelationToHead, relation);
        if years >= 15 {
            let phones = self.by_share(&[(4, 0_u8), (88, 1), (8, 2)]);
            person.phones = (0..phones).map(|_| self.phone()).collect();
        }
        person
    }

    fn status(&self, years: u16) -> &'static str {
        let dead = match years {
            0..40 => 2,
            40..65 => 10,
            65..78 => 50,
            _ => 220,
        };
        match self.chance.below(1_000) {
            drawn if drawn < dead => "3",
            drawn if drawn < dead + 4 => "2",
            _ => "1",
        }
    }

    fn ethnicity(&self, province: &str) -> &'static str {
        match province {
            "04" | "19" | "20" => self.by_share(&[(40, "01"), (34, "02"), (18, "07"), (8, "09")]),
            "08" | "11" | "12" | "14" | "15" => {
                self.by_share(&[(35, "01"), (22, "03"), (20, "08"), (12, "02"), (7, "09"), (4, "04")])
            }
            "25" | "38" => self.by_share(&[(82, "01"), (18, "04")]),
            "51" | "52" | "66" | "68" => self.by_share(&[(75, "01"), (13, "10"), (12, "11")]),
            "86" | "91" | "92" | "96" => self.by_share(&[(86, "01"), (12, "05"), (2, "06")]),
            "79" => self.by_share(&[(94, "01"), (5, "06"), (1, "05")]),
            _ => self.by_share(&[(97, "01"), (1, "02"), (1, "04"), (1, "07")]),
        }
    }

    fn religion(&self, province: &str, ethnicity: &str) -> &'static str {
        match (province, ethnicity) {
            (_, "05") => "01",
            (_, "08") => self.by_share(&[(70, "00"), (30, "08")]),
            ("80", _) => self.by_share(&[(70, "00"), (20, "05"), (10, "02")]),
            ("91", _) => self.by_share(&[(72, "00"), (20, "03"), (8, "01")]),
            ("37" | "40" | "75", _) => self.by_share(&[(75, "00"), (22, "02"), (3, "01")]),
            _ => self.by_share(&[(90, "00"), (5, "01"), (4, "02"), (1, "08")]),
        }
    }

    fn family(&self, ethnicity: &str) -> &'static str {
        match names::FAMILY_OF.iter().find(|(code, _)| *code == ethnicity) {
            Some((_, families)) => self.one_of(families),
            None => self.by_share(names::FAMILY),
        }
    }

    fn name(&self, household: &Household, family: &str, age: Age) -> String {
        let period = match age.year {
            0..1975 => 0,
            1975..1995 => 1,
            _ => 2,
        };
        let (middles, given) = if age.woman {
            (names::MIDDLE_WOMEN, names::GIVEN_WOMEN[period])
        } else {
            (names::MIDDLE_MEN, names::GIVEN_MEN[period])
        };
        let given = self.one_of(given);
        let middle = match (household.ethnicity, age.woman) {
            ("08", false) => "A",
            ("08" | "05", true) => "Thị",
            ("10", true) => return format!("{family} H'{given}"),
            ("11", true) => return format!("H'{given} {family}"),
            ("11", false) => return format!("Y {given} {family}"),
            _ => self.by_share(middles[usize::from(age.year >= 1990)]),
        };
        if middle.is_empty() { format!("{family} {given}") } else { format!("{family} {middle} {given}") }
    }

    /// 9, two digits of the province of birth registration, century and sex, year, six digits by chance.
    fn personal_id(&mut self, birthplace: usize, age: Age) -> String {
        let century = if age.year < 2000 { 0 } else { 2 } + u64::from(age.woman);
        let province: u64 = self.old[birthplace].code.parse().unwrap_or_default();
        let head = ((900 + province) * 10 + century) * 100 + u64::from(age.year % 100);
        loop {
            let id = head * 1_000_000 + self.chance.below(1_000_000);
            if self.personal_ids.insert(id) {
                return id.to_string();
            }
        }
    }

    fn phone(&mut self) -> u64 {
        let (block, nth) = (self.phones % 16, self.phones / 16);
        self.phones += 1;
        // The factor shares no divisor with the size of a block, so that numbers look drawn and none comes twice.
        let free = 1_000_000 - KEPT_OF_A_BLOCK;
        PHONE_BLOCKS[block as usize] * 1_000_000 + KEPT_OF_A_BLOCK + nth * 387_421 % free
    }

    /// Where somebody who lives in a province was born: mostly in one of the old provinces that it was made of.
    fn birthplace(&self, province: &str) -> usize {
        if self.one_in_hundred(80) {
            let near: Vec<usize> = (0..self.old.len()).filter(|&at| self.old[at].successor == province).collect();
            if !near.is_empty() {
                return self.one_of(&near);
            }
        }
        self.among(self.old.len())
    }

    fn places(&self, person: &mut Invented, household: &Household, birthplace: usize, age: Age) {
        let old = &self.old[birthplace];
        let (commune, district) = self.one_of(&old.communes);
        let then = |code: &str| format!("{code}@{LAST_OLD_DAY}");
        if age.year < 2025 {
            person.set(Column::BirthPlaceUnit, then(if age.year < 1990 { commune } else { district }));
            person.set(Column::RegistrationUnit, then(commune));
        } else {
            person.set(Column::BirthPlaceUnit, self.homes[household.home].code);
            person.set(Column::RegistrationUnit, self.homes[household.home].code);
        }
        let hometown = if self.one_in_hundred(75) { commune } else { self.one_of(&old.communes).0 };
        person.set(Column::HometownUnit, then(hometown));
        person.set(Column::PermanentUnit, self.homes[household.home].code);
        person.set(Column::PermanentDetail, household.address.clone());
        let away = age.year < YEAR - 17 && self.one_in_hundred(12);
        if away {
            let elsewhere = self.among(self.homes.len());
            let address = self.address(elsewhere);
            person.set(Column::TemporaryUnit, self.homes[elsewhere].code);
            person.set(Column::TemporaryDetail, address.clone());
            person.set(Column::PresentUnit, self.homes[elsewhere].code);
            person.set(Column::PresentDetail, address);
        } else {
            person.set(Column::PresentUnit, self.homes[household.home].code);
            person.set(Column::PresentDetail, household.address.clone());
        }
    }

    fn address(&self, home: usize) -> String {
        let home = &self.homes[home];
        if home.urban {
            let (number, street) = (1 + self.chance.below(300), self.one_of(names::STREETS));
            if self.one_in_hundred(25) {
                return format!("Số {number}/{} đường {street}", 1 + self.chance.below(60));
            }
            return format!("Số {number} đường {street}");
        }
        // From code 70 on the provinces of the south.
        format!("{} {}", names::HAMLET[usize::from(home.province >= "70")], 1 + self.chance.below(12))
    }

    /// The card in force: due at 25, 40 and 60 years of age (Law 26/2023/QH15, article 21), later without expiry.
    fn card(&self, person: &mut Invented, born: u16, birthday: &str) {
        let issued = (2021 + self.chance.below(5) as u16).max(born + 14);
        let (month, day) = (1 + self.chance.below(12), 1 + self.chance.below(28));
        // The ministry itself has issued cards since the law came into force on 2024-07-01.
        let by = if (issued, month) >= (2024, 7) { "Bộ Công an" } else { "Cục Cảnh sát QLHC về TTXH" };
        person.set(Column::CardIssuedOn, format!("{issued}-{month:02}-{day:02}"));
        person.set(Column::CardIssuedBy, by);
        // A card made in the two years before a due age holds until the next one.
        match [25, 40, 60].into_iter().find(|due| issued + 2 < born + due) {
            Some(due) => person.set(Column::CardExpiresOn, format!("{}{birthday}", born + due)),
            None => person.set(Column::CardExpiresOn, NO_EXPIRY),
        }
    }
}

/// 99 and seven digits; the first 100,000 are left to the fixed cast and to tests.
fn old_card(nth: u64) -> String {
    let free = 9_900_000;
    (990_000_000 + 100_000 + nth * 7_368_787 % free).to_string()
}
