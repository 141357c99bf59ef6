//! When a request is made again: once in a while, not in a storm.
//!
//! Owns the budget and the pauses. Does not send anything. Invariant: over time no more than the configured part of all
//! requests are repeats, so that an origin in trouble is not asked more than it was when it was well.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// What one repeat costs.
const COST: u32 = 1000;
/// The most that can be saved: ten repeats in a row.
const MOST: u32 = 10 * COST;
/// Pause before the first repeat; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(50);
/// `Retry-After` is waited for if it is no longer than this: somebody waits for the picture.
const PATIENCE: Duration = Duration::from_secs(2);

/// Savings out of which repeats are paid.
#[derive(Debug)]
pub(super) struct Budget {
    /// Saved by each first request.
    gain: u32,
    saved: AtomicU32,
    jitter: RandomState,
}

impl Budget {
    /// `percent` repeats per hundred requests.
    pub(super) fn new(percent: u32) -> Self {
        let saved = if percent == 0 { 0 } else { MOST };
        Self { gain: percent * COST / 100, saved: AtomicU32::new(saved), jitter: RandomState::new() }
    }

    /// A first request is made.
    pub(super) fn save(&self) {
        let add = |saved: u32| Some((saved + self.gain).min(MOST));
        let _always_some = self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// How long to wait before the repeat of this number (from 0), if there may be one at all.
    pub(super) fn spend(&self, number: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let pause = match retry_after {
            Some(told) if told > PATIENCE => return None,
            Some(told) => told,
            None => PAUSE * 2_u32.saturating_pow(number.min(5)),
        };
        let take = |saved: u32| saved.checked_sub(COST);
        let left = self.saved.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).ok()?;
        // Half as long again at most, so that those who failed together do not come back together.
        let share = self.jitter.hash_one((left, number)) % 128;
        Some(pause + pause * u32::try_from(share).unwrap_or_default() / 256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_a_part_of_requests() {
        let budget = Budget::new(10);
        let savings = (0..100).filter(|_| budget.spend(0, None).is_some()).count();
        assert_eq!(savings, 10);
        let mut repeats = 0;
        for _ in 0..1000 {
            budget.save();
            repeats += usize::from(budget.spend(0, None).is_some());
        }
        assert_eq!(repeats, 100);
        let none = Budget::new(0);
        none.save();
        assert_eq!(none.spend(0, None), None);
    }

    #[test]
    fn pauses_grow_and_the_origin_may_set_them() {
        let budget = Budget::new(100);
        let pause = |number, told| budget.spend(number, told).unwrap();
        assert!((PAUSE..PAUSE * 3 / 2).contains(&pause(0, None)));
        assert!((PAUSE * 4..PAUSE * 6).contains(&pause(2, None)));
        assert!(pause(0, Some(Duration::from_secs(1))) >= Duration::from_secs(1));
        assert_eq!(budget.spend(0, Some(Duration::from_secs(60))), None, "nobody waits a minute");
    }
}
