//! The fixed cast: people whom every synthetic registry holds, whatever its seed, for the demonstration, the
//! documentation and the tests. Numbers and names are made up: phones are of a block given to no carrier, personal
//! numbers begin with 9, old card numbers with 99.

use super::{contract::Column, writing::store::Cell};
use crate::message::{Msisdn, OldId, PersonalId};

/// One of the cast.
#[derive(Clone, Copy)]
pub struct Member {
    /// The phone as SMSCs write it: `84520000001`.
    pub phone: u64,
    /// The personal number.
    pub personal_id: &'static str,
    /// The old card's number.
    pub old_id: Option<&'static str>,
    /// The full name.
    pub name: &'static str,
    cells: &'static [(Column, &'static str)],
}

impl Member {
    /// The phone.
    pub fn msisdn(&self) -> Msisdn {
        Msisdn::from_canonical(self.phone)
    }

    /// The personal number.
    pub fn personal(&self) -> PersonalId {
        #[expect(clippy::expect_used, reason = "constants of this file, read by its test")]
        PersonalId::parse(self.personal_id).expect("12 digits")
    }

    /// The old card's number.
    pub fn old(&self) -> Option<OldId> {
        self.old_id.and_then(OldId::parse)
    }

    /// The last six digits of the personal number.
    pub fn short_key(&self) -> &'static str {
        &self.personal_id[6..]
    }

    /// Every column that is filled.
    pub(super) fn row(&self) -> impl Iterator<Item = (Column, Cell)> {
        let own = [
            (Column::PersonalId, Some(self.personal_id)),
            (Column::OldId, self.old_id),
            (Column::FullName, Some(self.name)),
        ];
        let given = self.cells.iter().map(|&(column, text)| (column, Some(text)));
        own.into_iter().chain(given).map(|(column, text)| (column, text.map(Into::into)))
    }
}

/// An ordinary adult, with the old card and nothing unusual. The first to try: the short key is `012345`.
pub const ADULT: Member = Member {
    phone: 84_520_000_001,
    personal_id: "901098012345",
    old_id: Some("990012345"),
    name: "Nguyễn Văn An",
    cells: &[
        (Column::Status, "1"),
        (Column::BirthDate, "1998-02-05"),
        (Column::Sex, "1"),
        (Column::BirthPlaceUnit, "001@2025-06-30"),
        (Column::RegistrationUnit, "00004@2025-06-30"),
        (Column::HometownUnit, "13741"),
        (Column::Ethnicity, "01"),
        (Column::Religion, "00"),
        (Column::Nationality, "VN"),
        (Column::BloodGroup, "04"),
        (Column::CardIssuedOn, "2023-03-14"),
        (Column::CardIssuedBy, "Cục Cảnh sát QLHC về TTXH"),
        (Column::CardExpiresOn, "2038-02-05"),
        (Column::PermanentUnit, "00004"),
        (Column::PermanentDetail, "Số 12 phố Trúc Bạch"),
        (Column::PresentUnit, "00004"),
        (Column::PresentDetail, "Số 12 phố Trúc Bạch"),
        (Column::MaritalStatus, "1"),
        (Column::RelationToHead, "CON_DE"),
    ],
};

/// A person with a very long name and long addresses: all fields together need more than three segments.
pub const LONG: Member = Member {
    phone: 84_520_000_002,
    personal_id: "944187234567",
    old_id: Some("990023456"),
    name: "Công Tằng Tôn Nữ Nguyễn Phước Hoàng Minh Nguyệt Quỳnh Hương",
    cells: &[
        (Column::Status, "1"),
        (Column::OtherName, "Nguyễn Phước Hoàng Thị Minh Nguyệt"),
        (Column::BirthDate, "1987-11-23"),
        (Column::Sex, "2"),
        (Column::BirthPlaceUnit, "19114@2025-06-30"),
        (Column::BirthPlaceDetail, "Trạm y tế Nông trường quốc doanh Việt Trung"),
        (Column::RegistrationUnit, "19114@2025-06-30"),
        (Column::HometownUnit, "19114@2025-06-30"),
        (Column::HometownDetail, "Tiểu khu Phú Quý, đội sản xuất số 7"),
        (Column::Ethnicity, "01"),
        (Column::Religion, "01"),
        (Column::Nationality, "VN"),
        (Column::BloodGroup, "03"),
        (Column::CardIssuedOn, "2021-05-12"),
        (Column::CardIssuedBy, "Cục Cảnh sát quản lý hành chính về trật tự xã hội"),
        (Column::CardExpiresOn, "2027-11-23"),
        (Column::PermanentUnit, "24805"),
        (
            Column::PermanentDetail,
            "Căn hộ 1507, tháp B, khu nhà ở xã hội Hồ Tuyền Lâm, hẻm 286/15/4 đường Hoàng Hoa Thám",
        ),
        (Column::TemporaryUnit, "00226"),
        (Column::TemporaryDetail, "Phòng 302, nhà trọ số 48/9, ngách 127/36, ngõ 259 phố Nguyễn Lương Bằng"),
        (Column::PresentUnit, "00226"),
        (Column::PresentDetail, "Phòng 302, nhà trọ số 48/9, ngách 127/36, ngõ 259 phố Nguyễn Lương Bằng"),
        (Column::MaritalStatus, "3"),
        (Column::RelationToHead, "CON_RIENG_CUA_VO_HOAC_CHONG"),
    ],
};

/// A parent whose phone two children share.
pub const PARENT: Member = Member {
    phone: 84_520_000_003,
    personal_id: "938085654321",
    old_id: Some("990034567"),
    name: "Lê Hữu Phúc",
    cells: &[
        (Column::Status, "1"),
        (Column::BirthDate, "1985-06-30"),
        (Column::Sex, "1"),
        (Column::BirthPlaceUnit, "380@2025-06-30"),
        (Column::RegistrationUnit, "14758@2025-06-30"),
        (Column::HometownUnit, "14758@2025-06-30"),
        (Column::Ethnicity, "01"),
        (Column::Religion, "02"),
        (Column::Nationality, "VN"),
        (Column::BloodGroup, "01"),
        (Column::CardIssuedOn, "2022-01-18"),
        (Column::CardIssuedBy, "Cục Cảnh sát QLHC về TTXH"),
        (Column::CardExpiresOn, "2045-06-30"),
        (Column::PermanentUnit, "14797"),
        (Column::PermanentDetail, "Số 45 đường Lê Lai"),
        (Column::PresentUnit, "14797"),
        (Column::PresentDetail, "Số 45 đường Lê Lai"),
        (Column::MaritalStatus, "2"),
        (Column::RelationToHead, "CHU_HO"),
    ],
};

/// A child on the parent's phone, found by the short key.
pub const CHILD: Member =
    Member {
        phone: PARENT.phone, personal_id: "938215111222", old_id: None, name: "Lê Gia Bảo", cells: CHILD_CELLS
    };

const CHILD_CELLS: &[(Column, &str)] = &[
    (Column::Status, "1"),
    (Column::BirthDate, "2015-09-02"),
    (Column::Sex, "1"),
    (Column::BirthPlaceUnit, "380@2025-06-30"),
    (Column::RegistrationUnit, "14758@2025-06-30"),
    (Column::HometownUnit, "14758@2025-06-30"),
    (Column::Ethnicity, "01"),
    (Column::Religion, "02"),
    (Column::Nationality, "VN"),
    (Column::PermanentUnit, "14797"),
    (Column::PermanentDetail, "Số 45 đường Lê Lai"),
    (Column::PresentUnit, "14797"),
    (Column::PresentDetail, "Số 45 đường Lê Lai"),
    (Column::MaritalStatus, "1"),
    (Column::RelationToHead, "CON_DE"),
];

/// The other child on the parent's phone. Its last six digits are the parent's: the short key names two people.
pub const SAME_KEY_CHILD: Member = Member {
    phone: PARENT.phone,
    personal_id: "938318654321",
    old_id: None,
    name: "Lê Ngọc Bảo Châu",
    cells: &[
        (Column::Status, "1"),
        (Column::BirthDate, "2018-12-24"),
        (Column::Sex, "2"),
        (Column::BirthPlaceUnit, "380@2025-06-30"),
        (Column::RegistrationUnit, "14758@2025-06-30"),
        (Column::HometownUnit, "14758@2025-06-30"),
        (Column::Ethnicity, "01"),
        (Column::Nationality, "VN"),
        (Column::PermanentUnit, "14797"),
        (Column::PermanentDetail, "Số 45 đường Lê Lai"),
        (Column::RelationToHead, "CON_DE"),
    ],
};

/// A record closed by the authority.
pub const LOCKED: Member = Member {
    phone: 84_520_000_006,
    personal_id: "948192345678",
    old_id: Some("990045678"),
    name: "Trần Thị Thu Hà",
    cells: &[
        (Column::Status, "2"),
        (Column::BirthDate, "1992-04-17"),
        (Column::Sex, "2"),
        (Column::HometownUnit, "492@2025-06-30"),
        (Column::Ethnicity, "01"),
        (Column::Nationality, "VN"),
        (Column::PermanentUnit, "20200"),
        (Column::PermanentDetail, "Số 7 đường Tôn Đức Thắng"),
    ],
};

/// A person who has died, whose number still stands in the registry.
pub const DECEASED: Member = Member {
    phone: 84_520_000_007,
    personal_id: "936045456789",
    old_id: Some("990056789"),
    name: "Phạm Văn Thành",
    cells: &[
        (Column::Status, "3"),
        (Column::BirthDate, "1945-08-19"),
        (Column::Sex, "1"),
        (Column::HometownUnit, "356@2025-06-30"),
        (Column::Ethnicity, "01"),
        (Column::Nationality, "VN"),
        (Column::PermanentUnit, "13699"),
        (Column::PermanentDetail, "Số 3 đường Hàng Thao"),
    ],
};

/// A one-word name, a birth year without a day, and most fields missing.
pub const SPARSE: Member = Member {
    phone: 84_520_000_008,
    personal_id: "956150567890",
    old_id: None,
    name: "Sen",
    cells: &[
        (Column::Status, "1"),
        (Column::BirthDate, "1950"),
        (Column::Sex, "2"),
        (Column::Nationality, "VN"),
        (Column::BloodGroup, "00"),
        (Column::PermanentUnit, "22366"),
    ],
};

/// A person of a small people, with a religion.
pub const MINORITY: Member = Member {
    phone: 84_520_000_009,
    personal_id: "910090678901",
    old_id: Some("990067890"),
    name: "Giàng A Páo",
    cells: &[
        (Column::Status, "1"),
        (Column::BirthDate, "1990-01-15"),
        (Column::Sex, "1"),
        (Column::BirthPlaceUnit, "088@2025-06-30"),
        (Column::RegistrationUnit, "088@2025-06-30"),
        (Column::HometownUnit, "088@2025-06-30"),
        (Column::Ethnicity, "08"),
        (Column::Religion, "08"),
        (Column::Nationality, "VN"),
        (Column::BloodGroup, "02"),
        (Column::CardIssuedOn, "2021-04-28"),
        (Column::CardIssuedBy, "Cục Cảnh sát QLHC về TTXH"),
        (Column::CardExpiresOn, "2030-01-15"),
        (Column::PermanentUnit, "02680"),
        (Column::PermanentDetail, "Thôn Nậm Rịa 1"),
        (Column::PresentUnit, "02680"),
        (Column::PresentDetail, "Thôn Nậm Rịa 1"),
        (Column::MaritalStatus, "2"),
        (Column::RelationToHead, "CHU_HO"),
    ],
};

/// A person whose hometown is in a province that ended in 2025: it is shown as it was, with its district.
pub const OLD_PROVINCE: Member = Member {
    phone: 84_520_000_010,
    personal_id: "935195789012",
    old_id: Some("990078901"),
    name: "Đỗ Thị Thanh Huyền",
    cells: &[
        (Column::Status, "1"),
        (Column::BirthDate, "1995-10-10"),
        (Column::Sex, "2"),
        (Column::BirthPlaceUnit, "347@2025-06-30"),
        (Column::RegistrationUnit, "13285@2025-06-30"),
        (Column::HometownUnit, "13285@2025-06-30"),
        (Column::Ethnicity, "01"),
        (Column::Religion, "00"),
        (Column::Nationality, "VN"),
        (Column::CardIssuedOn, "2024-09-05"),
        (Column::CardIssuedBy, "Bộ Công an"),
        (Column::CardExpiresOn, "2035-10-10"),
        (Column::PermanentUnit, "13708"),
        (Column::PermanentDetail, "Số 21 đường Giải Phóng"),
        (Column::TemporaryUnit, "25750"),
        (Column::TemporaryDetail, "Số 118/3 đường Huỳnh Văn Lũy"),
        (Column::PresentUnit, "25750"),
        (Column::PresentDetail, "Số 118/3 đường Huỳnh Văn Lũy"),
        (Column::MaritalStatus, "2"),
        (Column::RelationToHead, "VO"),
    ],
};

/// A person born abroad: country names have an English form. The place part of such personal numbers is not public;
/// 99 stands for it here.
pub const BORN_ABROAD: Member = Member {
    phone: 84_520_000_011,
    personal_id: "999188890123",
    old_id: None,
    name: "Vũ Mai Linh",
    cells: &[
        (Column::Status, "1"),
        (Column::BirthDate, "1988-03-08"),
        (Column::Sex, "2"),
        (Column::BirthPlaceUnit, "DE"),
        (Column::BirthPlaceDetail, "Leipzig"),
        (Column::RegistrationUnit, "DE"),
        (Column::RegistrationDetail, "Đại sứ quán Việt Nam tại Berlin"),
        (Column::HometownUnit, "10525"),
        (Column::Ethnicity, "01"),
        (Column::Religion, "00"),
        (Column::Nationality, "VN"),
        (Column::BloodGroup, "02"),
        (Column::CardIssuedOn, "2025-02-20"),
        (Column::CardIssuedBy, "Bộ Công an"),
        (Column::CardExpiresOn, "2028-03-08"),
        (Column::PermanentUnit, "10525"),
        (Column::PermanentDetail, "Số 9 phố Bạch Đằng"),
        (Column::PresentUnit, "10525"),
        (Column::PresentDetail, "Số 9 phố Bạch Đằng"),
        (Column::MaritalStatus, "2"),
        (Column::RelationToHead, "CHU_HO"),
    ],
};

/// A number of the synthetic blocks that no synthetic registry gives to anybody.
pub const NOBODYS_PHONE: u64 = 84_520_000_999;

/// All of the cast, in the order in which they are written.
pub const ALL: [&Member; 11] = [
    &ADULT,
    &LONG,
    &PARENT,
    &CHILD,
    &SAME_KEY_CHILD,
    &LOCKED,
    &DECEASED,
    &SPARSE,
    &MINORITY,
    &OLD_PROVINCE,
    &BORN_ABROAD,
];
