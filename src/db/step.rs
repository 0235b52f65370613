//! Where a simulation stands between the service and its databases: it says how long each call is on its way, whether it
//! arrives, and whether its answer does. The database itself stays the real one. A call is then made to its end on the
//! spot, with the simulation's time standing still, so that one seed always gives one course of events.
//!
//! Without a simulation on the thread, which only a test puts there, a call is one look at an empty place.

use std::{
    cell::{Cell, RefCell},
    io::ErrorKind,
    pin::pin,
    sync::Arc,
    task::{Context, Wake, Waker},
    thread::Thread,
    time::Duration,
};

use tokio::runtime::Handle;

/// A call that takes longer waits for something that only comes when it is over: a fault of the simulation.
const STUCK: Duration = Duration::from_secs(30);

/// What is asked of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Rows outside a transaction.
    Read,
    /// To begin a transaction.
    Begin,
    /// A statement within one.
    Statement,
    /// To keep it.
    Commit,
}

/// How a call fares.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fare {
    /// So long on its way there.
    pub there: Duration,
    /// It never arrives.
    pub fails: bool,
    /// So long on its way back.
    pub back: Duration,
    /// It was done, and its answer is lost.
    pub lost: bool,
}

/// Decides how calls fare.
pub trait Fares: Send + Sync {
    /// How this call fares.
    fn next(&self, call: Call) -> Fare;
}

/// A simulation on this thread.
#[derive(Clone)]
struct Stage {
    fares: Arc<dyn Fares>,
    /// What the drivers run on: their time is the real one.
    drivers: Handle,
}

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
    /// The time of the simulation that is waited for within a call, and who is woken by it.
    static CLOCKWORK: RefCell<Option<(Handle, Waker)>> = const { RefCell::new(None) };
    static WAITS_FOR_TIME: Cell<bool> = const { Cell::new(false) };
}

/// Puts a simulation on this thread, for as long as the answer is kept.
#[doc(hidden)]
#[must_use]
pub fn stage(fares: Arc<dyn Fares>, drivers: Handle) -> Staged {
    STAGE.set(Some(Stage { fares, drivers }));
    Staged(())
}

/// The simulation on this thread; dropped, it is gone.
pub struct Staged(());

impl Drop for Staged {
    fn drop(&mut self) {
        STAGE.set(None);
    }
}

/// Whether there is a simulation on this thread.
pub(crate) fn is_staged() -> bool {
    STAGE.with_borrow(Option::is_some)
}

/// Makes one call as it is decided for it.
pub(crate) async fn call<T>(what: Call, made: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let made = pin!(made);
    let Some(fares) = STAGE.with_borrow(|stage| stage.as_ref().map(|stage| Arc::clone(&stage.fares))) else {
        return made.await;
    };
    let fare = in_its_time(|| fares.next(what));
    time_passes(fare.there).await;
    if fare.fails {
        return Err(sqlx::Error::Io(ErrorKind::ConnectionRefused.into()));
    }
    let answer = whole(made).await;
    time_passes(fare.back).await;
    if fare.lost { Err(sqlx::Error::Io(ErrorKind::ConnectionReset.into())) } else { answer }
}

/// Runs what consists of calls alone without letting anything else happen between them, but for what a simulation
/// decides.
#[doc(hidden)]
pub async fn whole<T>(calls: impl Future<Output = T>) -> T {
    let calls = pin!(calls);
    let Some(drivers) = STAGE.with_borrow(|stage| stage.as_ref().map(|stage| stage.drivers.clone())) else {
        return calls.await;
    };
    let mut calls = pin!(tokio::task::unconstrained(calls));
    let done = Waker::from(Arc::new(Unpark(std::thread::current())));
    std::future::poll_fn(|context| {
        let outermost = CLOCKWORK.with_borrow(Option::is_none);
        if outermost {
            CLOCKWORK.set(Some((Handle::current(), context.waker().clone())));
        }
        WAITS_FOR_TIME.set(false);
        let begun = std::time::Instant::now();
        let polled = loop {
            let entered = drivers.enter();
            let polled = calls.as_mut().poll(&mut Context::from_waker(&done));
            drop(entered);
            if polled.is_ready() || WAITS_FOR_TIME.get() {
                break polled;
            }
            std::thread::park_timeout(STUCK);
            assert!(begun.elapsed() < STUCK, "a call to a database never ends");
        };
        if outermost {
            CLOCKWORK.set(None);
        }
        polled
    })
    .await
}

/// Does what a driver's tasks follow up, such as letting a connection go.
pub(crate) fn aside(done: impl FnOnce()) {
    let drivers = STAGE.with_borrow(|stage| stage.as_ref().map(|stage| stage.drivers.clone()));
    let _entered = drivers.as_ref().map(Handle::enter);
    done();
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Within a call the time of the drivers is told, but for this.
fn in_its_time<T>(done: impl FnOnce() -> T) -> T {
    let clockwork = CLOCKWORK.with_borrow(|clockwork| clockwork.as_ref().map(|(time, _)| time.clone()));
    let _entered = clockwork.as_ref().map(Handle::enter);
    done()
}

/// Lets the simulation's time pass.
async fn time_passes(time: Duration) {
    if time.is_zero() {
        return;
    }
    let mut sleep = pin!(in_its_time(|| tokio::time::sleep(time)));
    std::future::poll_fn(|context| {
        let waker = CLOCKWORK.with_borrow(|clockwork| clockwork.as_ref().map(|(_, waker)| waker.clone()));
        let polled = sleep.as_mut().poll(&mut Context::from_waker(waker.as_ref().unwrap_or(context.waker())));
        WAITS_FOR_TIME.set(polled.is_pending());
        polled
    })
    .await;
}
