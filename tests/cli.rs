//! The command as a person in a terminal meets it.

#[cfg(test)]
#[path = "cli/first_steps.rs"]
mod first_steps;
#[cfg(test)]
#[path = "cli/growth.rs"]
mod growth;
#[cfg(test)]
#[path = "cli/rehearsal.rs"]
mod rehearsal;
#[cfg(test)]
#[path = "cli/running.rs"]
mod running;
#[cfg(test)]
#[path = "cli/settings.rs"]
mod settings;
#[cfg(test)]
#[path = "cli/stopping.rs"]
mod stopping;
#[cfg(test)]
mod support;
#[cfg(test)]
#[path = "cli/watched.rs"]
mod watched;

#[cfg(test)]
mod the_runner {
    use std::{
        process::Command,
        time::{Duration, Instant},
    };

    use crate::support::cli::finish;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn hands_back_both_outputs_and_the_exit_code() {
        let folder = tempfile::tempdir().unwrap();
        let script = "pwd; head -c 200000 /dev/zero | tr '\\0' x >&2; exit 3";
        let finished = finish(shell(script), folder.path(), Duration::from_secs(20)).unwrap();
        let real = folder.path().canonicalize().unwrap();
        assert_eq!(
            (finished.stdout.trim(), finished.stderr.len(), finished.code),
            (real.to_str().unwrap(), 200_000, Some(3))
        );
    }

    #[test]
    fn kills_what_does_not_end() {
        let folder = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        let stuck = finish(shell("echo begun; exec sleep 60"), folder.path(), Duration::from_millis(300)).unwrap_err();
        assert!(stuck.contains("killed after 300ms") && stuck.contains("begun"), "{stuck}");
        assert!(begun.elapsed() < Duration::from_secs(20), "it was waited for");
    }
}

#[cfg(test)]
mod tracuu {
    use crate::support::cli::tracuu;

    #[test]
    fn tells_its_version_and_ends_well() {
        let folder = tempfile::tempdir().unwrap();
        let finished = tracuu(folder.path(), &["--version"]);
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0, "files were left behind");
    }
}
