//! Runs what HTTP/2 makes of each request at once, and as a task only where it has to wait.
//!
//! A hit never waits: it needs no task, no place in the queue of the runtime, and no waker of its own. Invariants: what waits
//! goes on as any other task; a panic ends the one request, as it would end its task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Waker};

/// For hyper's HTTP/2 connections.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Inline;

impl<F> hyper::rt::Executor<F> for Inline
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    fn execute(&self, future: F) {
        let mut future: Pin<Box<F>> = Box::pin(future);
        // Nobody is woken for this turn: the task polls again, by a waker of its own, whatever happened in between.
        let turn = || future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending();
        if catch_unwind(AssertUnwindSafe(turn)).unwrap_or(false) {
            tokio::spawn(future);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::rt::Executor as _;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn what_can_end_has_ended_and_what_waits_goes_on() {
        let done = Arc::new(AtomicU32::new(0));
        let (now, later) = (Arc::clone(&done), Arc::clone(&done));
        Inline.execute(async { panic!("said by this test") });
        Inline.execute(async move { now.fetch_add(1, Ordering::Relaxed) });
        assert_eq!(done.load(Ordering::Relaxed), 1);
        let (word, heard) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        Inline.execute(async move {
            heard.await.expect("told");
            later.fetch_add(1, Ordering::Relaxed);
            end.send(()).expect("waited for");
        });
        assert_eq!(done.load(Ordering::Relaxed), 1);
        word.send(()).expect("it waits");
        ended.await.expect("it goes on");
        assert_eq!(done.load(Ordering::Relaxed), 2);
    }
}
