//! One connection of an ESME: one task that reads, lets the desk act, and writes, a batch at a time.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use super::{engine::MAX_OUT, smsc::Shared, wire};
use crate::smpp::frame::{Frame, next_frame};

/// Octets asked for at one read.
const READ: usize = 64 * 1024;

/// Serves a connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    // A session without it works too, only slower.
    let _ = stream.set_nodelay(true);
    let mut line = Line::open(shared);
    // The peer's going away is an ordinary end.
    let _ = line.run(stream).await;
}

struct Line {
    shared: Arc<Shared>,
    number: u32,
    wake: Arc<Notify>,
    cut: CancellationToken,
    input: BytesMut,
    out: BytesMut,
    frames: Vec<Frame>,
}

impl Line {
    fn open(shared: Arc<Shared>) -> Self {
        let (number, wake, cut) = shared.open_session();
        let (input, out) = (BytesMut::with_capacity(READ), BytesMut::with_capacity(READ));
        Self { shared, number, wake, cut, input, out, frames: Vec::new() }
    }

    async fn run(&mut self, mut stream: TcpStream) -> std::io::Result<()> {
        let (mut reader, mut writer) = stream.split();
        let mut look_at: Option<Instant> = None;
        let mut closing = false;
        while !(closing && self.out.is_empty()) {
            if self.input.capacity() - self.input.len() < READ / 4 {
                self.input.reserve(READ);
            }
            let wait_until = look_at.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                () = self.cut.cancelled() => return Ok(()),
                written = writer.write_buf(&mut self.out), if !self.out.is_empty() => {
                    if written? == 0 {
                        return Ok(());
                    }
                    if self.out.is_empty() {
                        self.shared.written(self.number);
                    }
                    continue;
                }
                read = reader.read_buf(&mut self.input), if !closing && self.out.len() < MAX_OUT => {
                    if read? == 0 {
                        return Ok(());
                    }
                }
                () = self.wake.notified() => {}
                () = tokio::time::sleep_until(wait_until), if look_at.is_some() => {}
            }
            let in_step = self.cut_frames();
            (look_at, closing) = self.shared.turn(self.number, &mut self.frames, &mut self.out);
            if !in_step {
                wire::put_bare(&mut self.out, wire::GENERIC_NACK, wire::BAD_COMMAND_LENGTH, 0);
                closing = true;
            }
        }
        writer.shutdown().await
    }

    /// Cuts what has come into frames; `false` when the stream has lost its step.
    fn cut_frames(&mut self) -> bool {
        loop {
            match next_frame(&mut self.input) {
                Ok(Some(frame)) => self.frames.push(frame),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.shared.close_session(self.number);
    }
}
