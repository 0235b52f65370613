//! A carrier's folder: files appear in it whole or not at all. Written beside it in `tmp/`, brought to disk, renamed, the
//! folder brought to disk; the manifest comes after its file, so whoever sees a manifest may read the file.

use std::{
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use tokio::{
    fs::{self, File, OpenOptions},
    io::{AsyncReadExt as _, AsyncWriteExt as _},
};

use super::BillingError;
use crate::ledger::hex;

/// Files are read by their owner and its group (a carrier's transfer account), never by others.
const FILE_MODE: u32 = 0o640;

/// The same for the carrier's folder.
const FOLDER_MODE: u32 = 0o750;

/// Unfinished files of one name at most; each is left by a process that was killed or is at work now.
const UNFINISHED: u32 = 64;

/// The name of the empty draft that shows whether the folder can be written to.
const TRIAL: &str = "trial";

/// A carrier's folder.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
}

/// A file being written.
pub(super) struct Draft {
    path: PathBuf,
    file: File,
    sha: Sha256,
    /// Octets so far.
    pub(super) bytes: u64,
}

impl Draft {
    /// Adds octets.
    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        self.sha.update(octets);
        self.bytes += octets.len() as u64;
        self.file.write_all(octets).await
    }

    /// The SHA-256 of what was written, in hex.
    pub(super) fn sha256(&self) -> String {
        hex(&self.sha.clone().finalize())
    }
}

impl Shelf {
    /// The folder of a carrier, made if it is not there. Tried by making a file in it.
    pub(super) async fn open(folder: PathBuf) -> Result<Self, BillingError> {
        let shelf = Self { folder };
        shelf.prepare().await.map_err(|error| BillingError::Folder {
            path: shelf.folder.display().to_string(),
            why: error.to_string(),
        })?;
        Ok(shelf)
    }

    async fn prepare(&self) -> io::Result<()> {
        let tmp = self.folder.join("tmp");
        if !fs::try_exists(&tmp).await? {
            fs::create_dir_all(&tmp).await?;
            for made in [&self.folder, &tmp] {
                fs::set_permissions(made, std::fs::Permissions::from_mode(FOLDER_MODE)).await?;
            }
        }
        self.draft(TRIAL).await?;
        self.sweep(TRIAL).await
    }

    /// Where a file of this name is, or will be.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Whether a file of this name is there.
    pub(super) async fn holds(&self, name: &str) -> bool {
        fs::try_exists(self.path(name)).await.unwrap_or(false)
    }

    /// Begins a file. Two processes may write the same one at once, each its own draft.
    pub(super) async fn draft(&self, name: &str) -> io::Result<Draft> {
        for n in 0..UNFINISHED {
            let path = self.folder.join("tmp").join(format!("{name}.{n}"));
            let mut options = OpenOptions::new();
            match options.write(true).create_new(true).mode(FILE_MODE).open(&path).await {
                Ok(file) => {
                    // What the process's umask took away is given back.
                    file.set_permissions(std::fs::Permissions::from_mode(FILE_MODE)).await?;
                    return Ok(Draft { path, file, sha: Sha256::new(), bytes: 0 });
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("{UNFINISHED} unfinished files of this name in tmp/: remove them")))
    }

    /// Takes a draft back.
    pub(super) async fn discard(&self, draft: Draft) {
        // Whatever stays is swept when the file is published.
        let _ = fs::remove_file(&draft.path).await;
    }

    /// Puts a draft in its place, on disk. A file that is there with the same content is left alone.
    pub(super) async fn place(&self, mut draft: Draft, name: &str) -> io::Result<()> {
        let placed = self.try_place(&mut draft, name).await;
        if placed.is_err() {
            self.discard(draft).await;
        }
        placed
    }

    async fn try_place(&self, draft: &mut Draft, name: &str) -> io::Result<()> {
        let (path, sha256) = (self.path(name), draft.sha256());
        draft.file.flush().await?;
        draft.file.sync_all().await?;
        if sha256_of(&path).await?.as_ref() == Some(&sha256) {
            // What stays of the draft is swept when the file is published.
            let _ = fs::remove_file(&draft.path).await;
        } else if let Err(error) = fs::rename(&draft.path, &path).await {
            // Another process that published the same file meanwhile has swept this draft.
            if error.kind() != ErrorKind::NotFound || sha256_of(&path).await?.as_ref() != Some(&sha256) {
                return Err(error);
            }
        }
        File::open(&self.folder).await?.sync_all().await
    }

    /// Removes the drafts of a published file.
    pub(super) async fn sweep(&self, name: &str) -> io::Result<()> {
        let mut drafts = fs::read_dir(self.folder.join("tmp")).await?;
        while let Some(draft) = drafts.next_entry().await? {
            if draft.file_name().to_str().is_some_and(|draft| draft.starts_with(name)) {
                // Another process may sweep, too.
                let _ = fs::remove_file(draft.path()).await;
            }
        }
        Ok(())
    }
}

/// The SHA-256 of a file in hex; none when it is not there.
pub(super) async fn sha256_of(path: &Path) -> io::Result<Option<String>> {
    let mut file = match File::open(path).await {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let (mut sha, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut buffer).await? {
            0 => return Ok(Some(hex(&sha.finalize()))),
            length => sha.update(&buffer[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn written(shelf: &Shelf, name: &str, text: &str) -> Draft {
        let mut draft = shelf.draft(name).await.unwrap();
        draft.write(text.as_bytes()).await.unwrap();
        draft
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[tokio::test]
    async fn a_file_appears_whole_for_its_group_and_leaves_nothing_in_tmp() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path().join("a/vtl")).await.unwrap();
        let left = written(&shelf, "x.csv", "half").await;
        let draft = written(&shelf, "x.csv", "whole").await;
        assert!(!shelf.holds("x.csv").await);
        shelf.place(draft, "x.csv").await.unwrap();
        let path = shelf.path("x.csv");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "whole");
        assert_eq!((mode(&path), mode(&folder.path().join("a/vtl"))), (0o640, 0o750));
        drop(left);
        shelf.sweep("x.csv").await.unwrap();
        assert_eq!(std::fs::read_dir(folder.path().join("a/vtl/tmp")).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn a_draft_swept_by_another_process_that_published_the_same_is_no_fault() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path().to_owned()).await.unwrap();
        let slow = written(&shelf, "x.csv", "same").await;
        let other = written(&shelf, "x.csv", "other").await;
        let quick = written(&shelf, "x.csv", "same").await;
        shelf.place(quick, "x.csv").await.unwrap();
        shelf.sweep("x.csv").await.unwrap();
        shelf.place(slow, "x.csv").await.unwrap();
        assert!(shelf.place(other, "x.csv").await.is_err(), "another content without a draft");
        assert_eq!(std::fs::read_to_string(shelf.path("x.csv")).unwrap(), "same");
    }
}
