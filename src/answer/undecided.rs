//! A group of questions that is read and being looked up.

use std::{collections::HashMap, time::Duration};

use super::{begun::Begun, decide::Conclusion};
use crate::{
    intake::Inbound,
    message::{Fields, Msisdn, Person, Query},
    registry::Registry,
};

/// The people of each number.
pub(super) type People = HashMap<Msisdn, Vec<Person>>;

/// A group that is read and being looked up.
pub struct Undecided {
    pub(super) group: Vec<Inbound>,
    pub(super) read: Vec<Result<Query, Conclusion<'static>>>,
    /// Whom the numbers belong to, and how long the registry took, if there was anything to ask.
    pub(super) people: Begun<(Option<People>, Option<Duration>)>,
}

impl Undecided {
    /// Waits until it is looked up.
    pub async fn looked_up(&mut self) {
        self.people.done().await;
    }
}

pub(super) async fn look_up(registry: &Registry, asked: &[(Msisdn, Fields)]) -> Option<People> {
    if asked.is_empty() {
        return Some(People::new());
    }
    match registry.people(asked).await {
        Ok(people) => Some(people),
        Err(error) => {
            tracing::warn!(%error, "Registry cannot be asked; citizens are told to try later");
            None
        }
    }
}
