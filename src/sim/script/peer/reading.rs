//! What a script expects of a connection.

use std::{collections::HashSet, time::Duration};

use tokio::{
    io::AsyncReadExt as _,
    time::{Instant, sleep, timeout, timeout_at},
};

use super::Peer;
use crate::{
    sim::{
        script::{
            Bind, Deliver, Done, Seen, Submit, SubmitResp, Unmet, Want,
            pdu::{bare, command, pdu, tlv},
        },
        wire::SC_INTERFACE_VERSION,
    },
    smpp::frame::next_frame,
};

/// PDUs set aside because the script waits for another one.
const SET_ASIDE: usize = 200_000;
/// deliver_sm_resp.
const ANSWER: u32 = command::DELIVER_SM | command::RESPONSE;

/// What [`Peer::seek`] makes of a PDU.
pub enum Judged<T> {
    /// The one that is sought.
    Found(T),
    /// In its place something that is wrong.
    Wrong,
    /// Another one.
    Other,
}

impl Peer {
    /// From now on enquire_links are not answered.
    pub fn ignore_enquiries(&mut self) {
        self.answers_enquiries = false;
    }

    /// Enquire_links read so far, answered or not.
    pub fn enquiries(&self) -> u64 {
        self.enquiries
    }

    /// From now on nothing is read while something is written.
    pub fn stop_reading(&mut self) {
        self.note("reads no more");
        self.reads = false;
    }

    /// Reads so many octets at most at a time, as often as that, and keeps them for later.
    ///
    /// # Errors
    /// [`Unmet`] when the connection ends.
    pub async fn read_slowly(&mut self, octets: usize, pause: Duration, times: u32) -> Done {
        let mut piece = vec![0; octets];
        for _ in 0..times {
            let Some(socket) = &mut self.socket else { break };
            match timeout(pause, socket.read(&mut piece)).await {
                Ok(Ok(count)) if count > 0 => self.buffer.extend_from_slice(&piece[..count]),
                Ok(_) => return Err(self.unmet("the connection is open", "the service closed it")),
                Err(_) => {}
            }
            sleep(pause).await;
        }
        Ok(())
    }

    /// The next PDU that is not an answered enquire_link, whatever was set aside; `None` when the connection ends.
    async fn receive(&mut self) -> Result<Option<Seen>, Unmet> {
        loop {
            match next_frame(&mut self.buffer) {
                Ok(Some(frame)) => {
                    let (command_id, status) = (frame.command_id, frame.command_status);
                    let (sequence, body) = (frame.sequence_number, frame.body().to_vec());
                    let seen = Seen { command_id, status, sequence, body };
                    self.note(format_args!("came {seen}"));
                    if command_id == command::ENQUIRE_LINK {
                        self.enquiries += 1;
                        if self.answers_enquiries {
                            self.send_pdu(&bare(command_id | command::RESPONSE, 0, sequence)).await?;
                            continue;
                        }
                    }
                    let acknowledges = seen.command_id == command::DELIVER_SM | command::RESPONSE && status == 0;
                    if acknowledges && self.asked.remove(&sequence) {
                        self.shared.acknowledged();
                    }
                    return Ok(Some(seen));
                }
                Ok(None) if self.ended => return Ok(None),
                Ok(None) => {}
                Err(error) => return Err(self.unmet("a PDU", error)),
            }
            let Some(socket) = &mut self.socket else { return Ok(None) };
            self.ended = matches!(socket.read_buf(&mut self.buffer).await, Ok(0) | Err(_));
        }
    }

    /// The first PDU, among those set aside and those that come, that `judge` finds; the others are set aside.
    ///
    /// # Errors
    /// [`Unmet`] when `judge` calls one wrong, when the time is over, or when the connection ends.
    pub async fn seek<T>(
        &mut self,
        what: String,
        within: Duration,
        mut judge: impl FnMut(&Seen) -> Judged<T>,
    ) -> Result<T, Unmet> {
        for at in 0..self.aside.len() {
            match judge(&self.aside[at]) {
                Judged::Found(found) => {
                    self.aside.remove(at);
                    return Ok(found);
                }
                Judged::Wrong => return Err(self.unmet(what, self.aside[at].clone())),
                Judged::Other => {}
            }
        }
        let until = Instant::now() + within;
        loop {
            let expected = format!("{what} within {within:?}");
            match timeout_at(until, self.receive()).await {
                Err(_) => return Err(self.unmet(expected, self.set_aside("nothing of it"))),
                Ok(received) => match received? {
                    None => return Err(self.unmet(expected, self.set_aside("the end of the connection"))),
                    Some(seen) => match judge(&seen) {
                        Judged::Found(found) => return Ok(found),
                        Judged::Wrong => return Err(self.unmet(expected, seen)),
                        Judged::Other if self.aside.len() < SET_ASIDE => self.aside.push_back(seen),
                        Judged::Other => return Err(self.unmet(expected, "too much else")),
                    },
                },
            }
        }
    }

    fn set_aside(&self, came: &str) -> String {
        let others: Vec<String> = self.aside.iter().take(5).map(Seen::to_string).collect();
        let more = if self.aside.len() > others.len() { " and more" } else { "" };
        if others.is_empty() { came.to_owned() } else { format!("{came}, but {}{more}", others.join(", ")) }
    }

    /// A PDU.
    ///
    /// # Errors
    /// [`Unmet`] when it does not come within the patience, or another takes its place.
    pub async fn expect(&mut self, want: Want) -> Result<Seen, Unmet> {
        self.expect_within(want, self.patience()).await
    }

    /// A PDU, in a time of its own.
    ///
    /// # Errors
    /// [`Unmet`] when it does not come, or another takes its place.
    pub async fn expect_within(&mut self, want: Want, within: Duration) -> Result<Seen, Unmet> {
        let judge = |seen: &Seen| {
            if want.is_met_by(seen) {
                Judged::Found(seen.clone())
            } else if want.is_missed_by(seen) {
                Judged::Wrong
            } else {
                Judged::Other
            }
        };
        self.seek(want.to_string(), within, judge).await
    }

    /// The next submit_sm, which is not answered yet.
    ///
    /// # Errors
    /// [`Unmet`] when none comes, or one that cannot be read.
    pub async fn submit(&mut self) -> Result<Submit, Unmet> {
        let judge = |seen: &Seen| match (seen.command_id, Submit::read(seen)) {
            (command::SUBMIT_SM, Some(submit)) => Judged::Found(submit),
            (command::SUBMIT_SM, None) => Judged::Wrong,
            _ => Judged::Other,
        };
        self.seek("a submit_sm".to_owned(), self.patience(), judge).await
    }

    /// The next segment of the reply to a question, which is not answered yet.
    ///
    /// # Errors
    /// [`Unmet`] when none comes.
    pub async fn submit_for(&mut self, question: &Deliver) -> Result<Submit, Unmet> {
        let wanted = subscriber(&question.source.address).to_vec();
        let judge = |seen: &Seen| match Submit::read(seen) {
            Some(submit) if subscriber(&submit.destination.address) == wanted => Judged::Found(submit),
            _ => Judged::Other,
        };
        self.seek(format!("a reply to question {}", question.sequence), self.patience(), judge).await
    }

    /// All segments of the reply to a question, each of which is accepted.
    ///
    /// # Errors
    /// [`Unmet`] when one does not come.
    pub async fn reply_to(&mut self, question: &Deliver) -> Result<Vec<Submit>, Unmet> {
        let mut segments = Vec::new();
        loop {
            let segment = self.submit_for(question).await?;
            self.accept(&segment).await?;
            let (_, total) = segment.segment();
            segments.push(segment);
            if segments.len() >= usize::from(total) {
                return Ok(segments);
            }
        }
    }

    /// All of these questions are acknowledged and their replies come, in whatever order; each submit is accepted.
    ///
    /// # Errors
    /// [`Unmet`] when one is refused, or nothing new comes for the patience.
    pub async fn all_answered_and_replied(&mut self, questions: &[Deliver]) -> Done {
        let mut unanswered: HashSet<u32> = questions.iter().map(|question| question.sequence).collect();
        let mut waiting: HashSet<Vec<u8>> =
            questions.iter().map(|question| subscriber(&question.source.address).to_vec()).collect();
        while !(unanswered.is_empty() && waiting.is_empty()) {
            let what = format!("{} answers and {} replies", unanswered.len(), waiting.len());
            let seen = self
                .seek(what, self.patience(), |seen| match seen.command_id {
                    ANSWER if seen.status == 0 => Judged::Found(seen.clone()),
                    command::SUBMIT_SM => Judged::Found(seen.clone()),
                    ANSWER => Judged::Wrong,
                    _ => Judged::Other,
                })
                .await?;
            if seen.command_id == ANSWER {
                unanswered.remove(&seen.sequence);
            } else if let Some(submit) = Submit::read(&seen) {
                self.accept(&submit).await?;
                let (index, total) = submit.segment();
                if index == total {
                    waiting.remove(subscriber(&submit.destination.address));
                }
            }
        }
        Ok(())
    }

    /// Accepts a submit_sm; gives its message_id.
    ///
    /// # Errors
    /// As [`Peer::write`].
    pub async fn accept(&mut self, submit: &Submit) -> Result<String, Unmet> {
        let id = self.shared.next_id().to_string();
        self.respond(&SubmitResp::accepted(submit.sequence, &id)).await?;
        Ok(id)
    }

    /// The service closes the connection; what it says before is set aside.
    ///
    /// # Errors
    /// [`Unmet`] when it does not within `within`.
    pub async fn expect_end(&mut self, within: Duration) -> Done {
        let until = Instant::now() + within;
        loop {
            match timeout_at(until, self.receive()).await {
                Err(_) => return Err(self.unmet(format!("the connection is closed within {within:?}"), "it is open")),
                Ok(Ok(Some(seen))) if self.aside.len() < SET_ASIDE => self.aside.push_back(seen),
                Ok(Ok(Some(_))) => return Err(self.unmet("the connection is closed", "too much else")),
                Ok(Err(unmet)) => return Err(unmet),
                Ok(Ok(None)) => break,
            }
        }
        self.note("closed by the service");
        self.socket = None;
        Ok(())
    }

    /// Nothing comes for so long that `counts`; the rest is set aside.
    ///
    /// # Errors
    /// [`Unmet`] when something does.
    pub async fn expect_none(&mut self, what: &str, within: Duration, counts: impl Fn(&Seen) -> bool) -> Done {
        let judge = |seen: &Seen| if counts(seen) { Judged::Found(seen.clone()) } else { Judged::Other };
        let until = Instant::now() + within;
        let came = self.seek(what.to_owned(), within, judge).await;
        match came {
            Ok(seen) => Err(self.unmet(format!("no {what} for {within:?}"), seen)),
            Err(_) if Instant::now() >= until => Ok(()),
            Err(_) => Err(self.unmet(format!("no {what} for {within:?}"), "the end of the connection")),
        }
    }

    /// The bind, which is not answered yet.
    ///
    /// # Errors
    /// [`Unmet`] when none comes, or one that cannot be read.
    pub async fn bind(&mut self) -> Result<Bind, Unmet> {
        let judge = |seen: &Seen| Bind::read(seen).map_or(Judged::Wrong, Judged::Found);
        self.seek("a bind".to_owned(), self.patience(), judge).await
    }

    /// Answers a bind with any status and body.
    ///
    /// # Errors
    /// As [`Peer::write`].
    pub async fn answer_bind(&mut self, bind: &Bind, status: u32, body: &[u8]) -> Done {
        self.send_pdu(&pdu(bind.command_id | command::RESPONSE, status, bind.sequence, body)).await
    }

    /// Takes a bind and accepts it, naming version 3.4.
    ///
    /// # Errors
    /// As [`Peer::bind`].
    pub async fn accept_bind(&mut self) -> Result<Bind, Unmet> {
        let bind = self.bind().await?;
        let body = [b"SIM\0".as_slice(), &tlv(SC_INTERFACE_VERSION, &[0x34])].concat();
        self.answer_bind(&bind, 0, &body).await?;
        Ok(bind)
    }

    /// Takes a bind and refuses it.
    ///
    /// # Errors
    /// As [`Peer::bind`].
    pub async fn refuse_bind(&mut self, status: u32) -> Result<Bind, Unmet> {
        let bind = self.bind().await?;
        self.answer_bind(&bind, status, &[]).await?;
        Ok(bind)
    }

    /// The next PDU of those set aside or to come, for whoever serves without a script.
    pub(in crate::sim::script) async fn next(&mut self) -> Option<Seen> {
        match self.aside.pop_front() {
            Some(seen) => Some(seen),
            None => self.receive().await.ok().flatten(),
        }
    }
}

/// The end of a number that is the same in all its forms.
fn subscriber(address: &[u8]) -> &[u8] {
    &address[address.len().saturating_sub(9)..]
}
