//! The grammar that is shipped: a suggestion of this project, not an official syntax.

use super::QueryKind;
use crate::message::{Field, Lang};

/// What people type or copy between words: signs, drawn spaces, dashes and quotes that phones put in by themselves.
pub(super) const SEPARATORS: &str = "_-.,[]();:/<>\"'˽␣|\\{}*#+=&!?–—…·•“”‘’«»";

/// The pattern of a kind.
pub(super) fn regex(kind: QueryKind) -> &'static str {
    match kind {
        QueryKind::Record => "(?<key>[0-9](?: ?[0-9])*)(?: ?(?<fields>[^0-9 ].*))?",
        QueryKind::OldCard => "(?<old>[0-9](?: ?[0-9]){8}) ?(?<key>[0-9](?: ?[0-9])*)",
        QueryKind::HowTo | QueryKind::Contact => ".*",
    }
}

/// The keywords and the form of a kind.
pub(super) fn wording(kind: QueryKind, lang: Lang) -> (&'static [&'static str], &'static str) {
    match (kind, lang) {
        (QueryKind::Record, Lang::Vi) => (&["TTCD"], "TTCD <6 so cuoi so dinh danh>"),
        (QueryKind::Record, Lang::En) => (&["INFO"], "INFO <last 6 digits of your ID number>"),
        (QueryKind::OldCard, Lang::Vi) => (&["CMND", "CMT"], "CMND <9 so CMND> <6 so cuoi so dinh danh>"),
        (QueryKind::OldCard, Lang::En) => (&["CARD"], "CARD <old 9 digits> <last 6 digits of your ID number>"),
        (QueryKind::HowTo, Lang::Vi) => (&["HD", "HDSD", "HUONGDAN"], "HD"),
        (QueryKind::HowTo, Lang::En) => (&["HELP"], "HELP"),
        (QueryKind::Contact, Lang::Vi) => (&["LH", "LIENHE"], "LH"),
        (QueryKind::Contact, Lang::En) => (&["CONTACT"], "CONTACT"),
    }
}

/// The form of a kind where only the whole personal number will do; empty for kinds without a number.
pub(super) fn full_form(kind: QueryKind, lang: Lang) -> &'static str {
    match (kind, lang) {
        (QueryKind::Record, Lang::Vi) => "TTCD <du 12 so dinh danh>",
        (QueryKind::Record, Lang::En) => "INFO <all 12 digits of your ID number>",
        (QueryKind::OldCard, Lang::Vi) => "CMND <9 so CMND> <du 12 so dinh danh>",
        (QueryKind::OldCard, Lang::En) => "CARD <old 9 digits> <all 12 digits of your ID number>",
        (QueryKind::HowTo | QueryKind::Contact, _) => "",
    }
}

/// The words of a field; the first one is shown.
pub(super) fn words(field: Field, lang: Lang) -> &'static [&'static str] {
    match lang {
        Lang::Vi => vietnamese(field),
        Lang::En => english(field),
    }
}

fn vietnamese(field: Field) -> &'static [&'static str] {
    match field {
        Field::FullName => &["HOTEN", "HT", "HO TEN", "HO VA TEN", "TEN"],
        Field::OtherName => &["TENKHAC", "TK", "TEN KHAC", "TEN GOI KHAC"],
        Field::BirthDate => &["NGAYSINH", "NS", "NGAY SINH", "NAM SINH", "NGAY THANG NAM SINH", "SINH NGAY"],
        Field::Sex => &["GIOITINH", "GT", "GIOI TINH", "GIOI"],
        Field::BirthPlace => &["NOISINH", "NSINH", "NOI SINH"],
        Field::BirthRegistration => {
            &["KHAISINH", "KS", "KHAI SINH", "DKKS", "DANG KY KHAI SINH", "NOI DANG KY KHAI SINH", "NOI KHAI SINH"]
        }
        Field::Hometown => &["QUEQUAN", "QQ", "QUE QUAN", "QUE"],
        Field::Ethnicity => &["DANTOC", "DT", "DAN TOC"],
        Field::Religion => &["TONGIAO", "TG", "TON GIAO"],
        Field::Nationality => &["QUOCTICH", "QT", "QUOC TICH"],
        Field::BloodGroup => &["NHOMMAU", "NM", "NHOM MAU"],
        Field::OldCard => &["CMND", "CMT", "SO CMND", "CHUNG MINH NHAN DAN", "CHUNG MINH THU"],
        Field::Card => &["CCCD", "CC", "CAN CUOC", "CAN CUOC CONG DAN", "THE CAN CUOC"],
        Field::PermanentResidence => {
            &["THUONGTRU", "TT", "DC", "THUONG TRU", "NOI THUONG TRU", "DIA CHI", "DIA CHI THUONG TRU", "HO KHAU", "HK"]
        }
        Field::TemporaryResidence => &["TAMTRU", "TR", "TAM TRU", "NOI TAM TRU", "DIA CHI TAM TRU"],
        Field::PresentResidence => &["NOIO", "NO", "NOI O", "NOI O HIEN TAI", "NOI O HIEN NAY", "HIEN O"],
        Field::MaritalStatus => &["HONNHAN", "HN", "HON NHAN", "TINH TRANG HON NHAN"],
        Field::RelationToHead => &["QHCH", "QH", "CHU HO", "QUAN HE", "QUAN HE CHU HO", "QUAN HE VOI CHU HO"],
    }
}

fn english(field: Field) -> &'static [&'static str] {
    match field {
        Field::FullName => &["NAME", "FULL NAME"],
        Field::OtherName => &["OTHERNAME", "OTHER NAME", "ALIAS"],
        Field::BirthDate => &["BIRTH", "DOB", "BIRTHDAY", "BIRTH DATE", "DATE OF BIRTH"],
        Field::Sex => &["SEX", "GENDER"],
        Field::BirthPlace => &["BIRTHPLACE", "BIRTH PLACE", "PLACE OF BIRTH", "POB"],
        Field::BirthRegistration => &["REGISTRATION", "BIRTH REGISTRATION", "PLACE OF BIRTH REGISTRATION"],
        Field::Hometown => &["HOMETOWN", "HOME TOWN", "ORIGIN"],
        Field::Ethnicity => &["ETHNICITY", "ETHNIC", "ETHNIC GROUP"],
        Field::Religion => &["RELIGION"],
        Field::Nationality => &["NATIONALITY"],
        Field::BloodGroup => &["BLOOD", "BLOOD GROUP", "BLOOD TYPE"],
        Field::OldCard => &["OLDCARD", "OLD CARD"],
        Field::Card => &["CARD", "ID CARD"],
        Field::PermanentResidence => &["ADDRESS", "PERMANENT", "PERMANENT ADDRESS", "PERMANENT RESIDENCE", "RESIDENCE"],
        Field::TemporaryResidence => &["TEMPORARY", "TEMPORARY ADDRESS", "TEMPORARY RESIDENCE"],
        Field::PresentResidence => {
            &["PRESENT", "PRESENT ADDRESS", "PRESENT RESIDENCE", "CURRENT", "CURRENT ADDRESS", "CURRENT RESIDENCE"]
        }
        Field::MaritalStatus => &["MARITAL", "MARITAL STATUS"],
        Field::RelationToHead => &["RELATION", "RELATIONSHIP", "RELATION TO HEAD", "RELATION TO HEAD OF HOUSEHOLD"],
    }
}
