//! `tracuu sim` at the terminal: type as a phone, see the reply. Works from a pipe, too: one line, one message.

use std::{
    io::{IsTerminal as _, Write as _},
    time::Duration,
};

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_util::task::TaskTracker;

use super::{Failed, say, sim::Arguments};
use crate::{
    clock::Clock,
    message::Alphabet,
    sim::{Phone, Receipts, Smsc, SmscSettings, Submitted},
};

/// How long a reply is waited for.
const REPLY: Duration = Duration::from_secs(10);

const HELP: &str = "  NUMBER TEXT      text as this phone, such as 84520000001 HD; it stays until another is named
  TEXT             text as the same phone again; a long text leaves in parts, as from a phone
  /from NUMBER     be another phone
  /receipt [STATE] send the receipt of the last reply: DELIVRD unless told, or UNDELIV, EXPIRED, REJECTD ...
  /help, ?         this
  /quit            end; so does Ctrl-D";

/// What a typed line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Typed<'a> {
    Nothing,
    Help,
    Quit,
    From(&'a str),
    Receipt(&'a str),
    Text { from: Option<&'a str>, text: &'a str },
    Unknown(&'a str),
}

/// Reads a line. A first word of 9 to 15 digits, with or without a `+`, is a phone's number when more follows it.
fn read(line: &str) -> Typed<'_> {
    let line = line.trim();
    let (first, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(first, rest)| (first, rest.trim()));
    let number = |word: &str| (9..=15).contains(&word.len()) && word.bytes().all(|octet| octet.is_ascii_digit());
    let bare = first.strip_prefix('+').unwrap_or(first);
    match first {
        "" => Typed::Nothing,
        "?" | "/help" => Typed::Help,
        "/quit" | "/exit" => Typed::Quit,
        "quit" | "exit" if rest.is_empty() => Typed::Quit,
        "/from" if number(rest.strip_prefix('+').unwrap_or(rest)) => {
            Typed::From(rest.strip_prefix('+').unwrap_or(rest))
        }
        "/receipt" if rest.len() <= 10 => Typed::Receipt(if rest.is_empty() { "DELIVRD" } else { rest }),
        _ if first.starts_with('/') => Typed::Unknown(first),
        _ if number(bare) && !rest.is_empty() => Typed::Text { from: Some(bare), text: rest },
        _ => Typed::Text { from: None, text: line },
    }
}

/// Listens, and sends what is typed.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failed> {
    let tracker = TaskTracker::new();
    let receipts = if arguments.receipts { Receipts::Delivered } else { Receipts::None };
    let settings = SmscSettings { receipts, ..SmscSettings::default() };
    let smsc = Smsc::listen(arguments.listen, settings, &tracker, Clock::System).await;
    let smsc = smsc.map_err(|error| Failed::Unreachable(format!("{}: {error}", arguments.listen)))?;
    say(format!("SMSC listens on {}; waiting for the service to bind", smsc.address()));
    tokio::select! {
        () = smsc.bound() => {}
        _ = tokio::signal::ctrl_c() => return Ok(()),
    }
    let phone = Phone::new(&smsc, arguments.phone.to_string());
    let mut desk = Desk { smsc, code: arguments.to.clone(), phone, last: Vec::new() };
    say(format!("Bound. Type a text, or NUMBER TEXT; the phone is {}. ? for help.", desk.phone.number()));
    let prompts = std::io::stdin().is_terminal();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        if prompts {
            prompt(desk.phone.number());
        }
        let line = tokio::select! {
            line = lines.next_line() => line.map_err(Failed::wrong)?,
            _ = tokio::signal::ctrl_c() => None,
        };
        let Some(line) = line else { break };
        match read(&line) {
            Typed::Nothing => {}
            Typed::Help => say(HELP),
            Typed::Quit => break,
            Typed::From(number) => desk.take_up(number),
            Typed::Receipt(state) => desk.confirm(&state.to_ascii_uppercase()).await,
            Typed::Unknown(word) => say(format!("  there is no {word}; ? for help")),
            Typed::Text { from, text } => {
                if let Some(number) = from {
                    desk.take_up(number);
                }
                desk.text(text).await;
            }
        }
    }
    desk.smsc.unbind().await;
    desk.smsc.stop().await;
    tracker.close();
    tracker.wait().await;
    Ok(())
}

/// A closed pipe is no error.
fn prompt(number: &str) {
    let mut out = std::io::stdout();
    let _ = write!(out, "{number}> ");
    let _ = out.flush();
}

struct Desk {
    smsc: Smsc,
    code: String,
    phone: Phone,
    /// The segments of the last reply.
    last: Vec<Submitted>,
}

impl Desk {
    fn take_up(&mut self, number: &str) {
        if self.phone.number() != number {
            self.phone = Phone::new(&self.smsc, number);
            self.last.clear();
        }
    }

    /// Texts the service, says how each part was answered, and shows the reply.
    async fn text(&mut self, text: &str) {
        let answers = match self.phone.text(text, &self.code).await {
            Ok(answers) => answers,
            Err(error) => return say(format!("  not sent: {error}")),
        };
        let parts = answers.len();
        let refused: Vec<String> =
            answers.iter().filter(|one| one.status != 0).map(|one| format!("{:#04x}", one.status)).collect();
        let longest = answers.iter().map(|one| one.waited).max().unwrap_or_default();
        let counted = if parts == 1 { "1 message".to_owned() } else { format!("{parts} messages") };
        if refused.is_empty() {
            say(format!("  -> {counted}, acknowledged within {} ms", longest.as_millis()));
        } else {
            say(format!("  -> {counted}, answered with status {}", refused.join(", ")));
        }
        if refused.len() == parts {
            return;
        }
        match tokio::time::timeout(REPLY, self.phone.reply_in_segments()).await {
            Ok((reply, segments)) => {
                let letters = match reply.alphabet {
                    Alphabet::Gsm7 => "plain letters",
                    Alphabet::Ucs2 => "with marks",
                };
                let counted =
                    if reply.segments == 1 { "1 message".to_owned() } else { format!("{} messages", reply.segments) };
                say(format!("  <- {counted}, {letters}:"));
                reply.text.expose().lines().for_each(|line| say(format!("     {line}")));
                self.last = segments;
            }
            Err(_) => say(format!("  <- no reply within {} s", REPLY.as_secs())),
        }
    }

    /// Sends the receipts of the last reply, a segment each.
    async fn confirm(&mut self, state: &str) {
        if self.last.is_empty() {
            return say("  there is no reply yet whose receipt could be sent");
        }
        for segment in &self.last {
            match self.phone.confirm(segment, state, Clock::System.now()).await {
                Ok(answer) => say(format!("  -> receipt {state}, answered with status {:#04x}", answer.status)),
                Err(error) => say(format!("  not sent: {error}")),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Typed, read};

    #[test]
    fn lines_are_read_as_a_person_means_them() {
        let text = |from, text| Typed::Text { from, text };
        for (line, wanted) in [
            ("", Typed::Nothing),
            ("  ?", Typed::Help),
            ("/help", Typed::Help),
            ("help", text(None, "help")),
            ("quit", Typed::Quit),
            ("quit it", text(None, "quit it")),
            ("84520000001 HD", text(Some("84520000001"), "HD")),
            ("+84520000001  TTCD 123456 ns", text(Some("84520000001"), "TTCD 123456 ns")),
            ("TTCD 123456", text(None, "TTCD 123456")),
            ("123456 HD", text(None, "123456 HD")),
            ("84520000001", text(None, "84520000001")),
            ("/from +84520000002", Typed::From("84520000002")),
            ("/from me", Typed::Unknown("/from")),
            ("/receipt", Typed::Receipt("DELIVRD")),
            ("/receipt undeliv", Typed::Receipt("undeliv")),
            ("/send", Typed::Unknown("/send")),
        ] {
            assert_eq!(read(line), wanted, "{line}");
        }
    }
}
