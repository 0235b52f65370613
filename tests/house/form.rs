//! How files look and what they may not hold, whatever they do.

use std::collections::BTreeSet;

use crate::source::{Source, Token, tokens};

/// The longest Rust file, tests included.
const LONGEST: usize = 400;

/// The longest `src/main.rs`: it reads arguments and calls one command.
const LONGEST_MAIN: usize = 60;

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "common", "helper", "helpers", "manager", "managers"];

/// The beginnings of paths that exist on one person's machine only, and hosts that a build must not know: package
/// registries are the business of cargo's own settings. Written in two pieces, so that this file does not hold them.
const OF_ONE_MACHINE: [(&str, &str); 14] = [
    ("/wo", "rk/"),
    ("/work", "space/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("/Us", "ers/"),
    ("/t", "mp/"),
    ("/m", "nt/"),
    ("C:", "\\"),
    ("crates", ".io"),
    ("registry.", "npmjs.org"),
    ("py", "pi.org"),
    ("proxy.", "golang.org"),
    ("ghcr", ".io"),
    ("docker", ".io"),
];

/// Rust files with too many lines.
pub(crate) fn too_long(files: &[Source]) -> Vec<String> {
    let rust = files.iter().filter(|file| file.is_rust());
    let limit = |file: &Source| if file.path == "src/main.rs" { LONGEST_MAIN } else { LONGEST };
    rust.filter(|file| file.text.lines().count() > limit(file))
        .map(|file| {
            let (path, lines, most) = (&file.path, file.text.lines().count(), limit(file));
            format!("{path}:{}: {lines} lines, at most {most}: split it by what it does", most + 1)
        })
        .collect()
}

/// Rust files that do not open by saying what they are for.
pub(crate) fn without_a_heading(files: &[Source]) -> Vec<String> {
    let rust = files.iter().filter(|file| file.is_rust() && file.is_under(&["src"]));
    rust.filter(|file| !file.text.lines().next().is_some_and(|line| line.strip_prefix("//!").is_some_and(has_words)))
        .map(|file| format!("{}:1: the first line must begin with //! and say what the file is for", file.path))
        .collect()
}

fn has_words(text: &str) -> bool {
    !text.trim().is_empty()
}

/// Folders and modules whose names say nothing.
pub(crate) fn empty_names(files: &[Source]) -> Vec<String> {
    let mut faults = BTreeSet::new();
    for file in files {
        for name in file.path.trim_end_matches(".rs").split('/') {
            if EMPTY_NAMES.contains(&name) {
                faults.insert(format!("{}:1: \"{name}\" says nothing: name it by what is inside", file.path));
            }
        }
    }
    faults.into_iter().collect()
}

/// Paths of one machine and hosts of package registries, in code, comments and data alike.
pub(crate) fn of_one_machine(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            for (head, tail) in OF_ONE_MACHINE {
                let name = format!("{head}{tail}");
                if line.match_indices(&name).any(|(at, _)| begins_there(&line[..at])) {
                    faults.push(format!("{}:{}: {name} belongs to one machine or its tools", file.path, number + 1));
                }
            }
        }
    }
    faults
}

/// Whether a path or host that follows `before` begins there, and is not the inner part of a longer one.
fn begins_there(before: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// Lints switched off without being expected: `#[expect(..., reason)]` speaks up when it is no longer needed.
pub(crate) fn allowed_lints(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && file.is_under(&["src"])) {
        let tokens = tokens(&file.text);
        let mut depth = 0_usize;
        for (at, (line, token)) in tokens.iter().enumerate() {
            let behind = |steps: usize| at.checked_sub(steps).and_then(|at| tokens.get(at)).map(|(_, token)| token);
            let opens = behind(1) == Some(&Token::Sign('#'))
                || (behind(1) == Some(&Token::Sign('!')) && behind(2) == Some(&Token::Sign('#')));
            match token {
                Token::Sign('[') if depth > 0 || opens => depth += 1,
                Token::Sign(']') => depth = depth.saturating_sub(1),
                Token::Word(word) if word == "allow" && depth > 0 => {
                    faults.push(format!("{}:{line}: allow hides a lint: use expect with a reason", file.path));
                }
                Token::Word(_) | Token::Literal | Token::PathSign | Token::Sign(_) => {}
            }
        }
    }
    faults
}

/// Migrations that one database has and the other has not.
pub(crate) fn unequal_migrations(files: &[Source]) -> Vec<String> {
    let names = |folder: &str| -> BTreeSet<String> {
        files.iter().filter_map(|file| file.path.strip_prefix(folder)).map(str::to_owned).collect()
    };
    let (sqlite, postgres) = (names("migrations/sqlite/"), names("migrations/postgres/"));
    let missing = |here: &str, names: &BTreeSet<String>, there: &str, others: &BTreeSet<String>| -> Vec<String> {
        names
            .difference(others)
            .map(|name| format!("migrations/{here}/{name}:1: migrations/{there}/ has no file of this name"))
            .collect()
    };
    let mut faults = missing("sqlite", &sqlite, "postgres", &postgres);
    faults.extend(missing("postgres", &postgres, "sqlite", &sqlite));
    faults
}
