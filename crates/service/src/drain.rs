//! The end of a process, in order: a signal, then no new work, then the accepted work is finished, then exit.
//!
//! Knows nothing of sockets: whoever listens watches [`Drain`]. Invariant: a drain that has begun never ends; work that
//! is tracked is counted until its guard is dropped, however it ends.

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};

use crate::config::{Reader, Section};

/// The `[drain]` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainConfig {
    /// How long the server goes on accepting after it has become unready.
    pub notice: Duration,
    /// How long accepted work may take once nothing more is accepted.
    pub deadline: Duration,
}

impl Section for DrainConfig {
    const DOC: &'static str = "The orderly end after SIGTERM or SIGINT. A second signal ends the process at once.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            notice: r.duration(
                "notice",
                "0s",
                "0s"..="5m",
                "Still accept for this long after /readyz says 503, so that a load balancer can turn away first.",
            ),
            deadline: r.duration(
                "deadline",
                "30s",
                "0s"..="1h",
                "Accepted requests may take this long to finish; what is left then is cut off.",
            ),
        }
    }
}

/// A handle on the process's end. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct Drain {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    draining: watch::Sender<bool>,
    in_flight: AtomicUsize,
    idle: Notify,
}

/// Work that was accepted; counted until it is dropped.
#[derive(Debug)]
pub struct InFlight {
    shared: Arc<Shared>,
}

/// Work was left when the deadline of a drain had passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// How many guards were still held.
    pub left: usize,
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} pieces of accepted work were not finished before the drain deadline", self.left)
    }
}

impl std::error::Error for Unfinished {}

impl Drain {
    /// A handle on a process that is not draining.
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins the drain. Further calls do nothing.
    pub fn begin(&self) {
        self.shared.draining.send_if_modified(|draining| !std::mem::replace(draining, true));
    }

    /// Whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        *self.shared.draining.borrow()
    }

    /// Returns once the drain has begun; at once if it has.
    pub async fn draining(&self) {
        let mut receiver = self.shared.draining.subscribe();
        // Cannot fail: `self` holds the sender.
        let _ = receiver.wait_for(|draining| *draining).await;
    }

    /// Counts a piece of accepted work, until the guard is dropped.
    #[must_use = "the work is counted only while the guard lives"]
    pub fn track(&self) -> InFlight {
        self.shared.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { shared: Arc::clone(&self.shared) }
    }

    /// How many guards are held now.
    pub fn in_flight(&self) -> usize {
        self.shared.in_flight.load(Ordering::Acquire)
    }

    /// Returns when no guard is held. Does not begin the drain, so that new work may prolong it.
    pub async fn wait(&self) {
        loop {
            let mut notified = pin!(self.shared.idle.notified());
            // Enlisted before the count is read: a guard that drops in between is not missed.
            notified.as_mut().enable();
            if self.in_flight() == 0 {
                return;
            }
            notified.await;
        }
    }

    /// As [`wait`](Self::wait), but no longer than `deadline`.
    ///
    /// # Errors
    /// [`Unfinished`] when work is left at the deadline.
    pub async fn finish(&self, deadline: Duration) -> Result<(), Unfinished> {
        let waited = tokio::time::timeout(deadline, self.wait()).await;
        waited.map_err(|_| Unfinished { left: self.in_flight() })
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.shared.in_flight.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.idle.notify_waiters();
        }
    }
}

/// Begins the drain on SIGTERM or SIGINT; a second of either ends the process with 128 plus its number.
///
/// # Errors
/// Where the operating system refuses a signal handler.
///
/// # Panics
/// Outside a Tokio runtime with its I/O driver enabled.
pub fn on_signals(drain: Drain) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            let kind = tokio::select! {
                _ = terminate.recv() => SignalKind::terminate(),
                _ = interrupt.recv() => SignalKind::interrupt(),
            };
            if drain.is_draining() {
                tracing::warn!(in_flight = drain.in_flight(), "second signal: ending at once");
                std::process::exit(128 + kind.as_raw_value());
            }
            tracing::info!(in_flight = drain.in_flight(), "signal received: draining");
            drain.begin();
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn draining_wakes_every_clone_and_never_ends() {
        let drain = Drain::new();
        assert!(!drain.is_draining());
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let drain = drain.clone();
                tokio::spawn(async move { drain.draining().await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(waiting.iter().all(|task| !task.is_finished()));
        drain.begin();
        drain.begin();
        for task in waiting {
            task.await.unwrap();
        }
        drain.draining().await;
        assert!(drain.is_draining());
    }

    #[tokio::test]
    async fn finish_waits_for_tracked_work_also_when_it_panics() {
        let drain = Drain::new();
        drain.finish(Duration::ZERO).await.unwrap();
        let first = drain.track();
        let second = drain.track();
        assert_eq!(drain.finish(Duration::from_millis(5)).await, Err(Unfinished { left: 2 }));
        let waiting = tokio::spawn({
            let drain = drain.clone();
            async move { drain.finish(Duration::from_secs(60)).await }
        });
        drop(first);
        let task = tokio::spawn(async move {
            let _second = second;
            panic!("work that fails");
        });
        assert!(task.await.is_err());
        waiting.await.unwrap().unwrap();
        assert_eq!(drain.in_flight(), 0);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_wakeup_is_lost_between_threads() {
        for _ in 0..500 {
            let drain = Drain::new();
            let guards: Vec<_> = (0..4).map(|_| drain.track()).collect();
            for guard in guards {
                tokio::spawn(async move { drop(guard) });
            }
            drain.finish(Duration::from_secs(20)).await.unwrap();
        }
    }

    #[test]
    fn the_section_reads_its_own_default() {
        let loaded = crate::config::load::<DrainConfig>(None, [], &["deadline=5s".into()]).unwrap();
        assert_eq!(loaded.config, DrainConfig { notice: Duration::ZERO, deadline: Duration::from_secs(5) });
    }
}
