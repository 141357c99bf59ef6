//! Freshness of stored renditions (RFC 9111 §4.2, RFC 5861): age, remaining time, and what a stale one may still be used for.
//!
//! Owns the arithmetic. Does not know where lifetimes come from nor what is done about a stale rendition.
//! Invariant: a clock that runs backwards makes a rendition young, never old, and nothing overflows.

use std::time::{Duration, SystemTime};

/// When a rendition became fresh and for how long it may be used, in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// When it was made, or last found unchanged: by the clock of the instance that did so.
    pub fresh_since: SystemTime,
    /// How long it is fresh.
    pub fresh_for: Duration,
    /// How long after that it may be used while it is refreshed behind the response (RFC 5861 §3).
    pub stale_while_revalidate: Duration,
    /// How long after it went stale it may be used when a refresh fails or there is no room for it (RFC 5861 §4).
    pub stale_if_error: Duration,
}

/// What a stored rendition may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Freshness {
    /// Use it.
    Fresh,
    /// Use it, and refresh it behind the response.
    StaleWhileRevalidate,
    /// Refresh it first; use it where that fails.
    StaleIfError,
    /// Do not use it.
    Expired,
}

impl Freshness {
    /// The name in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::StaleWhileRevalidate => "stale-while-revalidate",
            Self::StaleIfError => "stale-if-error",
            Self::Expired => "expired",
        }
    }
}

impl Lifetime {
    /// The current age (RFC 9111 §4.2.3). The rendition is made here, so its initial age is zero; instances share it by
    /// way of the slower tiers, and one whose clock is behind sees zero rather than the future.
    #[must_use]
    pub fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.fresh_since).unwrap_or_default()
    }

    /// Whole seconds of freshness left; negative once stale. RFC 9211 §2.4 calls it `ttl`.
    #[must_use]
    pub fn ttl(&self, now: SystemTime) -> i64 {
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        seconds(self.fresh_for).saturating_sub(seconds(self.age(now)))
    }

    /// The same, ending at `end`, which is not before `now`: fresh for no longer, and never used stale.
    #[must_use]
    pub fn until(&self, end: SystemTime, now: SystemTime) -> Self {
        let left = end.duration_since(now).unwrap_or_default();
        Self {
            fresh_for: self.fresh_for.min(self.age(now).saturating_add(left)),
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            ..*self
        }
    }

    /// What the rendition may be used for at `now`. Fresh is `lifetime > age` (RFC 9111 §4.2).
    #[must_use]
    pub fn freshness(&self, now: SystemTime) -> Freshness {
        let Some(stale_for) = self.age(now).checked_sub(self.fresh_for) else { return Freshness::Fresh };
        if stale_for < self.stale_while_revalidate {
            Freshness::StaleWhileRevalidate
        } else if stale_for < self.stale_if_error {
            Freshness::StaleIfError
        } else {
            Freshness::Expired
        }
    }

    /// How long after `fresh_since` the rendition is worth keeping at all; the time to live in a tier.
    #[must_use]
    pub fn useful_for(&self) -> Duration {
        self.fresh_for.saturating_add(self.stale_while_revalidate.max(self.stale_if_error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lifetime() -> Lifetime {
        Lifetime {
            fresh_since: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000),
            fresh_for: Duration::from_secs(60),
            stale_while_revalidate: Duration::from_secs(10),
            stale_if_error: Duration::from_secs(100),
        }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn states_follow_each_other() {
        let cases = [
            (1_000, Freshness::Fresh, 60),
            (1_059, Freshness::Fresh, 1),
            (1_060, Freshness::StaleWhileRevalidate, 0),
            (1_069, Freshness::StaleWhileRevalidate, -9),
            (1_070, Freshness::StaleIfError, -10),
            (1_159, Freshness::StaleIfError, -99),
            (1_160, Freshness::Expired, -100),
            (0, Freshness::Fresh, 60),
        ];
        for (seconds, state, ttl) in cases {
            assert_eq!((lifetime().freshness(at(seconds)), lifetime().ttl(at(seconds))), (state, ttl), "at {seconds}");
        }
        assert_eq!(lifetime().useful_for(), Duration::from_secs(160));
        assert_eq!(lifetime().age(at(1_007)), Duration::from_secs(7));
        assert_eq!(lifetime().age(at(7)), Duration::ZERO);
    }

    #[test]
    fn nothing_is_fresh_for_no_time() {
        let none = Lifetime { fresh_for: Duration::ZERO, stale_while_revalidate: Duration::ZERO, ..lifetime() };
        assert_eq!(none.freshness(at(1_000)), Freshness::StaleIfError);
        assert_eq!(Lifetime { stale_if_error: Duration::ZERO, ..none }.freshness(at(1_000)), Freshness::Expired);
    }

    proptest! {
        #[test]
        fn no_arithmetic_overflows(fresh in any::<u64>(), swr in any::<u64>(), sie in any::<u64>(), now in 0..1_u64 << 40) {
            let lifetime = Lifetime {
                fresh_for: Duration::from_secs(fresh),
                stale_while_revalidate: Duration::from_secs(swr),
                stale_if_error: Duration::from_secs(sie),
                ..lifetime()
            };
            prop_assert!(lifetime.useful_for() >= lifetime.fresh_for);
            prop_assert_eq!(lifetime.ttl(at(now)) > 0, lifetime.freshness(at(now)) == Freshness::Fresh);
        }
    }
}
