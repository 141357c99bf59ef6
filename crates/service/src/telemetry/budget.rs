//! How often the same thing is logged: a few times a second, and how often it was left out.
//!
//! Invariant: what is left out is told of by the next line that is not.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A budget of lines, for a `static`.
#[derive(Debug)]
pub struct Budget {
    /// Microseconds in which one line's worth comes back.
    interval: u64,
    /// Microseconds that may be spent in advance.
    burst: u64,
    /// When all of it is back, in microseconds of the process.
    full_at: AtomicU64,
    unsaid: AtomicU64,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Budget {
    /// So many lines a second, and so many at once.
    #[must_use]
    pub const fn new(a_second: u32, at_once: u32) -> Self {
        let interval = 1_000_000 / a_second as u64;
        Self { interval, burst: interval * at_once as u64, full_at: AtomicU64::new(0), unsaid: AtomicU64::new(0) }
    }

    /// `None`: the line is to be left out. Else how many were since the last.
    pub fn spend(&self) -> Option<u64> {
        self.spend_at(u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX >> 1))
    }

    fn spend_at(&self, now: u64) -> Option<u64> {
        let next = |full_at: u64| {
            let next = full_at.max(now) + self.interval;
            (next - now <= self.burst).then_some(next)
        };
        match self.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(_) => Some(self.unsaid.swap(0, Ordering::Relaxed)),
            Err(_) => {
                self.unsaid.fetch_add(1, Ordering::Relaxed);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_told_of_in_a_few_lines() {
        let budget = Budget::new(10, 3);
        let said = (0..100).filter(|_| budget.spend_at(5).is_some()).count();
        assert_eq!(said, 3);
        assert_eq!(budget.spend_at(5 + 100_000), Some(97));
        assert_eq!(budget.spend_at(5 + 100_000), None);
        assert_eq!(budget.spend_at(10_000_000), Some(1));
        assert_eq!(budget.spend_at(10_000_000), Some(0));
    }
}
