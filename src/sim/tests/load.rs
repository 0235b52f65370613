//! The load and its books, against services that behave well, lose, double, break off and stay silent on purpose.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use super::{
    esme::{Esme, Read, submit},
    listening, soon,
};
use crate::sim::{Limit, LoadPlan, LoadReport, LoadRun, Question, SimError, Smsc, SmscSettings, load, wire};

/// What the service does with a question.
#[derive(Clone, Copy)]
enum Act {
    /// Answers the deliver_sm with this status.
    Answer(u32),
    /// Replies to the phone in one message.
    Reply,
    /// Replies in three segments, the last first.
    LongReply,
    /// Sends a message to a number that asked nothing.
    ReplyToStranger,
    /// Waits until the SMSC has answered all submits so far.
    AwaitResponses,
    /// Drops the connection and comes back.
    Break,
    /// Drops the connection for good.
    Leave,
}

use Act::{Answer, AwaitResponses, Break, Leave, LongReply, Reply, ReplyToStranger};

/// Serves questions until the SMSC goes away: `script` says what to do with the n-th deliver_sm read, from 0. Gives
/// all deliver_sm read.
async fn serve(address: SocketAddr, mut script: impl FnMut(usize, &Read) -> Vec<Act>) -> Vec<Read> {
    let mut read = Vec::new();
    'sessions: loop {
        let mut esme = Esme::bound(address).await;
        let mut open = 0_usize;
        while let Some(pdu) = esme.next().await {
            if pdu.id != wire::DELIVER_SM {
                open -= usize::from(pdu.id == 0x8000_0004);
                continue;
            }
            let source = pdu.source();
            let acts = script(read.len(), &pdu);
            let sequence = pdu.sequence;
            read.push(pdu);
            for act in acts {
                match act {
                    Answer(status) => esme.answer(sequence, status).await,
                    Reply => {
                        esme.request(submit(&source, 0, false, b"reply")).await;
                        open += 1;
                    }
                    LongReply => {
                        for index in [3, 2, 1] {
                            esme.request(submit(&source, 0, true, &[5, 0, 3, 9, 3, index, b'x'])).await;
                            open += 1;
                        }
                    }
                    ReplyToStranger => {
                        esme.request(submit("84559999999", 0, false, b"who?")).await;
                        open += 1;
                    }
                    AwaitResponses => {
                        while open > 0 {
                            let pdu = esme.next().await.unwrap();
                            open -= usize::from(pdu.id == 0x8000_0004);
                            assert_ne!(pdu.id, wire::DELIVER_SM, "the script needs a window of 1");
                        }
                    }
                    Break => continue 'sessions,
                    Leave => return read,
                }
            }
        }
        return read;
    }
}

/// How long a load waits for what never comes.
const SHORT: Duration = Duration::from_millis(600);

fn plan(phones: u64, count: u64) -> LoadPlan {
    let question = |at| Question { from: 84_520_000_000 + at, text: (*b"TTCD 123456").into(), data_coding: 0 };
    LoadPlan {
        grace: Duration::from_secs(3),
        patience: Duration::from_secs(3),
        rest: Duration::from_millis(100),
        linger: Duration::from_millis(50),
        ..LoadPlan::new((0..phones).map(question).collect(), "997", Limit::Count(count))
    }
}

/// Runs a load against a scripted service; gives its books and what the service read.
async fn loaded(plan: LoadPlan, script: impl FnMut(usize, &Read) -> Vec<Act>) -> (LoadReport, Vec<Read>) {
    let smsc = listening(SmscSettings::default()).await;
    let address = smsc.address();
    let load = async {
        let report = load::run(&smsc, &plan).await.unwrap();
        smsc.cut();
        report
    };
    soon(async { tokio::join!(load, serve(address, script)) }).await
}

#[tokio::test]
async fn a_service_that_does_its_work_has_clean_books() {
    let (report, read) = loaded(LoadPlan { window: 20, ..plan(50, 1_000) }, |_, _| vec![Answer(0), Reply]).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(
        (report.questions, report.deliver_sent, report.acknowledged, report.replies),
        (1_000, 1_000, 1_000, 1_000)
    );
    assert_eq!((report.segments, report.breaks, read.len()), (1_000, 0, 1_000));
    assert!(
        report.answered_per_second > 0.0 && report.latency.p50_us > 0 && report.latency.p50_us <= report.latency.max_us
    );
    let mut asked = HashMap::new();
    for pdu in &read {
        *asked.entry(pdu.source()).or_insert(0) += 1;
    }
    assert_eq!(asked.len(), 50);
    assert!(asked.values().all(|times| *times == 20), "phones take turns: {asked:?}");
}

#[tokio::test]
async fn questions_are_spread_over_all_sessions() {
    let smsc = listening(SmscSettings::default()).await;
    let one = serve(smsc.address(), |_, _| vec![Answer(0), Reply]);
    let two = serve(smsc.address(), |_, _| vec![Answer(0), Reply]);
    let plan = LoadPlan { window: 2, ..plan(10, 200) };
    let load = async {
        smsc.shared().wait(|state| (state.desk.counts.binds == 2).then_some(())).await;
        let report = load::run(&smsc, &plan).await.unwrap();
        smsc.cut();
        report
    };
    let (report, one, two) = soon(Box::pin(async { tokio::join!(load, one, two) })).await;
    assert!(report.is_clean() && report.replies == 200, "{report}");
    assert!(one.len() + two.len() == 200 && !one.is_empty() && !two.is_empty(), "{} and {}", one.len(), two.len());
}

#[tokio::test]
async fn misdeeds_are_counted_exactly() {
    const OK: Act = Answer(0);
    // label, what is done with every tenth question, what the books must say
    let cases: [(&str, Vec<Act>, LoadReport); 8] = [
        (
            "reply first",
            vec![Reply, OK],
            LoadReport { acknowledged: 100, replies: 100, segments: 100, ..LoadReport::default() },
        ),
        (
            "long reply",
            vec![OK, LongReply],
            LoadReport { acknowledged: 100, replies: 100, segments: 120, ..LoadReport::default() },
        ),
        (
            "doubled",
            vec![OK, Reply, Reply],
            LoadReport { acknowledged: 100, replies: 100, segments: 110, doubled: 10, ..LoadReport::default() },
        ),
        (
            "tripled",
            vec![OK, Reply, Reply, Reply],
            LoadReport { acknowledged: 100, replies: 100, segments: 120, doubled: 20, ..LoadReport::default() },
        ),
        (
            "lost",
            vec![OK],
            LoadReport { acknowledged: 100, replies: 90, segments: 90, lost: 10, ..LoadReport::default() },
        ),
        (
            "refused",
            vec![Answer(0x0B)],
            LoadReport { acknowledged: 90, refused: 10, replies: 90, segments: 90, ..LoadReport::default() },
        ),
        (
            "not acknowledged",
            vec![Reply],
            LoadReport { acknowledged: 90, unanswered: 10, replies: 100, segments: 100, ..LoadReport::default() },
        ),
        (
            "to a stranger",
            vec![OK, Reply, ReplyToStranger],
            LoadReport { acknowledged: 100, replies: 100, segments: 100, strangers: 10, ..LoadReport::default() },
        ),
    ];
    for (label, deed, expected) in cases {
        let plan = LoadPlan { window: 30, grace: SHORT, ..plan(100, 100) };
        let (report, _) = loaded(plan, |n, _| if n % 10 == 3 { deed.clone() } else { vec![OK, Reply] }).await;
        let found = LoadReport { seconds: 0.0, answered_per_second: 0.0, latency: expected.latency, ..report };
        assert_eq!(found, LoadReport { questions: 100, deliver_sent: 100, ..expected }, "{label}");
        assert_eq!(report.is_clean(), matches!(label, "reply first" | "long reply"), "{label}");
    }
}

#[tokio::test]
async fn temporary_errors_bring_the_same_octets_again() {
    let mut tried: HashMap<String, usize> = HashMap::new();
    let script = |_, pdu: &Read| {
        let times = tried.entry(pdu.source()).or_insert(0);
        *times += 1;
        match *times {
            1 => vec![Answer(0x58)],
            2 => vec![Answer(0x64)],
            _ => vec![Answer(0), Reply],
        }
    };
    let (report, read) = loaded(plan(10, 10), script).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!(
        (report.questions, report.deliver_sent, report.temporary, report.resent_after_temporary),
        (10, 30, 20, 20)
    );
    assert!(bodies(&read).values().all(|copies| copies.len() == 3 && copies.windows(2).all(|pair| pair[0] == pair[1])));
}

/// The bodies of all deliver_sm, phone by phone.
fn bodies(read: &[Read]) -> HashMap<String, Vec<Vec<u8>>> {
    let mut bodies: HashMap<String, Vec<Vec<u8>>> = HashMap::new();
    for pdu in read {
        bodies.entry(pdu.source()).or_default().push(pdu.octets[16..].to_vec());
    }
    bodies
}

#[tokio::test]
async fn what_a_break_left_unanswered_is_sent_again_and_a_recognising_service_stays_clean() {
    // The fifth question breaks the line: it and what stands behind it in the window were never answered.
    let script = |n, _: &Read| if n == 4 { vec![Break] } else { vec![Answer(0), Reply] };
    let (report, read) = loaded(LoadPlan { window: 3, ..plan(20, 40) }, script).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.questions, report.acknowledged, report.replies, report.doubled), (40, 40, 40, 0));
    assert!(report.breaks == 1 && (1..=3).contains(&report.resent_after_break), "{report}");
    assert_eq!(report.deliver_sent, 40 + report.resent_after_break);
    assert!(bodies(&read).values().all(|copies| copies.windows(2).all(|pair| pair[0] == pair[1])));
}

#[tokio::test]
async fn repeated_replies_are_told_apart_by_whether_a_break_excuses_them() {
    // label, what is done with questions 4 and 5, doubled, of these after a break
    let cases = [
        (
            "stored and replied, not acknowledged, replied again",
            vec![Reply, AwaitResponses, Break],
            vec![Answer(0), Reply],
            1,
            1,
        ),
        (
            "acknowledged, replied, repeated after the break",
            vec![Answer(0), Reply, AwaitResponses, Break],
            vec![Answer(0), Reply],
            0,
            0,
        ),
        ("stored, not acknowledged, recognised", vec![Reply, AwaitResponses, Break], vec![Answer(0)], 0, 0),
        ("doubled without a break", vec![Answer(0), Reply, Reply, AwaitResponses], vec![Answer(0), Reply], 1, 0),
    ];
    for (label, fourth, fifth, doubled, after_break) in cases {
        let script = |n, _: &Read| match n {
            4 => fourth.clone(),
            5 => fifth.clone(),
            _ => vec![Answer(0), Reply],
        };
        let (report, _) = loaded(LoadPlan { window: 1, outstanding: Some(1), ..plan(3, 12) }, script).await;
        assert_eq!((report.questions, report.acknowledged, report.replies, report.lost), (12, 12, 12, 0), "{label}");
        assert_eq!((report.doubled, report.doubled_after_break), (doubled, after_break), "{label}");
        assert_eq!(report.is_clean(), doubled == after_break, "{label}");
    }
}

#[tokio::test]
async fn a_reply_in_doubt_that_comes_again_after_the_break_is_excused() {
    let smsc = listening(SmscSettings::default()).await;
    let plan = LoadPlan { window: 1, rest: Duration::from_millis(500), ..plan(1, 2) };
    let service = async {
        let mut esme = Esme::bound(smsc.address()).await;
        let first = esme.next().await.unwrap();
        esme.answer(first.sequence, 0).await;
        esme.request(submit(&first.source(), 0, false, b"reply")).await;
        drop(esme);
        // The line comes back and repeats what it does not know to have arrived; then it serves the next question.
        let mut esme = Esme::bound(smsc.address()).await;
        esme.request(submit(&first.source(), 0, false, b"reply")).await;
        while let Some(pdu) = esme.next().await {
            if pdu.id == wire::DELIVER_SM {
                esme.answer(pdu.sequence, 0).await;
                esme.request(submit(&pdu.source(), 0, false, b"reply")).await;
            }
        }
    };
    let load = async {
        let report = load::run(&smsc, &plan).await.unwrap();
        smsc.cut();
        report
    };
    let (report, ()) = soon(async { tokio::join!(load, service) }).await;
    // Whether the first copy was read before the connection ended is for the sockets to say.
    assert!(report.is_clean() && report.doubled <= 1, "{report}");
    assert_eq!((report.questions, report.replies, report.breaks), (2, 2, 1), "{report}");
}

#[tokio::test]
async fn a_question_without_an_answer_on_a_living_line_is_sent_again() {
    let plan = LoadPlan { answer_timeout: Duration::from_millis(50), ..plan(5, 5) };
    let (report, _) = loaded(plan, |n, _| if n == 2 { Vec::new() } else { vec![Answer(0), Reply] }).await;
    assert!(report.is_clean(), "{report}");
    assert_eq!((report.deliver_sent, report.resent_after_silence), (6, 1));
}

#[tokio::test]
async fn a_service_that_never_comes_back_ends_the_load() {
    let (report, _) = loaded(LoadPlan { window: 4, patience: SHORT, ..plan(10, 50) }, |n, _| {
        if n == 5 { vec![Leave] } else { vec![Answer(0), Reply] }
    })
    .await;
    assert!(!report.is_clean() && report.breaks == 1, "{report}");
    assert_eq!(report.acknowledged + report.unanswered, report.questions);
    assert!((1..=4).contains(&report.unanswered) && report.replies <= 5, "{report}");
}

#[tokio::test]
async fn a_load_keeps_to_its_rate_its_cap_and_its_time() {
    let started = std::time::Instant::now();
    let (report, _) = loaded(LoadPlan { rate: Some(200), ..plan(10, 41) }, |_, _| vec![Answer(0), Reply]).await;
    assert!(report.is_clean() && started.elapsed() >= Duration::from_millis(200), "{report}");
    let capped = LoadPlan { outstanding: Some(3), grace: SHORT, ..plan(10, 10) };
    let (report, _) = loaded(capped, |_, _| vec![Answer(0)]).await;
    assert_eq!((report.questions, report.acknowledged, report.lost), (3, 3, 3), "{report}");
    let timed = LoadPlan { limit: Limit::Seconds(1), ..plan(10, 0) };
    let (report, _) = loaded(timed, |_, _| vec![Answer(0), Reply]).await;
    assert!(report.is_clean() && report.seconds >= 0.9 && report.questions > 10, "{report}");
}

#[tokio::test]
async fn progress_can_be_followed_and_asking_stopped() {
    let smsc: Smsc = listening(SmscSettings::default()).await;
    let run = LoadRun::start(&smsc, &plan(10, u64::MAX)).unwrap();
    assert!(matches!(LoadRun::start(&smsc, &plan(1, 1)), Err(SimError::LoadRunning)));
    assert!(matches!(LoadRun::start(&smsc, &plan(0, 1)), Err(SimError::EmptyPlan)));
    let mut progress = run.progress();
    let stopper = smsc.clone();
    let stopping = async move {
        progress.wait_for(|progress| progress.replies >= 100).await.unwrap();
        stopper.stop_asking();
        progress
    };
    let load = async {
        let report = run.finish().await;
        smsc.cut();
        report
    };
    let service = serve(smsc.address(), |_, _| vec![Answer(0), Reply]);
    let (report, progress, _) = soon(async { tokio::join!(load, stopping, service) }).await;
    assert!(report.is_clean() && report.replies >= 100, "{report}");
    let last = *progress.borrow();
    assert_eq!(
        (last.questions, last.acknowledged, last.replies),
        (report.questions, report.questions, report.questions)
    );
    LoadRun::start(&smsc, &plan(1, 1)).unwrap();
}
