//! Kannel's test driver drive_smpp, from Debian's package kannel-extras: a bad SMSC. It knows no transceiver; sends as many
//! questions as it was told to, numbered 0, 2, 4 ..., each with a receipted_message_id and followed by an enquire_link, on
//! whatever is bound first as receiver; panics some seconds later, because its other half is not there; and begins anew
//! with the same questions. All of them come from one short code. It can be told neither to send other texts nor receipts,
//! nor to unbind, so none of these is tried. It listens on all interfaces: it is ended as soon as it has served.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::Instant,
};

use crate::{
    peer::{self, LIMIT, UNREAD},
    service::Site,
};

/// Questions that it sends.
const QUESTIONS: i64 = 40;

/// Answers that it has when it is ended in mid-traffic.
const SOME: i64 = 10;

/// The driver as a process, and the lines of its log; killed when it goes.
struct Driver {
    child: Child,
    log: Receiver<String>,
}

impl Driver {
    fn start(folder: &Path, port: u16) -> Self {
        let mut command = Command::new(folder.join("usr/lib/kannel/test/drive_smpp"));
        command.args(["-v", "0", "-m", &QUESTIONS.to_string(), "-p", &port.to_string()]);
        command.env("LD_LIBRARY_PATH", folder.join("libraries"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("drive_smpp cannot be started: {error}"));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (heard, log) = sync_channel(UNREAD);
        thread::spawn(move || lines.map_while(Result::ok).all(|line| heard.send(line).is_ok()));
        Self { child, log }
    }

    /// Waits until it has read so many answers to questions, and as many to enquiries.
    fn until_answered(&self, each: i64) {
        let until = Instant::now() + LIMIT;
        let (mut questions, mut enquiries) = (0, 0);
        while questions < each || enquiries < each {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.log.recv_timeout(left).unwrap_or_else(|why| {
                panic!("drive_smpp has {questions} answers to questions and {enquiries} to enquiries: {why}")
            });
            questions += i64::from(line.ends_with("of type deliver_sm_resp"));
            enquiries += i64::from(line.ends_with("of type enquire_link_resp"));
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn has_every_question_taken_once() {
    let Some(folder) = peer::installed("drive_smpp") else { return };
    let site = Site::new();
    site.set("# short_codes = [\"9999\"]", "short_codes = [\"123\"]");
    let port = peer::free_port();
    let service = site.serve(port, &[("BIND", "pair")]);

    let driver = Driver::start(&folder, port);
    driver.until_answered(SOME);
    drop(driver);
    // After its end it begins anew, with those questions again that were taken before.
    let driver = Driver::start(&folder, port);
    driver.until_answered(QUESTIONS);
    service.terminate();
    drop(driver);

    // A short code is no citizen: what it says is noted, and gets no reply.
    let (counted, _) = site.books();
    assert_eq!((counted.exchanges, counted.silences), (QUESTIONS, QUESTIONS), "{counted:?}");
    assert_eq!((counted.waiting, counted.lost, counted.doubled, counted.parts), (0, 0, 0, 0), "{counted:?}");
    assert!((SOME..=QUESTIONS).contains(&counted.repeats), "{counted:?}");
}
