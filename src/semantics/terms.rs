//! What a response of an origin lets a shared cache do (RFC 9111 §3, §4.2; RFC 5861; RFC 9213).
//!
//! Owns the reading of a response into [`Terms`], and what a route's [`Rules`] make of them. Does not know where the
//! response is kept. Invariant: pure; the times of request and response are parameters, and what cannot be read makes a
//! response stale.

use super::directives::Directives;
use super::freshness::Lifetime;
use http::header::{AGE, DATE, EXPIRES, LAST_MODIFIED, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::{Duration, SystemTime};

/// A heuristic lifetime is this part of the time since the last change (RFC 9111 §4.2.2 suggests a tenth) …
const HEURISTIC_PART: u32 = 10;
/// … and no longer than this.
const HEURISTIC_MOST: Duration = Duration::from_secs(86_400);
/// Older than anything; more is said as this (§1.2.2).
const TOO_OLD: Duration = Duration::from_secs(1 << 31);

/// Who may keep a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A shared cache.
    Shared,
    /// `private`: only the cache of whoever asked.
    Private,
    /// `no-store`: nobody.
    Nobody,
}

/// Freshness as the origin gave it, without what a route adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who may keep it.
    pub storage: Storage,
    /// How long it is fresh; `None` where the origin does not say.
    pub fresh_for: Option<Duration>,
    /// `no-cache`, or `Vary: *`, which no later request matches (§4.1).
    pub revalidate_always: bool,
    /// `must-revalidate` and its like, or `s-maxage`, which implies it for shared caches (§5.2.2.10).
    pub never_stale: bool,
    /// RFC 5861 §3.
    pub stale_while_revalidate: Option<Duration>,
    /// RFC 5861 §4.
    pub stale_if_error: Option<Duration>,
}

/// What one response allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// To us: by `CDN-Cache-Control`, else by `Cache-Control` and `Expires`.
    pub ours: Grant,
    /// To caches that do not read `CDN-Cache-Control`, where there is one.
    pub others: Option<Grant>,
    /// When the response was made, by our clock: the time of its arrival less its age on arrival (§4.2.3).
    pub fresh_since: SystemTime,
    /// From its last change to `Date`, for those who guess (§4.2.2).
    pub unchanged_for: Option<Duration>,
}

/// What a route adds to the origins' word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Fresh for at least so long, whatever the origin says; also with `no-cache`, never with `no-store` or `private`.
    pub min: Duration,
    /// Fresh for at most so long.
    pub max: Duration,
    /// Fresh for so long where the origin says nothing.
    pub implicit: Duration,
    /// Whether to guess from `Last-Modified` where the origin says nothing.
    pub heuristic: bool,
    /// Where the origin says nothing of it, and does not forbid stale use.
    pub stale_while_revalidate: Duration,
    /// Likewise.
    pub stale_if_error: Duration,
}

impl Terms {
    /// Reads a response to a request that was sent at `requested` and whose head came at `received`.
    #[must_use]
    pub fn read(headers: &HeaderMap, requested: SystemTime, received: SystemTime) -> Self {
        let date = once(headers, &DATE).and_then(parse_date);
        let unmatched = varies_on_everything(headers);
        let general = Grant::new(&Directives::general(headers), expires(headers, date.unwrap_or(received)), unmatched);
        let targeted = Directives::targeted(headers).map(|found| Grant::new(&found, None, unmatched));
        let modified = once(headers, &LAST_MODIFIED).and_then(parse_date);
        let age = initial_age(headers, date, requested, received);
        Self {
            ours: targeted.unwrap_or(general),
            others: targeted.map(|_| general),
            fresh_since: received.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH),
            unchanged_for: modified.and_then(|modified| date.unwrap_or(received).duration_since(modified).ok()),
        }
    }

    /// Whether a shared cache may keep it at all.
    #[must_use]
    pub fn is_storable(&self) -> bool {
        self.ours.storage == Storage::Shared
    }

    /// What it is worth here.
    #[must_use]
    pub fn lifetime(&self, rules: &Rules) -> Lifetime {
        self.of(&self.ours, rules)
    }

    /// What it is worth to those who do not read `CDN-Cache-Control`.
    #[must_use]
    pub fn lifetime_of_others(&self, rules: &Rules) -> Lifetime {
        self.of(self.others.as_ref().unwrap_or(&self.ours), rules)
    }

    fn of(&self, grant: &Grant, rules: &Rules) -> Lifetime {
        let guess = || match (rules.heuristic, self.unchanged_for) {
            (true, Some(time)) => (time / HEURISTIC_PART).min(HEURISTIC_MOST).max(rules.implicit),
            _ => rules.implicit,
        };
        let granted = if grant.revalidate_always { Duration::ZERO } else { grant.fresh_for.unwrap_or_else(guess) };
        let keeps = grant.storage == Storage::Shared;
        let fresh_for = if keeps { granted.max(rules.min).min(rules.max) } else { Duration::ZERO };
        let stale = |granted: Option<Duration>, otherwise| match grant.never_stale || grant.revalidate_always || !keeps
        {
            true => Duration::ZERO,
            false => granted.unwrap_or(otherwise),
        };
        Lifetime {
            fresh_since: self.fresh_since,
            fresh_for,
            stale_while_revalidate: stale(grant.stale_while_revalidate, rules.stale_while_revalidate),
            stale_if_error: stale(grant.stale_if_error, rules.stale_if_error),
        }
    }
}

impl Grant {
    fn new(found: &Directives, expires: Option<Duration>, unmatched: bool) -> Self {
        Self {
            storage: match (found.no_store, found.private) {
                (true, _) => Storage::Nobody,
                (false, true) => Storage::Private,
                (false, false) => Storage::Shared,
            },
            fresh_for: found.s_maxage.or(found.max_age).or(expires),
            revalidate_always: found.no_cache || unmatched,
            never_stale: found.must_revalidate || found.s_maxage.is_some(),
            stale_while_revalidate: found.stale_while_revalidate,
            stale_if_error: found.stale_if_error,
        }
    }
}

/// `Expires` less `Date`; zero for a date that is past, given twice or none (§5.3).
fn expires(headers: &HeaderMap, date: SystemTime) -> Option<Duration> {
    headers.contains_key(EXPIRES).then(|| {
        let expires = once(headers, &EXPIRES).and_then(parse_date);
        expires.and_then(|expires| expires.duration_since(date).ok()).unwrap_or_default()
    })
}

/// `corrected_initial_age` of §4.2.3. `Age` counts by its first member, and not at all where that is no number (§5.1).
fn initial_age(headers: &HeaderMap, date: Option<SystemTime>, requested: SystemTime, received: SystemTime) -> Duration {
    let apparent = date.and_then(|date| received.duration_since(date).ok()).unwrap_or_default();
    // A `Date` has whole seconds: the part of a second that it cannot say is no age.
    let apparent = Duration::from_secs(apparent.as_secs());
    let told = headers.get(AGE).and_then(|value| digits(value.as_bytes().split(|&byte| byte == b',').next()?));
    let told = told.unwrap_or_default().min(TOO_OLD);
    if told.is_zero() && apparent.is_zero() {
        return Duration::ZERO;
    }
    let delay = received.duration_since(requested).unwrap_or_default();
    apparent.max(told.saturating_add(Duration::from_secs(delay.as_secs())))
}

fn varies_on_everything(headers: &HeaderMap) -> bool {
    let members =
        |line: &HeaderValue| line.as_bytes().split(|&byte| byte == b',').any(|member| member.trim_ascii() == b"*");
    headers.get_all(VARY).iter().any(members)
}

fn digits(text: &[u8]) -> Option<Duration> {
    let text = text.trim_ascii();
    let number = text.iter().try_fold(0_u64, |sum, &byte| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    });
    number.filter(|_| !text.is_empty()).map(Duration::from_secs)
}

/// The three formats of RFC 9110 §5.6.7.
pub(super) fn parse_date(value: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?.trim()).ok()
}

/// The value of a field that is given just once.
pub(super) fn once<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut all = headers.get_all(name).iter();
    all.next().filter(|_| all.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::super::freshness::Freshness;
    use super::*;
    use proptest::prelude::*;

    const RULES: Rules = Rules {
        min: Duration::ZERO,
        max: Duration::from_secs(1 << 40),
        implicit: Duration::ZERO,
        heuristic: false,
        stale_while_revalidate: Duration::ZERO,
        stale_if_error: Duration::ZERO,
    };

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
    }

    fn date(seconds: u64) -> String {
        httpdate::fmt_http_date(at(seconds))
    }

    /// Asked at 99, answered at 100.
    fn terms(fields: &[(&'static str, &str)]) -> Terms {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Terms::read(&headers, at(99), at(100))
    }

    fn fresh(fields: &[(&'static str, &str)]) -> u64 {
        terms(fields).lifetime(&RULES).fresh_for.as_secs()
    }

    #[test]
    fn lifetimes() {
        assert_eq!(fresh(&[]), 0, "no word, no freshness");
        assert_eq!(fresh(&[("cache-control", "max-age=60")]), 60);
        assert_eq!(fresh(&[("cache-control", "max-age=60, s-maxage=5")]), 5);
        assert_eq!(fresh(&[("cache-control", "max-age=5, s-maxage=60"), ("expires", "0")]), 60);
        assert_eq!(fresh(&[("expires", &date(160)), ("date", &date(100))]), 60);
        assert_eq!(fresh(&[("expires", &date(160))]), 60, "without Date: from the arrival");
        assert_eq!(fresh(&[("expires", &date(160)), ("date", "soon")]), 60);
        assert_eq!(fresh(&[("expires", &date(90)), ("date", &date(100))]), 0);
        assert_eq!(fresh(&[("expires", "0")]), 0);
        assert_eq!(fresh(&[("expires", &date(160)), ("expires", &date(160))]), 0);
        assert_eq!(fresh(&[("expires", "Sunday, 06-Nov-94 08:49:37 GMT"), ("date", "Sun Nov  6 08:48:37 1994")]), 60);
        assert_eq!(fresh(&[("cache-control", "max-age=0"), ("expires", &date(999))]), 0);
        assert_eq!(fresh(&[("cache-control", "max-age=60, no-cache")]), 0);
        assert_eq!(fresh(&[("cache-control", "max-age=60"), ("vary", "a, *")]), 0);
        assert_eq!(fresh(&[("cache-control", "max-age=60"), ("vary", "accept")]), 60);
    }

    #[test]
    fn storage() {
        let storage = |value| terms(&[("cache-control", value)]).ours.storage;
        assert_eq!(storage("max-age=9, no-store, private"), Storage::Nobody);
        assert_eq!(storage("private, max-age=9"), Storage::Private);
        assert_eq!(storage("public"), Storage::Shared);
        assert!(!terms(&[("cache-control", "private")]).is_storable());
    }

    /// RFC 9213 §2.2: the targeted field alone counts where it is valid.
    #[test]
    fn the_targeted_field_wins() {
        let both = terms(&[("cache-control", "no-store"), ("cdn-cache-control", "max-age=60"), ("expires", "0")]);
        assert!(both.is_storable());
        assert_eq!(both.lifetime(&RULES).fresh_for, Duration::from_secs(60));
        assert_eq!(both.others.unwrap().storage, Storage::Nobody);
        assert_eq!(both.lifetime_of_others(&RULES).fresh_for, Duration::ZERO);
        assert!(!terms(&[("cache-control", "no-store"), ("cdn-cache-control", "max-age=1, &")]).is_storable());
        assert_eq!(fresh(&[("cdn-cache-control", "max-age=1"), ("cache-control", "max-age=60")]), 1);
        assert!(!terms(&[("cdn-cache-control", "private"), ("cache-control", "max-age=60")]).is_storable());
    }

    /// §4.2.3.
    #[test]
    fn age_on_arrival() {
        let since =
            |fields: &[(&'static str, &str)]| at(100).duration_since(terms(fields).fresh_since).unwrap().as_secs();
        assert_eq!(since(&[]), 0);
        assert_eq!(since(&[("date", &date(100))]), 0);
        assert_eq!(since(&[("date", &date(70))]), 30, "the apparent age");
        assert_eq!(since(&[("date", &date(200))]), 0, "a clock ahead of ours");
        assert_eq!(since(&[("age", "7")]), 8, "with the second that it took");
        assert_eq!(since(&[("age", "7"), ("date", &date(50))]), 50);
        for (value, age) in [("-1", 0), ("1.0", 0), ("old", 0), ("7, 0", 8), ("0, 7", 0), ("7;a=1", 0), ("", 0)] {
            assert_eq!(since(&[("age", value)]), age, "{value}");
        }
        assert_eq!(since(&[("age", "0"), ("age", "7")]), 0, "the first line");
        let ancient = terms(&[("cache-control", "max-age=2147483647"), ("age", "99999999999999999999")]);
        assert_ne!(ancient.lifetime(&RULES).freshness(at(100)), Freshness::Fresh);
    }

    #[test]
    fn stale_use() {
        let stale = |value: &str, rules: &Rules| {
            let lifetime = terms(&[("cache-control", value)]).lifetime(rules);
            (lifetime.stale_while_revalidate.as_secs(), lifetime.stale_if_error.as_secs())
        };
        let kind =
            Rules { stale_while_revalidate: Duration::from_secs(3), stale_if_error: Duration::from_secs(4), ..RULES };
        assert_eq!(stale("max-age=1, stale-while-revalidate=5, stale-if-error=6", &RULES), (5, 6));
        assert_eq!(stale("max-age=1", &kind), (3, 4));
        assert_eq!(stale("max-age=1, stale-if-error=0", &kind), (3, 0));
        for strict in ["must-revalidate", "proxy-revalidate", "s-maxage=1", "no-cache", "no-store", "private"] {
            assert_eq!(stale(&format!("max-age=1, {strict}, stale-if-error=6"), &kind), (0, 0), "{strict}");
        }
    }

    #[test]
    fn what_a_route_adds() {
        let by = |value: &str, rules: Rules| terms(&[("cache-control", value)]).lifetime(&rules).fresh_for.as_secs();
        let clamped = Rules { min: Duration::from_secs(10), max: Duration::from_secs(100), ..RULES };
        for (value, expected) in [
            ("max-age=5", 10),
            ("max-age=50", 50),
            ("max-age=500", 100),
            ("no-cache", 10),
            ("x", 10),
            ("no-store, max-age=50", 0),
            ("private, max-age=50", 0),
        ] {
            assert_eq!(by(value, clamped), expected, "{value}");
        }
        let implicit = Rules { implicit: Duration::from_secs(30), ..RULES };
        assert_eq!((by("x", implicit), by("max-age=0", implicit), by("no-cache", implicit)), (30, 0, 0));
        let guess = Rules { heuristic: true, ..RULES };
        let old = [("last-modified", &*date(0)), ("date", &*date(100))];
        assert_eq!(terms(&old).lifetime(&guess).fresh_for.as_secs(), 10);
        assert_eq!(terms(&old).lifetime(&RULES).fresh_for.as_secs(), 0);
        let ancient = [("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")];
        assert_eq!(terms(&ancient).lifetime(&guess).fresh_for, HEURISTIC_MOST);
    }

    proptest! {
        /// Whatever an origin sends: no panic, and nothing forbidden becomes reusable.
        #[test]
        fn forbidden_stays_forbidden(noise in "[a-z=0-9, \"-]{0,30}", age in "[0-9a-z, ]{0,12}", min in 0_u64..100) {
            let rules = Rules { min: Duration::from_secs(min), ..RULES };
            let line = format!("{}, no-store", noise.replace('"', ""));
            let terms = terms(&[("cache-control", &line), ("age", &age), ("date", &noise)]);
            prop_assert!(noise.contains("must-understand") || !terms.is_storable());
            prop_assert!(terms.is_storable() || terms.lifetime(&rules).fresh_for.is_zero());
        }
    }
}
