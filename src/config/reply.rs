//! `[reply]` and `[contact]`: where the texts of replies are, how long a reply may be, and whom a citizen may turn to.

use std::path::PathBuf;

use super::reader::Section;
use crate::message::Field;

/// Name, birth date, sex, hometown, permanent residence.
const DEFAULT_FIELDS: [Field; 5] =
    [Field::FullName, Field::BirthDate, Field::Sex, Field::Hometown, Field::PermanentResidence];

fn default_fields(s: &mut Section) -> Vec<Field> {
    let words = s.list("default_fields", &DEFAULT_FIELDS.map(Field::word));
    let fields: Vec<Field> = words.iter().filter_map(|word| Field::from_word(word)).collect();
    if fields.is_empty() || fields.len() != words.len() {
        let known = Field::ALL.map(Field::word).join(" ");
        s.fault("default_fields", format!("must be one or more of {known}"));
    }
    fields
}

/// How replies are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplySettings {
    /// The folder with `vi/` and `en/`; a relative path is taken from the folder of the configuration file.
    pub templates: PathBuf,
    /// Physical messages one reply may take, 1 to 5. A longer answer loses fields from its end.
    pub max_segments: u8,
    /// Take changed files while running.
    pub watch: bool,
    /// Fields given when a question names none.
    pub default_fields: Vec<Field>,
}

impl Default for ReplySettings {
    fn default() -> Self {
        Self {
            templates: PathBuf::from("sms-templates"),
            max_segments: 3,
            watch: true,
            default_fields: DEFAULT_FIELDS.to_vec(),
        }
    }
}

impl ReplySettings {
    /// Reads `[reply]`.
    pub fn read(mut s: Section) -> Self {
        let usual = Self::default();
        let templates = s.text("templates", "sms-templates");
        if templates.is_empty() {
            s.fault("templates", "must be the path of a folder");
        }
        let settings = Self {
            templates: s.path(&templates),
            max_segments: s.number("max_segments", usual.max_segments, 1..=5),
            watch: s.flag("watch", usual.watch),
            default_fields: default_fields(&mut s),
        };
        s.finish();
        settings
    }
}

/// The officer whom replies name: public data of an office, not of a citizen.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Contact {
    /// Full name, at most 60 characters.
    pub name: String,
    /// Post, at most 60 characters; may be empty.
    pub post: String,
    /// Duty, at most 60 characters; may be empty.
    pub duty: String,
    /// Phone, at most 20 characters: digits, spaces, `.`, `-`, `+`.
    pub phone: String,
    /// E-mail address, at most 60 characters; may be empty.
    pub email: String,
    /// The name in English replies; empty takes `name`.
    pub name_en: String,
    /// The post in English replies; empty takes `post`.
    pub post_en: String,
    /// The duty in English replies; empty takes `duty`.
    pub duty_en: String,
}

impl Contact {
    /// An officer who does not exist, for samples and for a first configuration. The number lies in a block that no
    /// carrier has, the address in a domain that no one can register (RFC 2606, section 2).
    pub fn made_up() -> Self {
        Self {
            name: "Nguyễn Văn Mẫu".into(),
            post: "cán bộ trực".into(),
            duty: "hướng dẫn tra cứu".into(),
            phone: "0520000000".into(),
            email: "lienhe@mau.example".into(),
            name_en: String::new(),
            post_en: "duty officer".into(),
            duty_en: "look-up help".into(),
        }
    }

    /// Reads `[contact]`.
    pub fn read(mut s: Section) -> Self {
        let contact = Self {
            name: s.required("name", "the full name of the officer whom citizens may turn to"),
            post: s.text("post", ""),
            duty: s.text("duty", ""),
            phone: s.required("phone", "the phone number that replies give for help"),
            email: s.text("email", ""),
            name_en: s.text("name_en", ""),
            post_en: s.text("post_en", ""),
            duty_en: s.text("duty_en", ""),
        };
        for (key, text) in [
            ("name", &contact.name),
            ("post", &contact.post),
            ("duty", &contact.duty),
            ("email", &contact.email),
            ("name_en", &contact.name_en),
            ("post_en", &contact.post_en),
            ("duty_en", &contact.duty_en),
        ] {
            if text.chars().count() > 60 || text.chars().any(char::is_control) {
                s.fault(key, "must be one line of at most 60 characters");
            }
        }
        let dialled = contact.phone.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '.' | '-' | '+'));
        if contact.phone.len() > 20 || !dialled {
            s.fault("phone", "must be at most 20 digits, spaces, dots, dashes or +");
        }
        let parts = contact.email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
        if !contact.email.is_empty() && !parts {
            s.fault("email", "must be an e-mail address: name@office.example");
        }
        s.finish();
        contact
    }
}

#[cfg(test)]
mod tests {
    use config::{Config, File, FileFormat};

    use super::*;

    fn read(toml: &str) -> (ReplySettings, Contact, Vec<String>) {
        let merged = Config::builder().add_source(File::from_str(toml, FileFormat::Toml)).build().unwrap();
        let (mut root, findings) = Section::root(merged.cache.into_table().unwrap(), "test.toml");
        let reply = ReplySettings::read(root.section("reply"));
        let contact = Contact::read(root.section("contact"));
        root.finish();
        let faults = findings.borrow().faults.iter().map(|f| format!("{}: {}", f.key, f.why)).collect();
        (reply, contact, faults)
    }

    #[test]
    fn a_right_section_is_read_and_what_is_left_out_takes_its_default() {
        let (reply, contact, faults) =
            read("[contact]\nname = \"A\"\nphone = \"0520 000 000\"\nemail = \"a@b.example\"");
        assert_eq!(faults, Vec::<String>::new());
        assert_eq!(reply, ReplySettings::default());
        assert_eq!((contact.name.as_str(), contact.phone.as_str(), contact.post.as_str()), ("A", "0520 000 000", ""));
    }

    #[test]
    fn every_fault_of_both_sections_is_named() {
        let long = "x".repeat(61);
        let (_, _, faults) = read(&format!(
            "[reply]\ntemplates = \"\"\nmax_segments = 9\nwatsch = true\n\
             [contact]\npost = \"{long}\"\nphone = \"call me\"\nemail = \"nowhere\""
        ));
        assert_eq!(
            faults,
            [
                "reply.templates: must be the path of a folder",
                "reply.max_segments: must be 1 to 5, got 9",
                "reply.watsch: is not a setting (did you mean \"watch\"?)",
                "contact.name: is missing: the full name of the officer whom citizens may turn to",
                "contact.post: must be one line of at most 60 characters",
                "contact.phone: must be at most 20 digits, spaces, dots, dashes or +",
                "contact.email: must be an e-mail address: name@office.example",
            ]
        );
    }
}
