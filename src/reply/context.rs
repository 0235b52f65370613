//! What a template sees: the closed lists of variables, and their values for one reply.

use std::{fmt, sync::Arc};

use minijinja::value::{Object, Value};

use super::settings::Settings;
use crate::message::{Field, Lang, Outcome};

/// Variables of every text.
const COMMON: [&str; 11] = [
    "short_code",
    "name",
    "post",
    "duty",
    "phone",
    "email",
    "info_word",
    "card_word",
    "help_word",
    "contact_word",
    "example_words",
];

/// The fields whose words stand as examples in instructions.
const EXAMPLES: [Field; 2] = [Field::FullName, Field::Hometown];

/// Variables that only some texts have.
fn own_variables(outcome: Outcome) -> &'static [&'static str] {
    match outcome {
        Outcome::Answered => &["id", "fields", "more"],
        Outcome::OldCardMatches | Outcome::OldCardDiffers => &["id", "old_id"],
        Outcome::FullNumberNeeded | Outcome::Misread => &["form"],
        Outcome::Refused | Outcome::HowTo | Outcome::Contact | Outcome::Unavailable | Outcome::Silenced => &[],
    }
}

/// The variables a text may use.
pub(super) fn variables(outcome: Outcome) -> impl Iterator<Item = &'static str> {
    own_variables(outcome).iter().copied().chain(COMMON)
}

/// The variables a text must show.
pub(super) fn required(outcome: Outcome) -> &'static [&'static str] {
    match outcome {
        Outcome::Answered => &["fields", "more"],
        Outcome::Refused => &["phone"],
        Outcome::FullNumberNeeded | Outcome::Misread => &["form", "phone"],
        Outcome::Contact => &["name", "phone"],
        Outcome::OldCardMatches
        | Outcome::OldCardDiffers
        | Outcome::HowTo
        | Outcome::Unavailable
        | Outcome::Silenced => &[],
    }
}

/// The values that are the same in every reply of a language.
pub(super) struct Fixed {
    name: Value,
    post: Value,
    duty: Value,
    phone: Value,
    email: Value,
    info_word: Value,
    card_word: Value,
    help_word: Value,
    contact_word: Value,
    example_words: Value,
}

impl Fixed {
    pub(super) fn new(settings: &Settings, lang: Lang) -> Self {
        let contact = &settings.contact;
        let words = settings.words(lang);
        let either = |vi: &str, en: &str| Value::from(if lang == Lang::En && !en.is_empty() { en } else { vi });
        Self {
            name: either(&contact.name, &contact.name_en),
            post: either(&contact.post, &contact.post_en),
            duty: either(&contact.duty, &contact.duty_en),
            phone: Value::from(contact.phone.as_str()),
            email: Value::from(contact.email.as_str()),
            info_word: Value::from(words.info.as_str()),
            card_word: Value::from(words.card.as_str()),
            help_word: Value::from(words.help.as_str()),
            contact_word: Value::from(words.contact.as_str()),
            example_words: Value::from(EXAMPLES.map(|field| words.fields[field as usize].as_str()).join(", ")),
        }
    }
}

/// The values of one reply. Personal data: its `Debug` shows none of them.
#[derive(Clone)]
pub(super) struct Context {
    fixed: Arc<Fixed>,
    short_code: Value,
    /// `id`, where the text has it.
    pub(super) id: Option<Value>,
    /// `old_id`, where the text has it.
    pub(super) old_id: Option<Value>,
    /// `fields`, where the text has it.
    pub(super) fields: Option<Value>,
    /// `more`, where the text has it.
    pub(super) more: Option<Value>,
    /// `form`, where the text has it.
    pub(super) form: Option<Value>,
}

impl Context {
    pub(super) fn new(fixed: &Arc<Fixed>, short_code: &str) -> Self {
        Self {
            fixed: Arc::clone(fixed),
            short_code: Value::from(short_code),
            id: None,
            old_id: None,
            fields: None,
            more: None,
            form: None,
        }
    }

    fn find(&self, variable: &str) -> Option<&Value> {
        let fixed = &self.fixed;
        match variable {
            "id" => self.id.as_ref(),
            "old_id" => self.old_id.as_ref(),
            "fields" => self.fields.as_ref(),
            "more" => self.more.as_ref(),
            "form" => self.form.as_ref(),
            "short_code" => Some(&self.short_code),
            "name" => Some(&fixed.name),
            "post" => Some(&fixed.post),
            "duty" => Some(&fixed.duty),
            "phone" => Some(&fixed.phone),
            "email" => Some(&fixed.email),
            "info_word" => Some(&fixed.info_word),
            "card_word" => Some(&fixed.card_word),
            "help_word" => Some(&fixed.help_word),
            "contact_word" => Some(&fixed.contact_word),
            "example_words" => Some(&fixed.example_words),
            _ => None,
        }
    }
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.find(key.as_str()?).cloned()
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.find(key).cloned()
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Context(<values>)")
    }
}
