//! Leaves an origin's host alone for a while when it keeps failing, and tries it with one request then.
//!
//! Owns counts by host. Does not know what a failure is, nor the clock. Invariant: only hosts that failed last are
//! remembered, and no more than [`MOST`] of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Hosts that are watched at once; further ones are let through.
const MOST: usize = 1024;

/// Failures count only when they go on for so long: a burst of requests that fail together says little.
const LASTING: Duration = Duration::from_secs(1);

/// Breakers by host.
#[derive(Debug)]
pub(super) struct Breakers {
    /// Failures in a row that open one; 0 never does.
    after: u32,
    /// How long it stays open.
    pause: Duration,
    hosts: Mutex<HashMap<String, Host>>,
}

#[derive(Debug, Default)]
struct Host {
    failures: u32,
    since: Option<Instant>,
    closed_at: Option<Instant>,
}

impl Breakers {
    pub(super) fn new(after: u32, pause: Duration) -> Self {
        Self { after, pause, hosts: Mutex::default() }
    }

    /// Whether a request may go to `host` now; else how long not. When the pause is over one may, and the others wait for
    /// another pause: if that one succeeds, all may again.
    pub(super) fn admit(&self, host: &str, now: Instant) -> Result<(), Duration> {
        let mut hosts = self.lock();
        let Some(closed_at) = hosts.get_mut(host).and_then(|host| host.closed_at.as_mut()) else { return Ok(()) };
        match closed_at.checked_duration_since(now) {
            Some(left) if !left.is_zero() => Err(left),
            _ => {
                *closed_at = now + self.pause;
                Ok(())
            }
        }
    }

    /// How a request to `host` ended.
    pub(super) fn ended(&self, host: &str, well: bool, now: Instant) {
        let mut hosts = self.lock();
        if well || self.after == 0 {
            hosts.remove(host);
            return;
        }
        if hosts.len() >= MOST && !hosts.contains_key(host) {
            return;
        }
        let state = hosts.entry(host.to_owned()).or_default();
        state.failures = state.failures.saturating_add(1);
        let since = *state.since.get_or_insert(now);
        if state.failures >= self.after && now.duration_since(since) >= LASTING {
            state.closed_at = Some(now + self.pause);
        }
    }

    /// Every change to the map is one call, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(5);

    #[test]
    fn opens_after_failures_in_a_row_and_closes_after_one_success() {
        let (breakers, start) = (Breakers::new(3, PAUSE), Instant::now());
        for well in [false, false, true, false, false, false, false] {
            breakers.ended("a", well, start);
            assert_eq!(breakers.admit("a", start), Ok(()), "not yet, or all at once");
        }
        let now = start + LASTING;
        breakers.ended("a", false, now);
        assert_eq!(breakers.admit("a", now), Err(PAUSE));
        assert_eq!(breakers.admit("b", now), Ok(()), "another host");
        let later = now + PAUSE;
        assert_eq!(breakers.admit("a", later), Ok(()), "one tries");
        assert_eq!(breakers.admit("a", later), Err(PAUSE), "the others do not");
        breakers.ended("a", false, later);
        assert_eq!(breakers.admit("a", later), Err(PAUSE));
        assert_eq!(breakers.admit("a", later + PAUSE), Ok(()));
        breakers.ended("a", true, later + PAUSE);
        assert_eq!(breakers.admit("a", later + PAUSE), Ok(()));
        assert_eq!(breakers.admit("a", later + PAUSE), Ok(()));
    }

    #[test]
    fn a_try_that_never_ends_is_followed_by_another() {
        let (breakers, start) = (Breakers::new(1, PAUSE), Instant::now());
        breakers.ended("a", false, start);
        let now = start + LASTING;
        breakers.ended("a", false, now);
        assert!(breakers.admit("a", now).is_err());
        assert_eq!(breakers.admit("a", now + PAUSE), Ok(()));
        assert_eq!(breakers.admit("a", now + PAUSE * 2), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let (breakers, now) = (Breakers::new(1, PAUSE), Instant::now());
        (0..3 * MOST).for_each(|host| breakers.ended(&host.to_string(), false, now));
        assert_eq!(breakers.lock().len(), MOST);
        assert_eq!(Breakers::new(0, PAUSE).admit("a", now), Ok(()));
    }
}
