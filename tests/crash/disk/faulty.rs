//! The failing disk: a library that is compiled here and stands between the service and the operating system.

use std::{cell::Cell, fs, io::Write as _, path::PathBuf, process::Command};

use crate::site::Site;

/// The files of the store that survive a loss of power, as far as they were synced.
const FILES: [&str; 2] = ["tracuu.db", "tracuu.db-wal"];

/// The disk under a site's store.
pub(crate) struct FaultyDisk {
    folder: PathBuf,
    faults: Cell<u32>,
}

impl FaultyDisk {
    /// Compiles it into the site's folder; `None` without a C compiler, which is said aloud, and which fails the test when
    /// the environment has `REQUIRE_CC=1`.
    pub(crate) fn under(site: &Site) -> Option<Self> {
        let folder = site.folder.path().to_owned();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/crash/disk/faults.c");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]).arg(folder.join("faults.so"));
        let compiled = match compiler.arg(source).output() {
            Ok(compiled) => compiled,
            Err(why) => {
                let required = std::env::var_os("REQUIRE_CC").is_some_and(|value| value == "1");
                assert!(!required, "REQUIRE_CC=1, but the C compiler cc cannot be run: {why}");
                // Straight to the stream, because the test harness hides what a passing test prints.
                let _ = writeln!(std::io::stderr(), "\nDISK FAULTS SKIPPED: cc cannot be run: {why}\n");
                return None;
            }
        };
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        fs::create_dir(folder.join("disk")).unwrap();
        Some(Self { folder, faults: Cell::new(0) })
    }

    /// What a service on this disk is started with.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        [
            ("LD_PRELOAD", "faults.so"),
            ("TRACUU_FAULTS", "faults"),
            ("TRACUU_FAULTS_MET", "faults.met"),
            ("TRACUU_FAULTS_DISK", "disk"),
        ]
        .map(|(name, file)| (name, self.folder.join(file)))
        .to_vec()
    }

    /// From now on it fails so: operation, error, count, file (`faults.c`).
    pub(crate) fn fail(&self, how: &str) {
        self.faults.set(self.faults.get() + 1);
        self.control(&format!("{} {how}\n", self.faults.get()));
    }

    /// From now on all is well.
    pub(crate) fn heal(&self) {
        self.control("");
    }

    /// At once, so that nobody reads half a line.
    fn control(&self, text: &str) {
        fs::write(self.folder.join("faults.new"), text).unwrap();
        fs::rename(self.folder.join("faults.new"), self.folder.join("faults")).unwrap();
    }

    /// What has failed so far: operation, file, error, a line each.
    pub(crate) fn met(&self) -> String {
        fs::read_to_string(self.folder.join("faults.met")).unwrap_or_default()
    }

    /// Whether the disk holds a file as it is read.
    pub(crate) fn holds(&self, name: &str) -> bool {
        fs::read(self.folder.join("disk").join(name)).unwrap() == fs::read(self.folder.join(name)).unwrap()
    }

    /// The power fails when no process has the store open: what is left is what was synced.
    pub(crate) fn lose_power(&self) {
        for name in FILES {
            let (disk, file) = (self.folder.join("disk").join(name), self.folder.join(name));
            if disk.exists() {
                fs::copy(disk, file).unwrap();
            } else {
                let _ = fs::remove_file(file);
            }
        }
        // Memory of those that had it open; the last of them takes it away at a good end.
        let _ = fs::remove_file(self.folder.join("tracuu.db-shm"));
    }
}
