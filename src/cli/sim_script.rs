//! `tracuu sim --script NAME`: rehearses a carrier's fault against a running service and tells whether it coped.

use std::{io::IsTerminal as _, net::SocketAddr, sync::Arc, time::Duration};

use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{Failed, say, sim::Arguments};
use crate::{
    clock::Clock,
    sim::script::{self, Scene, Script, Stage},
};

/// How long a script may take when a person watches: some wait for the service's own timers.
const LIMIT: Duration = Duration::from_mins(10);

/// How long a script waits for what it cannot see.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How long the service has to come to rest when the script is done.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// All scripts, each with its sentence and the settings that the service must have.
pub(super) fn list() {
    for script in script::scripts() {
        say(format!("{}\n    {}", script.name, script.about));
        for lines in script.carriers() {
            let lines = lines.replace("{0}", "ADDRESS").replace("{1}", "ADDRESS, PORT + 1");
            lines.lines().filter(|line| !line.is_empty()).for_each(|line| say(format!("    needs {line}")));
        }
    }
}

/// Plays one script, printing each step.
pub(super) async fn run(arguments: &Arguments, name: &str) -> Result<(), Failed> {
    if name == "list" {
        list();
        return Ok(());
    }
    let script = script::find(name).ok_or_else(|| {
        Failed::Wrong(format!("there is no script of the name \"{name}\"; `tracuu sim --scripts` lists them"))
    })?;
    let mut scene = Scene::new(Clock::System);
    scene.code.clone_from(&arguments.to);
    scene.phone = arguments.phone;
    scene.text.clone_from(&arguments.text);
    scene.patience = Duration::from_secs(arguments.patience);
    scene.tell = Some(Arc::new(|step| say(format!("  {step}"))));
    scene.cue = Some(Arc::new(|what| Box::pin(cue(what))));
    let addresses = addresses(script, arguments.listen);
    let stage = Stage::listen(&addresses, script.receive_buffer, scene);
    let mut stage = stage.map_err(|error| Failed::Unreachable(format!("{}: {error}", arguments.listen)))?;
    introduce(script, stage.addresses());
    let played = tokio::select! {
        played = script.play(&mut stage, LIMIT) => played,
        _ = tokio::signal::ctrl_c() => return Ok(()),
    };
    let stop = tokio_util::sync::CancellationToken::new();
    let friendly = stage.friendly(stop.clone());
    let _ = tokio::time::timeout(LAST_WORDS, friendly).await;
    match played {
        Ok(()) => {
            say("The service coped.");
            let counts = script.counts.join(", ");
            if !counts.is_empty() {
                say(format!("`tracuu status` should now count: {counts}"));
            }
            Ok(())
        }
        Err(unmet) => Err(Failed::Wrong(format!("the service did not cope: {unmet}"))),
    }
}

/// What cannot be done from the wire is done by whoever sits at the terminal; what only takes a moment is waited for.
async fn cue(what: &'static str) {
    if what.starts_with("wait") || !std::io::stdin().is_terminal() {
        return tokio::time::sleep(A_MOMENT).await;
    }
    say(format!("Your turn: {what}. Press Enter when it is so."));
    let mut line = String::new();
    // A terminal that is closed is no reason to wait.
    let _ = BufReader::new(tokio::io::stdin()).read_line(&mut line).await;
}

/// The first address as it was typed, the others on the ports behind it.
fn addresses(script: &Script, first: SocketAddr) -> Vec<SocketAddr> {
    let behind = |at: u16| if first.port() == 0 { 0 } else { first.port().saturating_add(at) };
    let count = u16::try_from(script.addresses()).unwrap_or(1);
    (0..count).map(|at| SocketAddr::new(first.ip(), behind(at))).collect()
}

fn introduce(script: &Script, addresses: &[SocketAddr]) {
    say(format!("{}: {}", script.name, script.about));
    for (at, lines) in script.carriers().enumerate() {
        let mut lines = lines.to_owned();
        for (at, address) in addresses.iter().enumerate() {
            lines = lines.replace(&format!("{{{at}}}"), &address.to_string());
        }
        let address = addresses.get(at).map_or_else(String::new, ToString::to_string);
        say(format!(
            "SMSC of carrier {} listens on {address}; its section in the service's configuration needs:",
            at + 1
        ));
        if !lines.contains("address =") {
            say(format!("    address = \"{address}\""));
        }
        let waits = ["reconnect_min_ms = 50", "reconnect_max_ms = 200"];
        lines
            .lines()
            .chain(waits)
            .filter(|line| !line.trim().is_empty())
            .for_each(|line| say(format!("    {}", line.trim())));
    }
    say("Waiting for the service.");
}
