//! What an operator is told about a broken set: every fault at once, in the file and line where it is.

use std::fs;

use tempfile::TempDir;

use super::settings;
use crate::reply::{Shipped, TemplateSet};

/// The shipped set in a folder, with some files changed; `None` deletes one.
pub(super) fn changed(files: &[(&str, Option<&[u8]>)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    Shipped::write_to(dir.path()).unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        match content {
            Some(content) => fs::write(path, content).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
    }
    dir
}

fn faults(files: &[(&str, Option<&[u8]>)]) -> Vec<String> {
    let dir = changed(files);
    match TemplateSet::load(dir.path(), &settings()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.to_string().lines().map(str::to_owned).collect(),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of every kind of fault")]
fn each_kind_of_fault_is_named_with_its_place() {
    let long = "x ".repeat(3_000);
    let wordy = format!("{} {{{{ phone }}}}", "chữ ".repeat(60));
    let table: &[(&str, &str, &[u8], &[&str])] = &[
        (
            "unknown variable",
            "vi/refused.txt",
            b"# note\n\nGoi {{ phnoe }} hoac {{ phone }}",
            &["vi/refused.txt line 3: unknown variable \"phnoe\" (did you mean \"phone\"?)"],
        ),
        (
            "a variable of another text",
            "en/refused.txt",
            b"Call {{ phone }}, {{ fields }}",
            &["en/refused.txt line 1: unknown variable \"fields\""],
        ),
        (
            "braces not closed",
            "vi/unavailable.txt",
            b"Xin thu lai.\nGoi {{ phone }",
            &["vi/unavailable.txt line 2: cannot be understood (unexpected `}`, expected end of variable block); \
               see that every {{ has its }} and every {% if %} its {% endif %}"],
        ),
        (
            "if without end",
            "vi/contact.txt",
            b"{{ name }} {{ phone }}{% if email %} {{ email }}",
            &["vi/contact.txt line 1: cannot be understood (unexpected end of input, expected end of block); \
               see that every {{ has its }} and every {% if %} its {% endif %}"],
        ),
        (
            "files of the system are out of reach",
            "vi/how_to.txt",
            b"{% include \"/etc/hostname\" %}",
            &["vi/how_to.txt line 1: cannot be understood (unknown statement include); \
               see that every {{ has its }} and every {% if %} its {% endif %}"],
        ),
        (
            "a filter that is not there",
            "vi/how_to.txt",
            b"{{ phone|upper }}",
            &["vi/how_to.txt line 1: fails with the sample \"the only one\" (filter upper is unknown)"],
        ),
        (
            "an endless text",
            "vi/how_to.txt",
            b"{% set t = phone * 1000000000 %}{{ t }}",
            &["vi/how_to.txt line 1: fails with the sample \"the only one\" (engine ran out of fuel)"],
        ),
        (
            "nothing but notes",
            "en/how_to.txt",
            b"# nothing\n#: marks = fold\n",
            &["en/how_to.txt: the text is empty with the sample \"the only one\""],
        ),
        (
            "no phone",
            "vi/misread.txt",
            "Sai cú pháp, soạn {{ form }}".as_bytes(),
            &["vi/misread.txt: {{ phone }} must be shown in this text"],
        ),
        (
            "phone and form behind a condition",
            "vi/full_number_needed.txt",
            b"Nhap du 12 so.{% if not short_code %}{{ form }} {{ phone }}{% endif %}",
            &[
                "vi/full_number_needed.txt: {{ form }} must be shown in this text",
                "vi/full_number_needed.txt: {{ phone }} must be shown in this text",
            ],
        ),
        (
            "dropped fields not told",
            "en/answered.txt",
            b"{{ fields }}",
            &["en/answered.txt: {{ more }} must be shown in this text"],
        ),
        (
            "too long with marks only",
            "vi/refused.txt",
            wordy.as_bytes(),
            &["vi/refused.txt: takes 4 messages with marks with the sample \"the only one\", at most 3 are allowed; \
               shorten it"],
        ),
        (
            "a control character and one of no width",
            "vi/how_to.txt",
            "A\u{7}\nB\u{200b}".as_bytes(),
            &[
                "vi/how_to.txt line 1: there is a character that cannot be seen (U+0007); delete it",
                "vi/how_to.txt line 2: there is a character that cannot be seen (U+200B); delete it",
            ],
        ),
        (
            "characters that do not arrive",
            "en/unavailable.txt",
            "Mail a@b.example\nor 😀\nor {phone}".as_bytes(),
            &[
                "en/unavailable.txt line 1: the character \"@\" may not arrive as it is; write it another way \
                 (avoid @ $ _ ^ { } \\ [ ] ~ | €)",
                "en/unavailable.txt line 2: the character \"😀\" cannot be sent without marks; write it another way",
                "en/unavailable.txt line 3: the character \"{\" may not arrive as it is; write it another way \
                 (avoid @ $ _ ^ { } \\ [ ] ~ | €)",
            ],
        ),
        (
            "another coding",
            "vi/how_to.txt",
            b"Tr\xe0 c\xfau",
            &["vi/how_to.txt: the file is not in UTF-8; save it again with the coding UTF-8"],
        ),
        (
            "too big",
            "vi/how_to.txt",
            long.as_bytes(),
            &["vi/how_to.txt: the file is longer than 4096 octets; a reply needs a few lines"],
        ),
        (
            "unknown setting",
            "en/how_to.txt",
            b"#: marks = maybe\nHelp {{ phone }}",
            &["en/how_to.txt line 1: unknown setting \"marks = maybe\"; known is: marks = keep, or marks = fold"],
        ),
    ];
    for (label, file, content, expected) in table {
        assert_eq!(faults(&[(file, Some(content))]), *expected, "{label}");
    }
}

#[test]
fn labels_are_checked_like_texts() {
    let shipped = fs::read_to_string(changed(&[]).path().join("en/fields.txt")).unwrap();
    let broken = shipped
        .replace("HOTEN = Name", "HOTNE = Name")
        .replace("TENKHAC = Other name", "TENKHAC Other name")
        .replace("NGAYSINH = Born", "NGAYSINH =")
        .replace("GIOITINH = Sex", "GIOITINH = Sex\nGIOITINH = Sex [m/f]")
        .replace("_missing = none recorded", "");
    assert_eq!(
        faults(&[("en/fields.txt", Some(broken.as_bytes()))]),
        [
            "en/fields.txt: there is no label for HOTEN; add the line: HOTEN = ...",
            "en/fields.txt: there is no label for TENKHAC; add the line: TENKHAC = ...",
            "en/fields.txt: there is no label for _missing; add the line: _missing = ...",
            "en/fields.txt line 2: unknown field word \"HOTNE\" (did you mean \"HOTEN\"?)",
            "en/fields.txt line 3: write WORD = label, for example HOTEN = Ho ten",
            "en/fields.txt line 4: the label of \"NGAYSINH\" must have 1 to 40 characters",
            "en/fields.txt line 6: the character \"[\" may not arrive as it is; write it another way \
             (avoid @ $ _ ^ { } \\ [ ] ~ | €)",
            "en/fields.txt line 6: \"GIOITINH\" has a label already",
        ]
    );
}

#[test]
fn all_faults_of_all_files_are_told_at_once_and_a_misnamed_file_is_found() {
    let told = faults(&[
        ("vi/refused.txt", None),
        ("vi/refusd.txt", Some(b"x")),
        ("en/fields.txt", None),
        ("en/how_to.txt", Some(b"{{ x }}")),
        ("vi/misread.txt", Some(b"{{ y }} {{ phone }} {{ frm }}")),
    ]);
    assert_eq!(
        told,
        [
            "en/fields.txt: the file is missing",
            "en/how_to.txt line 1: unknown variable \"x\"",
            "vi/misread.txt line 1: unknown variable \"frm\" (did you mean \"form\"?)",
            "vi/misread.txt line 1: unknown variable \"y\"",
            "vi/refused.txt: the file is missing (did you mean \"refusd.txt\"?)",
        ]
    );
}

#[test]
fn what_notepad_writes_is_taken() {
    let text = "\u{feff}# ghi chú\r\n#: marks = fold\r\nG\u{1ecd}i\u{a0}{{ phone }}\r\nngay\r\n";
    let dir = changed(&[("vi/refused.txt", Some(text.as_bytes()))]);
    let set = TemplateSet::load(dir.path(), &settings()).unwrap();
    let reply = super::compose(&set, crate::message::Lang::Vi, true, crate::reply::Facts::Refused);
    assert_eq!(reply.text.expose(), "Goi 0520000000 ngay");
}

#[test]
fn a_limit_that_the_shipped_texts_exceed_is_a_fault_not_a_longer_reply() {
    let mut settings = settings();
    settings.max_segments = 1;
    let told = TemplateSet::shipped(&settings).unwrap_err().to_string();
    assert!(told.contains("vi/how_to.txt: takes 3 messages with marks"), "{told}");
    assert!(!told.contains("en/refused.txt"), "{told}");
}
