//! What is said of freshness downstream where an original came with terms of its own.
//!
//! Owns the fields that follow from [`Terms`]; made once per original and route, cloned by each response. Does not know the
//! response. Invariant: nobody downstream is told to keep longer, or more widely, than the origin and the route allow.

use super::cache_control::{CdnPolicy, Policy};
use super::freshness::Lifetime;
use super::terms::{Grant, Rules, Storage, Terms};
use http::HeaderValue;
use std::time::{Duration, SystemTime};

/// The fields, ready.
#[derive(Clone, Debug)]
pub struct Said {
    cache_control: HeaderValue,
    cdn_cache_control: Option<HeaderValue>,
    date: Option<HeaderValue>,
    main: Part,
    cdn: Option<Part>,
}

/// One field's content.
#[derive(Clone, Copy, Debug)]
struct Part {
    storage: Storage,
    policy: Policy,
    /// Not to be used without asking here.
    always: bool,
    /// Not to be used stale.
    strict: bool,
}

impl Said {
    /// By the terms of an origin, with what the route adds.
    #[must_use]
    pub fn inherited(terms: &Terms, rules: &Rules, immutable: bool) -> Self {
        let part = |grant: &Grant, lifetime: Lifetime| Part::new(grant, lifetime, immutable);
        let ours = part(&terms.ours, terms.lifetime(rules));
        let others = terms.others.map(|grant| part(&grant, terms.lifetime_of_others(rules)));
        let (main, cdn) = match others {
            Some(others) => (others, Some(ours)),
            None => (ours, None),
        };
        let text = httpdate_of(terms.fresh_since);
        Self {
            cache_control: main.spell(main.policy.cache_control(), "public, "),
            cdn_cache_control: cdn.map(|part| part.spell(part.cdn_field(), "")),
            date: text,
            main,
            cdn,
        }
    }

    /// `Cache-Control` and `CDN-Cache-Control`; for a URL that ends at `expires`, no longer than that.
    #[must_use]
    pub fn cache_control(
        &self,
        expires: Option<SystemTime>,
        age: Duration,
        now: SystemTime,
    ) -> (HeaderValue, Option<HeaderValue>) {
        let Some(expires) = expires else { return (self.cache_control.clone(), self.cdn_cache_control.clone()) };
        let main = self.main.spell(self.main.policy.until(expires, age, now).0, "public, ");
        let cdn = self.cdn.map(|part| {
            let field = part.as_cdn().until(expires, age, now).1;
            part.spell(field.unwrap_or_else(|| part.cdn_field()), "")
        });
        (main, cdn)
    }

    /// When the original was made or last confirmed, by our clock: `Date` of whatever is made of it (RFC 9111 §5.1: with
    /// an `Age`, a `Date` of now would say that the origin had spoken now).
    #[must_use]
    pub fn date(&self) -> Option<&HeaderValue> {
        self.date.as_ref()
    }
}

impl Part {
    fn new(grant: &Grant, lifetime: Lifetime, immutable: bool) -> Self {
        let private = grant.storage == Storage::Private && !grant.revalidate_always;
        let fresh_for = if private { grant.fresh_for.unwrap_or_default() } else { lifetime.fresh_for };
        Self {
            storage: grant.storage,
            policy: Policy {
                max_age: fresh_for,
                stale_while_revalidate: lifetime.stale_while_revalidate,
                stale_if_error: lifetime.stale_if_error,
                immutable: immutable && !fresh_for.is_zero(),
                cdn: None,
            },
            always: grant.revalidate_always && fresh_for.is_zero(),
            strict: grant.never_stale,
        }
    }

    fn as_cdn(&self) -> Policy {
        let Policy { max_age, stale_while_revalidate, stale_if_error, .. } = self.policy;
        Policy { cdn: Some(CdnPolicy { max_age, stale_while_revalidate, stale_if_error }), ..self.policy }
    }

    fn cdn_field(&self) -> HeaderValue {
        self.as_cdn().cdn_cache_control().unwrap_or_else(|| HeaderValue::from_static("no-store"))
    }

    /// `field` says the times, after `prefix`.
    fn spell(&self, field: HeaderValue, prefix: &str) -> HeaderValue {
        if self.storage == Storage::Nobody {
            return HeaderValue::from_static("no-store");
        }
        let private = self.storage == Storage::Private;
        if !private && !self.always && !self.strict {
            return field;
        }
        let times = field.to_str().unwrap_or_default().trim_start_matches(prefix);
        let scope = if private { "private, " } else { prefix };
        let text = match (self.always, self.strict) {
            (true, _) => format!("{scope}no-cache"),
            (false, true) => format!("{scope}{times}, must-revalidate"),
            (false, false) => format!("{scope}{times}"),
        };
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("no-store"))
    }
}

fn httpdate_of(time: SystemTime) -> Option<HeaderValue> {
    super::validator::LastModified::new(time, time).map(|date| date.header().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    const RULES: Rules = Rules {
        min: Duration::ZERO,
        max: Duration::from_secs(1000),
        implicit: Duration::ZERO,
        heuristic: false,
        stale_while_revalidate: Duration::ZERO,
        stale_if_error: Duration::from_secs(9),
    };

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 + seconds)
    }

    fn said(fields: &[(&'static str, &str)]) -> Said {
        let value = |text: &str| HeaderValue::from_str(text).unwrap();
        let headers: HeaderMap = fields.iter().map(|(name, text)| (name.parse().unwrap(), value(text))).collect();
        Said::inherited(&Terms::read(&headers, at(0), at(0)), &RULES, false)
    }

    fn text(field: Option<HeaderValue>) -> String {
        field.map_or_else(|| "none".to_owned(), |value| value.to_str().unwrap().to_owned())
    }

    fn main(value: &str) -> String {
        text(Some(said(&[("cache-control", value)]).cache_control(None, Duration::ZERO, at(0)).0))
    }

    #[test]
    fn the_origins_word_is_passed_on() {
        for (value, expected) in [
            ("max-age=60", "public, max-age=60, stale-if-error=9"),
            ("max-age=6000", "public, max-age=1000, stale-if-error=9"),
            ("max-age=60, stale-while-revalidate=5", "public, max-age=60, stale-while-revalidate=5, stale-if-error=9"),
            ("s-maxage=60", "public, max-age=60, must-revalidate"),
            ("max-age=60, must-revalidate", "public, max-age=60, must-revalidate"),
            ("no-cache", "public, no-cache"),
            ("no-store, max-age=9", "no-store"),
            ("private, max-age=9", "private, max-age=9"),
            ("private, no-cache", "private, no-cache"),
            ("x", "public, max-age=0, stale-if-error=9"),
        ] {
            assert_eq!(main(value), expected, "{value}");
        }
    }

    #[test]
    fn two_audiences() {
        let both = said(&[("cache-control", "max-age=10"), ("cdn-cache-control", "max-age=60, must-revalidate")]);
        let (main, cdn) = both.cache_control(None, Duration::ZERO, at(0));
        assert_eq!(text(Some(main)), "public, max-age=10, stale-if-error=9");
        assert_eq!(text(cdn), "max-age=60, must-revalidate");
        let strict = said(&[("cache-control", "no-store"), ("cdn-cache-control", "max-age=60")]);
        let (main, cdn) = strict.cache_control(None, Duration::ZERO, at(0));
        assert_eq!((text(Some(main)).as_str(), text(cdn).as_str()), ("no-store", "max-age=60, stale-if-error=9"));
    }

    #[test]
    fn a_url_that_ends_shortens_it() {
        let said = said(&[("cache-control", "max-age=60, must-revalidate"), ("cdn-cache-control", "max-age=90")]);
        let (main, cdn) = said.cache_control(Some(at(20)), Duration::from_secs(5), at(5));
        assert_eq!(text(Some(main)), "public, max-age=20, must-revalidate");
        assert_eq!(text(cdn), "max-age=20");
    }

    #[test]
    fn the_date_is_that_of_the_original() {
        let told = said(&[("date", "Sun, 06 Nov 1994 08:49:30 GMT")]);
        assert_eq!(told.date().unwrap(), "Sun, 06 Nov 1994 08:49:30 GMT");
    }
}
