//! The fence around an attempt: nothing of it moves once its lease may have passed to another.

use std::pin::Pin;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::task::{Context, Poll};
use std::time::Duration;

use reelpin_schema::ambient::Ambient;
use reelpin_schema::task::LEASE;

/// When the last renewal that succeeded was sent, by the process's clock.
pub(super) struct Fence {
    ambient: Ambient,
    good: Mutex<Duration>,
}

/// The lease may have passed to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passed;

impl Fence {
    /// Around a lease whose claim was sent at `good`.
    pub(super) fn new(ambient: Ambient, good: Duration) -> Self {
        Self { ambient, good: Mutex::new(good) }
    }

    /// A renewal sent at `good` succeeded.
    pub(super) fn renewed(&self, good: Duration) {
        *self.good.lock().unwrap_or_else(PoisonError::into_inner) = good;
    }

    /// How long the lease surely stands; zero when it may not.
    pub(super) fn rest(&self) -> Duration {
        let good = *self.good.lock().unwrap_or_else(PoisonError::into_inner);
        (good + LEASE).saturating_sub(self.ambient.now())
    }

    /// Runs `work` as long as the lease surely stands. The time is looked at before each time the
    /// work moves: a process that was stopped for a minute finds out before it does anything, not
    /// when some timer of its own comes round.
    pub(super) async fn around<F: Future>(&self, work: F) -> Result<F::Output, Passed> {
        let mut work = std::pin::pin!(work);
        std::future::poll_fn(|cx| self.poll(work.as_mut(), cx)).await
    }

    fn poll<F: Future>(
        &self,
        work: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<F::Output, Passed>> {
        if self.rest().is_zero() {
            return Poll::Ready(Err(Passed));
        }
        work.poll(cx).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

    use async_trait::async_trait;
    use reelpin_schema::ambient::{Chance, Clock};

    use super::*;

    struct Hand(AtomicU64);

    #[async_trait]
    impl Clock for Hand {
        fn now(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::Relaxed))
        }

        async fn sleep(&self, _: Duration) {}
    }

    impl Chance for Hand {
        fn bytes(&self) -> [u8; 16] {
            [0; 16]
        }
    }

    /// Work that moves whenever it is let, and a clock that the test sets.
    fn stage() -> (Arc<Hand>, Fence) {
        let hand = Arc::new(Hand(AtomicU64::new(100)));
        let ambient = Ambient::new(Arc::clone(&hand) as _, Arc::clone(&hand) as _);
        (hand, Fence::new(ambient, Duration::from_secs(100)))
    }

    #[test]
    fn nothing_moves_once_the_lease_may_have_passed() {
        let (hand, fence) = stage();
        let moved = AtomicUsize::new(0);
        let work = std::future::poll_fn(|_| {
            moved.fetch_add(1, Ordering::Relaxed);
            Poll::<()>::Pending
        });
        let mut fenced = std::pin::pin!(fence.around(work));
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert_eq!(fenced.as_mut().poll(&mut cx), Poll::Pending);
        hand.0.store(129, Ordering::Relaxed);
        assert_eq!(fenced.as_mut().poll(&mut cx), Poll::Pending);
        fence.renewed(Duration::from_secs(120));
        hand.0.store(149, Ordering::Relaxed);
        assert_eq!(fenced.as_mut().poll(&mut cx), Poll::Pending);
        assert_eq!(moved.load(Ordering::Relaxed), 3);
        hand.0.store(150, Ordering::Relaxed);
        assert_eq!(fenced.as_mut().poll(&mut cx), Poll::Ready(Err(Passed)));
        assert_eq!(moved.load(Ordering::Relaxed), 3);
    }
}
