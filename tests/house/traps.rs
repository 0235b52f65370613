//! The table of traps is whole and true: a row for each, and each test it names exists.

use crate::source::Source;

/// The table.
pub(crate) const TABLE: &str = "src/sim/TRAPS.md";

/// How many traps there are.
const TRAPS: usize = 177;

/// A row: its line, number, name, and the cells for the SMSC, the service and the test.
struct Row<'a> {
    line: usize,
    number: usize,
    name: &'a str,
    cells: Vec<&'a str>,
}

fn rows(files: &[Source]) -> Vec<Row<'_>> {
    let table = files.iter().find(|file| file.path == TABLE).map_or("", |file| &file.text);
    table
        .lines()
        .enumerate()
        .filter_map(|(at, text)| {
            let mut cells: Vec<&str> =
                text.strip_prefix("| T")?.trim_end().strip_suffix('|')?.split(" | ").map(str::trim).collect();
            let (number, name) = cells.remove(0).split_once(' ')?;
            Some(Row { line: at + 1, number: number.parse().ok()?, name, cells })
        })
        .collect()
}

/// Traps without a row, with two, or with a row of another form.
pub(crate) fn without_a_row(files: &[Source]) -> Vec<String> {
    let rows = rows(files);
    let count = |number| rows.iter().filter(|row| row.number == number).count();
    let wrong = (1..=TRAPS).filter(|number| count(*number) != 1);
    let missing = wrong.map(|number| format!("{TABLE}:1: T{number:02} has {} rows, not one", count(number)));
    let odd = rows.iter().filter(|row| row.cells.len() != 3);
    let odd = odd.map(|row| format!("{TABLE}:{}: four cells a row: trap, SMSC, service, test", row.line));
    missing.chain(odd).collect()
}

/// Cells that say nothing yet.
pub(crate) fn with_empty_cells(files: &[Source]) -> Vec<String> {
    let rows = rows(files);
    let empty = rows.iter().filter(|row| row.cells.iter().any(|cell| matches!(*cell, "-" | "")));
    empty.map(|row| format!("{TABLE}:{}: T{:02} {} has an empty cell", row.line, row.number, row.name)).collect()
}

/// Tests that are named and do not exist, or are named after another trap.
pub(crate) fn with_tests_that_are_not_there(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for Row { line, number, name, cells } in rows(files) {
        let wanted = format!("t{number:02}_{name}");
        for test in cells.get(2).into_iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)) {
            if test != wanted {
                faults.push(format!("{TABLE}:{line}: the test must be named {wanted}, not {test}"));
            } else if !files.iter().any(|file| has_test(file, test)) {
                faults.push(format!("{TABLE}:{line}: there is no test {test}"));
            }
        }
    }
    faults
}

/// Scripts that no test plays.
pub(crate) fn without_a_test(files: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    for file in files.iter().filter(|file| file.is_under(&["src/sim/script"])) {
        for script in file.text.split("script!(").skip(1) {
            let name = script.trim_start().split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next();
            let name = name.filter(|name| name.starts_with('t') && name.contains('_'));
            if let Some(name) = name.filter(|name| !files.iter().any(|file| has_test(file, name))) {
                faults.push(format!("{}:1: no test plays the script {name}", file.path));
            }
        }
    }
    faults
}

/// Whether a file holds a test of this name: as a function, or as a row of a macro that makes one of each. A script is
/// none.
fn has_test(file: &Source, test: &str) -> bool {
    if !file.is_rust() || !file.is_under(&["src", "tests"]) || file.is_under(&["src/sim/script"]) {
        return false;
    }
    file.text.lines().map(str::trim_start).any(|line| {
        let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
        let line = line.strip_prefix("async ").unwrap_or(line);
        let starts = ["fn ", "trap!(", "trap! { ", "unit!(", ""];
        let rest = starts.iter().find_map(|start| line.strip_prefix(start)?.strip_prefix(test));
        rest.is_some_and(|rest| rest.trim_start().starts_with(['(', ')', ',', ':', '=', '{', ';']))
    })
}
