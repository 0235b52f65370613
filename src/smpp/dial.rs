//! Reaches the SMSC over TCP.

use std::{io, time::Duration};

use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::error::LineError;

/// How long one address may take to accept.
const ONE_ADDRESS: Duration = Duration::from_secs(10);

/// Connects to the first `host:port` that takes a connection. Names are resolved anew each time, and all their addresses are
/// tried in turn: an SMSC may move to another by its name alone.
pub(super) async fn dial(addresses: &[String]) -> Result<TcpStream, LineError> {
    let mut last = Err(LineError::Settings("no address is given"));
    for address in addresses {
        last = dial_one(address).await;
        if last.is_ok() {
            break;
        }
    }
    last
}

async fn dial_one(address: &str) -> Result<TcpStream, LineError> {
    let no_such_host = |why| LineError::NoSuchHost { address: address.to_owned(), why };
    let mut last = None;
    for found in lookup_host(address).await.map_err(no_such_host)? {
        let connected = timeout(ONE_ADDRESS, TcpStream::connect(found)).await;
        match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                // Answers leave in batches of our own making; waiting for more would only add to their delay.
                stream.set_nodelay(true).map_err(LineError::Broken)?;
                return Ok(stream);
            }
            Err(why) => last = Some(why),
        }
    }
    Err(match last {
        Some(why) => LineError::NoConnection { address: address.to_owned(), why },
        None => no_such_host(io::ErrorKind::NotFound.into()),
    })
}
