//! How a kind of job is done: how many at once, how often, and how long it rests in between.
//!
//! Invariant: rests grow with each failure up to a limit, and are spread, so that what failed together is not tried together.

use std::time::Duration;
use uuid::Uuid;

/// The rules for one kind of job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// At most so many of the kind at once in this process.
    pub concurrency: usize,
    /// How often it is begun before it is dead.
    pub attempts: u32,
    /// How long a job is held without a heartbeat: the longest that it rests when its process was killed.
    pub lease: Duration,
    /// The rest after the first failure; each further one doubles it …
    pub rest: Duration,
    /// … up to this.
    pub longest_rest: Duration,
    /// Longest time for one attempt; what takes longer counts as failed.
    pub limit: Duration,
}

impl Default for Policy {
    /// 4 at once, 8 attempts with rests of one to two minutes in all, leases of 30 s, an hour for each.
    fn default() -> Self {
        Self {
            concurrency: 4,
            attempts: 8,
            lease: Duration::from_secs(30),
            rest: Duration::from_secs(1),
            longest_rest: Duration::from_secs(15 * 60),
            limit: Duration::from_secs(3600),
        }
    }
}

impl Policy {
    /// At most so many at once.
    #[must_use]
    pub fn concurrency(self, concurrency: usize) -> Self {
        Self { concurrency: concurrency.max(1), ..self }
    }

    /// How often it is begun before it is dead.
    #[must_use]
    pub fn attempts(self, attempts: u32) -> Self {
        Self { attempts: attempts.max(1), ..self }
    }

    /// Longest time for one attempt.
    #[must_use]
    pub fn limit(self, limit: Duration) -> Self {
        Self { limit, ..self }
    }

    /// The rest after the attempt of this number (from 1) has failed: between half of the doubled rest and all of it.
    #[must_use]
    pub fn rest_after(&self, attempt: u32) -> Duration {
        let doubled = self.rest.saturating_mul(1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX));
        let whole = doubled.min(self.longest_rest);
        whole.mul_f64(0.5 + 0.5 * chance())
    }

    /// How often a holder says that it still is one.
    pub(super) fn beat(&self) -> Duration {
        (self.lease / 3).min(Duration::from_secs(5))
    }
}

/// Evenly between 0 and 1. The last 62 bits of a UUID version 7 are random (RFC 9562 §5.7).
fn chance() -> f64 {
    let bits = Uuid::now_v7().as_u128() as u32;
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rests_grow_and_stay_within_their_limits(attempt in 1_u32..200, rest in 1_u64..10_000, longest in 1_u64..10_000_000) {
            let (rest, longest_rest) = (Duration::from_millis(rest), Duration::from_millis(longest));
            let policy = Policy { rest, longest_rest, ..Policy::default() };
            let whole = rest.saturating_mul(2_u32.saturating_pow(attempt - 1)).min(longest_rest);
            let found = policy.rest_after(attempt);
            prop_assert!(found >= whole / 2 && found <= whole, "{found:?} of {whole:?}");
        }
    }

    #[test]
    fn rests_are_spread() {
        let policy = Policy::default();
        let rests: std::collections::BTreeSet<Duration> = (0..50).map(|_| policy.rest_after(5)).collect();
        assert!(rests.len() > 40, "{rests:?}");
    }
}
