//! The looked-up truth: people by their phone number, and the shared catalogues. It is someone else's database, on
//! SQLite or PostgreSQL, and is only ever read.
//!
//! # The contract
//!
//! A registry offers two views and an account that may select from them and nothing else:
//!
//! | view | one row is | read |
//! | --- | --- | --- |
//! | `tracuu_person` | one phone number of one person, with that person's record | by number, up to a few hundred at once |
//! | `tracuu_catalogue` | one entry of one catalogue, for as long as it was valid | whole, once, when the service starts |
//!
//! Every column, its meaning and the form of its values stand in `contract.rs`; the two `schema.*.sql` files are a
//! complete example. [`Registry::open`] refuses a database that does not keep the contract and says what is missing.
//! Nothing is read by what a citizen typed: a record is found by the sender's number or not at all.
//!
//! [`generate`] writes a synthetic registry of that shape: no number in it can belong to anyone.

mod builtin;
pub mod cast;
mod catalogue;
mod contract;
mod faults;
mod generate;
mod invent;
mod names;
mod reading;
mod store;
mod writing;

use std::{collections::HashMap, fmt, time::Duration};

pub use catalogue::{Catalogue, Catalogues, Day, Entry};
pub use generate::{MOST_PEOPLE, Summary, generate};

use crate::{
    config::RegistrySettings,
    db::DbError,
    message::{Fields, Msisdn, Person, PersonalId},
};
use contract::{CATALOGUE_COLUMNS, CatalogueColumn};
use faults::Faults;
use reading::SEPARATOR;
use store::{Rows, Store};

/// The most people that one number is read for. A number with more proves nothing about any of them; who is left out
/// is not said.
pub const MOST_PEOPLE_A_PHONE: usize = 16;

/// Why the registry gave no answer. Holds no value of any row.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// It cannot be reached, or did not answer in time: ask later.
    #[error("the registry cannot be asked now: {why}")]
    Unavailable {
        /// What happened.
        why: String,
    },
    /// It is not the database this service needs: the owner has something to change.
    #[error("the registry does not keep the contract: {why}")]
    Contract {
        /// What is missing.
        why: String,
    },
    /// What it holds cannot be.
    #[error("the registry contradicts itself: {why}")]
    Inconsistent {
        /// What does not fit together.
        why: String,
    },
    /// There is a registry already where a synthetic one was to be written. It was left as it is.
    #[error("the database holds a registry already: name an empty one")]
    Occupied,
}

impl From<DbError> for RegistryError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable { why, .. } | DbError::Unsynced { why, .. } => Self::Unavailable { why },
            DbError::Unfit { why, .. } => Self::Contract { why },
            DbError::Refused { .. } | DbError::Inconsistent { .. } | DbError::Damaged { .. } => {
                Self::Inconsistent { why: error.to_string() }
            }
        }
    }
}

/// A registry, open for reading.
pub struct Registry {
    store: Store,
    catalogues: Catalogues,
    timeout: Duration,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registry({})", self.kind())
    }
}

impl Registry {
    /// Opens a registry for reading only, checks the contract and takes the catalogues into memory.
    ///
    /// # Errors
    /// [`RegistryError::Unavailable`] when it cannot be reached, [`RegistryError::Contract`] with what is missing,
    /// [`RegistryError::Inconsistent`] when its catalogues do not fit together.
    pub async fn open(settings: &RegistrySettings) -> Result<Self, RegistryError> {
        let store = Store::open(&settings.url, settings.readers, settings.timeout).await?;
        store.check().await?;
        let catalogues = catalogues(&store).await?;
        Ok(Self { store, catalogues, timeout: settings.timeout })
    }

    /// The people of each number, with the fields wanted of them, in one statement for all; a number nobody has is not in
    /// the answer. At most [`MOST_PEOPLE_A_PHONE`] for a number. A number that stands there twice has the fields of its
    /// last place.
    ///
    /// # Errors
    /// [`RegistryError::Unavailable`] when the settings' time is over: the same call may succeed later.
    pub async fn people(&self, asked: &[(Msisdn, Fields)]) -> Result<HashMap<Msisdn, Vec<Person>>, RegistryError> {
        if asked.is_empty() {
            return Ok(HashMap::new());
        }
        let why = || format!("no answer within {} ms", self.timeout.as_millis());
        let mut faults = Faults::default();
        let found = tokio::time::timeout(self.timeout, self.find(asked, &mut faults))
            .await
            .map_err(|_| RegistryError::Unavailable { why: why() })??;
        if faults != Faults::default() {
            let Faults { rows, values, column } = faults;
            tracing::warn!(rows, values, column, "Registry rows hold what cannot be read, left out");
        }
        Ok(found)
    }

    async fn find(
        &self,
        asked: &[(Msisdn, Fields)],
        faults: &mut Faults,
    ) -> Result<HashMap<Msisdn, Vec<Person>>, RegistryError> {
        let mut found = Found::with_capacity(asked.len());
        let mut groups = vec![asked];
        while let Some(group) = groups.pop() {
            let alone = group.len() == 1;
            let limit = if alone { MOST_PEOPLE_A_PHONE } else { group.len() * MOST_PEOPLE_A_PHONE + 1 };
            let mut own = Faults::default();
            match self.read(group, limit, &mut found, &mut own).await? {
                Rows::All(count) if alone || count < limit => faults.add(&own),
                Rows::Torn(count) if alone => faults.torn(count),
                // One number beside very many people, or with a row that spoils all, must not crowd out the others of its
                // batch: they are read in halves.
                Rows::All(_) | Rows::Torn(_) => {
                    let (one, other) = group.split_at(group.len() / 2);
                    groups.extend([one, other]);
                }
            }
        }
        Ok(people_of(found))
    }

    async fn read(
        &self,
        asked: &[(Msisdn, Fields)],
        limit: usize,
        found: &mut Found,
        faults: &mut Faults,
    ) -> Result<Rows, RegistryError> {
        let numbers: Vec<u64> = asked.iter().map(|(phone, _)| phone.expose()).collect();
        found.extend(asked.iter().map(|&(phone, wanted)| (phone, (wanted, Vec::new()))));
        let fields = asked.iter().fold(Fields::NONE, |all, (_, wanted)| all.and(*wanted));
        let take = |number: u64, packed: &str| {
            let Some((wanted, people)) = found.get_mut(&Msisdn::from_canonical(number)) else { return };
            if people.len() < MOST_PEOPLE_A_PHONE
                && let Some(person) = reading::person(packed, *wanted, &self.catalogues, faults)
            {
                people.push(person);
            }
        };
        self.store.people(&numbers, fields, limit, take).await
    }

    /// Numbers that belong to one person alone whose record may be read, with that person's number, at most `limit`:
    /// what a load generator needs to ask questions that are answered. Not for the path of a message: it reads much of
    /// the registry.
    ///
    /// # Errors
    /// [`RegistryError::Unavailable`] when the registry does not answer, [`RegistryError::Inconsistent`] for a personal
    /// number that is none.
    pub async fn phones(&self, limit: u32) -> Result<Vec<(Msisdn, PersonalId)>, RegistryError> {
        let rows = self.store.lone_phones(limit).await?;
        rows.into_iter()
            .map(|(number, personal)| {
                let why = || RegistryError::Inconsistent { why: "a personal number is not 12 digits".to_owned() };
                let personal = PersonalId::parse(&personal).ok_or_else(why)?;
                Ok((Msisdn::from_canonical(number.unsigned_abs()), personal))
            })
            .collect()
    }

    /// The catalogues as they were when the registry was opened.
    pub fn catalogues(&self) -> &Catalogues {
        &self.catalogues
    }

    /// `SQLite` or `PostgreSQL`.
    pub fn kind(&self) -> &'static str {
        self.store.kind()
    }

    /// Closes all connections, waiting for those in use.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

/// What is wanted of each number, and whom it was found to belong to.
type Found = HashMap<Msisdn, (Fields, Vec<Person>)>;

fn people_of(found: Found) -> HashMap<Msisdn, Vec<Person>> {
    let known = found.into_iter().filter(|(_, (_, people))| !people.is_empty());
    known.map(|(phone, (_, people))| (phone, people)).collect()
}

/// Reads all catalogues.
async fn catalogues(store: &Store) -> Result<Catalogues, RegistryError> {
    let mut entries = Vec::with_capacity(16_000);
    let mut unknown = None;
    store
        .catalogue_entries(|packed| match entry(packed) {
            Ok(entry) => entries.push(entry),
            Err(why) => unknown = Some(why),
        })
        .await?;
    match unknown {
        Some(why) => Err(RegistryError::Inconsistent { why }),
        None => Catalogues::new(entries),
    }
}

/// Reads one entry; what is wrong with it otherwise. Catalogues are public, so their codes may be named.
fn entry(packed: &str) -> Result<(Catalogue, Entry), String> {
    let cells: Vec<&str> = packed.split(SEPARATOR).collect();
    let Ok(cells) = <[&str; CATALOGUE_COLUMNS.len()]>::try_from(cells) else {
        return Err("a catalogue entry holds a separator".to_owned());
    };
    let cell = |column: CatalogueColumn| cells[column as usize];
    let given = |column| Some(cell(column)).filter(|text| !text.is_empty());
    let (word, code) = (cell(CatalogueColumn::Catalogue), cell(CatalogueColumn::Code));
    let catalogue = Catalogue::from_word(word).ok_or_else(|| format!("there is no catalogue \"{word}\""))?;
    let day = |column: CatalogueColumn| match given(column) {
        None => Ok(None),
        Some(text) => Day::parse(text).map(Some).ok_or_else(|| format!("{} of {word} {code} is no day", column.name())),
    };
    let entry = Entry {
        code: code.into(),
        name_vi: cell(CatalogueColumn::NameVi).into(),
        name_en: given(CatalogueColumn::NameEn).map(Into::into),
        code_system: cell(CatalogueColumn::CodeSystem).into(),
        code_source: cell(CatalogueColumn::CodeSource).into(),
        valid_from: day(CatalogueColumn::ValidFrom)?,
        valid_to: day(CatalogueColumn::ValidTo)?,
        parent: given(CatalogueColumn::Parent).map(Into::into),
        place: "".into(),
    };
    Ok((catalogue, entry))
}

#[cfg(test)]
mod tests;
