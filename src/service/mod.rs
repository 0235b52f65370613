//! Builds everything from the configuration, starts it in order, stops it in reverse. The only place that starts tasks,
//! but for the desk's look-ups.
//!
//! A stop: lines answer new questions with a temporary error; the desk finishes what it has taken; the outboxes settle
//! what is under way (at most 10 s, [`crate::outbox`]); the lines unbind (at most 5 s each); the writer ends its epoch.

mod apart;
mod parts;

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use apart::Watch;

use crate::{
    answer::{Decider, Desk, Doors, Heir, Known, Loops},
    board::{Board, Pulse},
    clock::{Chance, Clock},
    config::{Carrier, Config},
    db::{Db, DbError, OpenDb},
    intake::Intake,
    ledger::{Keys, Ledger, LedgerError, SealError, Writer, WriterEnd},
    message::{CarrierId, Lang, LineId},
    outbox::Outbox,
    query::Grammar,
    registry::{Registry, RegistryError},
    reply::{self, TemplateFaults, Templates},
    retention::Nightly,
    smpp,
};
use parts::Parts;

/// Time for a whole stop: 10 s for replies under way, 5 s for unbinding, 5 s for the last commits. Give a service
/// manager a little more.
pub const STOP_BUDGET: Duration = Duration::from_secs(20);

/// How often the event loop shows that it turns.
const TURN: Duration = Duration::from_millis(500);

/// Changed templates are taken this long after the last change.
const TEMPLATES_QUIET: Duration = Duration::from_millis(500);

/// Why the service could not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The store.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The key file.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The templates.
    #[error("templates:\n{0}")]
    Templates(#[from] TemplateFaults),
    /// The grammar.
    #[error("query grammar: {0}")]
    Grammar(String),
    /// The ledger's writer could not go on.
    #[error(transparent)]
    Writer(#[from] WriterEnd),
    /// A task ended that must run for ever.
    #[error("{0} ended by itself")]
    TaskEnded(&'static str),
}

/// How the store is opened under this configuration.
pub fn store_options(config: &Config) -> OpenDb {
    let store = &config.store;
    OpenDb { name: "store", url: store.url.clone(), read_only: false, readers: store.readers, wait: store.wait }
}

/// Opens the store with its keys.
///
/// # Errors
/// [`ServiceError`] names what is missing.
pub async fn open_store(config: &Config) -> Result<(Db, Arc<Keys>), ServiceError> {
    let keys = Arc::new(Keys::read(&config.store.key_file)?);
    Ok((Db::open(&store_options(config)).await?, keys))
}

/// Loads the templates, with the words of the configured grammar in them.
///
/// # Errors
/// Every fault of the set.
pub fn open_templates(config: &Config) -> Result<Templates, TemplateFaults> {
    Templates::open(&config.reply.templates, template_settings(config))
}

/// What templates are checked and used with under this configuration.
pub fn template_settings(config: &Config) -> reply::Settings {
    let words = Lang::ALL.map(|lang| reply::Words::of(&config.query, lang));
    reply::Settings { words, ..reply::Settings::new(&config.reply, &config.contact) }
}

/// Builds the grammar.
///
/// # Errors
/// [`ServiceError::Grammar`] with every fault.
pub fn build_grammar(config: &Config) -> Result<Grammar, ServiceError> {
    Grammar::build(&config.query).map_err(|faults| {
        let lines: Vec<String> = faults.into_iter().map(|(key, why)| format!("{key}: {why}")).collect();
        ServiceError::Grammar(lines.join("; "))
    })
}

/// A service that is built and not yet running.
pub struct Service {
    desk: Desk,
    heir: Heir,
    doors: Doors,
    outboxes: Vec<Outbox>,
    lines: Vec<(crate::config::Line, smpp::Wiring)>,
    writer: Writer,
    /// The store's answers come from a thread, or over a socket.
    writer_watch: Watch,
    quiesce: CancellationToken,
    templates: Arc<Templates>,
    watch_templates: bool,
    nightly: Nightly,
    board: Arc<Board>,
}

impl Service {
    /// Builds everything: store, registry, templates, grammar, desk, outboxes, lines. Connects to no carrier yet.
    ///
    /// # Errors
    /// [`ServiceError`]: what is missing or wrong; nothing is left running.
    pub async fn build(config: &Config, clock: Clock, chance: Chance) -> Result<Self, ServiceError> {
        let grammar = build_grammar(config)?;
        let templates = Arc::new(open_templates(config)?);
        let registry = Registry::open(&config.registry).await?;
        if !Db::inspect(&store_options(config)).await? {
            info!("Store is too large to be read through at a start; `tracuu check` does it");
        }
        let (db, keys) = open_store(config).await?;
        let kind = db.kind();
        let writer_watch = match &db {
            Db::Sqlite { .. } => Watch::Shared,
            Db::Postgres { .. } => Watch::Own,
        };
        let (ledger, mut writer) =
            Ledger::open(db.clone(), Arc::clone(&keys), &config.service.instance, clock.clone()).await?;
        let carriers: HashMap<CarrierId, Arc<Carrier>> =
            config.carriers.iter().map(|(id, carrier)| (id.clone(), Arc::new(carrier.clone()))).collect();
        let intake = Intake::rebuild(&carriers, Arc::clone(&ledger), clock.now()).await?;
        let (texts, remembered) = intake.sizes();
        let crashed = ledger.ended().last().is_some_and(|ended| !ended.orderly);
        info!(
            store = kind,
            epoch = ledger.epoch(),
            open_texts = texts,
            may_come_again = remembered,
            after_crash = crashed,
            "Ledger is open"
        );
        let quiesce = CancellationToken::new();
        let named = config.carriers.values().map(|carrier| (carrier.id.clone(), lines_of(carrier))).collect();
        let board = Board::new(&config.service.instance, clock.clone(), named);
        writer.watched(board.pulses.add("the ledger's writer"), Arc::clone(&board.store));
        let nightly = Nightly::new(config, db, keys, clock.clone(), Arc::clone(&board));
        let mut service = Parts::default();
        for (place, carrier) in (0..).zip(config.carriers.keys().filter_map(|id| carriers.get(id))) {
            if let Some(board) = board.carrier(&carrier.id) {
                writer.know(carrier, Arc::clone(board));
                service.add(place, carrier, board, &ledger, &clock, &chance, &quiesce);
            }
        }
        let (heard, others) = mpsc::channel(1);
        let heir = Heir {
            ledger: Arc::clone(&ledger),
            clock: clock.clone(),
            doors: service.replies.clone(),
            desk: heard,
            carriers: carriers.clone(),
            pulse: board.pulses.add("the look at other instances"),
            known: Known::default(),
        };
        let decider = Decider {
            grammar,
            default_fields: config.reply.default_fields.clone(),
            registry: Arc::new(registry),
            templates: Arc::clone(&templates),
            ledger,
            carriers,
            clock,
        };
        let desk = Desk {
            decider,
            intake,
            lines: service.commands,
            replies: service.replies,
            batch: config.service.batch,
            board: Arc::clone(&board),
            loops: Loops::default(),
            others,
            answers_too_early: false,
        };
        Ok(Self {
            desk,
            heir,
            doors: Doors::new(service.doors),
            outboxes: service.outboxes,
            lines: service.lines,
            writer,
            writer_watch,
            quiesce,
            templates,
            watch_templates: config.reply.watch,
            nightly,
            board,
        })
    }

    /// What is known of it while it runs.
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Runs until `stop` is cancelled, then stops in order.
    ///
    /// # Errors
    /// [`ServiceError`] when a part ended by itself: the process must then exit as failed.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServiceError> {
        self.run_over(stop, false, smpp::run).await
    }

    /// [`Service::run`] over the lines of a simulation, which may plant a fault: answers that leave before the commit.
    #[doc(hidden)]
    pub async fn run_over<L>(
        mut self,
        stop: CancellationToken,
        answers_too_early: bool,
        line: impl Fn(crate::config::Line, smpp::Wiring) -> L,
    ) -> Result<(), ServiceError>
    where
        L: Future<Output = ()> + Send + 'static,
    {
        let watch = self.watch_templates.then(|| reply::watch(&self.templates, TEMPLATES_QUIET));
        if let Some(Err(error)) = &watch {
            warn!(%error, "Template folder cannot be watched; changes are taken at the next start");
        }
        self.desk.answers_too_early = answers_too_early;
        let desk_stop = CancellationToken::new();
        let mut tasks: JoinSet<Ended> = JoinSet::new();
        let (mut writer, watch) = (self.writer, self.writer_watch);
        tasks.spawn(async move {
            let writing = async move {
                if watch == Watch::Own {
                    writer.connect_anew();
                }
                writer.run().await
            };
            match Box::pin(apart::run("writer", watch, writing)).await {
                Some(ended) => Ended::Writer(ended),
                None => Ended::Gone("the ledger's writer"),
            }
        });
        let (desk, doors, desk_stopped) = (self.desk, self.doors, desk_stop.clone());
        tasks.spawn(async move {
            desk.run(doors, desk_stopped).await;
            Ended::Desk
        });
        let (heir, heir_stop) = (self.heir, desk_stop.clone());
        tasks.spawn(async move {
            let ended = heir.run(heir_stop).await;
            ended.map_or_else(|error| Ended::Writer(Err(WriterEnd::Unsynced(error))), |()| Ended::Heir)
        });
        for outbox in self.outboxes {
            tasks.spawn(async move {
                outbox.run().await;
                Ended::Outbox
            });
        }
        for (settings, wiring) in self.lines {
            let running = line(settings, wiring);
            tasks.spawn(async move {
                running.await;
                Ended::Line
            });
        }
        let (nightly, nightly_stop) = (self.nightly, desk_stop.clone());
        tasks.spawn(async move {
            let ended = nightly.run(nightly_stop).await;
            ended.map_or_else(|error| Ended::Writer(Err(WriterEnd::Unsynced(error))), |()| Ended::Nightly)
        });
        let pulse = self.board.pulses.add("the event loop");
        tasks.spawn(beat(pulse, desk_stop.clone()));
        let early = tokio::select! {
            // A part that ends because of the stop has not ended by itself.
            biased;
            () = stop.cancelled() => None,
            ended = tasks.join_next() => Some(ended),
        };
        let failed = early.map(what_ended);
        if let Some(ServiceError::Writer(WriterEnd::Unsynced(error))) = failed {
            // Whatever would still be answered or sent could not be stored.
            error!(%error, "Service ends at once");
            return Err(WriterEnd::Unsynced(error).into());
        }
        if let Some(error) = &failed {
            error!(%error, "Service is stopping because a part of it ended");
        } else {
            info!("Service is stopping");
        }
        self.quiesce.cancel();
        desk_stop.cancel();
        let rest = async {
            let mut without = None;
            while let Some(ended) = tasks.join_next().await {
                if let Ok(Ended::Writer(Err(error))) = ended {
                    without = Some(error);
                }
            }
            without
        };
        match tokio::time::timeout(STOP_BUDGET, rest).await {
            Ok(Some(end)) => return Err(end.into()),
            Ok(None) => {}
            Err(_) => warn!("Service did not stop in time; what is not settled is found at the next start"),
        }
        info!("Service has stopped");
        failed.map_or(Ok(()), Err)
    }
}

enum Ended {
    Writer(Result<(), WriterEnd>),
    Desk,
    Heir,
    Outbox,
    Line,
    Nightly,
    Pulse,
    /// This part's thread died.
    Gone(&'static str),
}

/// Shows that the event loop turns, until a stop is asked for.
async fn beat(pulse: Pulse, stop: CancellationToken) -> Ended {
    let mut turns = tokio::time::interval(TURN);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(turns.tick()).await.is_some() {
        pulse.beat();
    }
    pulse.rest();
    Ended::Pulse
}

fn what_ended(ended: Option<Result<Ended, tokio::task::JoinError>>) -> ServiceError {
    match ended {
        Some(Ok(Ended::Writer(Err(end)))) => end.into(),
        Some(Ok(Ended::Writer(Ok(())))) => ServiceError::TaskEnded("the ledger's writer"),
        Some(Ok(Ended::Desk)) => ServiceError::TaskEnded("the desk"),
        Some(Ok(Ended::Heir)) => ServiceError::TaskEnded("the look at other instances"),
        Some(Ok(Ended::Outbox)) => ServiceError::TaskEnded("an outbox"),
        Some(Ok(Ended::Nightly)) => ServiceError::TaskEnded("the nightly removal of the old"),
        Some(Ok(Ended::Pulse)) => ServiceError::TaskEnded("the pulse of the event loop"),
        Some(Ok(Ended::Line)) => ServiceError::TaskEnded("a line"),
        Some(Ok(Ended::Gone(part))) => ServiceError::TaskEnded(part),
        Some(Err(_)) | None => ServiceError::TaskEnded("a task that failed"),
    }
}

/// The session slots of a carrier.
fn lines_of(carrier: &Carrier) -> Vec<LineId> {
    let roles = carrier.line.bind.roles();
    let line = |index| roles.iter().map(move |role| LineId { carrier: carrier.id.clone(), index, role: *role });
    (1..=carrier.lines).flat_map(line).collect()
}
