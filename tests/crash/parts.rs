//! Long questions in two parts over two lines, with kills between the parts and around the last one: the text is joined
//! once, answered once, and a part that is sent again, early or late, begins no second text.

use std::{
    fmt::Write as _,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;
use tracuu::{
    clock::{Chance, Clock},
    message::Outcome,
    registry::Registry,
    sim::{Deliver, Phone, Smsc, SmscSettings},
};

use crate::{
    billed, site,
    site::{CODE, Serving, Site, within},
    stored::stored,
};

/// Phones that ask.
const PHONES: u32 = 60;

/// How often a part is sent again before the service counts as stuck, and how long the SMSC waits before it does so.
const ROUNDS: usize = 200;
const RETRY: Duration = Duration::from_millis(100);

/// What each asks for: more than one physical message holds.
const FIELDS: &str = "HO VA TEN, NGAY THANG NAM SINH, GIOI TINH, NOI SINH, QUE QUAN, DAN TOC, TON GIAO, QUOC TICH, \
                      NHOM MAU, CHUNG MINH NHAN DAN, CAN CUOC CONG DAN, DIA CHI THUONG TRU";

#[tokio::test]
async fn texts_in_parts_are_joined_and_answered_once_whenever_the_service_is_killed() {
    let (seed, chance) = site::chance();
    let tracker = TaskTracker::new();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let smsc = Smsc::listen(any, SmscSettings::default(), &tracker, Clock::System).await.unwrap();
    let site = Site::new(smsc.address(), 2, 300, None).await;
    let phones = phones(&site, &smsc).await;
    let mut parts = Parts::of(&phones);

    // The first parts, and a kill before all are answered.
    let mut line = format!("Parts, TRACUU_CRASH_SEED={seed}: texts {}", phones.len());
    let serving = parts.send_until_killed(&smsc, site.serve(), &chance, |part| part.index == 0).await;
    assert!(serving.is_none());
    let _ = write!(line, ", first parts heard {}", parts.heard());
    // Second parts of every other text, with those first parts that were not heard, and some whose answer the SMSC may
    // have lost.
    parts.doubt(&chance, 3);
    parts.shuffle(&chance);
    let serving =
        parts.send_until_killed(&smsc, site.serve(), &chance, |part| part.index == 0 || part.text % 2 == 0).await;
    assert!(serving.is_none());
    let _ = write!(line, ", parts heard {}", parts.heard());
    // All that is left, and again some that were answered: their texts may be whole by now.
    parts.doubt(&chance, 3);
    parts.shuffle(&chance);
    let serving = site.serve();
    parts.send_all(&smsc).await;
    // Whole and answered on this line; then the line breaks, and the parts come once more.
    for (phone, _) in &phones {
        within("a reply", phone.reply()).await;
    }
    smsc.cut();
    within("the lost sessions to end", smsc.unbound()).await;
    parts.doubt(&chance, 1);
    parts.shuffle(&chance);
    parts.send_all(&smsc).await;
    serving.stop().await;

    let submits = smsc.counts().submits;
    smsc.stop().await;
    tracker.close();
    tracker.wait().await;
    let stored = stored(&site).await;
    let (repeats, possible_dups) = (stored.balance.repeats, stored.balance.possible_dups);
    let _ = write!(line, ", sent {}, repeats {repeats}, possible_dup {possible_dups}, submits {submits}", parts.sent);
    let _ = writeln!(std::io::stderr(), "{line}");
    stored.judge(phones.len() as u64, 2, &line);
    for row in &stored.mo {
        assert_eq!(row.parts, 2, "parts of a text\n{line}");
        assert_eq!(row.outcome, i64::from(Outcome::Answered.code()), "a text was not joined as it was typed\n{line}");
    }
    stored.judge_replies(None, submits, &line);
    billed::judge(&site, &stored, &line).await;
}

/// The phones, each with the messages its question makes.
pub(crate) async fn phones(site: &Site, smsc: &Smsc) -> Vec<(Phone, Vec<Deliver>)> {
    let registry = Registry::open(&site.config.registry).await.unwrap();
    let people = registry.phones(PHONES).await.unwrap();
    registry.close().await;
    assert_eq!(people.len(), PHONES as usize);
    let asking = |(number, person): &(tracuu::message::Msisdn, tracuu::message::PersonalId)| {
        let phone = Phone::new(smsc, number.expose().to_string());
        let parts = phone.parts(&format!("TTCD {} {FIELDS}", &person.expose()[6..]), CODE);
        assert_eq!(parts.len(), 2, "the question fits into one message");
        (phone, parts)
    };
    people.iter().map(asking).collect()
}

/// One physical message of the carrier.
struct Part {
    deliver: Deliver,
    text: usize,
    index: usize,
    /// The service said that it has it, as far as the SMSC knows.
    heard: bool,
}

/// What the SMSC has to hand over.
pub(crate) struct Parts {
    parts: Vec<Part>,
    sent: u64,
}

impl Parts {
    pub(crate) fn of(phones: &[(Phone, Vec<Deliver>)]) -> Self {
        let mut all = Vec::new();
        for (text, (_, parts)) in phones.iter().enumerate() {
            let part =
                |(index, deliver): (usize, &Deliver)| Part { deliver: deliver.clone(), text, index, heard: false };
            all.extend(parts.iter().enumerate().map(part));
        }
        Self { parts: all, sent: 0 }
    }

    fn heard(&self) -> usize {
        self.parts.iter().filter(|part| part.heard).count()
    }

    /// Of those heard, one in `of` counts as not heard.
    fn doubt(&mut self, chance: &Chance, of: u64) {
        for part in self.parts.iter_mut().filter(|part| part.heard) {
            part.heard = chance.below(of) != 0;
        }
    }

    fn shuffle(&mut self, chance: &Chance) {
        for at in (1..self.parts.len()).rev() {
            self.parts.swap(at, chance.below(at as u64 + 1) as usize);
        }
    }

    /// Sends what was not heard, all at once, and kills the service when chance picks the answer after which.
    async fn send_until_killed(
        &mut self,
        smsc: &Smsc,
        serving: Serving,
        chance: &Chance,
        which: impl Fn(&Part) -> bool,
    ) -> Option<Serving> {
        within("the service to bind", smsc.bound()).await;
        let count = self.parts.iter().filter(|part| !part.heard && which(part)).count() as u64;
        let after = 1 + chance.below(count * 3 / 4);
        let mut serving = Some(serving);
        let mut answers = 0;
        let mut waiting = self.begin(smsc, which);
        while let Some((at, status)) = next(&mut waiting).await {
            self.parts[at].heard = status == Some(0);
            answers += u64::from(status.is_some());
            if answers >= after
                && let Some(serving) = serving.take()
            {
                serving.kill().await;
            }
        }
        within("the killed service's sessions to end", smsc.unbound()).await;
        serving
    }

    /// Sends what was not heard, all at once, and does something as soon as so many answers are there.
    pub(crate) async fn send_until<F: Future>(&mut self, smsc: &Smsc, answers: usize, then: impl FnOnce() -> F) {
        let (mut then, mut heard) = (Some(then), 0);
        let mut waiting = self.begin(smsc, |_| true);
        while let Some((at, status)) = next(&mut waiting).await {
            self.parts[at].heard = status == Some(0);
            heard += usize::from(status.is_some());
            if heard >= answers
                && let Some(then) = then.take()
            {
                then().await;
            }
        }
        assert!(then.is_none(), "{heard} answers of {answers}");
    }

    /// Sends what was not heard until the service has it all.
    pub(crate) async fn send_all(&mut self, smsc: &Smsc) {
        for _ in 0..ROUNDS {
            within("the service to bind", smsc.bound()).await;
            let mut waiting = self.begin(smsc, |_| true);
            while let Some((at, status)) = next(&mut waiting).await {
                self.parts[at].heard = status == Some(0);
            }
            if self.heard() == self.parts.len() {
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
        panic!("after {ROUNDS} rounds the service has {} parts of {}", self.heard(), self.parts.len());
    }

    /// Hands over, without waiting for answers. Gives their place and the status, when there is one.
    fn begin(&mut self, smsc: &Smsc, which: impl Fn(&Part) -> bool) -> JoinSet<(usize, Option<u32>)> {
        let mut waiting = JoinSet::new();
        for (at, part) in self.parts.iter().enumerate().filter(|(_, part)| !part.heard && which(part)) {
            let (smsc, deliver) = (smsc.clone(), part.deliver.clone());
            waiting.spawn(async move { (at, smsc.deliver(deliver).await.ok().map(|answer| answer.status)) });
        }
        self.sent += waiting.len() as u64;
        waiting
    }
}

async fn next(waiting: &mut JoinSet<(usize, Option<u32>)>) -> Option<(usize, Option<u32>)> {
    within("an answer to a part", waiting.join_next()).await.map(Result::unwrap)
}
