//! One session of the simulation's SMSC: asks, hears, asks again what was not heard, takes or refuses what is sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, split},
    time::{Instant, sleep_until},
};

use crate::{
    books::{About, Message, State},
    dice::Dice,
    pdu::{self, Pdu},
    scene::Scene,
    site,
};

/// So long the SMSC waits for the answer to a message before it sends it again. The service reckons with less, by what
/// the network takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Statuses after which a message is sent again.
const TEMPORARY: [u32; 4] = [0x08, 0x14, 0x58, 0x64];

/// Holds a session until it ends.
pub(crate) async fn serve(scene: Arc<Scene>, home: usize, stream: DuplexStream) {
    let (mut reader, mut writer) = split(stream);
    let mut session = Session::new(Arc::clone(&scene), home);
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 4096]);
    loop {
        let wake = session.turn();
        if session.closing && session.out.is_empty() {
            break;
        }
        tokio::select! {
            biased;
            wrote = writer.write(&session.out), if !session.out.is_empty() => match wrote {
                Ok(count @ 1..) => drop(session.out.drain(..count)),
                Ok(0) | Err(_) => break,
            },
            read = reader.read(&mut chunk) => match read {
                Ok(count @ 1..) => {
                    buffer.extend(&chunk[..count]);
                    while let Some(pdu) = pdu::cut(&mut buffer) {
                        session.take(&pdu);
                    }
                }
                Ok(0) | Err(_) => break,
            },
            () = sleep_until(wake) => {}
        }
    }
    session.ended();
}

struct Session {
    scene: Arc<Scene>,
    dice: Dice,
    home: usize,
    number: u64,
    receives: bool,
    bound: bool,
    closing: bool,
    unbind_at: Option<Instant>,
    out: Vec<u8>,
    /// What is written later, in order.
    later: BTreeMap<(Instant, u64), Vec<u8>>,
    written: u64,
    sequence: u32,
    /// Messages sent on this session and not answered, by sequence number: which, since when.
    open: BTreeMap<u32, (usize, Instant)>,
    patience_over: BTreeSet<u32>,
}

impl Session {
    fn new(scene: Arc<Scene>, home: usize) -> Self {
        let number = scene.next_session();
        Self {
            dice: scene.dice.clone(),
            scene,
            home,
            number,
            receives: false,
            bound: false,
            closing: false,
            unbind_at: None,
            out: Vec::new(),
            later: BTreeMap::new(),
            written: 0,
            sequence: 0,
            open: BTreeMap::new(),
            patience_over: BTreeSet::new(),
        }
    }

    fn ways(&self, of: u64) -> bool {
        !self.scene.is_calm() && self.dice.permille(of)
    }

    /// Writes what is due, asks what may be asked, and says when to be called again.
    fn turn(&mut self) -> Instant {
        let now = Instant::now();
        while let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= now) {
            self.out.extend(entry.remove());
        }
        if self.unbind_at.is_some_and(|at| at <= now) {
            self.unbind_at = None;
            self.request(pdu::UNBIND, &[]);
        }
        let late = self.open.iter().filter(|(sequence, (_, since))| {
            self.scene.plan.smsc.resends && *since + PATIENCE <= now && !self.patience_over.contains(*sequence)
        });
        let late: Vec<(u32, usize)> = late.map(|(sequence, (message, _))| (*sequence, *message)).collect();
        for (sequence, message) in late {
            self.patience_over.insert(sequence);
            self.scene.books().again(message, Duration::ZERO);
        }
        let mut next = now + Duration::from_secs(1);
        while self.receives && !self.closing && self.waiting() < self.scene.plan.smsc.window as usize {
            let due = self.scene.books().next(self.home, now);
            match due {
                Ok(message) => self.ask(message, now),
                Err(due) => {
                    next = due.map_or(next, |due| next.min(due));
                    break;
                }
            }
        }
        let written = self.later.first_key_value().map(|((at, _), _)| *at);
        [written, self.unbind_at].into_iter().flatten().fold(next, Instant::min)
    }

    fn waiting(&self) -> usize {
        self.open.len() - self.patience_over.len()
    }

    fn ask(&mut self, message: usize, now: Instant) {
        let body = {
            let mut books = self.scene.books();
            books.deliveries += 1;
            books.messages[message].state = State::Open;
            books.messages[message].body.clone()
        };
        let sequence = self.request(pdu::DELIVER_SM, &body);
        self.open.insert(sequence, (message, now));
        let about = self.scene.books().messages[message].about;
        self.scene.trace.say(|| format!("smsc {}: asks {message} ({about}) as {sequence}", self.number));
    }

    fn request(&mut self, command: u32, body: &[u8]) -> u32 {
        self.sequence += 1;
        self.out.extend(pdu::write(command, 0, self.sequence, body));
        self.sequence
    }

    fn respond(&mut self, to: &Pdu, status: u32, body: &[u8], after: Duration) {
        self.written += 1;
        let octets = pdu::write(to.command | pdu::RESPONSE, status, to.sequence, body);
        self.later.insert((Instant::now() + after, self.written), octets);
    }

    fn take(&mut self, pdu: &Pdu) {
        let number = self.number;
        self.scene.trace.say(|| {
            let Pdu { command, status, sequence, body } = pdu;
            format!("smsc {number}: read {command:08x} status {status:x} sequence {sequence} {body:02x?}")
        });
        match pdu.command {
            pdu::BIND_RECEIVER | pdu::BIND_TRANSMITTER | pdu::BIND_TRANSCEIVER => self.bind(pdu),
            pdu::ENQUIRE_LINK => self.respond(pdu, 0, &[], Duration::ZERO),
            pdu::UNBIND => {
                self.respond(pdu, 0, &[], Duration::ZERO);
                self.turn();
                (self.receives, self.closing) = (false, true);
            }
            pdu::SUBMIT_SM => self.submitted(pdu),
            _ if pdu.command == pdu::DELIVER_SM | pdu::RESPONSE => self.answered(pdu),
            _ if pdu.command == pdu::UNBIND | pdu::RESPONSE => self.closing = true,
            other => self.scene.found(format!("the service wrote a PDU of kind {other:08x}, status {:x}", pdu.status)),
        }
    }

    fn bind(&mut self, pdu: &Pdu) {
        if self.ways(self.scene.plan.smsc.bind_refused) {
            self.respond(pdu, self.dice.pick(&[0x0D, 0x05, 0x58, 0x08]), &[], Duration::ZERO);
            return;
        }
        self.respond(pdu, 0, b"smsc\0", Duration::ZERO);
        (self.bound, self.receives) = (true, pdu.command != pdu::BIND_TRANSMITTER);
        if self.ways(self.scene.plan.smsc.unbinds) {
            self.unbind_at = Some(Instant::now() + self.dice.millis(0, 20_000));
        }
    }

    fn answered(&mut self, pdu: &Pdu) {
        let Some((message, _)) = self.open.remove(&pdu.sequence) else {
            self.scene.found(format!("an answer to {} on session {}, which was not asked", pdu.sequence, self.number));
            return;
        };
        self.patience_over.remove(&pdu.sequence);
        let after = self.dice.millis(500, 3_000);
        let mut books = self.scene.books();
        let state = &mut books.messages[message].state;
        match (pdu.status, *state) {
            (_, State::Taken) => {}
            (0, _) => *state = State::Taken,
            (status, _) if TEMPORARY.contains(&status) => *state = State::Waiting(Instant::now() + after),
            (status, _) => *state = State::Refused(status),
        }
    }

    fn submitted(&mut self, pdu: &Pdu) {
        let smsc = self.scene.plan.smsc;
        let submit = pdu::submit(&pdu.body);
        let phone: u64 = submit.destination.parse().expect("a number");
        if submit.source != site::CODE {
            self.scene.found(format!("a reply comes from {}", submit.source));
        }
        let after = self.dice.millis(0, smsc.slow_ms);
        for (of, status) in [
            (smsc.submit_throttled, 0x58),
            (smsc.submit_queue_full, 0x14),
            (smsc.submit_system_error, 0x08),
            (smsc.submit_refused, 0x0B),
        ] {
            if self.ways(of) {
                let mut books = self.scene.books();
                let received = books.received.entry(phone).or_default();
                if status == 0x0B {
                    received.refused += 1;
                } else {
                    received.refused_for_now += 1;
                }
                drop(books);
                self.respond(pdu, status, &[], after);
                return;
            }
        }
        let id = self.scene.next_message_id();
        *self.scene.books().received.entry(phone).or_default().taken.entry(submit.segment).or_default() += 1;
        self.scene.trace.say(|| format!("smsc {}: takes segment {} for {phone} as {id}", self.number, submit.segment));
        if submit.wants_receipt && smsc.receipts {
            let body = pdu::receipt(&submit.destination, site::CODE, &id);
            let due = Instant::now() + self.dice.millis(0, 20_000);
            let message = Message { about: About::Receipt, home: self.home, body, state: State::Waiting(due) };
            self.scene.books().messages.push(message);
        }
        if self.ways(smsc.submit_silent) {
            self.scene.disrupted();
            return;
        }
        self.respond(pdu, 0, format!("{id}\0").as_bytes(), after);
    }

    /// What was not answered goes out again on the next session.
    fn ended(&mut self) {
        self.scene.trace.say(|| format!("smsc {}: session ended, {} open", self.number, self.open.len()));
        self.scene.disrupted();
        let mut books = self.scene.books();
        books.breaks += u64::from(self.bound);
        for (message, _) in std::mem::take(&mut self.open).into_values() {
            books.again(message, self.dice.millis(0, 3_000));
        }
    }
}
