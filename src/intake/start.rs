//! The desk's memory at a start, from the ledger: what may be sent again because the answer to it may not have arrived, and the
//! texts whose parts are still coming.

use std::{collections::HashMap, sync::Arc};

use super::{Again, BREAK_MARGIN_SECONDS, Intake, OPEN_TEXTS, OpenTexts, REMEMBERED, seconds};
use crate::{
    clock::Micros,
    config::Carrier,
    ledger::{Ledger, LedgerError, OpenPart, Recent},
    message::CarrierId,
};

impl Intake {
    /// Rebuilds the memory from the ledger.
    ///
    /// # Errors
    /// [`LedgerError`]: without it a message sent again would be answered twice, so the start must fail.
    pub async fn rebuild(
        carriers: &HashMap<CarrierId, Arc<Carrier>>,
        ledger: Arc<Ledger>,
        now: Micros,
    ) -> Result<Self, LedgerError> {
        let longest = carriers.values().map(|carrier| carrier.redelivery.as_secs()).max().unwrap_or(0);
        let since = now.plus_seconds(-i64::try_from(longest).unwrap_or(i64::MAX));
        let mut again = Again::new(REMEMBERED);
        let told_again = ledger.told_again(since, REMEMBERED).await?;
        for recent in
            ledger.may_come_again(since, BREAK_MARGIN_SECONDS, REMEMBERED).await?.into_iter().chain(told_again)
        {
            let Some(carrier) = carriers.get(&recent.carrier) else { continue };
            let until = recent.committed_at.plus_seconds(seconds(carrier.redelivery));
            for print in recent.fingerprints {
                again.suspect(print, recent.key, until);
            }
        }
        let breaks = ledger.breaks(since).await?;
        let unheard = |part: &OpenPart| {
            breaks.iter().any(|lost| {
                let own = lost.carrier.as_ref().is_none_or(|carrier| *carrier == part.carrier);
                let since = lost.at.plus_seconds(-BREAK_MARGIN_SECONDS);
                own && (since..=lost.at).contains(&part.received_at)
            })
        };
        let mut texts = OpenTexts::new(OPEN_TEXTS);
        for part in ledger.open_parts(i64::try_from(OPEN_TEXTS * 8).unwrap_or(i64::MAX)).await? {
            let Some(carrier) = carriers.get(&part.carrier) else { continue };
            if unheard(&part) {
                again.suspect(part.fingerprint, part.key, part.received_at.plus_seconds(seconds(carrier.redelivery)));
            }
            texts.restore(part, carrier);
        }
        Ok(Self { again, texts, ledger, met: Vec::new(), superseded: Vec::new(), unheard: Vec::new() })
    }

    /// Takes what may be sent again of what other instances took.
    pub fn may_come_again(&mut self, messages: Vec<Recent>, carriers: &HashMap<CarrierId, Arc<Carrier>>) {
        for message in messages {
            let Some(carrier) = carriers.get(&message.carrier) else { continue };
            let until = message.committed_at.plus_seconds(seconds(carrier.redelivery));
            for print in message.fingerprints {
                self.again.suspect_elsewhere(print, message.key, until);
            }
        }
    }

    /// Takes parts that an instance left which is gone. A text that is whole with them comes to its end with those that
    /// are overdue.
    pub fn take_over(&mut self, parts: Vec<OpenPart>, carriers: &HashMap<CarrierId, Arc<Carrier>>) {
        for part in parts {
            let Some(carrier) = carriers.get(&part.carrier) else { continue };
            if self.texts.full(&part.set_token) {
                tracing::warn!(
                    row = part.key.0,
                    "There is no room for a part that was taken over; the next start finds it"
                );
                continue;
            }
            self.texts.restore(part, carrier);
        }
    }
}
