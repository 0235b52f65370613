//! `[service]` and `[log]`: what this process is called, the codes it answers, how it logs.

use std::{path::PathBuf, time::Duration};

use super::{carrier::short_codes, reader::Section};
use crate::message::ShortCode;

/// What the system takes for the path of a socket.
const LONGEST_SOCKET: usize = 107;

/// The process.
#[derive(Clone, Debug)]
pub struct ServiceSettings {
    /// Names this process among several on one store. Two running processes must never share a name.
    pub instance: String,
    /// The codes citizens text to, unless a carrier has its own.
    pub short_codes: Vec<ShortCode>,
    /// Questions decided in one go at most.
    pub batch: usize,
    /// A part of the service that has not moved for this long stands still.
    pub stall: Duration,
    /// The socket that `tracuu status` asks; `None`: there is none.
    pub status_socket: Option<PathBuf>,
}

impl ServiceSettings {
    /// Reads `[service]`.
    pub fn read(mut s: Section) -> Self {
        let instance = s.text("instance", "tracuu-1");
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        if instance.is_empty() || instance.len() > 32 || !instance.chars().all(fits) {
            s.fault("instance", "must be 1 to 32 letters, digits, '-', '_' or '.'");
        }
        let short_codes = short_codes(&mut s, "short_codes", &[]);
        if short_codes.is_empty() {
            s.fault("short_codes", "is missing: the codes that citizens text to");
        }
        let batch = s.number("batch", 128, 1..=256);
        let stall = Duration::from_secs(s.number("stall_s", 30, 1..=600));
        let socket = s.text("status_socket", "tracuu.sock");
        let status_socket = (!socket.is_empty()).then(|| s.path(&socket));
        if status_socket.as_ref().is_some_and(|path| path.as_os_str().len() > LONGEST_SOCKET) {
            s.fault("status_socket", format!("the system takes at most {LONGEST_SOCKET} octets for the whole path"));
        }
        s.finish();
        Self { stall, status_socket, instance, short_codes, batch: usize::try_from(batch).unwrap_or(128) }
    }
}

/// How lines are written to standard error.
#[derive(Clone, Debug)]
pub struct LogSettings {
    /// A level (`info`) or a filter (`info,tracuu::smpp=debug`).
    pub filter: String,
    /// One JSON object a line instead of text.
    pub json: bool,
}

impl LogSettings {
    /// Reads `[log]`.
    pub fn read(mut s: Section) -> Self {
        let filter = s.text("filter", "info");
        if tracing_subscriber::EnvFilter::try_new(&filter).is_err() {
            s.fault(
                "filter",
                "must be a level (error, warn, info, debug, trace) or a list such as info,tracuu::smpp=debug",
            );
        }
        let json = s.choice("format", false, &[("text", false), ("json", true)]);
        s.finish();
        Self { filter, json }
    }
}
