//! Names for synthetic people. Family names follow roughly how common they are among the Kinh; given and middle names
//! follow sex and the time of birth. The few lists for other peoples hold only what tells them apart.

/// Something drawn, and how often: its share of the list's sum.
pub(super) type Share<T> = (u16, T);

/// Family names of the Kinh, in thousandths.
pub(super) const FAMILY: &[Share<&str>] = &[
    (384, "Nguyễn"),
    (120, "Trần"),
    (95, "Lê"),
    (71, "Phạm"),
    (30, "Hoàng"),
    (21, "Huỳnh"),
    (45, "Phan"),
    (20, "Vũ"),
    (19, "Võ"),
    (21, "Đặng"),
    (20, "Bùi"),
    (14, "Đỗ"),
    (13, "Hồ"),
    (13, "Ngô"),
    (10, "Dương"),
    (7, "Đinh"),
    (6, "Đoàn"),
    (6, "Trịnh"),
    (5, "Lý"),
    (5, "Trương"),
    (5, "Mai"),
    (4, "Đào"),
    (4, "Cao"),
    (4, "Lương"),
    (4, "Lưu"),
    (3, "Tạ"),
    (3, "Chu"),
    (3, "Phùng"),
    (3, "Thái"),
    (2, "Quách"),
    (2, "Tô"),
    (2, "Kiều"),
    (2, "Văn"),
    (1, "Nghiêm"),
    (1, "Tôn Thất"),
    (1, "Vương"),
];

/// Family names of other peoples, by code of ethnicity (numbering of 2008).
pub(super) const FAMILY_OF: &[(&str, &[&str])] = &[
    ("02", &["Nông", "Hoàng", "Lương", "Triệu", "Bế", "Ma"]),
    ("03", &["Lò", "Cà", "Quàng", "Tòng", "Lường", "Hà"]),
    ("04", &["Bùi", "Quách", "Đinh", "Hà", "Bạch"]),
    ("05", &["Thạch", "Sơn", "Kim", "Danh", "Lâm", "Châu"]),
    ("06", &["Lâm", "Trần", "Quách", "Lý", "Vương", "Tăng"]),
    ("07", &["Nông", "Hoàng", "Lý", "Vi", "Lộc"]),
    ("08", &["Giàng", "Vàng", "Sùng", "Thào", "Lầu", "Hạng"]),
    ("09", &["Triệu", "Bàn", "Đặng", "Phùng", "Chảo"]),
    ("10", &["Rơ Châm", "Siu", "Kpă", "Ksor", "Rmah"]),
    ("11", &["Niê", "Mlô", "Êban", "Ayun", "Kbuôr"]),
];

/// Middle names of men born before 1990, and after; the empty one is none.
pub(super) const MIDDLE_MEN: [&[Share<&str>]; 2] = [
    &[(60, "Văn"), (8, "Hữu"), (7, "Đức"), (6, "Xuân"), (5, "Quang"), (5, "Ngọc"), (4, "Công"), (3, "Đình"), (2, "")],
    &[
        (22, "Văn"),
        (10, "Minh"),
        (9, "Gia"),
        (9, "Đức"),
        (8, "Quang"),
        (8, "Hoàng"),
        (7, "Tuấn"),
        (6, "Anh"),
        (5, "Bảo"),
        (5, "Hữu"),
        (5, "Thành"),
        (4, "Nhật"),
        (2, ""),
    ],
];

/// Middle names of women born before 1990, and after.
pub(super) const MIDDLE_WOMEN: [&[Share<&str>]; 2] = [
    &[(70, "Thị"), (7, "Thị Thu"), (6, "Thị Thanh"), (6, "Thị Kim"), (5, "Thị Ngọc"), (3, "Ngọc"), (3, "Thị Bích")],
    &[
        (24, "Thị"),
        (9, "Thị Thu"),
        (8, "Thị Phương"),
        (8, "Ngọc"),
        (8, "Thị Ngọc"),
        (7, "Khánh"),
        (7, "Minh"),
        (6, "Bảo"),
        (6, "Thanh"),
        (5, "Thùy"),
        (5, "Phương"),
        (4, "Hà"),
        (3, "Quỳnh"),
    ],
];

/// Given names of men born before 1975, before 1995, and after.
pub(super) const GIVEN_MEN: [&[&str]; 3] = [
    &[
        "Hùng", "Dũng", "Hòa", "Bình", "Thắng", "Chiến", "Sơn", "Hải", "Minh", "Tâm", "Phúc", "Lộc", "Thọ", "Quý",
        "Vinh", "Lâm", "Đông", "Thành", "Hiền", "Khải", "Tý", "Sáu", "Mười", "Út",
    ],
    &[
        "Tuấn", "Hùng", "Cường", "Dũng", "Hải", "Long", "Nam", "Quân", "Thắng", "Trung", "Tùng", "Việt", "Đức", "Hiếu",
        "Huy", "Kiên", "Mạnh", "Phong", "Sơn", "Toàn", "Tú", "Vinh", "Khoa", "Thịnh",
    ],
    &[
        "Anh", "Huy", "Khang", "Bảo", "Minh", "Phúc", "Khoa", "Đạt", "Long", "Nam", "Nguyên", "Phát", "Quân", "Thịnh",
        "An", "Duy", "Hiếu", "Kiệt", "Nhân", "Thiện", "Tiến", "Trí", "Vũ", "Đăng",
    ],
];

/// Given names of women born before 1975, before 1995, and after.
pub(super) const GIVEN_WOMEN: [&[&str]; 3] = [
    &[
        "Lan",
        "Hoa",
        "Huệ",
        "Hồng",
        "Hường",
        "Loan",
        "Nga",
        "Bình",
        "Thanh",
        "Tâm",
        "Mai",
        "Cúc",
        "Đào",
        "Liên",
        "Lý",
        "Mận",
        "Nhàn",
        "Phượng",
        "Sương",
        "Thơm",
        "Xuân",
        "Yến",
        "Bé",
        "Năm",
    ],
    &[
        "Hương", "Hằng", "Hạnh", "Hà", "Hiền", "Huyền", "Lan", "Linh", "Loan", "Nga", "Ngọc", "Nhung", "Oanh",
        "Phương", "Quyên", "Thảo", "Thu", "Thủy", "Trang", "Tuyết", "Vân", "Yến", "Dung", "Giang",
    ],
    &[
        "Anh", "Vy", "Ngọc", "Nhi", "Hân", "Thư", "Linh", "Như", "Ngân", "Phương", "Thảo", "My", "Trâm", "Quỳnh",
        "Trang", "Uyên", "Yến", "Châu", "Chi", "Diệp", "Giang", "Khanh", "Ly", "Tuệ",
    ],
];

/// Streets of towns.
pub(super) const STREETS: &[&str] = &[
    "Trần Phú",
    "Lê Lợi",
    "Nguyễn Huệ",
    "Hai Bà Trưng",
    "Lý Thường Kiệt",
    "Trần Hưng Đạo",
    "Quang Trung",
    "Lê Duẩn",
    "Nguyễn Trãi",
    "Phan Bội Châu",
    "Hùng Vương",
    "Lê Hồng Phong",
    "Nguyễn Du",
    "Điện Biên Phủ",
    "Ngô Quyền",
    "Bà Triệu",
    "Võ Thị Sáu",
    "Nguyễn Văn Cừ",
    "Hoàng Văn Thụ",
    "Phạm Ngũ Lão",
];

/// Hamlets are called by a number in most places: the word for one in the north and the middle, and in the south.
pub(super) const HAMLET: [&str; 2] = ["Thôn", "Ấp"];
