//! One connection of the service, in the hands of a script.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::Arc,
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{sleep, timeout},
};

use super::{
    Deliver, Done, Seen, Submit, SubmitResp, Unmet, Want,
    pdu::{bare, command},
    stage::{Shared, Socket},
};
use crate::smpp::frame::next_frame;

mod reading;

pub use reading::Judged;

/// Octets read ahead while something is written.
const READ_AHEAD: usize = 16 * 1024 * 1024;

/// A connection that a script left open.
pub(super) struct Left {
    pub(super) number: u32,
    pub(super) socket: Box<dyn Socket>,
    pub(super) buffer: BytesMut,
    pub(super) aside: VecDeque<Seen>,
}

/// One connection of the service. While a script waits, PDUs it does not wait for are set aside for later, and
/// enquire_links are answered unless [`Peer::ignore_enquiries`] says no. A connection that is dropped stays open: a
/// friendly SMSC takes it over when the script is done.
pub struct Peer {
    number: u32,
    socket: Option<Box<dyn Socket>>,
    buffer: BytesMut,
    aside: VecDeque<Seen>,
    ended: bool,
    reads: bool,
    answers_enquiries: bool,
    enquiries: u64,
    sequence: u32,
    asked: HashSet<u32>,
    shared: Arc<Shared>,
}

impl Peer {
    pub(super) fn new(number: u32, socket: Box<dyn Socket>, shared: Arc<Shared>) -> Self {
        Self {
            number,
            socket: Some(socket),
            buffer: BytesMut::new(),
            aside: VecDeque::new(),
            ended: false,
            reads: true,
            answers_enquiries: true,
            enquiries: 0,
            sequence: 0,
            asked: HashSet::new(),
            shared,
        }
    }

    pub(super) fn taken_over(left: Left, shared: Arc<Shared>) -> Self {
        let mut peer = Self::new(left.number, left.socket, shared);
        (peer.buffer, peer.aside) = (left.buffer, left.aside);
        peer
    }

    /// Writes a step down.
    pub fn note(&self, step: impl fmt::Display) {
        self.shared.note(format!("[{}] {step}", self.number));
    }

    /// How long anything may take that comes at once when all is well.
    pub fn patience(&self) -> Duration {
        self.shared.scene.patience
    }

    fn unmet(&self, expected: impl fmt::Display, came: impl fmt::Display) -> Unmet {
        Unmet::new(expected, format!("[{}] {came}", self.number))
    }

    /// Writes octets as they are; reads ahead meanwhile, so that neither side waits for the other.
    ///
    /// # Errors
    /// [`Unmet`] when the service takes nothing for twice the patience, or has closed.
    pub async fn write(&mut self, octets: &[u8]) -> Done {
        self.note(format_args!("sent {} octets", octets.len()));
        self.pour(octets).await
    }

    /// Writes octets in pieces of this size, a moment apart.
    ///
    /// # Errors
    /// As [`Peer::write`].
    pub async fn write_in(&mut self, octets: &[u8], piece: usize) -> Done {
        self.note(format_args!("sent {} octets in pieces of {piece}", octets.len()));
        for piece in octets.chunks(piece) {
            self.pour(piece).await?;
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    async fn pour(&mut self, mut octets: &[u8]) -> Done {
        let closed = |number: u32, came: &str| Unmet::new("the connection is open", format!("[{number}] {came}"));
        let Some(socket) = &mut self.socket else { return Err(closed(self.number, "it was closed by the script")) };
        let (mut reader, mut writer) = tokio::io::split(socket);
        let limit = 2 * self.shared.scene.patience;
        while !octets.is_empty() {
            let reads = self.reads && !self.ended && self.buffer.len() < READ_AHEAD;
            let step = async {
                tokio::select! {
                    wrote = writer.write(octets) => wrote.map(Some),
                    read = reader.read_buf(&mut self.buffer), if reads => {
                        self.ended = matches!(read, Ok(0) | Err(_));
                        Ok(None)
                    }
                }
            };
            match timeout(limit, step).await {
                Ok(Ok(Some(count))) if count > 0 => octets = &octets[count..],
                Ok(Ok(None)) => {}
                Ok(Ok(Some(_)) | Err(_)) => return Err(closed(self.number, "the service closed it")),
                Err(_) => return Err(Unmet::new(format!("octets are taken within {limit:?}"), "none is taken")),
            }
        }
        writer.flush().await.map_err(|error| closed(self.number, &error.to_string()))
    }

    /// Sends a message.
    ///
    /// # Errors
    /// As [`Peer::write`].
    pub async fn send(&mut self, deliver: &Deliver) -> Done {
        self.send_pdu(&deliver.octets()).await
    }

    /// Sends a whole PDU.
    ///
    /// # Errors
    /// As [`Peer::write`].
    pub async fn send_pdu(&mut self, octets: &[u8]) -> Done {
        if let Ok(Some(frame)) = next_frame(&mut BytesMut::from(octets)) {
            let (command_id, status) = (frame.command_id, frame.command_status);
            let seen = Seen { command_id, status, sequence: frame.sequence_number, body: Vec::new() };
            self.note(format_args!("sent {seen}"));
        } else {
            self.note(format_args!("sent {} octets", octets.len()));
        }
        self.pour(octets).await
    }

    /// Sends an answer to a submit_sm.
    ///
    /// # Errors
    /// As [`Peer::write`].
    pub async fn respond(&mut self, response: &SubmitResp) -> Done {
        self.send_pdu(&response.octets()).await
    }

    /// The next sequence_number of ours.
    pub fn sequence(&mut self) -> u32 {
        self.sequence += 1;
        self.sequence
    }

    /// A question that no other question of this run is equal to, from a phone of its own, not sent yet.
    pub fn question(&mut self) -> Deliver {
        let n = self.shared.next_question();
        let scene = &self.shared.scene;
        let (phone, text) = ((scene.phone + n).to_string(), format!("{} {n}", scene.text));
        let code = scene.code.clone();
        Deliver::new(self.sequence(), &phone, &code, text)
    }

    /// Sends a question, whose acknowledgement counts.
    ///
    /// # Errors
    /// As [`Peer::write`].
    pub async fn ask(&mut self) -> Result<Deliver, Unmet> {
        let question = self.question();
        self.asked.insert(question.sequence);
        self.send(&question).await?;
        Ok(question)
    }

    /// Asks, and expects the acknowledgement and the whole reply, each segment of which is accepted.
    ///
    /// # Errors
    /// [`Unmet`] when either does not come.
    pub async fn converse(&mut self) -> Result<Vec<Submit>, Unmet> {
        let question = self.ask().await?;
        self.expect(Want::answer(question.sequence, 0)).await?;
        self.reply_to(&question).await
    }

    /// Sends an enquire_link and expects its answer.
    ///
    /// # Errors
    /// [`Unmet`] when it does not come within `within`.
    pub async fn is_alive(&mut self, within: Duration) -> Done {
        let sequence = self.sequence();
        self.send_pdu(&bare(command::ENQUIRE_LINK, 0, sequence)).await?;
        self.expect_within(Want::response(command::ENQUIRE_LINK, 0, sequence), within).await.map(drop)
    }

    /// Closes the connection with what is still unread.
    pub fn close(mut self) {
        self.note("closed by the script");
        self.socket = None;
    }

    /// Breaks the connection off (TCP RST).
    pub fn reset(mut self) {
        self.note("reset by the script");
        if let Some(socket) = self.socket.take() {
            // Without it the connection ends with a FIN.
            let _ = socket.tcp().set_zero_linger();
        }
    }

    /// Ends our half of the connection (FIN) and goes on reading.
    ///
    /// # Errors
    /// [`Unmet`] when the connection is gone.
    pub async fn finish_writing(&mut self) -> Done {
        self.note("writes no more");
        let Some(socket) = &mut self.socket else { return Ok(()) };
        socket.shutdown().await.map_err(|error| Unmet::new("the connection is open", error))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(socket) = self.socket.take() {
            let (buffer, aside) = (std::mem::take(&mut self.buffer), std::mem::take(&mut self.aside));
            self.shared.left().push(Left { number: self.number, socket, buffer, aside });
        }
    }
}
