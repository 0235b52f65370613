//! Which of our modules a file names: `use` trees and inline paths, resolved from the crate's root.

use crate::source::{Source, Token, tokens};

/// A path into our own crate, `crate` itself left out: `crate::db::Db` is `["db", "Db"]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
}

/// The module a file is: `src/db/error.rs` is `["db", "error"]`; `lib.rs` and `mod.rs` add nothing.
pub(crate) fn module_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").unwrap_or(path);
    let mut names: Vec<String> = inner.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| last == "mod" || last == "lib") {
        names.pop();
    }
    names
}

/// All paths into our own crate that a file under `src/` names, in the order they stand.
pub(crate) fn named(source: &Source) -> Vec<Named> {
    let tokens = tokens(&source.text);
    let mut walk = Walk { tokens: &tokens, at: 0, found: Vec::new() };
    let mut module = module_of(&source.path);
    let (mut depth, mut inline) = (0_usize, Vec::new());
    let mut named = Vec::new();
    while let Some((_, token)) = tokens.get(walk.at) {
        match token {
            Token::Sign('{') => depth += 1,
            Token::Sign('}') => {
                depth = depth.saturating_sub(1);
                if inline.last() == Some(&depth) {
                    inline.pop();
                    module.pop();
                }
            }
            Token::Word(word) if word == "mod" => {
                if let (Some(name), Some(Token::Sign('{'))) = (walk.word(1), walk.token(2)) {
                    module.push(name.to_owned());
                    inline.push(depth);
                }
            }
            Token::Word(word) if word == "use" => {
                walk.at += 1;
                walk.tree(&[]);
                named.extend(walk.found.drain(..).filter_map(|path| resolve(&path, &module)));
                continue;
            }
            Token::Word(word) if is_root(word) && walk.token(1) == Some(&Token::PathSign) => {
                walk.tree(&[]);
                named.extend(walk.found.drain(..).filter_map(|path| resolve(&path, &module)));
                continue;
            }
            Token::Word(_) | Token::Literal | Token::PathSign | Token::Sign(_) => {}
        }
        walk.at += 1;
    }
    named
}

/// Words that a path into our own crate begins with; `tracuu` is how `main.rs` calls it.
fn is_root(word: &str) -> bool {
    matches!(word, "crate" | "super" | "self" | "tracuu")
}

fn resolve(path: &Named, module: &[String]) -> Option<Named> {
    let mut segments = path.segments.iter();
    let first = segments.next()?;
    let mut from = match first.as_str() {
        "crate" | "tracuu" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module[..module.len().saturating_sub(1)].to_vec(),
        _ => return None,
    };
    for segment in segments {
        match segment.as_str() {
            "self" => {}
            "super" => drop(from.pop()),
            _ => from.push(segment.clone()),
        }
    }
    Some(Named { line: path.line, segments: from })
}

struct Walk<'a> {
    tokens: &'a [(usize, Token)],
    at: usize,
    found: Vec<Named>,
}

impl<'a> Walk<'a> {
    fn token(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead).map(|(_, token)| token)
    }

    fn word(&self, ahead: usize) -> Option<&'a str> {
        match self.token(ahead) {
            Some(Token::Word(word)) => Some(word),
            Some(Token::Literal | Token::PathSign | Token::Sign(_)) | None => None,
        }
    }

    /// Reads one path with the groups in it, from the present token on; each leaf is found once.
    fn tree(&mut self, before: &[String]) {
        let mut segments = before.to_vec();
        let mut line = self.line();
        if self.token(0) == Some(&Token::PathSign) {
            self.at += 1;
        }
        loop {
            match self.token(0) {
                Some(Token::Word(word)) => {
                    segments.push(word.clone());
                    line = self.line();
                    self.at += 1;
                }
                Some(Token::Sign('*')) => {
                    segments.push("*".to_owned());
                    self.at += 1;
                    break;
                }
                Some(Token::Sign('{')) => return self.group(&segments),
                _ => break,
            }
            if self.token(0) != Some(&Token::PathSign) {
                break;
            }
            self.at += 1;
        }
        if self.word(0) == Some("as") {
            self.at += 2;
        }
        self.found.push(Named { line, segments });
    }

    fn group(&mut self, before: &[String]) {
        self.at += 1;
        while let Some(token) = self.token(0) {
            match token {
                Token::Sign('}') => {
                    self.at += 1;
                    return;
                }
                Token::Word(_) | Token::PathSign | Token::Sign('{' | '*') => self.tree(before),
                Token::Literal | Token::Sign(_) => self.at += 1,
            }
        }
    }

    fn line(&self) -> usize {
        self.tokens.get(self.at).or(self.tokens.last()).map_or(0, |(line, _)| *line)
    }
}
