//! Leaves alone what fails: after some failures in a row nothing is asked for a while, then one request tries.
//!
//! Pure: told what time it is and how calls ended. Knows nothing of what it guards. Invariant: while it is open, at most
//! one call in each pause goes through, so that a dead tier costs hits nothing and is taken up again within seconds.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

/// The state of one guarded thing.
#[derive(Debug)]
pub struct Breaker {
    failures_to_open: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Failures in a row so far.
    Closed(u32),
    /// Nothing goes through before this moment; then one call does, and moves it on.
    Open(Instant),
}

impl Breaker {
    /// Opens after `failures_to_open` failures in a row, for `pause` each time.
    pub fn new(failures_to_open: u32, pause: Duration) -> Self {
        Self { failures_to_open: failures_to_open.max(1), pause, state: Mutex::new(State::Closed(0)) }
    }

    /// Whether a call may be made now. While open, a `true` is the one trial of this pause.
    pub fn allows(&self, now: Instant) -> bool {
        let mut state = self.lock();
        match *state {
            State::Closed(_) => true,
            State::Open(until) if now < until => false,
            State::Open(_) => {
                *state = State::Open(now + self.pause);
                true
            }
        }
    }

    /// A call ended well.
    pub fn succeeded(&self) {
        *self.lock() = State::Closed(0);
    }

    /// A call failed; `true` where this opened it.
    pub fn failed(&self, now: Instant) -> bool {
        let mut state = self.lock();
        match *state {
            State::Closed(before) if before + 1 < self.failures_to_open => {
                *state = State::Closed(before + 1);
                false
            }
            State::Closed(_) => {
                *state = State::Open(now + self.pause);
                true
            }
            // The trial failed, or a call that began before it opened.
            State::Open(_) => false,
        }
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        matches!(*self.lock(), State::Open(_))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let (breaker, now) = (Breaker::new(3, PAUSE), Instant::now());
        assert!(!breaker.failed(now) && !breaker.failed(now));
        breaker.succeeded();
        assert!(!breaker.failed(now) && !breaker.failed(now) && breaker.allows(now));
        assert!(breaker.failed(now), "the third in a row");
        assert!(breaker.is_open() && !breaker.allows(now) && !breaker.allows(now + PAUSE / 2));
    }

    #[test]
    fn one_trial_in_each_pause() {
        let (breaker, now) = (Breaker::new(1, PAUSE), Instant::now());
        breaker.failed(now);
        assert!(breaker.allows(now + PAUSE) && !breaker.allows(now + PAUSE), "one");
        assert!(!breaker.failed(now + PAUSE), "it was open already");
        assert!(!breaker.allows(now + PAUSE + PAUSE / 2) && breaker.allows(now + 2 * PAUSE));
        breaker.succeeded();
        assert!(!breaker.is_open() && breaker.allows(now + 2 * PAUSE));
    }
}
