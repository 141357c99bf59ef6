//! What one tenant may take within a window of time.
//!
//! Windows follow each other without a gap, and begin with the first request. Reads no clock. Invariant: no lock is held
//! while anything is done, and what was counted in one window does not count in the next.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The quotas of a tenant, and what has been taken of them.
#[derive(Debug)]
pub(super) struct Quota {
    window: Duration,
    misses: Option<u64>,
    bytes: Option<u64>,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    /// When the window began, from the start of the process; `None` before the first request.
    since: Option<Duration>,
    misses: u64,
    bytes: u64,
}

impl Quota {
    pub(super) fn new(window: Duration, misses: Option<u64>, bytes: Option<u64>) -> Self {
        Self { window, misses, bytes, taken: Mutex::default() }
    }

    /// Counts a miss at `now`.
    ///
    /// # Errors
    /// A quota is used up: how long until the next window.
    pub(super) fn take(&self, now: Duration) -> Result<(), Duration> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let over = taken.since.is_none_or(|since| now >= since + self.window);
        if over {
            *taken = Taken { since: Some(now), ..Taken::default() };
        }
        let full = |quota: Option<u64>, taken: u64| quota.is_some_and(|quota| taken >= quota);
        if full(self.misses, taken.misses) || full(self.bytes, taken.bytes) {
            let end = taken.since.unwrap_or(now) + self.window;
            return Err(end.saturating_sub(now));
        }
        taken.misses += 1;
        Ok(())
    }

    /// Counts what a miss has become.
    pub(super) fn spend(&self, bytes: u64) {
        if self.bytes.is_some() {
            let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            taken.bytes = taken.bytes.saturating_add(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn windows_follow_each_other() {
        let quota = Quota::new(10 * SECOND, Some(2), None);
        assert_eq!(quota.take(100 * SECOND), Ok(()));
        assert_eq!(quota.take(105 * SECOND), Ok(()));
        assert_eq!(quota.take(106 * SECOND), Err(4 * SECOND));
        assert_eq!(quota.take(110 * SECOND), Ok(()), "a window later");
        assert_eq!(quota.take(119 * SECOND), Ok(()));
        assert_eq!(quota.take(119 * SECOND), Err(SECOND));
    }

    #[test]
    fn bytes_count_once_they_are_known() {
        let quota = Quota::new(10 * SECOND, None, Some(100));
        assert_eq!(quota.take(SECOND), Ok(()));
        quota.spend(99);
        assert_eq!(quota.take(SECOND), Ok(()));
        quota.spend(50);
        assert_eq!(quota.take(2 * SECOND), Err(9 * SECOND));
        assert_eq!(quota.take(11 * SECOND), Ok(()));
        let none = Quota::new(SECOND, Some(0), None);
        assert_eq!(none.take(SECOND), Err(SECOND));
    }
}
