//! Calls that nobody makes too late.

use std::time::Duration;

use reelpin_schema::ambient::Ambient;

/// Does something as long as the process's clock is before `until`; `None` when it is not, or was not
/// done by then. The clock is looked at before each time the work moves, so that a process that was
/// stopped for a minute finds out before it does anything.
pub(super) async fn before<F: Future>(
    until: Duration,
    ambient: &Ambient,
    work: F,
) -> Option<F::Output> {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|cx| {
        if ambient.now() >= until {
            return std::task::Poll::Ready(None);
        }
        work.as_mut().poll(cx).map(Some)
    })
    .await
}
