//! Several instances on one store: what one leaves that is gone is taken over by another, and the one that is gone is
//! fenced first, so that it cannot write or send any more should it only have been paused.

mod store;
mod watch;

pub use watch::{Look, Sign, Watch};

use super::{Ledger, LedgerError};
use crate::{clock::Micros, db::step, message::CarrierId};

/// The waiting replies and open parts of a start with one carrier, taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The start that wrote them.
    pub epoch: i64,
    /// The carrier.
    pub carrier: CarrierId,
    /// The instance they belonged to.
    pub of: String,
}

/// What came of taking over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Succession {
    /// Instances that were taken for dead and may write no more.
    pub fenced: Vec<String>,
    /// What belongs to this instance now.
    pub taken: Vec<Taken>,
}

impl Ledger {
    /// What the rows say of all other instances.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing is known of them.
    pub async fn signs(&self) -> Result<Vec<Sign>, LedgerError> {
        Ok(store::signs(&self.db, &self.instance).await?)
    }

    /// Fences these instances, each unless it has committed since it was seen, and takes over what they own with these
    /// carriers, unless they run again. What they own with others stays for an instance that has them.
    ///
    /// # Errors
    /// [`LedgerError`]: it may have been done or not; [`Ledger::taken`] says what was.
    pub async fn take_over(
        &self,
        dead: &[Sign],
        carriers: &[CarrierId],
        now: Micros,
    ) -> Result<Succession, LedgerError> {
        let heir = (self.epoch, self.instance.as_str());
        let (fenced, taken) = step::whole(Box::pin(store::take_over(&self.db, heir, dead, carriers, now))).await?;
        Ok(Succession { fenced, taken })
    }

    /// What this start has taken over so far: epochs and carriers.
    ///
    /// # Errors
    /// [`LedgerError`]; the call may be repeated.
    pub async fn taken(&self) -> Result<Vec<(i64, CarrierId)>, LedgerError> {
        let rows = store::taken_by(&self.db, self.epoch).await?;
        Ok(rows.into_iter().filter_map(|(epoch, carrier)| Some((epoch, CarrierId::parse(&carrier)?))).collect())
    }
}
