//! Reaches the SMSC: over TCP, and over TLS on top when the carrier wants it.

use std::{
    io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{
    error::LineError,
    link::Link,
    tls::{self, Client},
};
use crate::config::{Line, Tls};

/// How long one address may take to accept, and to shake hands.
const ONE_ADDRESS: Duration = Duration::from_secs(10);

/// The addresses of a line, and where to begin among them.
#[derive(Debug)]
pub(super) struct Route {
    addresses: Vec<String>,
    tls: Option<Tls>,
    start: Mutex<Start>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Start {
    /// The address of the last session that was bound.
    good: usize,
    /// Connections since then that came to nothing: something listened there, and it was no SMSC for us.
    misses: usize,
    /// The address of the last connection.
    connected: Option<usize>,
}

impl Route {
    /// The way that the settings name.
    pub(super) fn new(settings: &Line) -> Self {
        Self { addresses: settings.addresses.clone(), tls: settings.tls.clone(), start: Mutex::default() }
    }

    /// Connects to the first `host:port` that takes a connection, beginning with the one that was bound last, or with
    /// the one behind it when the last connection was not bound (`was_bound`). Names are resolved anew each time, and
    /// all their addresses are tried in turn: an SMSC may move to another by its name alone. The TLS files are read
    /// anew too: a renewed certificate is taken without a restart.
    pub(super) async fn dial(&self, was_bound: bool) -> Result<Link, LineError> {
        if self.addresses.is_empty() {
            return Err(LineError::Settings("no address is given"));
        }
        let client = match &self.tls {
            Some(settings) => Some(tls::client(settings.clone()).await?),
            None => None,
        };
        let start = self.begin(was_bound);
        let count = self.addresses.len();
        let mut failures = Vec::new();
        for place in (0..count).map(|step| (start.good + start.misses + step) % count) {
            match dial_one(&self.addresses[place], start.misses / count, client.as_ref()).await {
                Ok(link) => {
                    self.start.lock().unwrap_or_else(PoisonError::into_inner).connected = Some(place);
                    return Ok(link);
                }
                Err(error) => failures.push(error),
            }
        }
        Err(match failures.pop() {
            Some(only) if failures.is_empty() => only,
            Some(last) => LineError::Nowhere { before: failures, last: Box::new(last) },
            None => LineError::Settings("no address is given"),
        })
    }

    /// Notes what became of the last connection, and says where to begin.
    fn begin(&self, was_bound: bool) -> Start {
        let mut start = self.start.lock().unwrap_or_else(PoisonError::into_inner);
        match start.connected.take() {
            Some(place) if was_bound => *start = Start { good: place, ..Start::default() },
            Some(_) => start.misses = start.misses.wrapping_add(1),
            None => {}
        }
        *start
    }
}

/// Tries all that one name stands for, beginning `skipped` places on.
async fn dial_one(address: &str, skipped: usize, client: Option<&Client>) -> Result<Link, LineError> {
    let no_such_host = |why| LineError::NoSuchHost { address: address.to_owned(), why };
    let found: Vec<_> = lookup_host(address).await.map_err(no_such_host)?.collect();
    let mut last = no_such_host(io::ErrorKind::NotFound.into());
    for place in 0..found.len() {
        let reached = found[(skipped + place) % found.len()];
        let connecting = async {
            let stream = TcpStream::connect(reached).await?;
            // Answers leave in batches of our own making; waiting for more would only add to their delay.
            stream.set_nodelay(true)?;
            match client {
                Some(client) => client.connect(address, stream).await,
                None => Ok(Link::Plain(stream)),
            }
        };
        match timeout(ONE_ADDRESS, connecting).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(link) => return Ok(link),
            Err(why) => last = LineError::unreached(address, why),
        }
    }
    Err(last)
}
