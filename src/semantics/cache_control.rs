//! What caches downstream are told: `Cache-Control` (RFC 9111 §5.2.2, 5861, 8246) and `CDN-Cache-Control` (RFC 9213).
//!
//! Owns the policy of a route and its spelling. Does not know requests or renditions.
//! Invariant: no directive lets anybody use a response after the `exp` of the URL that asked for it.
//!
//! There is no `s-maxage`: a shared cache that follows RFC 9111 §5.2.2.10 must then not serve stale, and the two stale
//! directives would say nothing.

use http::HeaderValue;
use std::fmt::Write;
use std::time::{Duration, SystemTime};

/// The largest delta-seconds that every recipient can hold (RFC 9111 §1.2.2): 2³¹ − 1.
pub const MAX_DELTA_SECONDS: u64 = (1 << 31) - 1;

/// How long renditions of a route may be used. Whole seconds; what is more than [`MAX_DELTA_SECONDS`] is said as that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Freshness, for everybody downstream and for our own tiers.
    pub max_age: Duration,
    /// Zero leaves the directive out.
    pub stale_while_revalidate: Duration,
    /// Zero leaves the directive out.
    pub stale_if_error: Duration,
    /// Whether browsers are asked not to revalidate on reload (RFC 8246): right where URLs carry a version.
    pub immutable: bool,
    /// Other times for caches that read `CDN-Cache-Control`.
    pub cdn: Option<CdnPolicy>,
}

/// What `CDN-Cache-Control` says. Zero leaves a stale directive out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `Policy`")]
pub struct CdnPolicy {
    pub max_age: Duration,
    pub stale_while_revalidate: Duration,
    pub stale_if_error: Duration,
}

/// How far an `exp` reaches from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bound {
    /// The age that the response is sent with.
    age: Duration,
    /// From now to `exp`.
    left: Duration,
}

impl Policy {
    /// `Cache-Control` of a response without `exp`: the same for every response of a route, so made once.
    #[must_use]
    pub fn cache_control(&self) -> HeaderValue {
        self.main().spell(None)
    }

    /// `CDN-Cache-Control` of a response without `exp`, where the policy has one.
    #[must_use]
    pub fn cdn_cache_control(&self) -> Option<HeaderValue> {
        self.for_cdn().map(|directives| directives.spell(None))
    }

    /// Both fields for a response of `age` whose URL ends at `expires`: recipients count `max-age` from when the
    /// response was fresh, so it may be the age and what is left; staleness comes out of what is left as well.
    #[must_use]
    pub fn until(&self, expires: SystemTime, age: Duration, now: SystemTime) -> (HeaderValue, Option<HeaderValue>) {
        // Whole seconds each, as recipients see them; the sum of two halves must not become a second.
        let whole = |time: Duration| Duration::from_secs(time.as_secs());
        let left = whole(expires.duration_since(now).unwrap_or_default());
        let bound = Some(Bound { age: whole(age), left });
        (self.main().spell(bound), self.for_cdn().map(|directives| directives.spell(bound)))
    }

    fn main(&self) -> Directives {
        Directives {
            first: "public, max-age=",
            times: CdnPolicy {
                max_age: self.max_age,
                stale_while_revalidate: self.stale_while_revalidate,
                stale_if_error: self.stale_if_error,
            },
            immutable: self.immutable,
        }
    }

    fn for_cdn(&self) -> Option<Directives> {
        // A dictionary of structured fields (RFC 9213 §2.1); the directives read the same in both grammars.
        self.cdn.map(|times| Directives { first: "max-age=", times, immutable: false })
    }
}

/// `Cache-Control` of a response that may be kept for this long and no longer: short negative freshness.
#[must_use]
pub fn brief(max_age: Duration) -> HeaderValue {
    if max_age.is_zero() {
        return HeaderValue::from_static("no-store");
    }
    let times = CdnPolicy { max_age, stale_while_revalidate: Duration::ZERO, stale_if_error: Duration::ZERO };
    Directives { first: "public, max-age=", times, immutable: false }.spell(None)
}

struct Directives {
    first: &'static str,
    times: CdnPolicy,
    immutable: bool,
}

impl Directives {
    fn spell(&self, bound: Option<Bound>) -> HeaderValue {
        let mut times = self.times;
        if let Some(Bound { age, left }) = bound {
            times.max_age = times.max_age.min(age.saturating_add(left));
            let stale = left.saturating_sub(times.max_age.saturating_sub(age));
            times.stale_while_revalidate = times.stale_while_revalidate.min(stale);
            times.stale_if_error = times.stale_if_error.min(stale);
        }
        let mut text = String::with_capacity(96);
        let mut directive = |prefix: &str, time: Duration| {
            // Writing to a `String` cannot fail.
            let _ = write!(text, "{prefix}{}", time.as_secs().min(MAX_DELTA_SECONDS));
        };
        directive(self.first, times.max_age);
        for (name, time) in
            [(", stale-while-revalidate=", times.stale_while_revalidate), (", stale-if-error=", times.stale_if_error)]
        {
            if time.as_secs() > 0 {
                directive(name, time);
            }
        }
        if self.immutable {
            text.push_str(", immutable");
        }
        HeaderValue::try_from(text).expect("names and digits are visible")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn policy() -> Policy {
        Policy {
            max_age: seconds(3600),
            stale_while_revalidate: seconds(600),
            stale_if_error: seconds(86_400),
            immutable: false,
            cdn: None,
        }
    }

    #[test]
    fn spelling() {
        assert_eq!(policy().cache_control(), "public, max-age=3600, stale-while-revalidate=600, stale-if-error=86400");
        assert_eq!(policy().cdn_cache_control(), None);
        let plain = Policy {
            max_age: Duration::MAX,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::from_millis(999),
            immutable: true,
            cdn: Some(CdnPolicy {
                max_age: seconds(31_536_000),
                stale_while_revalidate: seconds(60),
                stale_if_error: Duration::ZERO,
            }),
        };
        assert_eq!(plain.cache_control(), "public, max-age=2147483647, immutable");
        assert_eq!(plain.cdn_cache_control().unwrap(), "max-age=31536000, stale-while-revalidate=60");
    }

    #[test]
    fn errors_are_kept_briefly_or_not_at_all() {
        assert_eq!(brief(seconds(10)), "public, max-age=10");
        assert_eq!(brief(Duration::ZERO), "no-store");
    }

    #[test]
    fn nothing_outlasts_the_url() {
        let now = SystemTime::UNIX_EPOCH + seconds(10_000);
        let until = |left, age| policy().until(now + seconds(left), seconds(age), now).0;
        assert_eq!(until(100, 0), "public, max-age=100");
        assert_eq!(until(100, 20), "public, max-age=120");
        assert_eq!(until(3600, 0), "public, max-age=3600");
        assert_eq!(until(3700, 0), "public, max-age=3600, stale-while-revalidate=100, stale-if-error=100");
        assert_eq!(until(3700, 1000), "public, max-age=3600, stale-while-revalidate=600, stale-if-error=1100");
        assert_eq!(until(1_000_000, 0), policy().cache_control());
        // Stale already when sent, by 400 seconds; the URL has 100 more.
        assert_eq!(until(100, 4000), "public, max-age=3600, stale-while-revalidate=100, stale-if-error=100");
        let halves = (now + Duration::from_millis(900), Duration::from_millis(900));
        assert_eq!(policy().until(halves.0, halves.1, now).0, "public, max-age=0");
        assert_eq!(policy().until(now - seconds(1), seconds(5), now).0, "public, max-age=5");
    }

    proptest! {
        #[test]
        fn fresh_and_stale_together_end_by_exp(left in 0_u64..10_000, age in 0_u64..10_000) {
            let now = SystemTime::UNIX_EPOCH + seconds(10_000);
            let (field, _) = policy().until(now + seconds(left), seconds(age), now);
            let field = field.to_str().unwrap();
            let of = |name: &str| -> u64 {
                field.split(", ").find_map(|item| item.strip_prefix(name)).map_or(0, |value| value.parse().unwrap())
            };
            let fresh = of("max-age=").saturating_sub(age);
            for stale in [of("stale-while-revalidate="), of("stale-if-error=")] {
                prop_assert!(fresh + stale <= left || stale == 0 && fresh <= left, "{}", field);
            }
        }
    }
}
