//! Who may name whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    paths::{module_of, named},
    source::{Source, Token, tokens},
};

/// The floors from the ground up. A module names only what lies on lower floors, never a neighbour.
const FLOORS: [&[&str]; 9] = [
    &["message", "clock", "sms"],
    &["db", "config", "telemetry", "board"],
    &["ledger"],
    &["smpp", "intake", "query", "access", "registry", "reply", "outbox", "billing", "audit"],
    &["answer", "retention"],
    &["service"],
    &["sim", "admin", "watchdog"],
    &["cli"],
    &["main"],
];

/// Neighbours that may be named all the same: who, whom.
const BESIDE: [(&str, &str); 2] = [("message", "clock"), ("sms", "message")];

/// Lower floors that may not be named: the line to a carrier knows nothing of what is kept.
const BARRED: [(&str, &str); 1] = [("smpp", "ledger")];

/// A crate that stands behind a wall: its name, where it may be named, and how to say so.
type Wall = (&'static str, fn(&Source) -> bool, &'static str);

const WALLS: [Wall; 4] = [
    ("rusmpp", |file| file.is_under(&["src/smpp", "src/sim"]), "src/smpp/ and src/sim/"),
    (
        "sqlx",
        |file| file.is_under(&["src/db", "tests", "benches"]) || file.path.ends_with("/store.rs"),
        "src/db/ and files named store.rs",
    ),
    ("axum", |file| file.is_under(&["src/admin"]), "src/admin/"),
    ("clap", |file| file.is_under(&["src/cli"]) || file.path == "src/main.rs", "src/cli/ and src/main.rs"),
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn may_name(from: &str, to: &str) -> bool {
    let lower = floor(to) < floor(from) && !BARRED.contains(&(from, to));
    from == to || lower || BESIDE.contains(&(from, to))
}

/// Names that go up, sideways, or around the floors through the crate's root.
pub(crate) fn wrong_names(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.is_rust() && file.is_under(&["src"])) {
        let module = module_of(&file.path);
        let Some(from) = module.first() else { continue };
        if floor(from).is_none() {
            faults
                .push(format!("{}:1: module {from} has no floor yet: give it one in tests/house/layers.rs", file.path));
            continue;
        }
        for name in named(file) {
            let at = format!("{}:{}", file.path, name.line);
            match name.segments.first().map(String::as_str) {
                None | Some("*") => {
                    faults.push(format!("{at}: the whole crate is taken in: name the module that is meant"));
                }
                Some(to) if to != from && floor(to).is_none() => {
                    faults.push(format!("{at}: crate::{to} is no module with a floor: name it where it is defined"));
                }
                Some(to) if !may_name(from, to) => {
                    faults.push(format!("{at}: {from} may not name {to}: imports point down only"));
                }
                Some(_) => {}
            }
        }
    }
    faults
}

/// Modules that name each other in a circle, each circle told once.
pub(crate) fn circles(files: &[Source]) -> Vec<String> {
    let mut names: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust() && file.is_under(&["src"])) {
        let module = module_of(&file.path);
        let Some(from) = module.first() else { continue };
        for name in named(file) {
            let Some(to) = name.segments.first().filter(|to| *to != from && floor(to).is_some()) else { continue };
            let at = format!("{}:{} names {to}", file.path, name.line);
            names.entry(from.clone()).or_default().entry(to.clone()).or_insert(at);
        }
    }
    let mut told = BTreeSet::new();
    let mut faults = Vec::new();
    for start in names.keys() {
        if let Some(circle) = way_back(&names, start) {
            let members: BTreeSet<&String> = circle.iter().map(|(from, _)| from).collect();
            if told.insert(members.into_iter().cloned().collect::<Vec<_>>()) {
                let steps: Vec<&str> = circle.iter().map(|(_, at)| at.as_str()).collect();
                faults.push(format!("modules name each other in a circle: {}", steps.join(", ")));
            }
        }
    }
    faults
}

/// The shortest way from a module back to itself: each step's module and place.
fn way_back(names: &BTreeMap<String, BTreeMap<String, String>>, start: &str) -> Option<Vec<(String, String)>> {
    let mut seen = BTreeSet::new();
    let mut ways = std::collections::VecDeque::from([(start.to_owned(), Vec::new())]);
    while let Some((here, way)) = ways.pop_front() {
        for (to, at) in names.get(&here).into_iter().flatten() {
            let mut longer: Vec<(String, String)> = way.clone();
            longer.push((here.clone(), at.clone()));
            if to == start {
                return Some(longer);
            }
            if seen.insert(to.clone()) {
                ways.push_back((to.clone(), longer));
            }
        }
    }
    None
}

/// Crates named on the wrong side of their wall.
pub(crate) fn crates_outside_their_walls(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        for (line, token) in tokens(&file.text) {
            for (name, inside, where_it_may) in WALLS {
                if token == Token::Word(name.to_owned()) && !inside(file) {
                    faults.push(format!("{}:{line}: {name} may be named only in {where_it_may}", file.path));
                }
            }
        }
    }
    faults
}
