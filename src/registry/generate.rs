//! Writes a synthetic registry: the catalogues, the fixed cast, and as many invented people as are asked for.
//!
//! What is synthetic looks it: personal numbers begin with 9 (real ones begin with 0), old card numbers with 99, and
//! phones are of the blocks 0520, 0521, 0524 to 0527, 0529 and 0550 to 0558, which no carrier was given.

use secrecy::SecretString;

use super::{
    RegistryError, builtin, cast,
    catalogue::Catalogue,
    contract::Column,
    invent::{Invented, Inventor},
    writing::store::{Cell, Table, Writing},
};

/// The most people a synthetic registry holds: beyond that the blocks of phone numbers run out.
pub const MOST_PEOPLE: u64 = 10_000_000;

/// People gathered before they are written.
const CHUNK: usize = 2_048;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// People, the fixed cast included.
    pub people: u64,
    /// Different phone numbers.
    pub phones: u64,
    /// Pairs of number and person: what `tracuu_person` has rows of.
    pub rows: u64,
    /// People whose record is locked.
    pub locked: u64,
    /// People who are dead or missing.
    pub deceased: u64,
    /// Entries of all catalogues.
    pub entries: u64,
}

/// Writes a synthetic registry of `people` people (at least the fixed cast, at most [`MOST_PEOPLE`]) into an empty
/// database. The same seed gives the same registry, on both kinds of database. `progress` is told how many people are
/// written, now and then.
///
/// # Errors
/// [`RegistryError::Occupied`] when the database holds a registry already; it is left as it is.
/// [`RegistryError::Unavailable`] when it cannot be reached or written; nothing is left behind.
pub async fn generate(
    url: &SecretString,
    people: u64,
    seed: u64,
    mut progress: impl FnMut(u64),
) -> Result<Summary, RegistryError> {
    let people = people.min(MOST_PEOPLE);
    let mut writing = Writing::begin(url).await?;
    let entries: Vec<Vec<Cell>> = builtin::all().iter().map(|(catalogue, line)| entry(*catalogue, line)).collect();
    writing.insert(Table::CatalogueEntry, &entries).await?;

    let mut summary = Summary { entries: entries.len() as u64, ..Summary::default() };
    let mut phones: Vec<(u64, u64)> = Vec::new();
    let mut rows: Vec<Vec<Cell>> = Vec::with_capacity(CHUNK + 16);
    let mut take = |person: Invented, summary: &mut Summary, rows: &mut Vec<Vec<Cell>>| {
        summary.people += 1;
        match person.cells[Column::Status as usize].as_deref() {
            Some("2") => summary.locked += 1,
            Some("3") => summary.deceased += 1,
            _ => {}
        }
        phones.extend(person.phones.iter().map(|&phone| (phone, summary.people)));
        let id = Some(summary.people.to_string().into());
        rows.push([id].into_iter().chain(person.cells).collect());
    };
    for member in cast::ALL {
        take(cast_member(member), &mut summary, &mut rows);
    }
    let mut inventor = Inventor::new(seed);
    while summary.people < people {
        // The last household may be cut short, so that the number asked for is met.
        for person in inventor.household().into_iter().take((people - summary.people) as usize) {
            take(person, &mut summary, &mut rows);
        }
        if rows.len() >= CHUNK {
            writing.insert(Table::Person, &rows).await?;
            rows.clear();
            progress(summary.people);
        }
    }
    writing.insert(Table::Person, &rows).await?;

    // In the order of their key, which is how both databases take them fastest.
    phones.sort_unstable();
    summary.rows = phones.len() as u64;
    summary.phones = phones.chunk_by(|a, b| a.0 == b.0).count() as u64;
    for chunk in phones.chunks(CHUNK) {
        let number = |n: u64| Some(n.to_string().into());
        let rows: Vec<Vec<Cell>> = chunk.iter().map(|&(phone, id)| vec![number(phone), number(id)]).collect();
        writing.insert(Table::Phone, &rows).await?;
    }
    writing.finish().await?;
    progress(summary.people);
    Ok(summary)
}

fn cast_member(member: &cast::Member) -> Invented {
    let mut person = Invented::empty();
    for (column, cell) in member.row() {
        person.cells[column as usize] = cell;
    }
    person.phones.push(member.phone);
    person
}

fn entry(catalogue: Catalogue, line: &builtin::Line) -> Vec<Cell> {
    let text = |text: &'static str| Some(text.into());
    vec![
        text(catalogue.word()),
        text(line.code),
        text(line.name_vi),
        line.name_en.map(Into::into),
        text(line.code_system),
        text(line.code_source),
        line.valid_from.map(Into::into),
        line.valid_to.map(Into::into),
        line.parent.map(Into::into),
    ]
}
