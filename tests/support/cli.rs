//! The command as a process of its own, with a limit in time.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long a command may take that does one thing and ends.
const LIMIT: Duration = Duration::from_mins(1);

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
}

/// Runs `tracuu` in `folder` with nothing typed and nothing of the caller's environment but the search path.
pub(crate) fn tracuu(folder: &Path, arguments: &[&str]) -> Finished {
    tracuu_with(folder, arguments, Vec::new())
}

/// The same with this added to the environment.
pub(crate) fn tracuu_with(folder: &Path, arguments: &[&str], environment: Vec<(&'static str, PathBuf)>) -> Finished {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tracuu"));
    command.args(arguments);
    let ended = finish_with(command, folder, LIMIT, environment);
    ended.unwrap_or_else(|stuck| panic!("tracuu {arguments:?} {stuck}"))
}

/// Runs any command to its end.
///
/// # Errors
/// It ran longer than `limit` and was killed: what it had said by then.
pub(crate) fn finish(command: Command, folder: &Path, limit: Duration) -> Result<Finished, String> {
    finish_with(command, folder, limit, Vec::new())
}

fn finish_with(
    mut command: Command,
    folder: &Path,
    limit: Duration,
    environment: Vec<(&'static str, PathBuf)>,
) -> Result<Finished, String> {
    command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", folder).env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("TMPDIR", folder);
    command.envs(environment);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Both pipes are read at once, so that a full one never holds the process up.
    let (stdout, stderr) = (reading(child.stdout.take()), reading(child.stderr.take()));
    let ended = within(&mut child, limit);
    if ended.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    let Some(status) = ended else {
        return Err(format!("was killed after {limit:?}; stdout:\n{stdout}\nstderr:\n{stderr}"));
    };
    Ok(Finished { stdout, stderr, code: status.code() })
}

/// Waits for the end of `child`; `None` when it still runs after `limit`.
fn within(child: &mut Child, limit: Duration) -> Option<std::process::ExitStatus> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if begun.elapsed() >= limit {
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn reading(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut octets).unwrap();
        }
        String::from_utf8_lossy(&octets).into_owned()
    })
}
