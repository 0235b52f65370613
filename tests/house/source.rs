//! The project's files, and a Rust file as words and signs: comments, strings and character literals are gone, so that a
//! name in prose is never taken for a name in code.

use std::path::{Path, PathBuf};

/// One file: where it stands under the project's root, with `/` between the names, and its text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|ending| ending == "rs")
    }

    /// Whether it stands anywhere under one of these folders.
    pub(crate) fn is_under(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }
}

/// The project's root. Cargo names it to a running test, too, so that a moved binary still reads the tree it is run for.
pub(crate) fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// All files under these folders of the root, sorted; a folder that does not exist has none.
pub(crate) fn files(folders: &[&str]) -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    let mut waiting: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).filter(|at| at.is_dir()).collect();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let at = entry.unwrap().path();
            if at.is_dir() {
                waiting.push(at);
            } else {
                let path = at.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
                let text = String::from_utf8_lossy(&std::fs::read(&at).unwrap()).into_owned();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// A word (`ledger`, `use`), a literal's place, or a sign (`::` is one sign, all others are single characters).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Word(String),
    Literal,
    PathSign,
    Sign(char),
}

/// The tokens of a Rust text, each with its line, counted from 1.
pub(crate) fn tokens(text: &str) -> Vec<(usize, Token)> {
    let mut reader = Reader { rest: text, line: 1 };
    let mut found = Vec::new();
    while let Some(next) = reader.rest.chars().next() {
        let line = reader.line;
        if let Some(token) = reader.token(next) {
            found.push((line, token));
        }
    }
    found
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// Takes `length` bytes off the front, counting the lines in them.
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// Takes everything up to and with the first `end` behind the first `skip` bytes.
    fn take_through(&mut self, skip: usize, end: &str) {
        let length = self.rest[skip..].find(end).map_or(self.rest.len(), |at| skip + at + end.len());
        self.take(length);
    }

    fn token(&mut self, next: char) -> Option<Token> {
        let rest = self.rest;
        if rest.starts_with("//") {
            self.take(rest.find('\n').unwrap_or(rest.len()));
            None
        } else if rest.starts_with("/*") {
            self.block_comment();
            None
        } else if rest.starts_with("::") {
            self.take(2);
            Some(Token::PathSign)
        } else if next == '"' {
            self.string();
            Some(Token::Literal)
        } else if next == '\'' {
            self.quote()
        } else if next.is_alphanumeric() || next == '_' {
            Some(self.word())
        } else {
            self.take(next.len_utf8());
            (!next.is_whitespace()).then_some(Token::Sign(next))
        }
    }

    /// Block comments nest.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.take(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.take(2);
            } else {
                self.take(self.rest.chars().next().map_or(0, char::len_utf8));
            }
            if depth == 0 || self.rest.is_empty() {
                return;
            }
        }
    }

    fn string(&mut self) {
        let mut escaped = true; // the opening quote does not close
        let end = self.rest.char_indices().find(|(_, c)| {
            let closes = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            closes
        });
        self.take(end.map_or(self.rest.len(), |(at, _)| at + 1));
    }

    /// A character literal, or a lifetime (which is no token).
    fn quote(&mut self) -> Option<Token> {
        let mut chars = self.rest.chars().skip(1);
        let first = chars.next().unwrap_or(' ');
        if first == '\\' {
            self.take_through(3, "'");
            return Some(Token::Literal);
        }
        if chars.next() == Some('\'') {
            self.take(2 + first.len_utf8());
            return Some(Token::Literal);
        }
        self.take(1);
        self.word();
        None
    }

    fn word(&mut self) -> Token {
        let length = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let word = self.take(length);
        let hashes = self.rest.len() - self.rest.trim_start_matches('#').len();
        let quoted = self.rest[hashes..].starts_with('"');
        match word {
            "r" | "br" | "cr" if quoted => {
                let end = format!("\"{}", "#".repeat(hashes));
                self.take_through(hashes + 1, &end);
                Token::Literal
            }
            "b" | "c" if quoted && hashes == 0 => {
                self.string();
                Token::Literal
            }
            "r" if hashes == 1 => {
                self.take(1);
                self.word()
            }
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => Token::Literal,
            _ => Token::Word(word.to_owned()),
        }
    }
}
