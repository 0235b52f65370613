//! Two instances on one store, each bound to an SMSC of the same carrier: what one leaves that is killed, or paused for
//! longer than others wait, the other sends; and the one that was paused sends nothing more.

use std::{
    collections::{HashMap, HashSet},
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracuu::{
    clock::Clock,
    ledger::FLAG_POSSIBLE_DUP,
    message::{Msisdn, PersonalId, RowKey},
    registry::Registry,
    sim::{Deliver, Smsc, SmscSettings, SubmitAnswer},
};

use crate::{
    billed,
    site::{CODE, Serving, Site, within},
    stored::stored,
    support::postgres,
};

/// People who ask the instance that dies, and those who ask the other.
const LEFT: usize = 300;
const BESIDE: usize = 300;

/// What each asks for, one after the other: a reply of one segment each.
const WORDS: [&str; 6] = ["NS", "GT", "QT", "NM", "DT", "TG"];

#[tokio::test]
async fn on_sqlite_what_a_killed_instance_left_is_sent_by_the_other() {
    Box::pin(killed("SQLite", None)).await;
}

#[tokio::test]
async fn on_postgresql_what_a_killed_instance_left_is_sent_by_the_other() {
    if let Some(server) = postgres::server() {
        let store = server.fresh_database().await;
        Box::pin(killed("PostgreSQL", Some(&store))).await;
    }
}

/// Killed while its SMSC answers none of its submits: as many as its window holds were sent and may have been taken, the
/// others never left.
async fn killed(label: &str, store: Option<&str>) {
    let silent = SmscSettings { submits: SubmitAnswer::Silence, ..SmscSettings::default() };
    let mut pair = Pair::start(store, silent, "").await;
    pair.ask_all().await;
    let asking = pair.ask_beside();
    pair.first.take().unwrap().kill().await;
    let (begun, waited) = pair.until_sent(LEFT).await;
    let beside = asking.enough().await;
    let line = format!(
        "{label}: killed with {LEFT} replies open, {} of them sent; the first was sent by the other after {:.1} s, the last \
         after {:.1} s, {beside} questions asked beside",
        pair.theirs.counts().submits,
        begun.as_secs_f64(),
        waited.as_secs_f64(),
    );
    pair.judge(beside, LEFT, &line).await;
}

/// Paused while its pace lets few replies leave. PostgreSQL alone: a process that is paused while it writes a SQLite file
/// holds all others up until it goes on.
#[tokio::test]
async fn an_instance_that_was_paused_for_too_long_sends_nothing_more_and_ends_as_fenced() {
    let Some(server) = postgres::server() else { return };
    let mut pair = Pair::start(Some(&server.fresh_database().await), SmscSettings::default(), "rate = 8\n").await;
    pair.ask_all().await;
    let asking = pair.ask_beside();
    let first = pair.first.take().unwrap();
    first.pause().await;
    // The rest of what it had given to the system arrives, and nothing after that.
    within("what was sent to arrive", all_arrived(pair.theirs.address().port())).await;
    let sent = pair.theirs.counts().submits;
    let left = LEFT - usize::try_from(sent).unwrap();
    assert!(left > LEFT / 4, "{left} replies are left to be sent");
    let (begun, waited) = pair.until_sent(left).await;
    first.resume().await;
    let woken = Instant::now();
    let (code, log) = first.ended().await;
    let ended = woken.elapsed();
    let beside = asking.enough().await;
    let line = format!(
        "PostgreSQL: paused with at least {left} replies unsent; the first was sent by the other after {:.1} s, the last \
         after {:.1} s; {:.1} s after it went on it had ended with code {code:?}",
        begun.as_secs_f64(),
        waited.as_secs_f64(),
        ended.as_secs_f64(),
    );
    assert_eq!(pair.theirs.counts().submits, sent, "it sent after it had woken\n{line}");
    assert_eq!(code, Some(1), "{line}\n{log}");
    assert!(log.contains("another process took this one's place"), "{line}\n{log}");
    within("its sessions to end", pair.theirs.unbound()).await;
    pair.judge(beside, left, &line).await;
}

/// Waits until the system holds nothing that was sent to this port and not read there yet.
async fn all_arrived(port: u16) {
    let port = format!(":{port:04X}");
    let held = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let (sent, received) = columns[4].split_once(':').unwrap();
        let (to_it, of_it) = (columns[2].ends_with(&port), columns[1].ends_with(&port));
        (to_it && sent != "00000000") || (of_it && received != "00000000")
    };
    // The SMSC reads in this same thread, and counts what it has read before anybody else has a turn.
    while std::fs::read_to_string("/proc/net/tcp").unwrap().lines().skip(1).any(held) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Two instances, and their SMSCs.
struct Pair {
    tracker: TaskTracker,
    /// The SMSC of the instance that dies, and the other's.
    theirs: Smsc,
    ours: Smsc,
    sites: [Site; 2],
    first: Option<Serving>,
    second: Serving,
    people: Vec<(Msisdn, PersonalId)>,
    /// Replies that the other sent to those who had asked the first: how many each.
    sent: HashMap<Vec<u8>, usize>,
}

impl Pair {
    /// `lines` go into the carrier's section of the first instance.
    async fn start(store: Option<&str>, theirs: SmscSettings, lines: &str) -> Self {
        let tracker = TaskTracker::new();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let theirs = Smsc::listen(any, theirs, &tracker, Clock::System).await.unwrap();
        let ours = Smsc::listen(any, SmscSettings::default(), &tracker, Clock::System).await.unwrap();
        let second = Site::new(ours.address(), 1, 1_200, store).await;
        let first = second.beside("tracuu-2", theirs.address(), lines);
        let registry = Registry::open(&second.config.registry).await.unwrap();
        let people = registry.phones((LEFT + BESIDE) as u32).await.unwrap();
        registry.close().await;
        assert_eq!(people.len(), LEFT + BESIDE);
        // The one that takes over has started first: what it takes has greater keys than its own.
        let serving = second.serve();
        within("the second instance to bind", ours.bound()).await;
        let dying = first.serve();
        within("the first instance to bind", theirs.bound()).await;
        let (sites, sent) = ([first, second], HashMap::new());
        Self { tracker, theirs, ours, sites, first: Some(dying), second: serving, people, sent }
    }

    /// Those who ask the first instance do so, and all are acknowledged.
    async fn ask_all(&self) {
        let mut asking = JoinSet::new();
        for (phone, person) in &self.people[..LEFT] {
            let (smsc, question) = (self.theirs.clone(), question(*phone, person, WORDS[0]));
            asking.spawn(async move { smsc.deliver(question).await.unwrap().status });
        }
        while let Some(answered) = within("an acknowledgement", asking.join_next()).await {
            assert_eq!(answered.unwrap(), 0);
        }
    }

    /// The others ask the second instance, one after the other, until it is enough.
    fn ask_beside(&self) -> Asking {
        let (smsc, enough) = (self.ours.clone(), CancellationToken::new());
        let ask = |word| self.people[LEFT..].iter().map(move |(phone, person)| question(*phone, person, word));
        let questions: Vec<Deliver> = WORDS.into_iter().flat_map(ask).collect();
        let (mut task, stop) = (JoinSet::new(), enough.clone());
        task.spawn(async move {
            let mut asked = 0;
            for question in questions {
                if stop.is_cancelled() {
                    break;
                }
                assert_eq!(smsc.deliver(question).await.unwrap().status, 0, "a question beside was refused");
                asked += 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            asked
        });
        Asking { task, enough }
    }

    /// Waits until the second instance has sent so many replies of the first. How long the first of them took, and the last.
    async fn until_sent(&mut self, count: usize) -> (Duration, Duration) {
        let begun = Instant::now();
        let theirs: HashSet<Vec<u8>> =
            self.people[..LEFT].iter().map(|(phone, _)| phone.expose().to_string().into_bytes()).collect();
        let mut first = None;
        while self.sent.len() < count {
            let submit = within("a reply of the other instance", self.ours.next_submit()).await;
            if theirs.contains(&submit.destination.octets) {
                first.get_or_insert_with(|| begun.elapsed());
                *self.sent.entry(submit.destination.octets).or_default() += 1;
            }
        }
        (first.unwrap(), begun.elapsed())
    }

    /// Stops what still runs and compares the books: of what the first had left at least so many were sent by the other.
    async fn judge(self, beside: usize, left: usize, line: &str) {
        let _ = writeln!(std::io::stderr(), "{line}");
        self.second.stop().await;
        let (ours, theirs) = (self.ours.counts().submits, self.theirs.counts().submits);
        for smsc in [self.ours, self.theirs] {
            smsc.stop().await;
        }
        self.tracker.close();
        self.tracker.wait().await;
        assert!(self.sent.values().all(|copies| *copies == 1), "the other sent a reply twice\n{line}");
        let stored = stored(&self.sites[1]).await;
        let questions = (LEFT + beside) as u64;
        stored.judge(questions, 1, line);
        let (mut by_heir, mut flagged) = (0, 0);
        for row in &stored.mt {
            let inherited = RowKey(row.key).epoch() != RowKey(row.exchange_key).epoch();
            by_heir += usize::from(inherited);
            flagged += usize::from(row.flags & FLAG_POSSIBLE_DUP != 0);
            assert_eq!((row.result.as_str(), row.flags & FLAG_POSSIBLE_DUP != 0), ("ACCEPTED", inherited), "{line}");
        }
        assert!(by_heir >= left && flagged == by_heir, "{by_heir} replies were settled by the other\n{line}");
        assert_eq!(ours as usize, beside + by_heir, "what the other sent, once each\n{line}");
        assert!(theirs as usize + by_heir >= LEFT, "a reply was never sent\n{line}");
        billed::judge(&self.sites[1], &stored, line).await;
    }
}

/// Questions that go on beside.
struct Asking {
    task: JoinSet<usize>,
    enough: CancellationToken,
}

impl Asking {
    /// How many were asked and acknowledged.
    async fn enough(mut self) -> usize {
        self.enough.cancel();
        within("the questions beside", self.task.join_next()).await.unwrap().unwrap()
    }
}

fn question(phone: Msisdn, person: &PersonalId, word: &str) -> Deliver {
    let text = format!("TTCD {} {word}", &person.expose()[6..]);
    Deliver::new(&phone.expose().to_string(), CODE, 0, text.into_bytes())
}
