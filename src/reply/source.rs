//! The files of a set as they lie there: read with a bound, and the two forms they may have (a text, a list of labels).

use std::{fs, io::Read as _, path::Path};

use sha2::{Digest as _, Sha256};
use unicode_normalization::UnicodeNormalization as _;

use super::{
    fault::{Fault, TemplateFault},
    text::is_unseen,
};
use crate::{
    config::distance,
    message::{Field, Lang, Outcome},
};

/// Longest file of a set, in octets.
const LONGEST_FILE: usize = 4_096;

/// Longest label of a field, in characters.
const LONGEST_LABEL: usize = 40;

/// The name of the file with an outcome's text: `vi/refused.txt`.
pub(super) fn file_name(lang: Lang, outcome: Outcome) -> String {
    format!("{}/{}.txt", lang.code(), outcome.as_str())
}

/// The name of the file with the labels: `vi/fields.txt`.
pub(super) fn labels_name(lang: Lang) -> String {
    format!("{}/fields.txt", lang.code())
}

/// The outcomes that have a text, in the order of `Outcome as usize`.
pub(super) fn outcomes() -> impl Iterator<Item = Outcome> {
    Outcome::ALL.iter().copied().filter(|outcome| outcome.replies())
}

/// The nearest of some names, when it is near enough to be meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let limit = if name.len() <= 3 { 1 } else { 3 };
    known
        .map(|known| (distance(name, known), known))
        .filter(|(far, _)| *far <= limit)
        .min()
        .map(|(_, known)| known.to_owned())
}

/// The octets of every file of a set, in a fixed order, or why one could not be had.
pub(super) struct Sources(Vec<(String, Result<Vec<u8>, Fault>)>);

impl Sources {
    fn gather(mut read: impl FnMut(&str) -> Result<Vec<u8>, Fault>) -> Self {
        let names = Lang::ALL.into_iter().flat_map(|lang| {
            outcomes().map(move |outcome| file_name(lang, outcome)).chain(std::iter::once(labels_name(lang)))
        });
        Self(names.map(|name| (read(&name), name)).map(|(octets, name)| (name, octets)).collect())
    }

    /// The files that a function knows.
    pub(super) fn of(known: impl Fn(&str) -> Option<Vec<u8>>) -> Self {
        Self::gather(|name| known(name).ok_or(Fault::Missing { near: None }))
    }

    /// The files in a folder.
    pub(super) fn read(dir: &Path) -> Self {
        Self::gather(|name| {
            let file = match fs::File::open(dir.join(name)) {
                Ok(file) => file,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(Fault::Missing { near: neighbour(dir, name) });
                }
                Err(error) => return Err(Fault::Unreadable(error.to_string())),
            };
            let mut octets = Vec::new();
            match file.take(LONGEST_FILE as u64 + 1).read_to_end(&mut octets) {
                Ok(_) if octets.len() > LONGEST_FILE => Err(Fault::TooBig { limit: LONGEST_FILE }),
                Ok(_) => Ok(octets),
                Err(error) => Err(Fault::Unreadable(error.to_string())),
            }
        })
    }

    /// One file, decoded: UTF-8 without byte order mark, NFC, its lines without their ends.
    pub(super) fn lines(&self, name: &str, faults: &mut Vec<TemplateFault>) -> Option<Vec<String>> {
        let mut fault = |line, fault| faults.push(TemplateFault { file: name.to_owned(), line, fault });
        let octets = match self.0.iter().find(|(known, _)| known == name).map(|(_, octets)| octets)? {
            Ok(octets) => octets,
            Err(why) => {
                fault(None, why.clone());
                return None;
            }
        };
        let Ok(text) = std::str::from_utf8(octets) else {
            fault(None, Fault::NotUtf8);
            return None;
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines: Vec<String> = text.lines().map(|line| line.replace('\u{a0}', " ").nfc().collect()).collect();
        for (at, line) in lines.iter().enumerate() {
            if let Some(unseen) = line.chars().find(|c| is_unseen(*c) && *c != '\t') {
                fault(Some(at + 1), Fault::Unseen(u32::from(unseen)));
            }
        }
        Some(lines)
    }

    /// The first 8 octets of the SHA-256 over names and contents in order.
    pub(super) fn version(&self) -> i64 {
        let mut hash = Sha256::new();
        for (name, octets) in &self.0 {
            let octets = octets.as_deref().unwrap_or_default();
            hash.update(name);
            hash.update((octets.len() as u64).to_be_bytes());
            hash.update(octets);
        }
        let digest = hash.finalize();
        digest.iter().take(8).fold(0_i64, |version, octet| (version << 8) | i64::from(*octet))
    }
}

/// A file whose name is nearly the one that is missed.
fn neighbour(dir: &Path, name: &str) -> Option<String> {
    let path = dir.join(name);
    let wanted = path.file_name()?.to_str()?;
    let there: Vec<String> = fs::read_dir(path.parent()?)
        .ok()?
        .take(1_000)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|there| !outcomes().any(|outcome| there.strip_suffix(".txt") == Some(outcome.as_str())))
        .collect();
    nearest(wanted, there.iter().map(String::as_str))
}

/// What a template says about marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// As the carrier's setting says.
    Carrier,
    /// Always kept.
    Keep,
    /// Never kept.
    Fold,
}

impl Marks {
    /// Whether marks stay, given the carrier's setting.
    pub(super) fn stay(self, carrier: bool) -> bool {
        match self {
            Self::Carrier => carrier,
            Self::Keep => true,
            Self::Fold => false,
        }
    }
}

/// Takes the lines of a text apart: its settings, and the source in which comments are empty lines, so that the line
/// numbers of the template language are those of the file.
pub(super) fn text_file(name: &str, lines: &[String], faults: &mut Vec<TemplateFault>) -> (Marks, String) {
    let mut marks = Marks::Carrier;
    let mut source = String::new();
    for (at, line) in lines.iter().enumerate() {
        if let Some(setting) = line.strip_prefix("#:") {
            let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
            match (key.trim(), value.trim()) {
                ("marks", "keep") => marks = Marks::Keep,
                ("marks", "fold") => marks = Marks::Fold,
                _ => faults.push(TemplateFault {
                    file: name.to_owned(),
                    line: Some(at + 1),
                    fault: Fault::UnknownSetting(setting.trim().to_owned()),
                }),
            }
        } else if !line.starts_with('#') {
            source.push_str(line);
        }
        source.push('\n');
    }
    (marks, source)
}

/// The labels of one language.
#[derive(Debug)]
pub(super) struct Labels {
    /// Indexed by `Field as usize`.
    pub(super) of: [String; Field::ALL.len()],
    /// Shown for a field that the registry does not have.
    pub(super) missing: String,
}

/// The word of fields.txt for a value the registry does not have.
const MISSING: &str = "_missing";

/// Reads the labels. What is missing is reported and stands in by its word, so that the texts can still be tried.
pub(super) fn labels_file(name: &str, lines: &[String], faults: &mut Vec<TemplateFault>) -> Labels {
    let mut of: [Option<String>; Field::ALL.len()] = Default::default();
    let mut missing = None;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')) {
        let mut fault = |fault| faults.push(TemplateFault { file: name.to_owned(), line: Some(at + 1), fault });
        let Some((word, label)) = line.split_once('=').map(|(word, label)| (word.trim(), label.trim())) else {
            fault(Fault::NotALabel);
            continue;
        };
        let place = match Field::from_word(word) {
            Some(field) => &mut of[field as usize],
            None if word == MISSING => &mut missing,
            None => {
                let near = nearest(word, Field::ALL.iter().map(|field| field.word()).chain([MISSING]));
                fault(Fault::UnknownField { word: word.to_owned(), near });
                continue;
            }
        };
        if place.is_some() {
            fault(Fault::LabelTwice(word.to_owned()));
        }
        if !(1..=LONGEST_LABEL).contains(&label.chars().count()) {
            fault(Fault::LabelLength { word: word.to_owned(), limit: LONGEST_LABEL });
        }
        *place = Some(label.to_owned());
    }
    let mut or_word = |found: Option<String>, word: &'static str| {
        found.unwrap_or_else(|| {
            faults.push(TemplateFault { file: name.to_owned(), line: None, fault: Fault::NoLabel(word) });
            word.to_owned()
        })
    };
    let mut fields = Field::ALL.iter();
    Labels {
        of: of.map(|found| or_word(found, fields.next().map_or(MISSING, |field| field.word()))),
        missing: or_word(missing, MISSING),
    }
}
