//! How far the server is on its way down, told to all its connections.
//!
//! Invariant: phases only go forwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::watch;

/// The order is that of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
enum Phase {
    Serve = 0,
    /// Still accepting, but every response asks its client to go elsewhere.
    Linger = 1,
    /// No new connections; those there end after what they have begun.
    Stop = 2,
}

/// Tells all connections the phase. Clones share it.
#[derive(Clone, Debug)]
pub struct Stop {
    // Beside the channel, because each response asks, and the channel's lock would be shared by all cores.
    now: Arc<AtomicU8>,
    change: watch::Sender<Phase>,
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// Serving.
    pub fn new() -> Self {
        Self { now: Arc::default(), change: watch::Sender::new(Phase::Serve) }
    }

    /// From now on responses end their connections.
    pub fn linger(&self) {
        self.enter(Phase::Linger);
    }

    /// From now on nothing new is accepted.
    pub fn stop(&self) {
        self.enter(Phase::Stop);
    }

    fn enter(&self, phase: Phase) {
        self.now.fetch_max(phase as u8, Ordering::Relaxed);
        self.change.send_if_modified(|now| {
            let further = phase > *now;
            *now = phase.max(*now);
            further
        });
    }

    pub(super) fn lingering(&self) -> bool {
        self.now.load(Ordering::Relaxed) >= Phase::Linger as u8
    }

    pub(super) fn stopping(&self) -> bool {
        self.now.load(Ordering::Relaxed) >= Phase::Stop as u8
    }

    pub(super) async fn stopped(&self) {
        let mut phase = self.change.subscribe();
        // The sender lives in `self`: it cannot be gone.
        let _phase = phase.wait_for(|phase| *phase >= Phase::Stop).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_way_back() {
        let stop = Stop::new();
        assert!(!stop.lingering() && !stop.stopping());
        stop.linger();
        assert!(stop.lingering() && !stop.stopping());
        stop.stop();
        stop.linger();
        assert!(stop.lingering() && stop.stopping());
    }
}
