//! A breaker for each host that an origin's requests go to, redirects included.
//!
//! Does not know what a failure is, nor the clock. Invariant: only hosts whose last request failed are remembered, and no
//! more than [`MOST`] of them.

use service::breaker::{Breaker, Limits};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Hosts that are watched at once; further ones are let through.
const MOST: usize = 1024;

/// Breakers by host.
#[derive(Debug)]
pub(super) struct Hosts {
    limits: Limits,
    failing: Mutex<HashMap<String, Breaker>>,
}

impl Hosts {
    /// The rules of each breaker.
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, failing: Mutex::default() }
    }

    /// Whether a request may go to `host` now; else how long not.
    pub(super) fn admit(&self, host: &str, now: Instant) -> Result<(), Duration> {
        self.lock().get(host).map_or(Ok(()), |breaker| breaker.admit(now))
    }

    /// How a request to `host` ended.
    pub(super) fn ended(&self, host: &str, well: bool, now: Instant) {
        let mut failing = self.lock();
        if well || self.limits.failures == 0 {
            failing.remove(host);
        } else if let Some(breaker) = failing.get(host) {
            let _whether_it_opened = breaker.failed(now);
        } else if failing.len() < MOST {
            let breaker = Breaker::new(self.limits);
            let _whether_it_opened = breaker.failed(now);
            failing.insert(host.to_owned(), breaker);
        }
    }

    /// How many hosts are left alone.
    pub(super) fn open(&self) -> usize {
        self.lock().values().filter(|breaker| breaker.is_open()).count()
    }

    /// Every change to the map is one call, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Breaker>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(5);
    const LASTING: Duration = Duration::from_secs(1);

    fn watched(failures: u32) -> Hosts {
        Hosts::new(Limits { failures, lasting: LASTING, pause: PAUSE })
    }

    #[test]
    fn each_host_for_itself() {
        let (hosts, start) = (watched(3), Instant::now());
        for well in [false, false, true, false, false, false, false] {
            hosts.ended("a", well, start);
            assert_eq!(hosts.admit("a", start), Ok(()), "not yet, or all at once");
        }
        let now = start + LASTING;
        hosts.ended("a", false, now);
        assert_eq!((hosts.admit("a", now), hosts.admit("b", now), hosts.open()), (Err(PAUSE), Ok(()), 1));
        assert_eq!(hosts.admit("a", now + PAUSE), Ok(()), "one tries");
        hosts.ended("a", true, now + PAUSE);
        assert_eq!((hosts.admit("a", now + PAUSE), hosts.open()), (Ok(()), 0));
        assert!(hosts.lock().is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let (hosts, now) = (watched(1), Instant::now());
        (0..3 * MOST).for_each(|host| hosts.ended(&host.to_string(), false, now));
        assert_eq!(hosts.lock().len(), MOST);
        let never = watched(0);
        never.ended("a", false, now);
        assert!(never.admit("a", now).is_ok() && never.lock().is_empty());
    }
}
