//! What became of a request in the cache, and `Cache-Status` (RFC 9211).
//!
//! Owns the enumeration that logs, metrics and the header use alike. Does not know tiers beyond their names.
//! Invariant: the header is a well-formed list of one structured-field item (RFC 9651).

use http::HeaderValue;

/// Where a rendition was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// In this process.
    Memory,
    /// In Redis.
    Redis,
    /// In a folder of this machine.
    Disk,
    /// In object storage.
    Object,
}

impl Tier {
    /// The name in logs, metrics and `detail`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::Disk => "disk",
            Self::Object => "object",
        }
    }
}

/// What became of a request in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A fresh rendition was there.
    Hit(Tier),
    /// A stale one was there, and is refreshed behind the response.
    Stale(Tier),
    /// A stale one was there and served after all, since its refresh failed or there was no room for it.
    StaleIfError(Tier),
    /// One was there whose original had to be asked about, and had not changed.
    Revalidated {
        /// Where the rendition was.
        tier: Tier,
        /// Whether the origin sent the same original again instead of a 304.
        again: bool,
    },
    /// There was none; this request led the fill.
    Miss {
        /// Whether the rendition was kept.
        stored: bool,
    },
    /// There was none; this request waited for another one's fill.
    Collapsed,
    /// What was asked for is put off, and something quicker stands in for it.
    Deferred {
        /// The tier that had that; `None`: it was made for this request or another that asked at the same time.
        tier: Option<Tier>,
    },
    /// The cache was not asked, by configuration.
    Bypass,
}

impl Outcome {
    /// The name in logs and metrics: few values, without the tier.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit(_) => "hit",
            Self::Stale(_) => "stale",
            Self::StaleIfError(_) => "stale-if-error",
            Self::Revalidated { .. } => "revalidated",
            Self::Miss { .. } => "miss",
            Self::Collapsed => "collapsed",
            Self::Deferred { .. } => "deferred",
            Self::Bypass => "bypass",
        }
    }

    /// The tier that the rendition came from, if from one.
    #[must_use]
    pub const fn tier(self) -> Option<Tier> {
        match self {
            Self::Hit(tier) | Self::Stale(tier) | Self::StaleIfError(tier) | Self::Revalidated { tier, .. } => {
                Some(tier)
            }
            Self::Deferred { tier } => tier,
            Self::Miss { .. } | Self::Collapsed | Self::Bypass => None,
        }
    }

    /// `Cache-Status`: `hit` for whatever is served without waiting for a fill, also when stale (its `ttl` is negative
    /// then, RFC 9211 §2.4), else `fwd` with the reason (§2.2). `ttl` in seconds.
    #[must_use]
    pub fn cache_status(self, ttl: i64) -> HeaderValue {
        let what = match self {
            Self::Hit(_) | Self::Stale(_) | Self::Deferred { tier: Some(_) } => "tintype; hit",
            Self::StaleIfError(_) => "tintype; fwd=stale",
            Self::Revalidated { again: false, .. } => "tintype; fwd=stale; fwd-status=304",
            Self::Revalidated { again: true, .. } => "tintype; fwd=stale; fwd-status=200",
            Self::Miss { stored: true } | Self::Deferred { tier: None } => "tintype; fwd=miss; stored",
            Self::Miss { stored: false } => return HeaderValue::from_static("tintype; fwd=miss"),
            Self::Collapsed => "tintype; fwd=miss; collapsed",
            Self::Bypass => return HeaderValue::from_static("tintype; fwd=bypass"),
        };
        // On the hot path: one allocation, no formatting machinery.
        let mut text = Vec::with_capacity(64);
        text.extend_from_slice(what.as_bytes());
        text.extend_from_slice(b"; ttl=");
        push_integer(&mut text, ttl);
        let detail = match self {
            Self::Deferred { .. } => Some("deferred"),
            other => other.tier().map(Tier::as_str),
        };
        if let Some(detail) = detail {
            text.extend_from_slice(b"; detail=");
            text.extend_from_slice(detail.as_bytes());
        }
        HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).expect("tokens and digits are visible")
    }
}

/// A structured-field integer: at most 15 digits (RFC 9651 §3.3.1).
fn push_integer(text: &mut Vec<u8>, value: i64) {
    let mut left = value.unsigned_abs().min(999_999_999_999_999);
    if value < 0 {
        text.push(b'-');
    }
    let mut digits = [b'0'; 15];
    let mut first = digits.len() - 1;
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
        first = at;
        if left == 0 {
            break;
        }
    }
    text.extend(digits.iter().skip(first));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spelling() {
        let cases = [
            (Outcome::Hit(Tier::Memory), "hit", "tintype; hit; ttl=90; detail=memory"),
            (Outcome::Hit(Tier::Redis), "hit", "tintype; hit; ttl=90; detail=redis"),
            (
                Outcome::Revalidated { tier: Tier::Memory, again: false },
                "revalidated",
                "tintype; fwd=stale; fwd-status=304; ttl=90; detail=memory",
            ),
            (
                Outcome::Revalidated { tier: Tier::Memory, again: true },
                "revalidated",
                "tintype; fwd=stale; fwd-status=200; ttl=90; detail=memory",
            ),
            (Outcome::Stale(Tier::Object), "stale", "tintype; hit; ttl=90; detail=object"),
            (Outcome::StaleIfError(Tier::Memory), "stale-if-error", "tintype; fwd=stale; ttl=90; detail=memory"),
            (Outcome::Miss { stored: true }, "miss", "tintype; fwd=miss; stored; ttl=90"),
            (Outcome::Miss { stored: false }, "miss", "tintype; fwd=miss"),
            (Outcome::Collapsed, "collapsed", "tintype; fwd=miss; collapsed; ttl=90"),
            (Outcome::Deferred { tier: None }, "deferred", "tintype; fwd=miss; stored; ttl=90; detail=deferred"),
            (Outcome::Deferred { tier: Some(Tier::Redis) }, "deferred", "tintype; hit; ttl=90; detail=deferred"),
            (Outcome::Bypass, "bypass", "tintype; fwd=bypass"),
        ];
        for (outcome, name, header) in cases {
            assert_eq!((outcome.as_str(), outcome.cache_status(90).to_str().unwrap()), (name, header));
        }
        assert_eq!(Outcome::Stale(Tier::Memory).cache_status(-7), "tintype; hit; ttl=-7; detail=memory");
    }

    proptest! {
        #[test]
        fn integers_are_those_of_structured_fields(value in prop_oneof![any::<i64>(), -1000_i64..1000]) {
            let mut text = Vec::new();
            push_integer(&mut text, value);
            let limit = 999_999_999_999_999;
            prop_assert_eq!(String::from_utf8(text).unwrap(), value.clamp(-limit, limit).to_string());
        }
    }
}
