//! Tries a whole set with samples, and shows what it makes of them.

use super::{
    context::required,
    fault::{Fault, TemplateFault},
    request::{Facts, ReplyRequest},
    samples::{SHORT_CODE, samples},
    set::TemplateSet,
    source::outcomes,
    text::{AVOIDED, is_unseen, tidy},
};
use crate::{
    message::{Alphabet, Lang, Outcome},
    sms::{self, WireForm},
};

/// One text as one sample makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleRender {
    /// The file inside the set.
    pub file: String,
    /// Which sample. Samples are made up, so their text may be shown.
    pub sample: &'static str,
    /// Whether the carrier's setting was to keep marks.
    pub marks: bool,
    /// The text as it would be sent.
    pub text: String,
    /// Its alphabet.
    pub alphabet: Alphabet,
    /// The physical messages it takes.
    pub segments: u8,
}

/// Every text of a set with every sample, without marks and with them.
pub fn render_samples(set: &TemplateSet) -> Vec<SampleRender> {
    let mut renders = Vec::new();
    each(set, |lang, outcome, marks, sample, request| {
        if let Ok(reply) = set.try_compose(request) {
            renders.push(SampleRender {
                file: set.language(lang).slot(outcome).file.clone(),
                sample,
                marks,
                text: reply.text.expose().to_owned(),
                alphabet: reply.alphabet,
                segments: reply.segments,
            });
        }
    });
    renders
}

fn each(set: &TemplateSet, mut visit: impl FnMut(Lang, Outcome, bool, &'static str, &ReplyRequest<'_>)) {
    for lang in Lang::ALL {
        for outcome in outcomes() {
            for sample in samples(lang, outcome, set.settings.words(lang)) {
                for marks in [false, true] {
                    let (form, facts) = (WireForm::USUAL, sample.facts());
                    let request = ReplyRequest { lang, marks, form, short_code: SHORT_CODE, facts };
                    visit(lang, outcome, marks, sample.name, &request);
                }
            }
        }
    }
}

/// Tries every text that could be compiled. Of one kind of fault in one file the worst is reported.
pub(super) fn try_all(set: &TemplateSet, faults: &mut Vec<TemplateFault>) {
    let mut found: Vec<TemplateFault> = Vec::new();
    each(set, |lang, outcome, marks, sample, request| {
        let file = &set.language(lang).slot(outcome).file;
        let Ok(template) = set.environment.get_template(file) else { return };
        let mut report = |line, fault| report(&mut found, TemplateFault { file: file.clone(), line, fault });
        let reply = match set.try_compose(request) {
            Ok(reply) => reply,
            Err(error) => {
                let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
                return report(error.line(), Fault::Fails { sample, detail });
            }
        };
        let text = reply.text.expose();
        if text.is_empty() {
            return report(None, Fault::Empty(sample));
        }
        let limit = set.settings.max_segments;
        if reply.segments > limit {
            report(None, Fault::TooLong { segments: reply.segments, limit, marks, sample });
        }
        let used = template.undeclared_variables(false);
        let shown = sms::plain(text);
        for name in required(outcome) {
            if !used.contains(*name) || !appears(set, request, name, &shown) {
                report(None, Fault::NotShown(name));
            }
        }
    });
    faults.append(&mut found);
}

/// Whether the value of a required variable stands in the text. The fields of an answer may have been cut, and those
/// variables are looked for in the template alone.
fn appears(set: &TemplateSet, request: &ReplyRequest<'_>, name: &str, shown: &str) -> bool {
    let value = match (name, request.facts) {
        ("phone", _) => set.settings.contact.phone.as_str(),
        ("form", Facts::FullNumberNeeded { form } | Facts::Misread { form }) => form,
        _ => return true,
    };
    shown.contains(&tidy(sms::plain(value)))
}

fn report(found: &mut Vec<TemplateFault>, new: TemplateFault) {
    let kind = std::mem::discriminant(&new.fault);
    let same = found.iter_mut().find(|old| {
        old.file == new.file
            && std::mem::discriminant(&old.fault) == kind
            && (!matches!(new.fault, Fault::NotShown(_)) || old.fault == new.fault)
    });
    match same {
        None => found.push(new),
        Some(old) => {
            if let (Fault::TooLong { segments: before, .. }, Fault::TooLong { segments: now, .. }) =
                (&old.fault, &new.fault)
                && now > before
            {
                *old = new;
            }
        }
    }
}

/// Characters of a template's own wording that may not arrive; what stands between braces is not wording.
pub(super) fn characters(file: &str, outcome: Outcome, source: &str) -> Vec<TemplateFault> {
    let mut faults = Vec::new();
    let mut closing: Option<&str> = None;
    for (at, line) in source.lines().enumerate() {
        let mut wording = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            let found = match closing {
                Some(end) => rest.find(end).map(|place| (place, place + 2, None)),
                None => [("{{", "}}"), ("{%", "%}"), ("{#", "#}")]
                    .iter()
                    .filter_map(|(open, end)| Some((rest.find(open)?, *end)))
                    .min()
                    .map(|(place, end)| (place, place + 2, Some(end))),
            };
            if closing.is_none() {
                wording.push_str(&rest[..found.map_or(rest.len(), |(place, _, _)| place)]);
            }
            let Some((_, after, next)) = found else { break };
            closing = next;
            rest = &rest[after..];
        }
        if outcome == Outcome::Contact {
            wording = wording.replace('@', "");
        }
        faults.extend(self::wording(file, at + 1, &wording));
    }
    faults
}

/// The first character of a line that may not arrive.
pub(super) fn wording(file: &str, line: usize, text: &str) -> Option<TemplateFault> {
    let avoided = text.chars().find(|c| *c != ' ' && AVOIDED.contains(*c)).map(Fault::Avoided);
    let unknown = || {
        let has_no_plain_letter =
            |c: &char| *c != '?' && !is_unseen(*c) && sms::plain(c.encode_utf8(&mut [0; 4])).contains('?');
        text.chars().find(has_no_plain_letter).map(Fault::NotPlain)
    };
    let fault = avoided.or_else(unknown)?;
    Some(TemplateFault { file: file.to_owned(), line: Some(line), fault })
}
