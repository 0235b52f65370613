//! One bind and unbind, to see whether an SMSC can be reached with these settings.

use std::time::Duration;

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    bind,
    dial::Route,
    error::{LineError, Looks},
    frame::{Frame, next_frame},
    pdu::{self, id, status},
};
use crate::{config::Line, message::Role};

/// How long the response to our unbind is awaited; an SMSC that closes without one has understood all the same.
const UNBINDING: Duration = Duration::from_secs(5);

/// Connects, binds and unbinds, once for each session of the bind form. Messages that the SMSC sends meanwhile are left
/// unanswered: it keeps them.
///
/// # Errors
/// Why no bind was possible; its text says what to look at.
pub async fn try_bind(settings: &Line) -> Result<(), LineError> {
    let route = Route::new(settings);
    for &role in settings.bind.roles() {
        let mut stream = route.dial(true).await?;
        probe(&mut stream, settings, role).await?;
    }
    Ok(())
}

/// The same over a stream that stands.
async fn probe<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    settings: &Line,
    role: Role,
) -> Result<(), LineError> {
    let mut octets = BytesMut::new();
    bind::write_bind(&mut octets, settings, role, 1)?;
    let response = bind::command_id(role) | id::RESPONSE;
    let mut buffer = BytesMut::new();
    let binding = async {
        stream.write_all(&octets).await.map_err(LineError::broken)?;
        loop {
            let frame = read_frame(stream, &mut buffer).await?;
            let refused = Err(LineError::Refused { status: frame.command_status });
            match frame.command_id {
                own if own == response && frame.command_status == status::OK => return Ok(()),
                own if own == response => return refused,
                id::GENERIC_NACK => return refused,
                _ => {}
            }
        }
    };
    timeout(settings.bind_timeout, binding).await.unwrap_or(Err(LineError::BindUnanswered(settings.bind_timeout)))?;
    let unbinding = async {
        octets.clear();
        pdu::write_bare(&mut octets, id::UNBIND, status::OK, 2);
        stream.write_all(&octets).await.map_err(LineError::broken)?;
        while read_frame(stream, &mut buffer).await?.command_id != id::UNBIND_RESP {}
        Ok::<(), LineError>(())
    };
    // Bound once is all that was asked: how it parts is no fault of the settings.
    _ = timeout(UNBINDING, unbinding).await;
    Ok(())
}

async fn read_frame<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut BytesMut) -> Result<Frame, LineError> {
    loop {
        match next_frame(buffer) {
            Ok(Some(frame)) => return Ok(frame),
            Ok(None) => {}
            Err(bad) => {
                let looks = Looks::guess(buffer);
                return Err(if looks == Looks::Unknown {
                    LineError::OutOfStep(bad)
                } else {
                    LineError::NotSmpp(looks)
                });
            }
        }
        if stream.read_buf(buffer).await.map_err(LineError::broken)? == 0 {
            return Err(if buffer.is_empty() { LineError::Closed } else { LineError::NotSmpp(Looks::guess(buffer)) });
        }
    }
}
