//! The simulator's face: listen, send to the ESME, take what the ESME sends, break the line on purpose.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::BytesMut;
use tokio::{
    net::TcpListener,
    sync::{Notify, oneshot},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    SimError,
    engine::Engine,
    message::{Deliver, DeliverAnswer, Dialect, SmscCounts, SmscSettings, StrayResponse, SubmitAnswer, Submitted},
    open::Waiting,
    session,
    state::{Desk, Session},
    wire,
};
use crate::{clock::Clock, smpp::frame::Frame};

/// How long an orderly unbind is waited for before the connection is dropped.
const UNBIND_WAIT: Duration = Duration::from_secs(5);

/// A simulated SMSC that listens on a port. Cheap to clone; all clones are the same SMSC.
#[derive(Clone)]
pub struct Smsc {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Smsc {
    /// Listens on `address` (port 0: any free port). Its tasks run on `tracker` until [`Smsc::stop`].
    ///
    /// # Errors
    /// As the operating system gives them: the address is in use, or not of this machine.
    pub async fn listen(
        address: SocketAddr,
        settings: SmscSettings,
        tracker: &TaskTracker,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                sessions: Vec::new(),
                last_session: 0,
                desk: Desk::new(settings, clock),
                listening: true,
            }),
            stir: Notify::new(),
            stop: CancellationToken::new(),
        });
        let (accepting, sessions) = (shared.clone(), tracker.clone());
        tracker.spawn(async move {
            while let Some(accepted) = accepting.stop.run_until_cancelled(listener.accept()).await {
                match accepted {
                    Ok((stream, _)) => drop(sessions.spawn(session::serve(accepting.clone(), stream))),
                    // Out of descriptors, or a connection that ended in the queue: the next may do better.
                    Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
            drop(listener);
            accepting.lock().listening = false;
            accepting.stir.notify_waiters();
        });
        Ok(Self { shared, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until an ESME is bound, in whatever way.
    pub async fn bound(&self) {
        self.shared.wait(|state| state.sessions.iter().any(|session| session.bound.is_some()).then_some(())).await;
    }

    /// Waits until so many sessions are bound, no more and no fewer.
    pub async fn bound_by(&self, count: usize) {
        let bound = |state: &State| state.sessions.iter().filter(|session| session.bound.is_some()).count();
        self.shared.wait(|state| (bound(state) == count).then_some(())).await;
    }

    /// Waits until no ESME is bound.
    pub async fn unbound(&self) {
        self.shared.wait(|state| state.sessions.iter().all(|session| session.bound.is_none()).then_some(())).await;
    }

    /// Sends a deliver_sm on a bound session (several take turns) and waits for its answer.
    ///
    /// # Errors
    /// [`SimError::NoSession`]: nobody is bound to receive. [`SimError::SessionLost`]: send it again after the next
    /// bind. [`SimError::TooManyOpen`], [`SimError::DoesNotFit`]: nothing was sent.
    pub async fn deliver(&self, deliver: Deliver) -> Result<DeliverAnswer, SimError> {
        let body = wire::deliver_body(&deliver)?;
        let (caller, answer) = oneshot::channel();
        {
            let mut state = self.shared.lock();
            let session = state.receiving().ok_or(SimError::NoSession)?;
            Desk::request(session, wire::DELIVER_SM, Waiting::Caller(caller), &body)?;
        }
        answer.await.map_err(|_| SimError::SessionLost)
    }

    /// Writes octets as they are on a session, to see what the ESME makes of them. Its answers come out of
    /// [`Smsc::next_stray`]. Sequence numbers from 0x40000000 on stay clear of the simulator's own.
    ///
    /// # Errors
    /// [`SimError::NoSession`]: nobody is connected.
    pub fn write_raw(&self, octets: &[u8]) -> Result<(), SimError> {
        let mut state = self.shared.lock();
        let session = state.sessions.iter_mut().rev().find(|session| !session.closing).ok_or(SimError::NoSession)?;
        session.outbox.extend_from_slice(octets);
        session.wake.notify_one();
        Ok(())
    }

    /// Sends an enquire_link on every bound session; [`Smsc::counts`] tells of the answers.
    pub fn enquire(&self) {
        for session in self.shared.lock().sessions.iter_mut().filter(|session| session.bound.is_some()) {
            // A session with too many open requests has no answer to give.
            let _ = Desk::request(session, wire::ENQUIRE_LINK, Waiting::Enquiry, &[]);
        }
    }

    /// The next message from the ESME, in the order read, waiting for it. At most
    /// [`SmscSettings::kept_submits`] are kept; [`SmscCounts::dropped_submits`] counts the older ones dropped. While a
    /// load runs, submits belong to the load.
    pub async fn next_submit(&self) -> Submitted {
        self.shared.wait(|state| state.desk.submitted.pop_front()).await
    }

    /// The next response that belongs to nothing the simulator asked, waiting for it.
    pub async fn next_stray(&self) -> StrayResponse {
        self.shared.wait(|state| state.desk.strays.pop_front()).await
    }

    /// Changes how submits are answered from now on.
    pub fn answer_submits(&self, answer: SubmitAnswer) {
        self.shared.lock().desk.settings.submits = answer;
    }

    /// The running load, if there is one, asks nothing new from now on; what is open is still waited for.
    pub fn stop_asking(&self) {
        self.shared.with_load(|load, _| load.stop_asking(Instant::now()));
    }

    /// Its ways of writing.
    pub fn dialect(&self) -> Dialect {
        self.shared.lock().desk.settings.dialect
    }

    /// The counters as they stand.
    pub fn counts(&self) -> SmscCounts {
        self.shared.lock().desk.counts
    }

    /// Unbinds all sessions in an orderly way and waits until they have ended; a connection that does not answer the
    /// unbind within 5 s is dropped.
    pub async fn unbind(&self) {
        let numbers: Vec<u32> = {
            let mut state = self.shared.lock();
            for session in &mut state.sessions {
                let asked =
                    session.bound.is_some() && Desk::request(session, wire::UNBIND, Waiting::Unbind, &[]).is_ok();
                if !asked {
                    session.cut.cancel();
                }
            }
            state.sessions.iter().map(|session| session.number).collect()
        };
        let gone =
            |state: &mut State| (!state.sessions.iter().any(|session| numbers.contains(&session.number))).then_some(());
        if tokio::time::timeout(UNBIND_WAIT, self.shared.wait(gone)).await.is_err() {
            for session in self.shared.lock().sessions.iter().filter(|session| numbers.contains(&session.number)) {
                session.cut.cancel();
            }
            self.shared.wait(gone).await;
        }
    }

    /// Drops all connections at once, whatever is under way; goes on listening.
    pub fn cut(&self) {
        for session in &self.shared.lock().sessions {
            session.cut.cancel();
        }
    }

    /// Stops listening, drops all connections and waits until both are done.
    pub async fn stop(self) {
        self.shared.stop.cancel();
        self.shared
            .wait(|state| {
                state.sessions.iter().for_each(|session| session.cut.cancel());
                (!state.listening && state.sessions.is_empty()).then_some(())
            })
            .await;
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

/// What the sessions and the callers share.
pub(super) struct Shared {
    state: Mutex<State>,
    /// Told whenever a waiting caller may find something new.
    stir: Notify,
    stop: CancellationToken,
}

pub(super) struct State {
    sessions: Vec<Session>,
    last_session: u32,
    pub(super) desk: Desk,
    listening: bool,
}

impl State {
    /// The next session that can take a deliver_sm; they take turns.
    fn receiving(&mut self) -> Option<&mut Session> {
        let at = self.sessions.iter().position(Session::receives)?;
        self.sessions[at..].rotate_left(1);
        self.sessions.last_mut()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stir(&self, mut state: MutexGuard<'_, State>) {
        let stirred = std::mem::take(&mut state.desk.stirred);
        drop(state);
        if stirred {
            self.stir.notify_waiters();
        }
    }

    /// Waits until `look` finds what it looks for.
    pub(super) async fn wait<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let stirred = self.stir.notified();
            tokio::pin!(stirred);
            // Registered before the look, so that nothing between the two is missed.
            stirred.as_mut().enable();
            if let Some(found) = look(&mut self.lock()) {
                return found;
            }
            stirred.await;
        }
    }

    pub(super) fn open_session(&self) -> (u32, Arc<Notify>, CancellationToken) {
        let mut state = self.lock();
        state.last_session += 1;
        let session = Session::new(state.last_session, Instant::now());
        let handles = (session.number, session.wake.clone(), session.cut.clone());
        if self.stop.is_cancelled() {
            session.cut.cancel();
        }
        state.sessions.push(session);
        handles
    }

    pub(super) fn close_session(&self, number: u32) {
        let mut state = self.lock();
        if let Some(at) = state.sessions.iter().position(|session| session.number == number) {
            let session = state.sessions.remove(at);
            state.desk.ended(session, Instant::now());
        }
        self.stir(state);
    }

    /// One batch of a session: the frames read, the answers, and what the session is to send besides. Gives the moment
    /// to be called again without cause, and whether the connection closes when all is written.
    pub(super) fn turn(&self, number: u32, frames: &mut Vec<Frame>, out: &mut BytesMut) -> (Option<Instant>, bool) {
        let now = Instant::now();
        let mut state = self.lock();
        let State { sessions, desk, .. } = &mut *state;
        let Some(session) = sessions.iter_mut().find(|session| session.number == number) else {
            return (None, true);
        };
        for frame in frames.drain(..) {
            desk.take(session, &frame, out, now);
        }
        let next = desk.fill(session, out, now);
        let closing = session.closing;
        self.stir(state);
        (next, closing)
    }

    /// All answers of a session have gone to its socket.
    pub(super) fn written(&self, number: u32) {
        let mut state = self.lock();
        let State { sessions, desk, .. } = &mut *state;
        let Some(session) = sessions.iter_mut().find(|session| session.number == number) else { return };
        match &mut desk.load {
            Some(load) if !session.unwritten.is_empty() => load.written(&mut session.unwritten, Instant::now()),
            _ => session.unwritten.clear(),
        }
    }

    pub(super) fn begin_load(&self, mut engine: Engine) -> Result<(), SimError> {
        let mut state = self.lock();
        if state.desk.load.is_some() {
            return Err(SimError::LoadRunning);
        }
        if state.sessions.iter().any(Session::receives) {
            engine.bound(Instant::now());
        }
        state.desk.load = Some(engine);
        state.sessions.iter().for_each(|session| session.wake.notify_one());
        Ok(())
    }

    /// Looks at the running load, and tells whether a session can take its questions.
    pub(super) fn with_load<T>(&self, look: impl FnOnce(&mut Engine, bool) -> T) -> Option<T> {
        let mut state = self.lock();
        let receiving = state.sessions.iter().any(Session::receives);
        state.desk.load.as_mut().map(|engine| look(engine, receiving))
    }

    pub(super) fn end_load(&self) -> Option<Engine> {
        let mut state = self.lock();
        for session in &mut state.sessions {
            session.open.forget_questions();
            session.unwritten.clear();
        }
        state.desk.load.take()
    }
}
