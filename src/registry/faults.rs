//! What could not be read in a look-up.

use super::contract::Column;

/// What could not be read in a batch: counts and a column's name, never a value.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Faults {
    /// Rows left out: no personal number, or not the agreed number of columns.
    pub(super) rows: u32,
    /// Values left out.
    pub(super) values: u32,
    /// The first column concerned.
    pub(super) column: Option<&'static str>,
}

impl Faults {
    pub(super) fn value(&mut self, column: Column) {
        self.values += 1;
        self.column.get_or_insert(column.name());
    }

    /// Those of a part of the batch, too.
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.values += other.values;
        self.column = self.column.or(other.column);
    }

    /// So many rows that could not be told apart.
    pub(super) fn torn(&mut self, rows: usize) {
        self.rows += u32::try_from(rows).unwrap_or(u32::MAX);
    }

    pub(super) fn row(&mut self, column: Column) {
        self.rows += 1;
        self.column.get_or_insert(column.name());
    }
}
