//! A load on the service: phones that ask as fast as the window allows, and an exact account of what came back.
//!
//! The load survives the loss of its sessions: what was not acknowledged is sent again after the next bind, as an SMSC
//! does, and what the service repeats because of the break is told apart from what it doubles without one.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::{SimError, Smsc, engine::Engine, report::LoadReport};

/// How often the end of a load is looked for and its progress published.
const TICK: Duration = Duration::from_millis(5);

/// One text of one phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Question {
    /// The phone, digits with the country code.
    pub from: u64,
    /// The text, coded as `data_coding` says.
    pub text: Box<[u8]>,
    /// data_coding.
    pub data_coding: u8,
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Question(<{} octets>)", self.text.len())
    }
}

/// When no more new questions are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// After this many.
    Count(u64),
    /// This many seconds after the first.
    Seconds(u64),
}

/// What a load does.
#[derive(Clone, Debug)]
pub struct LoadPlan {
    /// What is asked. Phones take turns, each asks its own questions in the order given, over and over; a phone asks
    /// again only when its last question is acknowledged and replied to. Each question must be one that gets a reply.
    pub questions: Vec<Question>,
    /// Where the questions go.
    pub short_code: String,
    /// How many deliver_sm may be open on one session, from 1.
    pub window: u32,
    /// How many questions may be without their reply at a time; `None`: as many as there are phones.
    pub outstanding: Option<u32>,
    /// When asking ends.
    pub limit: Limit,
    /// New questions a second; `None`: as fast as they are answered.
    pub rate: Option<u32>,
    /// How long the last replies are waited for, counted from the last sign of life.
    pub grace: Duration,
    /// How long a service without a session is waited for.
    pub patience: Duration,
    /// How long a living session may leave a deliver_sm without an answer before it is sent again.
    pub answer_timeout: Duration,
    /// How long before a session loss a response of ours may have been written and not read: a reply so recent may be
    /// repeated after it.
    pub in_doubt: Duration,
    /// How long after the next bind phones touched by a session loss ask nothing new, so that a repeated reply is
    /// never taken for the reply to another question.
    pub rest: Duration,
    /// How long surplus replies are waited for when all is answered.
    pub linger: Duration,
}

impl LoadPlan {
    /// A plan with a window of 100 and waits that suit a service on the same machine.
    pub fn new(questions: Vec<Question>, short_code: impl Into<String>, limit: Limit) -> Self {
        Self {
            questions,
            short_code: short_code.into(),
            window: 100,
            outstanding: None,
            limit,
            rate: None,
            grace: Duration::from_secs(10),
            patience: Duration::from_mins(1),
            answer_timeout: Duration::from_secs(10),
            in_doubt: Duration::from_secs(2),
            rest: Duration::from_secs(2),
            linger: Duration::from_millis(300),
        }
    }
}

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct LoadProgress {
    /// Questions asked.
    pub questions: u64,
    /// Questions acknowledged with ESME_ROK.
    pub acknowledged: u64,
    /// Temporary errors.
    pub temporary: u64,
    /// Questions refused for good.
    pub refused: u64,
    /// Questions replied to.
    pub replies: u64,
    /// Surplus replies.
    pub doubled: u64,
    /// Sessions lost.
    pub breaks: u64,
}

/// A load that has been started; [`LoadRun::finish`] drives it to its end.
pub struct LoadRun {
    smsc: Smsc,
    progress: watch::Sender<LoadProgress>,
    ended: bool,
}

impl LoadRun {
    /// Starts to ask on every bound session, and on those still to come.
    ///
    /// # Errors
    /// [`SimError::EmptyPlan`], [`SimError::DoesNotFit`]: correct the plan. [`SimError::LoadRunning`]: wait for the
    /// other load.
    pub fn start(smsc: &Smsc, plan: &LoadPlan) -> Result<Self, SimError> {
        let engine = Engine::new(plan, Instant::now())?;
        smsc.shared().begin_load(engine)?;
        Ok(Self { smsc: smsc.clone(), progress: watch::Sender::new(LoadProgress::default()), ended: false })
    }

    /// Follows the load; the last value is the state at its end. Published every few milliseconds while
    /// [`LoadRun::finish`] runs.
    pub fn progress(&self) -> watch::Receiver<LoadProgress> {
        self.progress.subscribe()
    }

    /// Waits for the end of the load and closes its books.
    pub async fn finish(mut self) -> LoadReport {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let state = self
                .smsc
                .shared()
                .with_load(|engine, receiving| (engine.progress(), engine.ended(Instant::now(), receiving)));
            let Some((progress, ended)) = state else { return LoadReport::default() };
            self.progress.send_if_modified(|last| std::mem::replace(last, progress) != progress);
            if ended && let Some(engine) = self.smsc.shared().end_load() {
                self.ended = true;
                self.progress.send_replace(engine.progress());
                return LoadReport::of(&engine);
            }
        }
    }
}

impl Drop for LoadRun {
    fn drop(&mut self) {
        if !self.ended {
            self.smsc.shared().end_load();
        }
    }
}

/// Runs a load from beginning to end.
///
/// # Errors
/// As [`LoadRun::start`].
pub async fn run(smsc: &Smsc, plan: &LoadPlan) -> Result<LoadReport, SimError> {
    Ok(LoadRun::start(smsc, plan)?.finish().await)
}
