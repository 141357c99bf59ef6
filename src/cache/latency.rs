//! How long calls took, in buckets that double.
//!
//! Counts without locks; whoever shows it reads all buckets. Invariant: a call is in exactly one bucket.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper bound of the first bucket, in microseconds.
const FIRST: u64 = 16;
/// Buckets with an upper bound: the last is about 17 s. One more has all that took longer.
const BOUNDED: usize = 21;

/// The buckets.
#[derive(Debug, Default)]
pub struct Latency {
    buckets: [AtomicU64; BOUNDED + 1],
    micros: AtomicU64,
}

impl Latency {
    /// One call more.
    pub fn observe(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX >> 1);
        let bucket = (0..BOUNDED).find(|bucket| micros <= FIRST << bucket).unwrap_or(BOUNDED);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Seconds of all calls together.
    pub fn sum(&self) -> f64 {
        self.micros.load(Ordering::Relaxed) as f64 / 1e6
    }

    /// Each bucket's upper bound in seconds, the last one's being the largest number there is, with its own count.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let bound = |bucket| if bucket < BOUNDED { (FIRST << bucket) as f64 / 1e6 } else { f64::MAX };
        self.buckets.iter().enumerate().map(|(at, count)| (bound(at), count.load(Ordering::Relaxed))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_fall_into_their_buckets() {
        let latency = Latency::default();
        for micros in [0, 16, 17, 1_000, 3_600_000_000] {
            latency.observe(Duration::from_micros(micros));
        }
        let counts: Vec<_> = latency.buckets().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(counts, [(16e-6, 2), (32e-6, 1), (1024e-6, 1), (f64::MAX, 1)]);
        assert!((latency.sum() - 3_600.001_033).abs() < 1e-9);
    }
}
