//! A set of templates: every text in both languages, compiled once, accepted only when all of it works.

use std::{fmt, path::Path, sync::Arc};

use minijinja::{Environment, UndefinedBehavior};

use super::{
    check,
    context::{Fixed, variables},
    fault::{Fault, TemplateFault, TemplateFaults},
    settings::Settings,
    shipped::Shipped,
    source::{Labels, Marks, Sources, file_name, labels_file, labels_name, nearest, outcomes, text_file},
};
use crate::message::{Lang, Outcome};

/// What rendering one text may use up: some thousand steps of the template language; a loop without end stops here.
const FUEL: u64 = 20_000;

/// One text, compiled in the set's environment under its file's name.
pub(super) struct Slot {
    pub(super) file: String,
    pub(super) marks: Marks,
}

/// Everything in one language.
pub(super) struct Language {
    pub(super) fixed: Arc<Fixed>,
    pub(super) labels: Labels,
    pub(super) slots: Vec<Slot>,
    /// The words that ask for the fields, indexed by `Field as usize`.
    pub(super) words: [String; crate::message::Field::ALL.len()],
    /// Sent when a text cannot be made.
    pub(super) neutral: String,
}

/// A checked set, ready to make replies.
pub struct TemplateSet {
    pub(super) environment: Environment<'static>,
    pub(super) languages: [Language; 2],
    pub(super) settings: Settings,
    version: i64,
}

impl TemplateSet {
    /// Reads and checks the set in a folder.
    ///
    /// # Errors
    /// Every fault in every file. Keep the set in use and show them to the operator.
    pub fn load(dir: &Path, settings: &Settings) -> Result<Self, TemplateFaults> {
        Self::build(&Sources::read(dir), settings)
    }

    /// The set inside the program, checked with these settings.
    ///
    /// # Errors
    /// When a text does not fit the settings, for instance a limit of one segment.
    pub fn shipped(settings: &Settings) -> Result<Self, TemplateFaults> {
        Self::build(&Shipped::sources(), settings)
    }

    /// The first 8 octets of the SHA-256 over the files, as replies carry it.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The version for people: 16 hexadecimal digits.
    pub fn version_hex(&self) -> String {
        format!("{:016x}", self.version)
    }

    fn build(sources: &Sources, settings: &Settings) -> Result<Self, TemplateFaults> {
        let mut faults = Vec::new();
        let mut environment = Environment::empty();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_debug(false);
        let languages = Lang::ALL.map(|lang| language(lang, sources, settings, &mut environment, &mut faults));
        let set = Self { environment, languages, settings: settings.clone(), version: sources.version() };
        check::try_all(&set, &mut faults);
        if faults.is_empty() {
            return Ok(set);
        }
        faults.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        Err(TemplateFaults(faults))
    }

    pub(super) fn language(&self, lang: Lang) -> &Language {
        &self.languages[lang as usize]
    }
}

impl Language {
    pub(super) fn slot(&self, outcome: Outcome) -> &Slot {
        &self.slots[outcome as usize]
    }
}

impl fmt::Debug for TemplateSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemplateSet({})", self.version_hex())
    }
}

fn language(
    lang: Lang,
    sources: &Sources,
    settings: &Settings,
    environment: &mut Environment<'static>,
    faults: &mut Vec<TemplateFault>,
) -> Language {
    let slots = outcomes()
        .map(|outcome| {
            let file = file_name(lang, outcome);
            let marks = compile(&file, outcome, sources, environment, faults);
            Slot { file, marks }
        })
        .collect();
    let name = labels_name(lang);
    // A labels file that cannot be read is one fault, not one more for each label.
    let labels = match sources.lines(&name, faults) {
        Some(lines) => {
            for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.starts_with('#')) {
                faults.extend(check::wording(&name, at + 1, line.split_once('=').map_or("", |(_, label)| label)));
            }
            labels_file(&name, &lines, faults)
        }
        None => labels_file(&name, &[], &mut Vec::new()),
    };
    let phone = &settings.contact.phone;
    let neutral = match lang {
        Lang::Vi => format!("Chưa trả lời được tin nhắn này. Vui lòng gọi {phone} để được hỗ trợ."),
        Lang::En => format!("We cannot answer this message now. Please call {phone} for help."),
    };
    Language {
        fixed: Arc::new(Fixed::new(settings, lang)),
        labels,
        slots,
        words: settings.words(lang).fields.clone(),
        neutral,
    }
}

/// Puts one text into the environment, unless something is wrong with it.
fn compile(
    file: &str,
    outcome: Outcome,
    sources: &Sources,
    environment: &mut Environment<'static>,
    faults: &mut Vec<TemplateFault>,
) -> Marks {
    let before = faults.len();
    let Some(lines) = sources.lines(file, faults) else { return Marks::Carrier };
    let (marks, source) = text_file(file, &lines, faults);
    faults.extend(check::characters(file, outcome, &source));
    let mut fault = |line, fault| faults.push(TemplateFault { file: file.to_owned(), line, fault });
    if let Err(error) = environment.add_template_owned(file.to_owned(), source.clone()) {
        fault(error.line(), Fault::Syntax(error.detail().unwrap_or("not the template language").to_owned()));
        return marks;
    }
    if let Ok(template) = environment.get_template(file) {
        let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        unknown.retain(|name| !variables(outcome).any(|known| known == name));
        unknown.sort();
        for name in unknown {
            let near = nearest(&name, variables(outcome));
            fault(line_of(&source, &name), Fault::UnknownVariable { name, near });
        }
    }
    if faults.len() > before {
        // Trying it would only repeat what is said already.
        environment.remove_template(file);
    }
    marks
}

/// The first line with a name as a whole word between braces.
fn line_of(source: &str, name: &str) -> Option<usize> {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    source
        .lines()
        .position(|line| {
            line.match_indices(name).any(|(at, _)| {
                line[..at].contains('{')
                    && !line[..at].ends_with(part_of_word)
                    && !line[at + name.len()..].starts_with(part_of_word)
            })
        })
        .map(|at| at + 1)
}
