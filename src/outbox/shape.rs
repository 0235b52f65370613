//! What a submit looks like beside its text: the citizen's number, validity, receipt, the billing record's id.

use std::time::Duration;

use super::{Outbox, Place, live::Live, status::Manner};
use crate::{
    board::CarrierBoard,
    clock::Micros,
    config::{self, Carrier, NumberForm},
    message::{LineNo, Msisdn, Octets, RawAddress, Submit, SubmitId, Validity},
};

/// billing_identification (SMPP 5.0, 4.8.4.3): its first octet is the format; from 0x80 on they are agreed with the
/// carrier.
const BILLING_IDENTIFICATION: u16 = 0x060B;
const FORMAT: u8 = 0x80;

/// The MT record in [`crate::message::RowKey::uuid`].
const MT: u8 = 2;

/// What the carrier has shown that it does not take.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Learned {
    no_receipts: bool,
    no_validity: bool,
    no_billing: bool,
}

impl Learned {
    /// A submit that had been refused was taken without this: it is left out from now on.
    pub(super) fn note(&mut self, manner: Manner, board: &CarrierBoard) {
        for (without, known, what, alarm, text) in [
            (
                Manner::NO_RECEIPT,
                &mut self.no_receipts,
                "receipts",
                "no_receipts",
                "takes no replies that ask for a receipt: none is asked for any more; set receipts = false",
            ),
            (
                Manner::NO_VALIDITY,
                &mut self.no_validity,
                "validity",
                "no_validity",
                "takes no validity_period: it is left out; set validity = \"none\"",
            ),
            (
                Manner::BARE_FOR_GOOD,
                &mut self.no_billing,
                "billing_tag",
                "no_billing_tag",
                "does not allow the parameter with the billing record's id: it is left out; set billing_tag = 0",
            ),
        ] {
            if manner.has(without) && !*known {
                *known = true;
                board.learned(what, "refused".to_owned());
                board.alarm(alarm, text);
            }
        }
    }
}

impl Outbox {
    /// Takes a segment for sending over a line. `None` when it has its end already.
    pub(super) fn shape(&mut self, (exchange, place): Place, line: LineNo, now: Micros) -> Option<Submit> {
        let live = self.live.get_mut(&exchange)?;
        let (segment, copy, manner) = live.send(place, line, now)?;
        let carrier = &self.carrier;
        let receipt = carrier.receipts.wanted && !self.learned.no_receipts && !manner.has(Manner::NO_RECEIPT);
        live.asks(place, receipt);
        let content = &live.reply.content;
        let form = carrier.flow.number_form;
        Some(Submit {
            id: SubmitId { exchange, segment: place, copy },
            source: content.source.clone(),
            destination: addressed(&content.destination, form, manner.has(Manner::OTHER_NUMBER)),
            segment,
            receipt,
            validity: life(carrier, live, now)
                .filter(|_| !self.learned.no_validity && !manner.has(Manner::NO_VALIDITY)),
            billing: record(carrier, live).filter(|_| !self.learned.no_billing),
            bare: manner.has(Manner::BARE) || manner.has(Manner::BARE_FOR_GOOD),
        })
    }
}

/// The reply's useful life: what is left of it, or when it ends.
fn life(carrier: &Carrier, live: &Live, now: Micros) -> Option<Validity> {
    let until = live.reply.expires_at;
    match carrier.flow.validity {
        config::Validity::None => None,
        config::Validity::Relative => {
            let left = u64::try_from(until.since(now)).unwrap_or(0);
            Some(Validity::Relative(Duration::from_micros(left.max(1_000_000))))
        }
        config::Validity::Absolute => Some(Validity::Absolute(until)),
    }
}

/// The billing record's id, as it stands in the file, in octets.
fn record(carrier: &Carrier, live: &Live) -> Option<Octets> {
    let tag = carrier.line.billing_tag?;
    let id = live.reply.key.uuid(live.reply.content.asked_at, MT);
    let mut octets = Vec::with_capacity(17);
    if tag == BILLING_IDENTIFICATION {
        octets.push(FORMAT);
    }
    octets.extend_from_slice(id.as_bytes());
    Some(Octets(octets))
}

/// The citizen's number in the carrier's form, or in the other one. Never with a `+`: the type of number says it.
fn addressed(received: &RawAddress, form: NumberForm, other: bool) -> RawAddress {
    let digits = received.octets.strip_prefix(b"+");
    if form == NumberForm::AsReceived && !other {
        let ton = if digits.is_some() { 1 } else { received.ton };
        let octets = digits.unwrap_or(&received.octets).to_vec();
        return RawAddress { ton, npi: received.npi, octets };
    }
    let text = std::str::from_utf8(&received.octets).unwrap_or_default();
    let Some(number) = Msisdn::parse(text, received.ton == 1) else { return received.clone() };
    let full = number.expose().to_string();
    let international = |full: String| RawAddress { ton: 1, npi: 1, octets: full.into_bytes() };
    let Some(national) = full.strip_prefix("84") else { return international(full) };
    let as_received_is_national = received.octets.len() < full.len();
    let wants_national = match form {
        NumberForm::International => false,
        NumberForm::National => true,
        NumberForm::AsReceived => as_received_is_national,
    };
    if wants_national == other {
        return international(full);
    }
    RawAddress { ton: 2, npi: 1, octets: format!("0{national}").into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_addressed_in_the_carriers_form_and_never_with_a_plus() {
        let of = |ton, digits: &str| RawAddress { ton, npi: 1, octets: digits.as_bytes().to_vec() };
        let (full, national) = (of(1, "84520000001"), of(2, "0520000001"));
        for (received, form, other, expected) in [
            (of(0, "84520000001"), NumberForm::AsReceived, false, of(0, "84520000001")),
            (of(0, "+84520000001"), NumberForm::AsReceived, false, of(1, "84520000001")),
            (of(0, "0520000001"), NumberForm::AsReceived, false, of(0, "0520000001")),
            (of(0, "0520000001"), NumberForm::AsReceived, true, full.clone()),
            (of(1, "84520000001"), NumberForm::AsReceived, true, national.clone()),
            (of(0, "+84520000001"), NumberForm::AsReceived, true, national.clone()),
            (of(0, "0520000001"), NumberForm::International, false, full.clone()),
            (of(0, "520000001"), NumberForm::International, true, national.clone()),
            (of(1, "84520000001"), NumberForm::National, false, national.clone()),
            (of(1, "84520000001"), NumberForm::National, true, full.clone()),
            // Another country's number has no national form here.
            (of(1, "+4915200000001"), NumberForm::National, false, of(1, "4915200000001")),
        ] {
            let sent = addressed(&received, form, other);
            assert!(sent == expected, "{form:?}, other {other}: {}", String::from_utf8_lossy(&sent.octets));
            assert!(!sent.octets.contains(&b'+'));
        }
    }
}
