//! A phone at the simulator: it texts the service and reads what comes back, as a citizen does.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
};

use super::{
    Deliver, DeliverAnswer, SimError, Smsc, Submitted, text,
    wire::{self, Place, UDHI},
};
use crate::{
    clock::Micros,
    message::{Alphabet, Masked, Msisdn},
};

/// A simulated phone. Clones are the same phone.
#[derive(Clone)]
pub struct Phone {
    smsc: Smsc,
    number: String,
    /// The reference of its next long text (3GPP TS 23.040, 9.2.3.24.1).
    reference: Arc<AtomicU8>,
}

/// A message as the phone shows it: its segments joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneReply {
    /// The text.
    pub text: Masked,
    /// How many physical messages it came in.
    pub segments: usize,
    /// How its first segment was coded.
    pub alphabet: Alphabet,
}

impl Phone {
    /// A phone with this number: country code and number, digits only.
    pub fn new(smsc: &Smsc, number: impl Into<String>) -> Self {
        Self { smsc: smsc.clone(), number: number.into(), reference: Arc::new(AtomicU8::new(1)) }
    }

    /// Its number.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// Texts `to`, a long text in parts in their order. Gives the answer to each part.
    ///
    /// # Errors
    /// As [`Smsc::deliver`]; parts before the failed one have been sent.
    pub async fn text(&self, text: &str, to: &str) -> Result<Vec<DeliverAnswer>, SimError> {
        self.send(self.parts(text, to), None).await
    }

    /// Texts `to` in the given order of parts, from 0: `[1, 0]` sends the second first, `[0]` leaves the others out,
    /// `[0, 0, 1]` sends the first twice.
    ///
    /// # Errors
    /// [`SimError::NoSuchPart`] when the text does not have a part that is named, and nothing is sent; else as
    /// [`Smsc::deliver`].
    pub async fn text_parts_in_order(
        &self,
        text: &str,
        to: &str,
        order: &[usize],
    ) -> Result<Vec<DeliverAnswer>, SimError> {
        self.send(self.parts(text, to), Some(order)).await
    }

    /// The messages this phone makes of a text, for callers that send them in ways of their own.
    pub fn parts(&self, text: &str, to: &str) -> Vec<Deliver> {
        let default = self.smsc.dialect().alphabet;
        let (alphabet, parts) = text::parts(text, self.reference.fetch_add(1, Ordering::Relaxed), default);
        let esm_class = if parts.len() > 1 { UDHI } else { 0 };
        let deliver = |octets| Deliver { esm_class, ..Deliver::new(&self.number, to, alphabet.data_coding(), octets) };
        parts.into_iter().map(deliver).collect()
    }

    /// Sends the receipt of a message that this phone was sent. `state` is a word of SMPP 3.4, appendix B.
    ///
    /// # Errors
    /// As [`Smsc::deliver`].
    pub async fn confirm(&self, of: &Submitted, state: &str, now: Micros) -> Result<DeliverAnswer, SimError> {
        let id = self.smsc.dialect().receipt_ids.write(of.message_id.unwrap_or_default());
        let receipt = Deliver::receipt(of.destination.clone(), of.source.clone(), &id, state, now);
        self.smsc.deliver(receipt).await
    }

    async fn send(&self, parts: Vec<Deliver>, order: Option<&[usize]>) -> Result<Vec<DeliverAnswer>, SimError> {
        let in_turn: Vec<usize> = (0..parts.len()).collect();
        let order = order.unwrap_or(&in_turn);
        if order.iter().any(|part| *part >= parts.len()) {
            return Err(SimError::NoSuchPart { parts: parts.len() });
        }
        let mut answers = Vec::with_capacity(order.len());
        for part in order {
            answers.push(self.smsc.deliver(parts[*part].clone()).await?);
        }
        Ok(answers)
    }

    /// The next reply to this phone, all its segments joined, waiting for it. A reply of which a segment is missing is
    /// not shown, as a phone does not show it. Messages to other phones are left where they are; a caller that goes
    /// away while waiting loses nothing.
    pub async fn reply(&self) -> PhoneReply {
        self.reply_in_segments().await.0
    }

    /// The same with its segments as they came.
    pub async fn reply_in_segments(&self) -> (PhoneReply, Vec<Submitted>) {
        let segments = self.smsc.shared().wait(|state| take_reply(&mut state.desk.submitted, &self.number)).await;
        let mut alphabet = None;
        let mut shown = String::new();
        // Segments of one coding are joined before they are read: a character may be cut in two.
        for run in segments.chunk_by(|a, b| a.data_coding == b.data_coding) {
            let bodies = run.iter().map(|segment| (segment.octets.0.len() - place(segment).1.len(), place(segment).1));
            let (coded, text) = text::read(run[0].data_coding, bodies, self.smsc.dialect().alphabet);
            alphabet.get_or_insert(coded);
            shown.push_str(&text);
        }
        let alphabet = alphabet.unwrap_or(Alphabet::Gsm7);
        (PhoneReply { text: Masked::new(shown), segments: segments.len(), alphabet }, segments)
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(<{} digits>)", self.number.len())
    }
}

fn place(segment: &Submitted) -> (Option<Place>, &[u8]) {
    if segment.udhi {
        return wire::read_header(&segment.octets.0);
    }
    // The references of parameters are kept apart from those of headers.
    let by_parameters =
        segment.sar.map(|(reference, total, index)| Place { reference: (true, reference), total, index });
    (by_parameters, &segment.octets.0)
}

/// Whether a destination is this phone's number, in whatever form it is written.
fn reaches(destination: &[u8], number: &str) -> bool {
    let parse = |digits: &str| Msisdn::parse(digits, false);
    let written = std::str::from_utf8(destination).unwrap_or_default();
    written == number || parse(written).is_some_and(|one| Some(one) == parse(number))
}

/// Takes the first whole reply to `number` out of the kept submits, its segments in their order.
fn take_reply(kept: &mut std::collections::VecDeque<Submitted>, number: &str) -> Option<Vec<Submitted>> {
    let ours = |submitted: &Submitted| submitted.message_id.is_some() && reaches(&submitted.destination.octets, number);
    let mut whole: Option<Vec<usize>> = None;
    for (at, first) in kept.iter().enumerate().filter(|(_, submitted)| ours(submitted)) {
        let Some(sought) = place(first).0 else {
            whole = Some(vec![at]);
            break;
        };
        // The first segment of each index makes the reply; one sent twice is left for the next.
        let found = (1..=sought.total).map(|index| {
            let wanted = Place { index, ..sought };
            (at..kept.len()).find(|other| ours(&kept[*other]) && place(&kept[*other]).0 == Some(wanted))
        });
        whole = found.collect();
        if whole.is_some() {
            break;
        }
    }
    let places = whole?;
    let segments = places.iter().filter_map(|at| kept.get(*at).cloned()).collect();
    let mut sorted = places;
    sorted.sort_unstable();
    for at in sorted.into_iter().rev() {
        kept.remove(at);
    }
    Some(segments)
}
