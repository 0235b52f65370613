//! The grammar as a table: what people type, and what is made of it.

use config::{Config, File, FileFormat};

use super::Grammar;
use crate::{
    config::{QueryKind, QuerySettings, Section},
    message::{Field, Lang, Misread, Query, Why},
};

fn shipped() -> Grammar {
    Grammar::build(&QuerySettings::default()).unwrap()
}

/// A question as one line: `vi record 012345 NGAYSINH`, or `vi Key: TTCD <...>`.
fn shown(read: Result<Query, Misread>) -> String {
    match read {
        Ok(Query::Record { key, fields, lang }) => {
            let words = fields.into_iter().fold(String::new(), |words, field| words + " " + field.word());
            format!("{} record {}{words}", lang.code(), key.expose())
        }
        Ok(Query::OldCard { old, key, lang }) => format!("{} card {} {}", lang.code(), old.expose(), key.expose()),
        Ok(Query::HowTo { lang }) => format!("{} how to", lang.code()),
        Ok(Query::Contact { lang }) => format!("{} contact", lang.code()),
        Err(Misread { why, form, lang }) => format!("{} {why:?}: {form}", lang.code()),
    }
}

fn check(grammar: &Grammar, rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        assert_eq!(&shown(grammar.read(text)), expected, "{text:?}");
    }
}

#[test]
fn a_record_is_asked_for_in_many_spellings() {
    check(
        &shipped(),
        &[
            ("TTCD 123456", "vi record 123456"),
            ("TTCD 990123456", "vi record 990123456"),
            ("TTCD 901098012345", "vi record 901098012345"),
            ("INFO 123456", "en record 123456"),
            ("ttcd 123456", "vi record 123456"),
            ("TtCd 123456", "vi record 123456"),
            ("TTCD123456", "vi record 123456"),
            ("ttcd901098012345", "vi record 901098012345"),
            ("info123456", "en record 123456"),
            ("TTCD 901 098 012345", "vi record 901098012345"),
            ("TTCD 901-098-012-345", "vi record 901098012345"),
            ("TTCD 901.098.012.345", "vi record 901098012345"),
            ("TTCD901 098 012345", "vi record 901098012345"),
            ("TTCD 12 34 56", "vi record 123456"),
            ("TTCD 1 2 3 4 5 6", "vi record 123456"),
            ("TTCD_123456", "vi record 123456"),
            ("TTCD-123456", "vi record 123456"),
            ("TTCD.123456.", "vi record 123456"),
            ("TTCD,123456", "vi record 123456"),
            ("TTCD[]123456", "vi record 123456"),
            ("TTCD[ ]123456", "vi record 123456"),
            ("TTCD˽123456", "vi record 123456"),
            ("TTCD␣123456", "vi record 123456"),
            ("TTCD <123456>", "vi record 123456"),
            ("TTCD (123456)", "vi record 123456"),
            ("TTCD: 123456;", "vi record 123456"),
            ("\"TTCD 123456\"", "vi record 123456"),
            ("“TTCD 123456”", "vi record 123456"),
            ("'TTCD/123456'", "vi record 123456"),
            ("TTCD *123456#", "vi record 123456"),
            ("  [TTCD]__--  (123456) ", "vi record 123456"),
            ("TTCD\n123456", "vi record 123456"),
            ("\r\nTTCD\r\n\r\n123456\r\n", "vi record 123456"),
            ("TTCD\t123456", "vi record 123456"),
            ("TTCD\u{a0}123456", "vi record 123456"),
            ("TTCD\u{200b}123456\u{feff}", "vi record 123456"),
            ("ＴＴＣＤ　１２３４５６", "vi record 123456"),
            ("TTCD １２３４５６ ＮＳ", "vi record 123456 NGAYSINH"),
            ("TTCĐ 123456", "vi record 123456"),
            ("tтcd", "vi Keyword: TTCD <6 so cuoi so dinh danh>"),
        ],
    );
}

#[test]
fn fields_come_in_the_order_asked_and_once() {
    check(
        &shipped(),
        &[
            ("TTCD 123456 NS DC", "vi record 123456 NGAYSINH THUONGTRU"),
            ("TTCD 123456 DC NS", "vi record 123456 THUONGTRU NGAYSINH"),
            ("TTCD 123456 NS NS NGAYSINH", "vi record 123456 NGAYSINH"),
            ("TTCD 123456 DC NS TT", "vi record 123456 THUONGTRU NGAYSINH"),
            ("TTCD 123456 CMND", "vi record 123456 CMND"),
            ("TTCD 990123456 cmnd cccd", "vi record 990123456 CMND CCCD"),
            ("TTCD 123456NS", "vi record 123456 NGAYSINH"),
            ("TTCD123456NS.DC", "vi record 123456 NGAYSINH THUONGTRU"),
            ("TTCD 901 098 012345 HT", "vi record 901098012345 HOTEN"),
            ("ttcd 123456 ngày sinh, quê quán", "vi record 123456 NGAYSINH QUEQUAN"),
            ("ttcd 123456 nga\u{300}y sinh, que\u{302} qua\u{301}n", "vi record 123456 NGAYSINH QUEQUAN"),
            ("TTCD 123456\nHọ tên\nGiới tính\nDân tộc", "vi record 123456 HOTEN GIOITINH DANTOC"),
            ("TTCD 123456 [HOTEN][NGAYSINH]", "vi record 123456 HOTEN NGAYSINH"),
            ("TTCD 123456 HO_TEN-NGAY.SINH", "vi record 123456 HOTEN NGAYSINH"),
            ("TTCD 123456 TEN KHAC", "vi record 123456 TENKHAC"),
            ("TTCD 123456 TEN TEN KHAC TEN", "vi record 123456 HOTEN TENKHAC"),
            ("TTCD 123456 NOI SINH NOI O", "vi record 123456 NOISINH NOIO"),
            ("TTCD 123456 tình trạng hôn nhân", "vi record 123456 HONNHAN"),
            ("TTCD 123456 quan hệ với chủ hộ", "vi record 123456 QHCH"),
            ("TTCD 123456 địa chỉ thường trú", "vi record 123456 THUONGTRU"),
            ("TTCD 123456 TT HN", "vi record 123456 THUONGTRU HONNHAN"),
            ("TTCD 123456 tr no qh", "vi record 123456 TAMTRU NOIO QHCH"),
            ("INFO 123456 DOB SEX", "en record 123456 NGAYSINH GIOITINH"),
            ("INFO 123456 name, date of birth, place of birth", "en record 123456 HOTEN NGAYSINH NOISINH"),
            ("INFO 123456 NS DC", "en record 123456 NGAYSINH THUONGTRU"),
            ("TTCD 123456 NAME BIRTH", "vi record 123456 HOTEN NGAYSINH"),
            ("INFO 123456 temporary address", "en record 123456 TAMTRU"),
        ],
    );
}

#[test]
fn the_other_kinds_are_read() {
    check(
        &shipped(),
        &[
            ("CMND 990123456 123456", "vi card 990123456 123456"),
            ("CMND 990123456 901098012345", "vi card 990123456 901098012345"),
            ("CMND 990123456 990123456", "vi card 990123456 990123456"),
            ("CARD 990123456 123456", "en card 990123456 123456"),
            ("cmt 990123456 123456", "vi card 990123456 123456"),
            ("CMND 990 123 456 901 098 012345", "vi card 990123456 901098012345"),
            ("CMND 990123456901098012345", "vi card 990123456 901098012345"),
            ("CMND990123456_123456", "vi card 990123456 123456"),
            ("HD", "vi how to"),
            ("hd.", "vi how to"),
            ("HD TTCD", "vi how to"),
            ("Hướng dẫn", "vi Keyword: HD"),
            ("huongdan", "vi how to"),
            ("Help!", "en how to"),
            ("LH", "vi contact"),
            ("liênhệ", "vi contact"),
            ("contact please", "en contact"),
        ],
    );
}

#[test]
fn a_misread_text_gets_the_nearest_right_form() {
    let record = "TTCD <6 so cuoi so dinh danh>";
    let info = "INFO <last 6 digits of your ID number>";
    let card = "CMND <9 so CMND> <6 so cuoi so dinh danh>";
    let vi = |why: &str, form: &str| format!("vi {why}: {form}");
    let en = |why: &str, form: &str| format!("en {why}: {form}");
    let long = format!("TTCD 123456 {}", "NS ".repeat(400));
    let rows: Vec<(&str, String)> = vec![
        ("", vi("Empty", record)),
        (" \r\n ", vi("Empty", record)),
        ("_[]-", vi("Empty", record)),
        ("\u{200b}", vi("Empty", record)),
        (&long, vi("TooLong", record)),
        ("901098012345", vi("Keyword", record)),
        ("901 098 012345", vi("Keyword", record)),
        ("123456", vi("Keyword", record)),
        ("xin chào", vi("Keyword", record)),
        ("🙂", vi("Keyword", record)),
        ("TTTB 123456", vi("Keyword", record)),
        ("TTDC 123456", vi("Keyword", record)),
        ("TTDC123456", vi("Keyword", record)),
        ("TT CD 123456", vi("Keyword", record)),
        ("TC 123456", vi("Keyword", record)),
        ("123456 TTCD", vi("Keyword", record)),
        ("Soan TTCD 123456", vi("Keyword", record)),
        ("IFNO 123456", en("Keyword", info)),
        ("INFOS 123456 NAME", en("Keyword", info)),
        ("my INFO please 123456", en("Keyword", info)),
        ("CMDN 990123456 123456", vi("Keyword", card)),
        ("CADR 990123456 123456", en("Keyword", "CARD <old 9 digits> <last 6 digits of your ID number>")),
        ("HDD", vi("Keyword", "HD")),
        ("HDD 123456", vi("Keyword", record)),
        ("HEPL", en("Keyword", "HELP")),
        ("lien he", vi("Keyword", "LH")),
        ("CONTCT", en("Keyword", "CONTACT")),
        ("TTCD", vi("Key", record)),
        ("INFO", en("Key", info)),
        ("TTCD NS DC", vi("Key", record)),
        ("TTCD NS 123456", vi("Key", record)),
        ("TTCD 12345", vi("Key", record)),
        ("TTCD 1234567", vi("Key", record)),
        ("TTCD 9010980123456", vi("Key", record)),
        ("TTCD 12345 NS", vi("Key", record)),
        ("TTCD 12345A", vi("Key", record)),
        ("TTCD 90109801234x", vi("Key", record)),
        ("TTCD ١٢٣٤٥٦", vi("Key", record)),
        ("CMND", vi("Key", card)),
        ("CMND 990123456", vi("Key", card)),
        ("CMND 99012345 123456", vi("Key", card)),
        ("CMND 990123456 12345", vi("Key", card)),
        ("CMND 990123456 123456 NS", vi("Key", card)),
        ("CARD 123456", en("Key", "CARD <old 9 digits> <last 6 digits of your ID number>")),
        ("TTCD 123456 XYZXYZ", vi("FieldWord", record)),
        ("TTCD 123456 NS XYZXYZ", vi("FieldWord", record)),
        ("TTCD 123456 @", vi("FieldWord", record)),
        ("TTCD 123456 CHA ME", vi("FieldWord", record)),
        ("TTCD 123456 NGAYSIN", vi("FieldWord", &format!("{record} NGAYSINH"))),
        ("TTCD 123456 NS, NOI XINH", vi("FieldWord", &format!("{record} NOISINH"))),
        ("TTCD 123456 ton giap", vi("FieldWord", &format!("{record} TONGIAO"))),
        ("INFO 123456 ADRESS", en("FieldWord", &format!("{info} ADDRESS"))),
        ("INFO 123456 NAME FATHER", en("FieldWord", info)),
    ];
    let rows: Vec<(&str, &str)> = rows.iter().map(|(text, expected)| (*text, expected.as_str())).collect();
    check(&shipped(), &rows);
}

#[test]
fn every_keyword_and_every_word_of_the_settings_is_understood() {
    let settings = QuerySettings::default();
    let grammar = shipped();
    for (keyword, kind, lang) in settings.keywords() {
        let (text, expected) = match kind {
            QueryKind::Record => (format!("{keyword} 123456"), "record 123456"),
            QueryKind::OldCard => (format!("{keyword} 990123456 123456"), "card 990123456 123456"),
            QueryKind::HowTo => (keyword.to_owned(), "how to"),
            QueryKind::Contact => (keyword.to_owned(), "contact"),
        };
        assert_eq!(shown(grammar.read(&text)), format!("{} {expected}", lang.code()), "{text}");
    }
    for (word, field, _) in settings.spellings() {
        for text in [format!("TTCD 123456 {word}"), format!("INFO 123456 {}", word.to_lowercase().replace(' ', "_"))] {
            assert!(shown(grammar.read(&text)).ends_with(&format!("record 123456 {}", field.word())), "{text}");
        }
    }
}

#[test]
fn what_is_shown_is_understood_when_typed_as_shown() {
    let grammar = shipped();
    for lang in Lang::ALL {
        for kind in QueryKind::ALL {
            let form = grammar.form(kind, lang);
            let mut typed = form.to_owned();
            while let Some((before, after)) = typed.split_once('<') {
                let (hint, after) = after.split_once('>').unwrap();
                typed = format!("{before}({}){after}", if hint.contains('9') { "990123456" } else { "012345" });
            }
            assert_eq!(grammar.read(&typed).unwrap().lang(), lang, "{form}");
        }
        for field in Field::ALL {
            let typed = format!("TTCD 123456 {}", grammar.word(field, lang));
            assert_eq!(shown(grammar.read(&typed)), format!("vi record 123456 {}", field.word()));
        }
    }
}

#[test]
fn another_configuration_renames_everything_without_code() {
    let toml = r#"
        [query]
        language = "en"
        separators = "+"
        [query.record]
        regex = '(?:so )?(?<key>[0-9 ]+)(?: hoi (?<fields>.+))?'
        [query.record.vi]
        keywords = ["DAN", "CD2"]
        form = "DAN SO <6 so cuoi> HOI <muc>"
        [query.record.en]
        keywords = ["MYDATA"]
        form = "MYDATA <last 6 digits>"
        [query.old_card]
        regex = '(?<key>[0-9]+) (?<old>[0-9]+)'
        [query.old_card.en]
        keywords = []
        [query.how_to]
        regex = ''
        [query.words.vi]
        hoten = ["AI", "TOI LA AI"]
        quequan = []
    "#;
    let merged = Config::builder().add_source(File::from_str(toml, FileFormat::Toml)).build().unwrap();
    let (mut root, findings) = Section::root(merged.cache.into_table().unwrap(), "test.toml");
    let settings = QuerySettings::read(root.section("query"));
    assert_eq!(findings.borrow().faults, []);
    let grammar = Grammar::build(&settings).unwrap();
    check(
        &grammar,
        &[
            ("DAN SO 123 456", "vi record 123456"),
            ("dan+so+123456+hoi+ai", "vi record 123456 HOTEN"),
            ("CD2 123456 HOI TOI LA AI HOTEN", "vi record 123456 HOTEN"),
            ("DAN123456 HOI TOILAAI", "vi record 123456 HOTEN"),
            ("MYDATA 123456 HOI QUEQUAN", "en record 123456 QUEQUAN"),
            ("CMND 901098012345 990123456", "vi card 990123456 901098012345"),
            ("HD", "vi how to"),
            ("HD TTCD", "vi Key: HD"),
            ("DAN SO 123456 HT", "vi Key: DAN SO <6 so cuoi> HOI <muc>"),
            ("DAN SO 123456 HOI HT", "vi FieldWord: DAN SO <6 so cuoi> HOI <muc>"),
            ("TTCD 123456", "en Keyword: MYDATA <last 6 digits>"),
            ("CARD 990123456 123456", "vi Keyword: CMND <9 so CMND> <6 so cuoi so dinh danh>"),
            ("DAN-SO-123456", "en Keyword: MYDATA <last 6 digits>"),
        ],
    );
    assert_eq!(grammar.word(Field::FullName, Lang::Vi), "AI");
    assert_eq!(grammar.word(Field::Hometown, Lang::Vi), "QUEQUAN");
    assert_eq!(grammar.misread(Why::NotText).form, "MYDATA <last 6 digits>");
}

#[test]
fn a_grammar_is_not_built_from_faulty_settings() {
    let mut settings = QuerySettings::default();
    settings.kinds[0].regex = "(?<fields>.*".to_owned();
    settings.kinds[1].wording.vi.keywords.push("TTCD".to_owned());
    let faults = Grammar::build(&settings).unwrap_err();
    let keys: Vec<&str> = faults.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["query.record.regex", "query.old_card.vi.keywords"]);
    assert_eq!(faults[0].1, "is no pattern: unclosed group");
}
