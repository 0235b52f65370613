//! Where a script plays: the listeners, what is the same for all its connections, and what it has seen.

use std::{
    collections::VecDeque,
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{Peer, peer::Left};
use crate::clock::Clock;

/// Steps kept of one run.
const STEPS_KEPT: usize = 10_000;

/// What was expected of the service, and what it did.
#[derive(Clone, Debug, thiserror::Error)]
#[error("expected {expected}; came: {came}")]
pub struct Unmet {
    /// In words.
    pub expected: String,
    /// In words.
    pub came: String,
}

impl Unmet {
    /// Both in words.
    pub fn new(expected: impl fmt::Display, came: impl fmt::Display) -> Self {
        Self { expected: expected.to_string(), came: came.to_string() }
    }
}

/// How a step of a script, or all of it, ends.
pub type Done = Result<(), Unmet>;

/// Fails a script unless something that it saw is so.
///
/// # Errors
/// [`Unmet`] with these words.
pub fn hold(holds: bool, expected: impl fmt::Display, came: impl fmt::Display) -> Done {
    if holds { Ok(()) } else { Err(Unmet::new(expected, came)) }
}

/// Does what a script cannot do from the wire, and comes back when it is done.
pub type Cue = Arc<dyn Fn(&'static str) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Is told each step as it happens.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// What a run of a script is given.
#[derive(Clone)]
pub struct Scene {
    /// The short code that is texted to.
    pub code: String,
    /// The first phone; others follow it by number.
    pub phone: u64,
    /// What the phones text; each adds a number of its own behind it.
    pub text: String,
    /// How long anything may take that a healthy service does at once.
    pub patience: Duration,
    /// The service's clock where it is one that can be moved.
    pub clock: Clock,
    /// TLS, when the service is to come by it.
    pub tls: Option<TlsAcceptor>,
    /// Whoever does what [`Stage::cue`] asks for.
    pub cue: Option<Cue>,
    /// Is told each step.
    pub tell: Option<Tell>,
}

impl Scene {
    /// The code 9999, phones from 84520000001, who ask for help.
    pub fn new(clock: Clock) -> Self {
        Self {
            code: "9999".to_owned(),
            phone: 84_520_000_001,
            text: "HD".to_owned(),
            patience: Duration::from_secs(10),
            clock,
            tls: None,
            cue: None,
            tell: None,
        }
    }
}

/// A connection, in the clear or not.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for tokio_rustls::server::TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// What all connections of a run share.
pub(super) struct Shared {
    pub(super) scene: Scene,
    steps: Mutex<VecDeque<String>>,
    questions: AtomicU64,
    ids: AtomicU64,
    connections: AtomicU32,
    acknowledged: AtomicU64,
    left: Mutex<Vec<Left>>,
}

impl Shared {
    pub(super) fn note(&self, step: String) {
        if let Some(tell) = &self.scene.tell {
            tell(&step);
        }
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.len() == STEPS_KEPT {
            steps.pop_front();
        }
        steps.push_back(step);
    }

    /// The number of the next question, from 0.
    pub(super) fn next_question(&self) -> u64 {
        self.questions.fetch_add(1, Ordering::Relaxed)
    }

    /// The next message_id.
    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(super) fn acknowledged(&self) {
        self.acknowledged.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn left(&self) -> MutexGuard<'_, Vec<Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection as a script is given it; `None` when TLS is not agreed on.
    pub(super) async fn welcome(self: &Arc<Self>, stream: TcpStream) -> Option<Peer> {
        // A session without it works too, only slower.
        let _ = stream.set_nodelay(true);
        let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        let socket: Box<dyn Socket> = match &self.scene.tls {
            None => Box::new(stream),
            Some(acceptor) => match timeout(self.scene.patience, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => Box::new(stream),
                Ok(Err(error)) => {
                    self.note(format!("[{number}] no TLS: {error}"));
                    return None;
                }
                Err(_) => {
                    self.note(format!("[{number}] no TLS: the other side says nothing"));
                    return None;
                }
            },
        };
        self.note(format!("[{number}] connected"));
        Some(Peer::new(number, socket, Arc::clone(self)))
    }
}

/// The SMSC's side of a run: its listeners, one for each address that the service is given.
pub struct Stage {
    listeners: Vec<Option<TcpListener>>,
    addresses: Vec<SocketAddr>,
    receive_buffer: Option<u32>,
    pub(super) shared: Arc<Shared>,
}

impl Stage {
    /// Listens on these addresses (port 0: any). `receive_buffer` makes the sockets small, so that an SMSC that does not
    /// read is felt soon.
    ///
    /// # Errors
    /// As the operating system gives them.
    pub fn listen(addresses: &[SocketAddr], receive_buffer: Option<u32>, scene: Scene) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            scene,
            steps: Mutex::default(),
            questions: AtomicU64::new(0),
            ids: AtomicU64::new(0),
            connections: AtomicU32::new(0),
            acknowledged: AtomicU64::new(0),
            left: Mutex::default(),
        });
        let mut stage = Self { listeners: Vec::new(), addresses: Vec::new(), receive_buffer, shared };
        for address in addresses {
            let listener = stage.open(*address)?;
            stage.addresses.push(listener.local_addr()?);
            stage.listeners.push(Some(listener));
        }
        Ok(stage)
    }

    fn open(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        if let Some(octets) = self.receive_buffer {
            socket.set_recv_buffer_size(octets)?;
        }
        socket.bind(address)?;
        socket.listen(64)
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Nobody can connect to this address any more.
    pub fn shut(&mut self, place: usize) {
        self.shared.note(format!("address {place} is shut"));
        if let Some(listener) = self.listeners.get_mut(place) {
            *listener = None;
        }
    }

    /// An address that was shut takes connections again.
    ///
    /// # Errors
    /// [`Unmet`] when the operating system refuses.
    pub fn reopen(&mut self, place: usize) -> Done {
        self.shared.note(format!("address {place} is open again"));
        let listener = self.open(self.addresses[place]).map_err(|error| Unmet::new("the address is free", error))?;
        self.listeners[place] = Some(listener);
        Ok(())
    }

    /// The service's next connection to the first address.
    ///
    /// # Errors
    /// [`Unmet`] when none comes in time.
    pub async fn accept(&mut self) -> Result<Peer, Unmet> {
        self.accept_at(0, self.shared.scene.patience).await
    }

    /// The service's next connection to one of the addresses.
    ///
    /// # Errors
    /// [`Unmet`] when none comes in time.
    pub async fn accept_at(&mut self, place: usize, within: Duration) -> Result<Peer, Unmet> {
        let unmet = |came: &str| Unmet::new(format!("a connection to address {place} within {within:?}"), came);
        let Some(Some(listener)) = self.listeners.get(place) else { return Err(unmet("the address is shut")) };
        let stream = match timeout(within, listener.accept()).await {
            Ok(Ok((stream, _))) => stream,
            Ok(Err(error)) => return Err(unmet(&error.to_string())),
            Err(_) => return Err(unmet("nobody")),
        };
        self.shared.welcome(stream).await.ok_or_else(|| unmet("no TLS"))
    }

    /// The service's next connection to the first address, bound in the usual way.
    ///
    /// # Errors
    /// [`Unmet`] when it does not come or does not bind.
    pub async fn bound(&mut self) -> Result<Peer, Unmet> {
        self.bound_at(0).await
    }

    /// The service's next connection to one of the addresses, bound in the usual way.
    ///
    /// # Errors
    /// [`Unmet`] when it does not come or does not bind.
    pub async fn bound_at(&mut self, place: usize) -> Result<Peer, Unmet> {
        let mut peer = self.accept_at(place, self.shared.scene.patience).await?;
        peer.accept_bind().await?;
        Ok(peer)
    }

    /// Nobody connects to the first address for so long.
    ///
    /// # Errors
    /// [`Unmet`] when somebody does.
    pub async fn nobody_connects(&mut self, duration: Duration) -> Done {
        let Some(Some(listener)) = self.listeners.first() else { return Ok(()) };
        match timeout(duration, listener.accept()).await {
            Err(_) => Ok(()),
            Ok(_) => Err(Unmet::new(format!("no connection for {duration:?}"), "a connection")),
        }
    }

    /// Lets time pass: moves the service's clock where it can be moved, and waits where it cannot.
    pub async fn pass(&self, duration: Duration) {
        self.shared.note(format!("{duration:?} pass"));
        match &self.shared.scene.clock {
            clock @ Clock::Fixed(_) => clock.advance(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
            Clock::System | Clock::Timers(..) => sleep(duration).await,
        }
    }

    /// Has something done that cannot be done from the wire, such as "lock the store", and waits until it is.
    pub async fn cue(&self, what: &'static str) {
        self.shared.note(format!("cue: {what}"));
        if let Some(cue) = &self.shared.scene.cue {
            cue(what).await;
        }
    }

    /// Writes a step of the script's own down.
    pub fn note(&self, step: impl fmt::Display) {
        self.shared.note(step.to_string());
    }

    /// What happened so far: kinds, statuses and numbers of PDUs, never what was in them.
    pub fn steps(&self) -> Vec<String> {
        self.shared.steps.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// How many questions of [`Peer::ask`] and [`Peer::converse`] the service has acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.shared.acknowledged.load(Ordering::Relaxed)
    }

    pub(super) fn take_listeners(&mut self) -> Vec<TcpListener> {
        self.listeners.iter_mut().filter_map(Option::take).collect()
    }
}
