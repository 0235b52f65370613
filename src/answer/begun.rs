//! Work for others that is begun now and whose end is looked for later: they do it meanwhile.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// Such work.
pub(super) enum Begun<T> {
    /// Being done.
    Going(Pin<Box<dyn Future<Output = T> + Send>>),
    /// Done.
    Done(T),
}

impl<T: Send> Begun<T> {
    /// Begins it: it goes as far as it gets without waiting.
    pub(super) async fn begin(work: impl Future<Output = T> + Send + 'static) -> Self {
        let mut begun = Self::Going(Box::pin(work));
        std::future::poll_fn(|context| {
            let _ = begun.poll(context);
            Poll::Ready(())
        })
        .await;
        begun
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Self::Going(work) = self {
            match work.as_mut().poll(context) {
                Poll::Ready(done) => *self = Self::Done(done),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }

    /// Waits until it is done. Dropped before, nothing is lost.
    pub(super) async fn done(&mut self) {
        std::future::poll_fn(|context| self.poll(context)).await;
    }

    /// What came of it.
    pub(super) async fn end(self) -> T {
        match self {
            Self::Going(work) => work.await,
            Self::Done(done) => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn it_is_begun_at_once_and_its_end_is_kept_until_somebody_asks() {
        let (begins, begun) = oneshot::channel();
        let (ends, end) = oneshot::channel();
        let mut work = Begun::begin(async move {
            let _ = begins.send(());
            end.await.unwrap_or(0)
        })
        .await;
        begun.await.unwrap();
        let early = tokio::time::timeout(std::time::Duration::ZERO, work.done()).await;
        assert!(early.is_err());
        ends.send(7).unwrap();
        work.done().await;
        work.done().await;
        assert_eq!(work.end().await, 7);
    }
}
