//! One trial: a load, trouble in the middle of it, the account at the end.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use tokio::sync::watch::Receiver;
use tokio_util::task::TaskTracker;
use tracuu::{
    clock::Clock,
    sim::{LoadProgress, LoadRun, Smsc, SmscSettings},
};

use super::faulty::FaultyDisk;
use crate::{
    billed, load,
    site::{Serving, Site, within},
    stored::stored,
    support::cli::tracuu,
};

/// Questions acknowledged, or refused for now, between two steps of a trial.
const STRETCH: u64 = 150;

/// What whoever makes the trouble needs.
pub(crate) struct Trial {
    pub(crate) site: Site,
    pub(crate) disk: FaultyDisk,
    pub(crate) smsc: Smsc,
    progress: Receiver<LoadProgress>,
}

impl Trial {
    /// Starts the service on the failing disk.
    pub(crate) fn serve(&self) -> Serving {
        self.site.serve_with(&self.disk.environment())
    }

    /// Waits until the service is bound and has acknowledged some more questions.
    pub(crate) async fn goes_well(&mut self) {
        within("the service to bind", self.smsc.bound()).await;
        let goal = self.progress.borrow().acknowledged + STRETCH;
        load::follow(&mut self.progress, "more acknowledgements", |now| now.acknowledged >= goal).await;
    }

    /// Waits until some more questions have been refused for now.
    pub(crate) async fn is_put_off(&mut self) {
        let goal = self.progress.borrow().temporary + STRETCH;
        load::follow(&mut self.progress, "temporary errors", |now| now.temporary >= goal).await;
    }

    /// Waits until the SMSC has noticed that so many sessions are gone.
    pub(crate) async fn breaks(&mut self, count: u64) {
        load::follow(&mut self.progress, "the sessions to end", |now| now.breaks >= count).await;
    }

    /// Waits until `tracuu status` says this and ends with this code.
    pub(crate) async fn status_says(&self, words: &str, code: i32) {
        let mut last = None;
        let told = async {
            loop {
                let folder = self.site.folder.path().to_owned();
                let status = tokio::task::spawn_blocking(move || tracuu(&folder, &["status"])).await.unwrap();
                if status.code == Some(code) && status.stdout.contains(words) {
                    return;
                }
                last = Some(status);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let told = tokio::time::timeout(crate::site::LIMIT, told).await;
        assert!(told.is_ok(), "the status does not say \"{words}\" with code {code}: {last:?}");
    }
}

/// Runs a load, makes trouble meanwhile, and judges. The trouble ends with a service that runs, and says how many sessions
/// were lost.
pub(crate) async fn trial(label: &str, trouble: impl AsyncFnOnce(&mut Trial) -> (Serving, u64)) {
    let tracker = TaskTracker::new();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let smsc = Smsc::listen(any, SmscSettings::default(), &tracker, Clock::System).await.unwrap();
    let site = Site::new(smsc.address(), 1, load::PEOPLE, None).await;
    let Some(disk) = FaultyDisk::under(&site) else { return };
    let run = LoadRun::start(&smsc, &load::plan(&site, 0).await).unwrap();
    let mut trial = Trial { site, disk, smsc: smsc.clone(), progress: run.progress() };
    let making = async {
        let made = trouble(&mut trial).await;
        smsc.stop_asking();
        made
    };
    let (report, (serving, breaks)) = tokio::join!(run.finish(), making);
    serving.stop().await;
    let submits = smsc.counts().submits;
    smsc.stop().await;
    tracker.close();
    tracker.wait().await;
    let stored = stored(&trial.site).await;
    let line = load::summary(label, 0, breaks, &report, &stored);
    let _ = writeln!(std::io::stderr(), "{line} temporary {}", report.temporary);
    load::judge(&report, submits, &stored, breaks, &line);
    billed::judge(&trial.site, &stored, &line).await;
}
