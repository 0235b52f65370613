//! Work that is begun now and whose end is looked for later. It goes on by itself meanwhile, whatever holds up the one who
//! began it.

use tokio::task::JoinSet;

/// Such work.
pub(super) struct Begun<T> {
    going: JoinSet<T>,
    done: Option<T>,
}

impl<T: Send + 'static> Begun<T> {
    /// Begins it. Dropped before its end, it is given up.
    pub(super) fn begin(work: impl Future<Output = T> + Send + 'static) -> Self {
        let mut going = JoinSet::new();
        going.spawn(work);
        Self { going, done: None }
    }

    /// Waits until it is done. Dropped before, nothing is lost.
    pub(super) async fn done(&mut self) {
        if self.done.is_none() {
            self.done = self.going.join_next().await.and_then(Result::ok);
        }
    }

    /// What came of it; nothing, when it failed.
    pub(super) async fn end(mut self) -> Option<T> {
        self.done().await;
        self.done
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    #[tokio::test]
    async fn it_goes_on_by_itself_and_its_end_is_kept_until_somebody_asks() {
        let (ends, end) = oneshot::channel();
        let (tells, told) = oneshot::channel();
        let mut work = Begun::begin(async move {
            let number = end.await.unwrap_or(0);
            let _ = tells.send(());
            number
        });
        assert!(timeout(Duration::ZERO, work.done()).await.is_err());
        ends.send(7).unwrap();
        told.await.unwrap();
        work.done().await;
        work.done().await;
        assert_eq!(work.end().await, Some(7));
    }
}
