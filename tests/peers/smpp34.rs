//! The crate smpp34: a server with a codec of its own, started as a process of its own, which is this test binary once
//! more. It works on each message in a task of its own, so segments come in any order.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, Write as _},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use smpp34::{
    SmppConnectionInformation, SmppError, SmppServer, SmppServerListener, TlvTag, bind_receiver, bind_receiver_resp,
    bind_transceiver, bind_transceiver_resp, bind_transmitter, bind_transmitter_resp, server::ESME, submit_sm,
    submit_sm_resp, unbind, unbind_resp,
};
use tokio::sync::Mutex;

use crate::{
    conversation::{self, Form},
    peer::{Deliver, Event, Order, Program, Submit, UNREAD},
};

/// Tells this test binary to be the SMSC, on the port in its last argument.
const BE_THE_SMSC: &str = "TRACUU_TEST_IS_SMPP34";

fn program() -> Program {
    // A test binary takes words as names of tests to run, any of them: the port names none.
    let arguments = ["--ignored", "--exact", "--nocapture", "smpp34::smsc"].map(PathBuf::from).to_vec();
    let path = std::env::current_exe().unwrap();
    Program { name: "smpp34", path, arguments, variable: (BE_THE_SMSC, "1".into()) }
}

#[test]
fn as_transceiver() {
    conversation::have(program(), Form::Transceiver, true, &[]);
}

#[test]
fn as_two_transceivers() {
    conversation::have(program(), Form::TwoTransceivers, true, &[]);
}

#[test]
fn as_transmitter_and_receiver() {
    // The crate knows a deliver_sm_resp on a transceiver, and on a transmitter, but not on a receiver.
    conversation::have(program(), Form::Pair, false, &[]);
}

/// What the crate's macro makes of `async fn`, written out: the macro itself is not at hand here.
type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Takes every message of the right account.
#[derive(Default)]
struct Foreign {
    submits: AtomicU32,
    held: AtomicBool,
    /// How each session was bound.
    forms: Mutex<BTreeMap<String, &'static str>>,
    sessions: Mutex<Vec<Arc<ESME>>>,
}

/// One line, begun anew: the test harness has begun one with the test's name.
fn say(event: &Event) {
    let line = format!("\n{}\n", serde_json::to_string(event).unwrap());
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

fn right(system_id: &str, password: &str) -> bool {
    let right = (system_id, password) == ("tracuu", "secret");
    if !right {
        say(&Event::Refused);
    }
    right
}

macro_rules! takes_bind {
    ($name:ident, $request:ty, $response:ty, $form:literal) => {
        fn $name<'s, 'c, 'i, 'a>(
            &'s self,
            bind: $request,
            _: &'c SmppConnectionInformation,
            session: &'i String,
        ) -> Answer<'a, $response>
        where
            's: 'a,
            'c: 'a,
            'i: 'a,
            Self: 'a,
        {
            Box::pin(async move {
                if right(&bind.system_id, &bind.password) {
                    self.forms.lock().await.insert(session.clone(), $form);
                    return bind.accept("Foreign".to_owned(), Some(0x34));
                }
                bind.reject(SmppError::ESME_RINVPASWD)
            })
        }
    };
}

impl SmppServerListener for Foreign {
    takes_bind!(on_bind_transceiver, bind_transceiver, bind_transceiver_resp, "transceiver");
    takes_bind!(on_bind_transmitter, bind_transmitter, bind_transmitter_resp, "transmitter");
    takes_bind!(on_bind_receiver, bind_receiver, bind_receiver_resp, "receiver");

    fn on_esme_bound<'s, 'i, 'a>(&'s self, esme: ESME, _: &'i String) -> Answer<'a, ()>
    where
        's: 'a,
        'i: 'a,
        Self: 'a,
    {
        Box::pin(async move {
            let form = self.forms.lock().await[&esme.session_id].to_owned();
            self.sessions.lock().await.push(Arc::new(esme));
            say(&Event::Bound { form });
        })
    }

    fn on_esme_unbound<'s, 'i, 'a>(&'s self, session: &'i String) -> Answer<'a, ()>
    where
        's: 'a,
        'i: 'a,
        Self: 'a,
    {
        Box::pin(async move { self.sessions.lock().await.retain(|esme| esme.session_id != *session) })
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
            let id = format!("rs-{}-{}", std::process::id(), self.submits.fetch_add(1, Ordering::Relaxed));
            say(&Event::Submit(seen(&submit, &id)));
            if self.held.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
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
            say(&Event::Unbound);
            unbind.accept()
        })
    }
}

fn seen(submit: &submit_sm, id: &str) -> Submit {
    let (udh, octets) = match submit.short_message.as_slice() {
        [5, 0, 3, reference, total, index, part @ ..] if submit.esm_class & 0x40 != 0 => {
            (Some([reference, total, index].map(|octet| u16::from(*octet))), part)
        }
        whole => (None, whole),
    };
    let units = octets.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
    let text = match submit.data_coding {
        8 => String::from_utf16(&units.collect::<Vec<u16>>()).unwrap(),
        _ => String::from_utf8(octets.to_vec()).unwrap(),
    };
    Submit {
        id: id.to_owned(),
        from: submit.source_addr.clone(),
        to: submit.destination_addr.clone(),
        coding: submit.data_coding.into(),
        registered: submit.registered_delivery,
        text,
        udh,
    }
}

async fn deliver(esme: Option<Arc<ESME>>, order: Deliver) {
    let Some(esme) = esme else { return say(&Event::Untaken { n: order.n }) };
    let octets = match order.coding {
        8 => order.text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => order.text.into_bytes(),
    };
    let head = order.udh.map_or_else(Vec::new, |[reference, total, index]| vec![5, 0, 3, reference, total, index]);
    let flag = if head.is_empty() { 0 } else { 0x40 };
    let mut message = esme.deliver_sm().source_addr_ton(1).source_addr_npi(1).source_addr(order.from);
    message = message.destination_addr(order.to).esm_class(order.esm_class | flag).data_coding(order.coding);
    message = message.short_message([head, octets].concat());
    if let Some(id) = order.receipted {
        message = message.tlv(TlvTag::ReceiptedMessageId, format!("{id}\0")).tlv(TlvTag::MessageStateTlv, [2]);
    }
    say(&match message.send().await {
        Ok(answer) => Event::Taken { n: order.n, status: u32::from(!answer.is_success()) },
        Err(_) => Event::Untaken { n: order.n },
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "this is the SMSC that the other tests start"]
async fn smsc() {
    if std::env::var_os(BE_THE_SMSC).is_none() {
        return;
    }
    let port = std::env::args().next_back().unwrap().parse().unwrap();
    let foreign = Arc::new(Foreign::default());
    let listener = Arc::clone(&foreign);
    let mut server = SmppServer::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port, listener);
    server.start().await;
    assert!(server.is_alive(), "port {port} is not free");
    say(&Event::Listening);
    let (told, mut orders) = tokio::sync::mpsc::channel(UNREAD);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            told.blocking_send(serde_json::from_str::<Order>(&line).unwrap()).unwrap();
        }
        std::process::exit(0);
    });
    let mut deliveries = tokio::task::JoinSet::new();
    while let Some(order) = orders.recv().await {
        let sessions = foreign.sessions.lock().await.clone();
        match order {
            Order::Deliver(order) => {
                let receiver = sessions.into_iter().rfind(|esme| esme.can_receive);
                deliveries.spawn(deliver(receiver, order));
                while deliveries.try_join_next().is_some() {}
            }
            Order::Hold => foreign.held.store(true, Ordering::Relaxed),
            Order::Unbind => {
                for esme in sessions {
                    // The crate does not know an unbind_resp: it gives an error when the session has ended.
                    let _ = esme.send_unbind().await;
                    say(&Event::UnbindAnswered);
                }
            }
        }
    }
}
