//! The demo's conversations: who texts what, how it must end, and how it is shown.

use std::time::Duration;

use super::{Failed, say};
use crate::{
    message::Outcome,
    registry::cast,
    sim::{Deliver, Phone, Smsc},
};

/// How a conversation goes on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One text.
    Plain,
    /// A long text whose second part arrives first.
    SecondPartFirst,
    /// From a name instead of a number.
    FromAName,
    /// While the registry cannot be read.
    RegistryAway,
    /// Over the carrier whose replies keep their marks.
    WithMarks,
}

/// One conversation.
pub(super) struct Talk {
    /// What it shows.
    pub(super) title: &'static str,
    /// The phone.
    pub(super) phone: u64,
    /// What is typed.
    pub(super) text: String,
    /// How it must end.
    pub(super) outcome: Outcome,
    /// How it goes on the air.
    pub(super) way: Way,
    /// Segments the reply must have, where that is the point.
    pub(super) segments: Option<usize>,
}

/// The conversations, in order.
pub(super) fn talks() -> Vec<Talk> {
    use Outcome::{
        Answered, Contact, FullNumberNeeded, HowTo, Misread, OldCardDiffers, OldCardMatches, Refused, Silenced,
        Unavailable,
    };
    let adult = cast::ADULT;
    let old = adult.old_id.unwrap_or_default();
    let short = |one: &cast::Member| one.short_key().to_owned();
    let (id, parent) = (adult.personal_id, cast::PARENT);
    let grouped = format!("{} {} {}", &id[..3], &id[3..6], &id[6..]);
    let every = "HOTEN NGAYSINH GIOITINH NOISINH KHAISINH QUEQUAN DANTOC TONGIAO QUOCTICH NHOMMAU CMND CCCD THUONGTRU \
                 TAMTRU NOIO HONNHAN QHCH";
    let talk =
        |title, phone, text: String, outcome| Talk { title, phone, text, outcome, way: Way::Plain, segments: None };
    let me = adult.phone;
    vec![
        talk("own record, the usual fields", me, format!("TTCD {}", short(&adult)), Answered),
        talk("chosen fields, as people type them", me, format!("ttcd {} ns dc", short(&adult)), Answered),
        talk(
            "the full number, in groups, with copied separators",
            me,
            format!("TTCD_[{grouped}]_[HOTEN]_[CCCD]"),
            Answered,
        ),
        talk("with marks and line breaks", me, format!("ttcd {}\nngày sinh,\nquê quán", short(&adult)), Answered),
        talk("old card number that belongs to the record", me, format!("CMND {old} {}", short(&adult)), OldCardMatches),
        talk("old card number that does not", me, format!("CMND 990000009 {}", short(&adult)), OldCardDiffers),
        talk("how to use", me, "HD".to_owned(), HowTo),
        talk("whom to contact", me, "LH".to_owned(), Contact),
        talk("in English", me, format!("INFO {} NAME BIRTH SEX", short(&adult)), Answered),
        talk("help in English", me, "help".to_owned(), HowTo),
        talk("a wrong key", me, "TTCD 999999".to_owned(), Refused),
        talk(
            "a phone that the registry does not know",
            cast::NOBODYS_PHONE,
            format!("TTCD {}", short(&adult)),
            Refused,
        ),
        talk("a locked record", cast::LOCKED.phone, format!("TTCD {}", short(&cast::LOCKED)), Refused),
        talk("a dead person's phone", cast::DECEASED.phone, format!("TTCD {}", short(&cast::DECEASED)), Refused),
        talk(
            "two people on one phone with the same last digits",
            parent.phone,
            format!("TTCD {}", short(&parent)),
            FullNumberNeeded,
        ),
        talk("the same, with the full number", parent.phone, format!("TTCD {} HOTEN", parent.personal_id), Answered),
        talk("a misspelt word", me, format!("TTCD {} NGAYSIHN", short(&adult)), Misread),
        talk("something else", me, "Xin chao, cho hoi gio lam viec".to_owned(), Misread),
        Talk {
            way: Way::SecondPartFirst,
            ..talk(
                "a question in two parts, the second one first",
                cast::MINORITY.phone,
                format!("TTCD {} {every} HOTEN NGAYSINH GIOITINH NOISINH", short(&cast::MINORITY)),
                Answered,
            )
        },
        Talk {
            segments: Some(3),
            ..talk(
                "a reply of three segments; what does not fit is named",
                cast::LONG.phone,
                format!("TTCD {} {every}", short(&cast::LONG)),
                Answered,
            )
        },
        Talk {
            way: Way::WithMarks,
            ..talk("over a carrier that sends marks", me, format!("TTCD {} HT QQ", short(&adult)), Answered)
        },
        Talk {
            way: Way::FromAName,
            ..talk("from a name, which is never answered", 0, "Khuyen mai".to_owned(), Silenced)
        },
        Talk {
            way: Way::RegistryAway,
            ..talk("while the registry cannot be read", me, format!("TTCD {}", short(&adult)), Unavailable)
        },
        talk("and when it is back", me, format!("TTCD {} HONNHAN", short(&adult)), Answered),
    ]
}

/// What one conversation came to.
pub(super) struct Played {
    /// Physical messages acknowledged.
    pub(super) acknowledged: u64,
    /// Physical messages sent.
    pub(super) parts: u64,
    /// Whether a reply came.
    pub(super) replied: bool,
}

const PATIENCE: Duration = Duration::from_secs(20);

/// Plays one conversation and prints it as a phone would show it.
pub(super) async fn play(number: usize, talk: &Talk, smsc: &Smsc, code: &str) -> Result<Played, Failed> {
    say(format!("\n{number:>2}. {}", talk.title));
    if talk.way == Way::FromAName {
        let mut deliver = Deliver::new("SHOP", code, 0, talk.text.as_bytes());
        deliver.source.ton = 5;
        let answer = tokio::time::timeout(PATIENCE, smsc.deliver(deliver)).await.map_err(|_| late(talk))?;
        let status = answer.map_err(Failed::wrong)?.status;
        say(format!("    SHOP -> {code}  {}", talk.text));
        say("    (acknowledged, recorded, no reply: it could answer back for ever)");
        return Ok(Played { acknowledged: u64::from(status == 0), parts: 1, replied: false });
    }
    let number = talk.phone.to_string();
    let phone = Phone::new(smsc, &number);
    for (at, line) in talk.text.lines().enumerate() {
        say(if at == 0 { format!("    {number} -> {code}  {line}") } else { format!("{:>25}{line}", "") });
    }
    let order: &[usize] = if talk.way == Way::SecondPartFirst { &[1, 0] } else { &[] };
    let sent = async {
        if order.is_empty() {
            phone.text(&talk.text, code).await
        } else {
            phone.text_parts_in_order(&talk.text, code, order).await
        }
    };
    let answers = tokio::time::timeout(PATIENCE, sent).await.map_err(|_| late(talk))?.map_err(Failed::wrong)?;
    let acknowledged = answers.iter().filter(|answer| answer.status == 0).count() as u64;
    let reply = tokio::time::timeout(PATIENCE, phone.reply()).await.map_err(|_| late(talk))?;
    let shape = format!("{} segment(s), {}", reply.segments, reply.alphabet.as_str());
    let parts = if answers.len() > 1 { format!(", question in {} parts", answers.len()) } else { String::new() };
    say(format!("    {code} -> {number}  [{shape}{parts}]"));
    for line in wrapped(reply.text.expose(), 92) {
        say(format!("      {line}"));
    }
    if talk.segments.is_some_and(|wanted| wanted != reply.segments) {
        return Err(Failed::Wrong(format!(
            "\"{}\": {} segments instead of {:?}",
            talk.title, reply.segments, talk.segments
        )));
    }
    Ok(Played { acknowledged, parts: answers.len() as u64, replied: true })
}

fn late(talk: &Talk) -> Failed {
    Failed::Wrong(format!("\"{}\" got no answer within {} s", talk.title, PATIENCE.as_secs()))
}

/// Lines of at most `width` characters, broken at spaces.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
