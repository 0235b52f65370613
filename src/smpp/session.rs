//! Joins a conversation to a byte stream: reads what there is, writes what is queued, each with one call, and waits for
//! whichever of socket, commands, takers of events and deadlines comes first.

use std::{io, pin::pin, time::Duration};

use bytes::{Buf as _, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{Instant, sleep_until, timeout},
};

use super::{conversation::Conversation, error::LineError, station::Station};
use crate::{config::Line, message::LineCommand};

/// Octets asked of the socket at a time.
const READ: usize = 64 * 1024;
/// The last octets of a session get this long, and so does its closing.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Commands taken before what they wrote leaves.
const COMMANDS_AT_ONCE: usize = 64;
/// Rounds after which deadlines are judged although there was always something better to do.
const BUSY_ROUNDS: u32 = 16;
/// How long to sleep at most. The line gives a sign of life with each round, and sees whether anything waits to be read: what
/// comes has not come before the last time when nothing did.
const ROUND: Duration = Duration::from_secs(1);

/// How a session ended.
#[derive(Debug)]
pub struct Ended {
    /// How long it was bound; `None` when it never was.
    pub bound_for: Option<Duration>,
    /// `Ok` when the line was told to stop.
    pub why: Result<(), LineError>,
}

/// What a round of waiting brought.
enum Event {
    Written(io::Result<()>),
    Read(io::Result<Took>),
    Command(Option<LineCommand>),
    Room,
    Due,
}

/// Something that must not last longer than the operator allows: the rest of a PDU, and what the SMSC takes of what is
/// written.
#[derive(Debug)]
struct Lasting {
    since: Option<Instant>,
    most: Duration,
}

impl Lasting {
    fn new(most: Duration) -> Self {
        Self { since: None, most }
    }

    /// It goes on since it began, begins now, or is over.
    fn goes_on(&mut self, does: bool, now: Instant) {
        self.since = does.then(|| self.since.unwrap_or(now));
    }

    fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + self.most)
    }

    fn is_too_long(&self, now: Instant) -> bool {
        self.due().is_some_and(|due| now >= due)
    }
}

/// Holds one session over a stream, from the bind to its end. `session` counts the bound sessions of the line from 1.
///
/// Ends by itself when the stream or the SMSC does, and in good order when the station's commands are closed.
pub async fn converse<S>(stream: S, settings: &Line, station: &mut Station, session: u32) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut talk = Conversation::begin(settings, station, session, Instant::now());
    let mut buffer = BytesMut::with_capacity(READ);
    let patience = settings.write_timeout;
    let (mut half_pdu, mut unread) = (Lasting::new(patience), Lasting::new(patience));
    let (mut unflushed, mut stopping, mut busy_rounds) = (false, false, 0);
    let mut last = Instant::now();
    let mut timer = pin!(sleep_until(last));
    while !talk.is_over() {
        let now = Instant::now();
        talk.station().pulse.beat();
        talk.write_submits(now);
        talk.station().post.hand_up();
        unread.goes_on(!talk.out.is_empty(), now);
        let due = [talk.next_due(), half_pdu.due(), unread.due()].into_iter().flatten();
        let due = due.fold(now + ROUND, Instant::min);
        // A timer that fires too early costs a round, one that is set anew in each round costs more.
        if timer.is_elapsed() || due < timer.deadline() {
            timer.as_mut().reset(due);
        }
        let queued = talk.out.len();
        let may_read = talk.may_read();
        let takes_commands = !stopping && talk.station().post.has_room();
        let waits_above = talk.station().post.is_waiting();
        let (out, station) = talk.ends();
        // The socket comes before the deadlines: an answer that it holds already is read before it is missed.
        let event = tokio::select! {
            biased;
            wrote = write_some(&mut writer, out, &mut unflushed), if queued > 0 || unflushed => Event::Written(wrote),
            read = read_some(&mut reader, &mut buffer), if may_read => Event::Read(read),
            command = station.commands.recv(), if takes_commands => Event::Command(command),
            () = station.post.room(), if waits_above => Event::Room,
            () = &mut timer => Event::Due,
        };
        let now = Instant::now();
        if talk.out.len() < queued {
            unread.since = None;
        }
        // The socket was asked before anything else that happened, but for a write. After a pause of the process nobody knows
        // what its answer was worth.
        let paused = now.duration_since(std::mem::replace(&mut last, now)) > 2 * ROUND;
        let nothing_came = may_read && !paused && matches!(event, Event::Command(_) | Event::Room | Event::Due);
        busy_rounds = if matches!(event, Event::Due) { BUSY_ROUNDS } else { busy_rounds + 1 };
        match event {
            Event::Read(Ok(Took { octets: 0, .. })) => talk.end_of_stream(&buffer),
            Event::Read(Ok(took)) => talk.sources.took(took.all, now),
            Event::Written(Err(error)) | Event::Read(Err(error)) => talk.end(Err(LineError::broken(error))),
            Event::Command(Some(command)) => talk.command(command, now),
            Event::Command(None) => {
                stopping = true;
                talk.stop(now);
            }
            Event::Written(Ok(())) | Event::Room | Event::Due => {}
        }
        if nothing_came {
            talk.sources.nothing_came(now);
        }
        if takes_commands {
            take_waiting_commands(&mut talk, now);
        }
        let cut = talk.read(&mut buffer, now);
        if cut > 0 {
            half_pdu.since = None;
        }
        half_pdu.goes_on(talk.may_read() && !buffer.is_empty(), now);
        if busy_rounds >= BUSY_ROUNDS {
            busy_rounds = 0;
            if half_pdu.is_too_long(now) {
                talk.end(Err(LineError::HalfPdu(patience)));
            } else if unread.is_too_long(now) {
                talk.end(Err(LineError::Unread(patience)));
            }
            talk.tick(now);
        }
    }
    // Nothing hangs on these: an answer that does not arrive makes the SMSC send its message again.
    let last_words = async {
        writer.write_all_buf(&mut talk.out).await?;
        writer.flush().await
    };
    if matches!(timeout(LAST_WORDS, last_words).await, Ok(Ok(()))) {
        _ = timeout(LAST_WORDS, writer.shutdown()).await;
    }
    talk.finish(Instant::now())
}

/// Takes the commands that wait already, so that their octets leave in one write.
fn take_waiting_commands(talk: &mut Conversation<'_>, now: Instant) {
    for _ in 0..COMMANDS_AT_ONCE {
        let Ok(command) = talk.station().commands.try_recv() else { return };
        talk.command(command, now);
    }
}

/// Writes what is queued, or what the stream has not passed on yet. Dropped half way it loses nothing.
async fn write_some<W>(writer: &mut W, out: &mut BytesMut, unflushed: &mut bool) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    if out.has_remaining() {
        if writer.write_buf(out).await? == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        *unflushed = true;
    }
    if !out.has_remaining() {
        writer.flush().await?;
        *unflushed = false;
    }
    Ok(())
}

/// What was read.
#[derive(Debug)]
struct Took {
    octets: usize,
    /// All that was there; else as much as there was room for.
    all: bool,
}

/// Reads what is there, as far as there is room for it, for [`READ`] octets at least; 0 octets at the end of the stream.
async fn read_some<R>(reader: &mut R, buffer: &mut BytesMut) -> io::Result<Took>
where
    R: AsyncRead + Unpin,
{
    buffer.reserve(READ);
    let room = buffer.capacity() - buffer.len();
    let octets = reader.read_buf(buffer).await?;
    Ok(Took { octets, all: octets < room })
}
