//! `tracuu serve` as a process, in conversation with an SMPP server that this project did not write: that of the crate
//! smpp34.
#![cfg(test)]

mod support;

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, TcpListener},
    path::Path,
    pin::Pin,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use smpp34::{
    SmppConnectionInformation, SmppError, SmppServer, SmppServerListener, TlvTag, bind_transceiver,
    bind_transceiver_resp, server::ESME, submit_sm, submit_sm_resp, unbind, unbind_resp,
};
use tokio::{process::Command, sync::mpsc};
use tracuu::{
    db::Db,
    ledger::read::store::{Balance, balance},
    registry::cast,
};

/// How long anything may take.
const LIMIT: Duration = Duration::from_mins(1);

/// What the foreign server sees.
enum Seen {
    Refused,
    Bound(ESME),
    Submit(submit_sm, String),
    Unbound,
}

/// Refuses the first bind as if the password were wrong, then takes every message.
struct Foreign {
    binds: AtomicU32,
    submits: AtomicU32,
    seen: mpsc::Sender<Seen>,
}

/// What the crate's macro makes of `async fn`, written out: the macro itself is not at hand here.
type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

impl SmppServerListener for Foreign {
    fn on_bind_transceiver<'s, 'c, 'i, 'a>(
        &'s self,
        bind: bind_transceiver,
        _: &'c SmppConnectionInformation,
        _: &'i String,
    ) -> Answer<'a, bind_transceiver_resp>
    where
        's: 'a,
        'c: 'a,
        'i: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let right = (bind.system_id.as_str(), bind.password.as_str()) == ("tracuu", "secret");
            if right && self.binds.fetch_add(1, Ordering::Relaxed) > 0 {
                return bind.accept("Foreign".to_owned(), Some(0x34));
            }
            let _ = self.seen.send(Seen::Refused).await;
            bind.reject(SmppError::ESME_RINVPASWD)
        })
    }

    fn on_esme_bound<'s, 'i, 'a>(&'s self, esme: ESME, _: &'i String) -> Answer<'a, ()>
    where
        's: 'a,
        'i: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let _ = self.seen.send(Seen::Bound(esme)).await;
        })
    }

    fn on_submit_sm<'s, 'c, 'i, 'a>(
        &'s self,
        submit: submit_sm,
        _: &'c SmppConnectionInformation,
        _: &'i String,
    ) -> Answer<'a, submit_sm_resp>
    where
        's: 'a,
        'c: 'a,
        'i: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let id = format!("msg-{}", self.submits.fetch_add(1, Ordering::Relaxed));
            let _ = self.seen.send(Seen::Submit(submit.clone(), id.clone())).await;
            submit.accept(id)
        })
    }

    fn on_unbind<'s, 'c, 'i, 'a>(
        &'s self,
        unbind: unbind,
        _: &'c SmppConnectionInformation,
        _: &'i String,
    ) -> Answer<'a, unbind_resp>
    where
        's: 'a,
        'c: 'a,
        'i: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let _ = self.seen.send(Seen::Unbound).await;
            unbind.accept()
        })
    }
}

/// The foreign server on a free port, and what it sees.
async fn foreign() -> (SmppServer, u16, mpsc::Receiver<Seen>) {
    for _ in 0..5 {
        let (seen, sees) = mpsc::channel(64);
        // The crate does not tell the port it was given, so a free one is looked for before.
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let listener = Foreign { binds: AtomicU32::new(0), submits: AtomicU32::new(0), seen };
        let mut server = SmppServer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port, Arc::new(listener));
        server.start().await;
        if server.is_alive() {
            return (server, port, sees);
        }
    }
    panic!("no free port was left free");
}

async fn next(sees: &mut mpsc::Receiver<Seen>, what: &str) -> Seen {
    let seen = tokio::time::timeout(LIMIT, sees.recv()).await;
    seen.unwrap_or_else(|_| panic!("not within {LIMIT:?}: {what}")).expect("the server runs")
}

/// Phone, text, what stands in the reply.
fn questions() -> [(u64, String, &'static str); 10] {
    let (adult, long) = (cast::ADULT, cast::LONG);
    let old = adult.old_id.unwrap();
    let own = |one: cast::Member, words: &str| (one.phone, format!("TTCD {} {words}", one.short_key()));
    let ask = |(phone, text): (u64, String), fragment| (phone, text, fragment);
    [
        ask(own(adult, "HOTEN"), "Nguyen Van An"),
        ask(own(adult, "NS GT"), "05/02/1998"),
        ask(own(cast::CHILD, "HOTEN"), "Le Gia Bao"),
        ask(own(cast::SPARSE, "HOTEN"), "Sen"),
        ask(own(long, "HT NOISINH KHAISINH QQ TT TAMTRU NOIO CCCD"), "Cong Tang Ton Nu"),
        ask((adult.phone, format!("CMND {old} {}", adult.short_key())), "khop voi"),
        ask((adult.phone, "HD".to_owned()), "TTCD"),
        ask((adult.phone, "LH".to_owned()), "0520 000 000"),
        ask((adult.phone, "TTCD 999999".to_owned()), "Khong cung cap"),
        ask((adult.phone, format!("INFO {} NAME", adult.short_key())), "Nguyen Van An"),
    ]
}

fn serve(folder: &Path, port: u16) -> tokio::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
    command.arg("serve").current_dir(folder).env_clear().kill_on_drop(true);
    for (name, value) in [
        ("ADDRESS", format!("127.0.0.1:{port}")),
        ("RECEIPTS", "true".to_owned()),
        ("ANSWER_DEADLINE_MS", "20000".to_owned()),
        ("RECONNECT_MIN_MS", "100".to_owned()),
        ("RECONNECT_MAX_MS", "200".to_owned()),
    ] {
        command.env(format!("TRACUU__CARRIERS__SIM__{name}"), value);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// One message to the gateway; it must be taken.
async fn deliver(esme: &ESME, from: &str, esm_class: u8, text: &str, id: Option<&str>) {
    let mut message = esme.deliver_sm().source_addr_ton(1).source_addr_npi(1).source_addr(from);
    message = message.destination_addr("9999").esm_class(esm_class).short_message(text.as_bytes());
    if let Some(id) = id {
        message = message.tlv(TlvTag::ReceiptedMessageId, format!("{id}\0")).tlv(TlvTag::MessageStateTlv, [2]);
    }
    let answer = tokio::time::timeout(LIMIT, message.send()).await.expect("an answer in time");
    assert!(answer.is_ok_and(|answer| answer.is_success()), "\"{text}\" was not taken");
}

/// Takes the segments of one reply and gives its text and the ids they were taken with. The foreign server works on
/// each message in a task of its own, so they come in any order.
async fn reply(sees: &mut mpsc::Receiver<Seen>, phone: &str) -> (String, Vec<String>) {
    let (mut segments, mut ids) = (BTreeMap::new(), Vec::new());
    loop {
        let Seen::Submit(submit, id) = next(sees, "a reply").await else { panic!("no reply") };
        assert_eq!((submit.source_addr.as_str(), submit.destination_addr.as_str()), ("9999", phone));
        assert_eq!((submit.registered_delivery, submit.data_coding), (1, 0));
        ids.push(id);
        let (total, index, part) = match submit.short_message.as_slice() {
            [5, 0, 3, _, total, index, part @ ..] if submit.esm_class & 0x40 != 0 => (*total, *index, part.to_vec()),
            whole => (1, 1, whole.to_vec()),
        };
        assert!(segments.insert(index, part).is_none(), "segment {index} came twice");
        if segments.len() == usize::from(total) {
            let text = segments.values().flatten().copied().collect();
            return (String::from_utf8(text).unwrap(), ids);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_questions_of_a_foreign_smsc_are_answered_and_the_end_is_orderly() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["init"][..], &["registry", "generate", "--people", "100"]] {
        let done = support::cli::tracuu(folder.path(), arguments);
        assert_eq!(done.code, Some(0), "{done:?}");
    }
    let (mut server, port, mut sees) = foreign().await;
    let mut service = serve(folder.path(), port);
    assert!(matches!(next(&mut sees, "a bind").await, Seen::Refused), "the first bind is refused");
    let Seen::Bound(esme) = next(&mut sees, "the next bind").await else { panic!("no second bind") };

    let mut sent = Vec::new();
    for (phone, text, fragment) in &questions() {
        let phone = phone.to_string();
        deliver(&esme, &phone, 0, text, None).await;
        let (reply, ids) = reply(&mut sees, &phone).await;
        assert!(reply.contains(fragment), "\"{text}\": no \"{fragment}\" in {reply}");
        sent.push((phone, ids));
    }
    assert!(sent.iter().any(|(_, ids)| ids.len() == 3), "one reply has several segments");

    // Receipts come when a phone was reached, which is long after the response.
    until_settled(folder.path(), 10).await;
    for (phone, ids) in &sent {
        for id in ids {
            let dates = "submit date:2601010000 done date:2601010000";
            let text = format!("id:{id} sub:001 dlvrd:001 {dates} stat:DELIVRD err:000 text:");
            deliver(&esme, phone, 0x04, &text, Some(id)).await;
        }
    }

    let pid = service.id().expect("it runs").to_string();
    let told = Command::new("kill").args(["-TERM", &pid]).status().await.unwrap();
    assert!(told.success());
    assert!(matches!(next(&mut sees, "the unbind").await, Seen::Unbound));
    let ended = tokio::time::timeout(LIMIT, service.wait()).await.expect("it ends in time").unwrap();
    assert_eq!(ended.code(), Some(0));
    server.stop().await;

    let (counted, receipts) = books(folder.path()).await;
    assert_eq!((counted.exchanges, counted.settled, counted.repeats, counted.possible_dups), (10, 10, 0, 0));
    assert_eq!((counted.waiting, counted.lost, counted.doubled), (0, 0, 0));
    let segments: usize = sent.iter().map(|(_, ids)| ids.len()).sum();
    assert_eq!(receipts, (segments as i64, 10), "receipts, and replies that they belong to");
}

async fn until_settled(folder: &Path, replies: i64) {
    let settled = async {
        while books(folder).await.0.settled < replies {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, settled).await.expect("all replies are settled in time");
}

/// What the store holds, how many receipts were noted, and on how many replies.
async fn books(folder: &Path) -> (Balance, (i64, i64)) {
    let config = tracuu::config::Config::load(&folder.join("tracuu.toml")).unwrap();
    let db = Db::open(&tracuu::service::store_options(&config)).await.unwrap();
    let counted = balance(&db).await.unwrap();
    let Db::Sqlite { readers, .. } = &db else { panic!("not SQLite") };
    let receipts = "select count(exchange_key), count(distinct exchange_key) from settlement
                    where kind = 2 and result = 'DELIVERED'";
    let receipts = sqlx::query_as(receipts).fetch_one(readers).await.unwrap();
    db.close().await;
    (counted, receipts)
}
