//! What each route's requests came to: counted as they are answered, told over a window, with the URLs that miss most.
//!
//! Owns the counters of a route. Knows outcomes, not headers nor keys. Invariant: a hit costs two additions without a lock;
//! a miss a bounded time more, whatever there is to remember.

mod heavy;
pub(crate) mod report;
mod window;

use crate::app::App;
use crate::lane::job::without_signature;
use crate::semantics::{Outcome, Tier};
use heavy::Heavy;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use window::Window;

/// URLs that are remembered of each route.
const MOST_MISSED: usize = 64;
/// Bytes of a URL that are remembered.
const MAX_URL: usize = 300;
/// How often a sample is taken for the window.
const SAMPLE: Duration = Duration::from_secs(10);

/// The ways in which a request can end, as they are told.
const WAYS: [&str; 12] = [
    "memory",
    "redis",
    "disk",
    "object",
    "stale",
    "stale-if-error",
    "revalidated",
    "deferred",
    "miss",
    "collapsed",
    "bypass",
    "error",
];
/// Of these the first seven were answered out of the cache.
const FROM_CACHE: usize = 7;
const MISS: usize = 8;
const ERROR: usize = 11;

const fn way(outcome: Outcome) -> usize {
    match outcome {
        Outcome::Hit(Tier::Memory) => 0,
        Outcome::Hit(Tier::Redis) => 1,
        Outcome::Hit(Tier::Disk) => 2,
        Outcome::Hit(Tier::Object) => 3,
        Outcome::Stale(_) => 4,
        Outcome::StaleIfError(_) => 5,
        Outcome::Revalidated { .. } => 6,
        Outcome::Deferred { .. } => 7,
        Outcome::Miss { .. } => MISS,
        Outcome::Collapsed => 9,
        Outcome::Bypass => 10,
    }
}

/// What was counted up to a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    ways: [u64; WAYS.len()],
    bytes: u64,
}

impl Totals {
    fn since(&self, earlier: &Self) -> Self {
        let mut ways = self.ways;
        for (way, before) in ways.iter_mut().zip(earlier.ways) {
            *way = way.saturating_sub(before);
        }
        Self { ways, bytes: self.bytes.saturating_sub(earlier.bytes) }
    }

    fn requests(&self) -> u64 {
        self.ways.iter().sum()
    }

    /// Of those that were answered with a picture, the part that came out of the cache.
    fn hit_ratio(&self) -> Option<f64> {
        let pictures = self.requests() - self.ways[ERROR];
        let hits: u64 = self.ways[..FROM_CACHE].iter().sum();
        (pictures > 0).then(|| hits as f64 / pictures as f64)
    }
}

/// The counters of one route.
#[derive(Debug)]
pub(crate) struct Counts {
    ways: [AtomicU64; WAYS.len()],
    bytes: AtomicU64,
    evictions: AtomicU64,
    missed: Mutex<Heavy>,
    window: Mutex<Window>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            ways: Default::default(),
            bytes: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
            missed: Mutex::new(Heavy::new(MOST_MISSED)),
            window: Mutex::default(),
        }
    }
}

impl Counts {
    /// A request for `target` was answered with `bytes` of a picture.
    pub(crate) fn answered(&self, outcome: Outcome, bytes: usize, target: &str) {
        self.ways[way(outcome)].fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        if matches!(outcome, Outcome::Miss { .. }) {
            let url = without_signature(target);
            lock(&self.missed).offer(&url[..url.floor_char_boundary(MAX_URL)]);
        }
    }

    /// A request was answered without one.
    pub(crate) fn failed(&self) {
        self.ways[ERROR].fetch_add(1, Ordering::Relaxed);
    }

    /// A rendition was pushed out of memory.
    pub(crate) fn evicted(&self) {
        self.evictions.fetch_add(1, Ordering::Relaxed);
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals { bytes: self.bytes.load(Ordering::Relaxed), ..Totals::default() };
        for (total, way) in totals.ways.iter_mut().zip(&self.ways) {
            *total = way.load(Ordering::Relaxed);
        }
        totals
    }

    fn sample(&self, now: Instant) {
        let totals = self.totals();
        lock(&self.window).push(now, totals);
    }
}

/// Takes samples of all routes until the process ends.
pub(crate) async fn watch(app: App) {
    loop {
        let now = (app.clock.tick)();
        app.routes.all().for_each(|route| route.counts.sample(now));
        tokio::time::sleep(SAMPLE).await;
    }
}

/// Every change of what these guard leaves it whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_what_they_came_to() {
        let counts = Counts::default();
        for outcome in [Outcome::Hit(Tier::Memory), Outcome::Hit(Tier::Redis), Outcome::Miss { stored: true }] {
            counts.answered(outcome, 10, "/img/a?w=1&s=secret");
        }
        counts.answered(Outcome::Deferred { tier: None }, 10, "/img/b");
        counts.failed();
        let totals = counts.totals();
        assert_eq!((totals.requests(), totals.bytes, totals.hit_ratio()), (5, 40, Some(0.5)));
        assert_eq!(lock(&counts.missed).top(9), [("/img/a?w=1".to_owned(), 1, 0)], "without its signature");
        assert_eq!(Totals::default().hit_ratio(), None);
    }

    #[test]
    fn every_way_has_a_name_of_its_own() {
        let names: std::collections::HashSet<_> = WAYS.iter().collect();
        assert_eq!((names.len(), WAYS[MISS], WAYS[ERROR], WAYS[FROM_CACHE]), (WAYS.len(), "miss", "error", "deferred"));
        assert_eq!(WAYS[way(Outcome::Collapsed)], "collapsed");
    }
}
