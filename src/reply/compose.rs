//! From facts to the text that is sent, within the segments a reply may take.

use minijinja::{Error, value::Value};

use super::{
    context::Context,
    request::{Facts, ReplyRequest},
    set::{Language, TemplateSet},
    text::{cut_at_word, nfc, push_value, tidy},
};
use crate::{
    message::{Field, Lang, Masked, OldId, Person, PersonalId, Reply},
    sms::{self, Measure, WireForm},
};

/// What stands between a label and its value, and between two fields.
const AFTER_LABEL: &str = ": ";
const BETWEEN: &str = "; ";

/// The least of a value that is shown before words of other fields have to go, in characters.
const LEAST_OF_A_VALUE: usize = 40;

/// A finished text and what it takes.
pub(super) struct Draft {
    text: String,
    measure: Measure,
}

impl Draft {
    /// Brings a rendered text into the form that is sent.
    fn new(rendered: String, marks: bool, form: WireForm) -> Self {
        let text = tidy(rendered);
        let text = if marks { nfc(text) } else { sms::plain(&text) };
        let measure = sms::measure(&text, &form);
        Self { text, measure }
    }

    fn reply(self, version: i64) -> Reply {
        Reply {
            alphabet: self.measure.alphabet,
            segments: u8::try_from(self.measure.segments).unwrap_or(u8::MAX),
            chars: u16::try_from(self.measure.chars).unwrap_or(u16::MAX),
            template_version: version,
            text: Masked::new(self.text),
        }
    }
}

impl TemplateSet {
    /// Makes a reply, or says why the template cannot.
    pub(super) fn try_compose(&self, request: &ReplyRequest<'_>) -> Result<Reply, Error> {
        let language = self.language(request.lang);
        let mut context = Context::new(&language.fixed, request.short_code);
        let draft = match request.facts {
            Facts::Answered { person, fields, full_number_typed } => {
                context.id = Some(shown_id(&person.personal_id, full_number_typed));
                self.answer(request, &context, &Asked { person, fields, language, lang: request.lang })?
            }
            Facts::OldCardMatches { person, old, full_number_typed }
            | Facts::OldCardDiffers { person, old, full_number_typed } => {
                context.id = Some(shown_id(&person.personal_id, full_number_typed));
                context.old_id = Some(shown_old(old));
                self.draft(request, context)?
            }
            Facts::FullNumberNeeded { form } | Facts::Misread { form } => {
                context.form = Some(Value::from(form));
                self.draft(request, context)?
            }
            Facts::Refused | Facts::HowTo | Facts::Contact | Facts::Unavailable => self.draft(request, context)?,
        };
        Ok(draft.reply(self.version()))
    }

    /// A fixed text with the contact phone, for when the template fails.
    pub(super) fn neutral(&self, request: &ReplyRequest<'_>) -> Reply {
        let text = self.language(request.lang).neutral.clone();
        Draft::new(text, request.marks && request.lang == Lang::Vi, request.form).reply(self.version())
    }

    fn draft(&self, request: &ReplyRequest<'_>, context: Context) -> Result<Draft, Error> {
        let slot = self.language(request.lang).slot(request.facts.outcome());
        let rendered = self.environment.get_template(&slot.file)?.render(Value::from_object(context))?;
        Ok(Draft::new(rendered, slot.marks.stay(request.marks), request.form))
    }

    fn fits(&self, draft: &Draft) -> bool {
        draft.measure.segments <= usize::from(self.settings.max_segments)
    }

    /// All fields that were asked for, or as many as there is room for, and how to ask for the rest.
    fn answer(&self, request: &ReplyRequest<'_>, context: &Context, asked: &Asked<'_>) -> Result<Draft, Error> {
        let with = |shown: &str, more: &str| {
            let mut context = context.clone();
            context.fields = Some(Value::from(shown));
            context.more = Some(Value::from(more));
            self.draft(request, context)
        };
        let (list, ends) = asked.list();
        let whole = with(&list, "")?;
        let Some(&first_end) = ends.first() else { return Ok(whole) };
        if self.fits(&whole) {
            return Ok(whole);
        }
        for shown in (1..ends.len()).rev() {
            let draft = with(&list[..ends[shown - 1]], &asked.words(shown, usize::MAX))?;
            if self.fits(&draft) {
                return Ok(draft);
            }
        }
        // Even one field is too long: its value is cut, and if that is not enough the words of the others too.
        let (first, value_at) = (&list[..first_end], asked.value_at());
        let length = first[value_at..].chars().count();
        for named in (0..ends.len()).rev() {
            let more = asked.words(1, named);
            let cut = |limit| with(&[&first[..value_at], &cut_at_word(&first[value_at..], limit)].concat(), &more);
            let (mut fitting, mut above) = (LEAST_OF_A_VALUE.min(length), length + 1);
            let mut best = cut(fitting)?;
            if !self.fits(&best) && named > 0 {
                continue;
            }
            while above - fitting > 1 {
                let middle = usize::midpoint(fitting, above);
                let draft = cut(middle)?;
                if self.fits(&draft) {
                    (fitting, best) = (middle, draft);
                } else {
                    above = middle;
                }
            }
            return Ok(best);
        }
        Ok(whole)
    }
}

/// The fields of an answer.
struct Asked<'a> {
    person: &'a Person,
    fields: &'a [Field],
    language: &'a Language,
    lang: Lang,
}

impl Asked<'_> {
    /// Labels and values in one text, and where each field ends in it.
    fn list(&self) -> (String, Vec<usize>) {
        let mut list = String::with_capacity(64 * self.fields.len());
        let mut ends = Vec::with_capacity(self.fields.len());
        for &field in self.fields {
            if !list.is_empty() {
                list.push_str(BETWEEN);
            }
            list.push_str(&self.language.labels.of[field as usize]);
            list.push_str(AFTER_LABEL);
            let start = list.len();
            if let Some(value) = self.person.value(field) {
                let english = value.en.as_ref().filter(|en| self.lang == Lang::En && !en.expose().is_empty());
                push_value(&mut list, english.unwrap_or(&value.vi).expose());
            }
            if list.len() == start {
                list.push_str(&self.language.labels.missing);
            }
            ends.push(list.len());
        }
        (list, ends)
    }

    /// Where the first field's value begins in the list.
    fn value_at(&self) -> usize {
        let label = self.fields.first().map_or(0, |field| self.language.labels.of[*field as usize].len());
        label + AFTER_LABEL.len()
    }

    /// The words of the fields from `first` on, at most `most` of them; dots say that there are others.
    fn words(&self, first: usize, most: usize) -> String {
        let dropped = &self.fields[first..];
        let mut words = String::new();
        for field in dropped.iter().take(most) {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(&self.language.words[*field as usize]);
        }
        if most < dropped.len() {
            words.push_str("...");
        }
        words
    }
}

fn shown_id(id: &PersonalId, full_number_typed: bool) -> Value {
    if full_number_typed { Value::from(id.expose()) } else { Value::from(id.masked()) }
}

/// The old number, `*` but for the last three.
fn shown_old(old: &OldId) -> Value {
    Value::from(format!("******{}", &old.expose()[6..]))
}
