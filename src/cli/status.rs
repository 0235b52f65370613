//! `tracuu status`: how the running service stands, in words.

use super::{ConfigFile, Failed, say};
use crate::{
    admin,
    board::{AlarmView, CarrierView, View},
};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// One JSON document instead of lines
    #[arg(long)]
    json: bool,
    /// Every oddity of the carriers' SMSCs that was met, not only the most frequent
    #[arg(long)]
    all: bool,
}

/// Oddities shown of one carrier unless all are asked for.
const MOST_TRAPS: usize = 8;

/// Looks and tells. Exit code 69 when the service does not run, 1 when something needs a person.
pub(super) async fn run(arguments: &Arguments) -> Result<(), Failed> {
    let config = arguments.file.load()?;
    let Some(socket) = &config.service.status_socket else {
        return Err(Failed::Wrong("service.status_socket is empty: the service shows nothing".to_owned()));
    };
    let view = admin::look(socket).await.map_err(|error| Failed::Unreachable(error.to_string()))?;
    if arguments.json {
        say(serde_json::to_string_pretty(&view).map_err(Failed::wrong)?);
    } else {
        for line in lines(&view, arguments.all) {
            say(line);
        }
    }
    match needs(&view) {
        0 => Ok(()),
        1 => Err(Failed::Wrong("1 thing needs somebody".to_owned())),
        many => Err(Failed::Wrong(format!("{many} things need somebody"))),
    }
}

/// How many things need somebody: alarms, lines that are down, a database that does not answer.
fn needs(view: &View) -> usize {
    let carrier = |carrier: &CarrierView| carrier.alarms.len() + carrier.lines.iter().filter(|one| !one.bound).count();
    usize::from(view.store_down)
        + usize::from(view.registry_down)
        + view.alarms.len()
        + view.carriers.iter().map(carrier).sum::<usize>()
}

fn alarm_line(indent: &str, alarm: &AlarmView) -> String {
    let on = alarm.line.as_ref().map_or_else(String::new, |line| format!(" on {line}"));
    format!("{indent}ALARM {}{on} for {} s: {}", alarm.name, alarm.since_s, alarm.text)
}

fn lines(view: &View, all: bool) -> Vec<String> {
    let word = |down: bool, micros: u64| match (down, micros) {
        (true, _) => "does not answer".to_owned(),
        (false, 0) => "not asked yet".to_owned(),
        (false, micros) => format!("{:.1} ms", micros as f64 / 1_000.0),
    };
    let mut told = vec![
        format!("{}: up for {} s", view.instance, view.up_s),
        match &view.store_why {
            Some(why) => format!("store: DOWN, carriers get temporary errors: {why}"),
            None => format!("store: commit {}", word(view.store_down, view.commit_us)),
        },
        format!("registry: look-up {}", word(view.registry_down, view.lookup_us)),
        format!("temporary errors given: {}", view.temporary),
    ];
    told.extend(view.pruned.iter().map(|what| format!("last removal of the old: {what}")));
    told.extend(view.alarms.iter().map(|alarm| alarm_line("", alarm)));
    for carrier in &view.carriers {
        told.push(String::new());
        told.push(format!("carrier {}", carrier.name));
        told.extend(carrier.lines.iter().map(|line| format!("  line {}: {}", line.name, line.state)));
        let rest = if carrier.behind { ", and more in the store" } else { "" };
        told.push(format!(
            "  replies: {} wait in memory{rest}; {} of {} places await a response",
            carrier.waiting, carrier.open, carrier.window
        ));
        told.push(format!("  held back by: {}", carrier.limit));
        told.extend(carrier.learned.iter().map(|(what, value)| format!("  learned: {what} is {value}")));
        let mut traps: Vec<(&String, &u64)> = carrier.traps.iter().collect();
        traps.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), (*name).clone()));
        let shown = if all { traps.len() } else { MOST_TRAPS };
        told.extend(traps.iter().take(shown).map(|(name, count)| format!("  met {count} times: {name}")));
        if traps.len() > shown {
            told.push(format!("  and {} other oddities (--all)", traps.len() - shown));
        }
        told.extend(carrier.alarms.iter().map(|alarm| alarm_line("  ", alarm)));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        board::{Board, LineState},
        clock::{Clock, Micros},
        message::{CarrierId, LineId, Role},
    };

    #[test]
    fn what_needs_somebody_is_counted_and_told() {
        let id = CarrierId::parse("vtl").unwrap();
        let line = LineId { carrier: id.clone(), index: 1, role: Role::Transceiver };
        let board = Board::new("one", Clock::fixed(Micros(0)), vec![(id.clone(), vec![line.clone()])]);
        let carrier = board.carrier(&id).unwrap();
        carrier.line(&line, LineState::Bound { since: Micros(0), version: Some(0x34) });
        board.desk.committed(2_500);
        assert_eq!(needs(&board.view()), 0);
        board.store.down(&"store cannot be used now: its disk is full");
        assert_eq!(needs(&board.view()), 1);
        let told = lines(&board.view(), false).join("\n");
        assert!(
            told.contains("store: DOWN, carriers get temporary errors: store cannot be used now: its disk is full")
        );
        board.store.up();
        for trap in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
            carrier.count(Some(&line), trap);
        }
        carrier.count(None, "i");
        carrier.learned("receipt_form", "parameters".to_owned());
        carrier.alarm("wrong_code", "a text for 1234 came: is short_codes complete?");
        carrier.line_alarm(&line, "reading_paused", "nothing can be stored");
        board.desk.looked_up(1_000, false);
        board.pruned("3 questions".to_owned(), vec!["old questions of vtl stay".to_owned()]);
        let view = board.view();
        assert_eq!(needs(&view), 3);
        let told = lines(&view, false).join("\n");
        for words in [
            "store: commit 2.5 ms",
            "registry: look-up does not answer",
            "last removal of the old: 3 questions (0 h ago); old questions of vtl stay",
            "line vtl/1: bound for 0 s (SMPP 3.4)",
            "learned: receipt_form is parameters",
            "met 2 times: i",
            "and 1 other oddities",
            "ALARM wrong_code for 0 s: a text for 1234",
            "ALARM reading_paused on vtl/1 for 0 s: nothing",
        ] {
            assert!(told.contains(words), "{words} is not in\n{told}");
        }
        assert!(lines(&view, true).iter().any(|line| line.ends_with(": h")));
    }
}
