//! The simulator over real sockets, with an ESME made by hand on the `rusmpp` codec at the other end.

mod esme;
mod load;
mod phone;
mod smsc;
mod wire;

use std::{net::SocketAddr, time::Duration};

use tokio_util::task::TaskTracker;

use super::{Smsc, SmscSettings};
use crate::clock::{Clock, Micros};

/// A simulator on a free port of this machine, its clock at a known moment.
async fn listening(settings: SmscSettings) -> Smsc {
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let clock = Clock::fixed(Micros(1_767_225_600_000_000));
    Smsc::listen(any, settings, &TaskTracker::new(), clock).await.unwrap()
}

/// Fails a test that waits for ever.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("within 20 s")
}
