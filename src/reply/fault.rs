//! What can be wrong with a set of templates, in words for the people who edit it.

use std::fmt;

use super::text::AVOIDED;

/// One thing wrong in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// The file inside the set: `vi/refused.txt`.
    pub file: String,
    /// The line, from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} line {line}: {}", self.file, self.fault),
            None => write!(f, "{}: {}", self.file, self.fault),
        }
    }
}

/// The kinds of faults. Each text says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such file.
    #[error("the file is missing{}", hint(.near.as_ref()))]
    Missing {
        /// A file there whose name is nearly right.
        near: Option<String>,
    },
    /// The system could not read it.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// Longer than any text message needs.
    #[error("the file is longer than {limit} octets; a reply needs a few lines")]
    TooBig {
        /// The limit in octets.
        limit: usize,
    },
    /// Another coding than UTF-8.
    #[error("the file is not in UTF-8; save it again with the coding UTF-8")]
    NotUtf8,
    /// A control character, or one that shows nothing.
    #[error("there is a character that cannot be seen (U+{0:04X}); delete it")]
    Unseen(u32),
    /// A character that phones or carriers change.
    #[error("the character \"{0}\" may not arrive as it is; write it another way (avoid {AVOIDED})")]
    Avoided(char),
    /// A character that has no plain letter.
    #[error("the character \"{0}\" cannot be sent without marks; write it another way")]
    NotPlain(char),
    /// A `#:` line with an unknown name or value.
    #[error("unknown setting \"{0}\"; known is: marks = keep, or marks = fold")]
    UnknownSetting(String),
    /// The template language does not understand it.
    #[error("cannot be understood ({0}); see that every {{{{ has its }}}} and every {{% if %}} its {{% endif %}}")]
    Syntax(String),
    /// A variable that this file does not have.
    #[error("unknown variable \"{name}\"{}", hint(.near.as_ref()))]
    UnknownVariable {
        /// As written.
        name: String,
        /// The nearest that there is.
        near: Option<String>,
    },
    /// A variable that must be used is not.
    #[error("{{{{ {0} }}}} must be shown in this text")]
    NotShown(&'static str),
    /// Understood, but it fails with a sample.
    #[error("fails with the sample \"{sample}\" ({detail})")]
    Fails {
        /// Which sample.
        sample: &'static str,
        /// What the template language says.
        detail: String,
    },
    /// No text at all.
    #[error("the text is empty with the sample \"{0}\"")]
    Empty(&'static str),
    /// More messages than one reply may take.
    #[error(
        "takes {segments} messages {} with the sample \"{sample}\", at most {limit} are allowed; shorten it",
        if *.marks { "with marks" } else { "without marks" }
    )]
    TooLong {
        /// How many it takes.
        segments: u8,
        /// How many are allowed.
        limit: u8,
        /// Whether marks were kept.
        marks: bool,
        /// Which sample.
        sample: &'static str,
    },
    /// A line of fields.txt that is not `WORD = label`.
    #[error("write WORD = label, for example HOTEN = Ho ten")]
    NotALabel,
    /// A word of fields.txt that names no field.
    #[error("unknown field word \"{word}\"{}", hint(.near.as_ref()))]
    UnknownField {
        /// As written.
        word: String,
        /// The nearest that there is.
        near: Option<String>,
    },
    /// A word of fields.txt that stands there twice.
    #[error("\"{0}\" has a label already")]
    LabelTwice(String),
    /// A label of fields.txt that is empty or too long.
    #[error("the label of \"{word}\" must have 1 to {limit} characters")]
    LabelLength {
        /// Whose label.
        word: String,
        /// The longest.
        limit: usize,
    },
    /// A field without a label.
    #[error("there is no label for {0}; add the line: {0} = ...")]
    NoLabel(&'static str),
}

fn hint(near: Option<&String>) -> String {
    near.map_or_else(String::new, |near| format!(" (did you mean \"{near}\"?)"))
}

/// Everything wrong with a set; never empty. One fault a line when shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFaults(pub Vec<TemplateFault>);

impl fmt::Display for TemplateFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, fault) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateFaults {}
