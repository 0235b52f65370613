//! The running service's window to its own machine: a socket in the file system that tells what is on the board. Whoever
//! may open the socket may look; nothing can be changed through it.

use std::{
    fs::Permissions,
    io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    time::timeout,
};

use crate::board::{Board, View};

/// How long one look may take. Looks are served one after the other.
const ONE_LOOK: Duration = Duration::from_secs(2);

/// The largest answer that is read, in octets.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Why nobody can look.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// No service has the socket open.
    #[error("no service answers at {path}: {why}; is `tracuu serve` running with this configuration?")]
    NotRunning {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// What answers there is no service of ours.
    #[error("what answers at {path} is no tracuu: {why}")]
    Other {
        /// The socket.
        path: PathBuf,
        /// What is wrong with the answer.
        why: String,
    },
}

/// The socket, taken away when it is dropped.
#[derive(Debug)]
pub struct Window {
    listener: UnixListener,
    path: PathBuf,
}

impl Window {
    /// Opens the socket, for the owner of the process alone. One that a dead process left is replaced; any other file
    /// stays, whatever the settings say.
    ///
    /// # Errors
    /// As the system gives them; [`io::ErrorKind::AddrInUse`] when a living process has it open, or it is no socket.
    pub async fn open(path: &Path) -> io::Result<Self> {
        if UnixStream::connect(path).await.is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        if std::fs::symlink_metadata(path).is_ok_and(|there| there.file_type().is_socket()) {
            std::fs::remove_file(path)?;
        }
        let listener = private_socket(path)?;
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Shows the board to whoever looks, for ever.
    pub async fn show(self, board: Arc<Board>) {
        loop {
            let Ok((mut stream, _)) = self.listener.accept().await else {
                // Out of descriptors: the next may do better.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(view) = serde_json::to_vec(&board.view()) else { continue };
            let told = async {
                stream.write_all(&view).await?;
                stream.shutdown().await
            };
            // One who looks away half-way has seen enough.
            _ = timeout(ONE_LOOK, told).await;
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Left behind, it would be replaced by the next start.
        _ = std::fs::remove_file(&self.path);
    }
}

/// Makes a socket that nobody but its owner can open, at no moment. A socket comes into being as open as the process's
/// umask leaves it, so it is made in a folder of its own that is closed to all others, closed itself, and then given its
/// name: by a second link, which never takes the place of what is there, as a renaming would.
fn private_socket(path: &Path) -> io::Result<UnixListener> {
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Short names: a socket's path has room for about a hundred octets.
    let folder = tempfile::Builder::new().prefix(".t").permissions(Permissions::from_mode(0o700)).tempdir_in(beside)?;
    let made = folder.path().join("s");
    let listener = UnixListener::bind(&made)?;
    std::fs::set_permissions(&made, Permissions::from_mode(0o600))?;
    match std::fs::hard_link(&made, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(io::ErrorKind::AddrInUse.into()),
        linked => linked.map(|()| listener),
    }
}

/// Looks at the board of the service that has this socket open.
///
/// # Errors
/// [`LookError`]: nobody answers, or somebody else does.
pub async fn look(path: &Path) -> Result<View, LookError> {
    let not_running = |why| LookError::NotRunning { path: path.to_owned(), why };
    let other = |why: String| LookError::Other { path: path.to_owned(), why };
    let stream = UnixStream::connect(path).await.map_err(not_running)?;
    let mut answer = Vec::new();
    let reading = stream.take(LARGEST).read_to_end(&mut answer).await.map(|_| ());
    reading.map_err(not_running)?;
    serde_json::from_slice(&answer).map_err(|error| other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use notify_debouncer_full::notify::{Event, EventKind, RecursiveMode, Watcher as _, recommended_watcher};

    use super::*;
    use crate::clock::{Clock, Micros};

    #[tokio::test]
    async fn the_socket_is_closed_to_others_from_its_first_moment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tracuu.sock");
        let (told, events) = std::sync::mpsc::sync_channel::<Event>(1_000);
        let mut watcher = recommended_watcher(move |event| told.send(Result::unwrap(event)).unwrap()).unwrap();
        watcher.watch(folder.path(), RecursiveMode::NonRecursive).unwrap();
        let window = Window::open(&path).await.unwrap();
        let last = folder.path().join("last");
        std::fs::write(&last, "").unwrap();
        let all: Vec<Event> = events.iter().take_while(|event| !event.paths.contains(&last)).collect();
        let kinds: Vec<EventKind> = all.iter().filter(|one| one.paths.contains(&path)).map(|one| one.kind).collect();
        assert!(matches!(kinds[..], [EventKind::Create(_)]), "it is there once it is closed: {all:?}");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "nothing else is left: {left:?}");
        drop(window);
    }

    #[tokio::test]
    async fn the_board_is_seen_through_the_socket_which_goes_with_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tracuu.sock");
        assert!(matches!(look(&path).await, Err(LookError::NotRunning { .. })));
        std::fs::write(&path, "somebody's only copy").unwrap();
        assert_eq!(Window::open(&path).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        assert_eq!(std::fs::read(&path).unwrap(), b"somebody's only copy");
        std::fs::remove_file(&path).unwrap();
        // A listener that is dropped leaves its socket behind, as a dead process does.
        drop(UnixListener::bind(&path).unwrap());
        let window = Window::open(&path).await.unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Window::open(&path).await.unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        let board = Board::new("one", Clock::fixed(Micros(0)), Vec::new());
        tokio::select! {
            () = window.show(board) => panic!("it shows for ever"),
            view = look(&path) => assert_eq!(view.unwrap().instance, "one"),
        }
        assert!(!path.exists());
    }
}
