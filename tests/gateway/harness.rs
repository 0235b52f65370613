//! The whole gateway in one process, between a simulated SMSC at one end and real databases at the other.

use std::{
    net::SocketAddr,
    ops::{Deref, DerefMut},
    sync::atomic::{AtomicI64, Ordering},
};

use tokio_util::task::TaskTracker;
use tracuu::{
    clock::Clock,
    ledger::read::store::{Balance, MoRow, MtRow},
    sim::{Deliver, DeliverAnswer, Phone, PhoneReply, SimError, Smsc, SmscSettings},
};

pub(crate) use crate::support::running::{CODE, PATIENCE, soon};
use crate::{
    logs,
    support::running::{Databases, Running, section, still_clock},
};

/// One carrier of a gateway: its SMSC, and its section of the configuration beyond address and account.
pub(crate) struct CarrierSetup {
    /// The section's name.
    pub(crate) name: &'static str,
    /// Settings after the usual ones.
    pub(crate) lines: &'static str,
    /// How its SMSC behaves.
    pub(crate) smsc: SmscSettings,
}

impl Default for CarrierSetup {
    fn default() -> Self {
        Self { name: "sim", lines: "", smsc: SmscSettings::default() }
    }
}

/// What is not usual about a gateway.
#[derive(Default)]
pub(crate) struct Setup {
    /// Its carriers; one usual one when empty.
    pub(crate) carriers: Vec<CarrierSetup>,
    /// Another store than a SQLite file in the gateway's folder.
    pub(crate) store: Option<String>,
    /// Another registry; an empty database, filled at the start.
    pub(crate) registry: Option<String>,
    /// How long the store waits for another process's lock; long when not said.
    pub(crate) store_wait_ms: Option<u32>,
}

impl Setup {
    /// One carrier with these settings after the usual ones.
    pub(crate) fn carrier(lines: &'static str) -> Self {
        Self::with(lines, SmscSettings::default())
    }

    /// The same with an SMSC set up in its own way.
    pub(crate) fn with(lines: &'static str, smsc: SmscSettings) -> Self {
        Self { carriers: vec![CarrierSetup { lines, smsc, ..CarrierSetup::default() }], ..Self::default() }
    }
}

/// A running gateway. End it with [`TestGateway::finish`], which looks for loose ends.
pub(crate) struct TestGateway {
    /// Its SMSCs, in the order of the carriers given.
    pub(crate) smscs: Vec<Smsc>,
    running: Running,
    /// Messages answered with ESME_ROK.
    acknowledged: AtomicI64,
    /// Messages whose answer never came, or was a temporary error: stored or not, nobody here knows.
    unheard: AtomicI64,
    finished: bool,
}

impl Deref for TestGateway {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl DerefMut for TestGateway {
    fn deref_mut(&mut self) -> &mut Running {
        &mut self.running
    }
}

impl TestGateway {
    /// One usual carrier, bound.
    pub(crate) async fn start() -> Self {
        Self::start_with(Setup::default()).await
    }

    /// Starts SMSCs, databases and service, and waits until every line is bound.
    pub(crate) async fn start_with(setup: Setup) -> Self {
        let gateway = Box::pin(Self::prepare(setup)).await.run().await;
        for smsc in &gateway.smscs {
            soon("the line is bound", smsc.bound()).await;
        }
        gateway
    }

    /// Everything but the service.
    pub(crate) async fn prepare(mut setup: Setup) -> Self {
        logs::gather();
        if setup.carriers.is_empty() {
            setup.carriers.push(CarrierSetup::default());
        }
        let clock = still_clock();
        let (mut sections, mut smscs) = (String::new(), Vec::new());
        for carrier in setup.carriers {
            let smsc = listen(([127, 0, 0, 1], 0).into(), carrier.smsc, &clock).await;
            sections.push_str(&section(carrier.name, smsc.address(), carrier.lines));
            smscs.push(smsc);
        }
        let databases = Databases { store: setup.store, registry: setup.registry, store_wait_ms: setup.store_wait_ms };
        let running = Running::prepare(databases, clock, &sections, &[]).await;
        let (acknowledged, unheard) = (AtomicI64::new(0), AtomicI64::new(0));
        Self { smscs, running, acknowledged, unheard, finished: false }
    }

    /// Starts the service.
    pub(crate) async fn run(mut self) -> Self {
        self.start_service().await;
        self
    }

    /// The first carrier's SMSC.
    pub(crate) fn smsc(&self) -> &Smsc {
        &self.smscs[0]
    }

    /// A phone at the first carrier.
    pub(crate) fn phone(&self, number: u64) -> Phone {
        Phone::new(self.smsc(), number.to_string())
    }

    /// Sends a message and counts its answer.
    pub(crate) async fn deliver(&self, deliver: Deliver) -> Result<DeliverAnswer, SimError> {
        self.deliver_at(self.smsc(), deliver).await
    }

    /// The same at any SMSC.
    pub(crate) async fn deliver_at(&self, smsc: &Smsc, deliver: Deliver) -> Result<DeliverAnswer, SimError> {
        let answer = soon("the message is answered", smsc.deliver(deliver)).await;
        match answer {
            Ok(DeliverAnswer { status: 0, .. }) => self.acknowledged.fetch_add(1, Ordering::Relaxed),
            Ok(DeliverAnswer { status: 0x58, .. }) | Err(SimError::SessionLost) => {
                self.unheard.fetch_add(1, Ordering::Relaxed)
            }
            Ok(_) | Err(_) => 0,
        };
        answer
    }

    /// Counts messages that were sent past [`TestGateway::deliver`] and whose answers were not heard.
    pub(crate) fn heard_less(&self, messages: i64) {
        self.unheard.fetch_add(messages, Ordering::Relaxed);
    }

    /// Texts the service from the first carrier; every part must be acknowledged.
    pub(crate) async fn text(&self, number: u64, text: &str) -> Phone {
        let phone = self.phone(number);
        for part in phone.parts(text, CODE) {
            let answer = self.deliver(part).await.unwrap();
            assert_eq!(answer.status, 0, "\"{text}\" was not acknowledged");
        }
        phone
    }

    /// Texts the service and waits for its reply.
    pub(crate) async fn ask(&self, number: u64, text: &str) -> PhoneReply {
        let phone = self.text(number, text).await;
        soon(&format!("a reply to \"{text}\""), phone.reply()).await
    }

    /// The billing records of the usual carrier once every reply is settled.
    pub(crate) async fn settled(&self) -> (Vec<MoRow>, Vec<MtRow>) {
        self.until("every reply is settled", |counted| counted.waiting == 0).await;
        self.records("sim").await
    }

    /// Waits until every reply is settled, stops in order, and looks for loose ends.
    pub(crate) async fn finish(mut self) -> Balance {
        self.finished = true;
        self.until("every reply is settled", |counted| counted.waiting == 0).await;
        self.stop_service().await;
        for smsc in self.smscs.clone() {
            soon("the SMSC stops", smsc.stop()).await;
        }
        let (counted, stored) = self.books().await;
        assert_eq!(counted.parts, 0, "half received: {counted:?}");
        let (heard, unheard) = (self.acknowledged.load(Ordering::Relaxed), self.unheard.load(Ordering::Relaxed));
        assert!(
            (heard..=heard + unheard).contains(&stored),
            "{heard} messages acknowledged, {unheard} with an answer nobody heard, {stored} stored: {counted:?}"
        );
        counted
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        assert!(self.finished || std::thread::panicking(), "a gateway was dropped without finish()");
    }
}

/// An SMSC on an address of this machine.
pub(crate) async fn listen(address: SocketAddr, settings: SmscSettings, clock: &Clock) -> Smsc {
    Smsc::listen(address, settings, &TaskTracker::new(), clock.clone()).await.unwrap()
}
