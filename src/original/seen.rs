//! What is known of an original, and what a route makes of it.
//!
//! Owns how long it holds: a file for `cache.check`, an answer by its terms and the route's rules. Does not ask anybody.
//! Invariant: a [`Seen`] is the same for every route; a [`View`] is made anew for each.

use crate::cache::Stamp;
use crate::route::Route;
use crate::semantics::{Freshness, Lifetime, Said, Terms};
use bytes::Bytes;
use cache_key::OriginalVersion;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use origin::{Missing, Sighting};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// For so long after a failure an origin is not asked again for an original that may be used stale.
const RESPITE: Duration = Duration::from_secs(5);

/// The bytes of an original, as kept.
#[derive(Debug)]
pub(crate) struct Original {
    pub(crate) version: OriginalVersion,
    pub(crate) bytes: Bytes,
}

/// An original, or its absence, as it was at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) found: Result<Sighting, Missing>,
    pub(crate) at: SystemTime,
    /// What the origin said of it, if it is one that speaks.
    pub(crate) told: Option<Told>,
    /// When it last failed to say more.
    pub(crate) failed_at: Option<SystemTime>,
    /// What was purged before it was asked for.
    pub(crate) stamp: Stamp,
}

/// The word of an origin.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) terms: Terms,
    /// Fields of its answer.
    pub(crate) fields: HeaderMap,
    /// The URL that answered.
    pub(crate) place: Box<str>,
    /// Which of the route's origins that was.
    pub(crate) origin: usize,
}

impl Seen {
    /// Bytes in memory, roughly.
    pub(crate) fn weight(&self) -> u64 {
        let fields = |told: &Told| 1024 + told.place.len() + told.fields.values().map(HeaderValue::len).sum::<usize>();
        128 + self.told.as_ref().map_or(0, |told| fields(told) as u64)
    }

    pub(crate) fn failed_lately(&self, now: SystemTime) -> bool {
        self.failed_at.is_some_and(|at| now.duration_since(at).is_ok_and(|since| since < RESPITE))
    }

    pub(crate) fn was_told(&self) -> bool {
        self.told.is_some()
    }

    /// Whether a shared cache may keep it.
    pub(crate) fn is_storable(&self) -> bool {
        self.told.as_ref().is_none_or(|told| told.terms.is_storable())
    }
}

/// An original as a route sees it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) seen: Arc<Seen>,
    pub(crate) sighting: Sighting,
    /// Whether renditions of it may be kept.
    pub(crate) storable: bool,
    /// How long it holds here.
    lifetime: Lifetime,
    /// What is said of that downstream, where it is not the route's own policy.
    pub(crate) said: Option<Said>,
    /// The lifetime of answers.
    pub(crate) told: Lifetime,
}

/// The absence of an original as a route sees it.
#[derive(Debug)]
pub(crate) struct Gone {
    pub(crate) missing: Missing,
    lifetime: Lifetime,
}

impl Gone {
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        self.lifetime.freshness(now) == Freshness::Fresh
    }
}

impl View {
    /// `check` is how long a look at a file holds.
    pub(crate) fn new(check: Duration, route: &Route, seen: Arc<Seen>) -> Result<Self, Box<Gone>> {
        let terms = seen.told.as_ref().map(|told| &told.terms);
        let looked = Lifetime {
            fresh_since: seen.at,
            fresh_for: check,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
        };
        let sighting = match &seen.found {
            Ok(sighting) => sighting.clone(),
            Err(missing) => {
                let lifetime = terms.map_or(looked, |terms| terms.lifetime(&route.negative_rules));
                return Err(Box::new(Gone { missing: missing.clone(), lifetime }));
            }
        };
        let lifetime = terms.map_or(looked, |terms| terms.lifetime(&route.rules));
        let policy = route.delivery.policy();
        let by_route = Lifetime {
            fresh_since: seen.at,
            fresh_for: policy.max_age,
            stale_while_revalidate: policy.stale_while_revalidate,
            stale_if_error: policy.stale_if_error,
        };
        let storable = seen.is_storable();
        // What must not be kept here must not be offered to others for keeping, whatever the route says.
        let inherits = route.inherit || !storable;
        let said = terms.filter(|_| inherits).map(|terms| Said::inherited(terms, &route.rules, policy.immutable));
        let told = if said.is_some() { lifetime } else { by_route };
        Ok(Self { sighting, storable, lifetime, said, told, seen })
    }

    /// Whether it holds. A clock that was set back since makes it not hold: better asked once too often.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        self.freshness(now) == Freshness::Fresh
    }

    pub(crate) fn freshness(&self, now: SystemTime) -> Freshness {
        if now < self.seen.at { Freshness::Expired } else { self.lifetime.freshness(now) }
    }

    /// Whether it may be used because its origin fails.
    pub(crate) fn may_stand_in(&self, now: SystemTime) -> bool {
        matches!(self.freshness(now), Freshness::StaleWhileRevalidate | Freshness::StaleIfError)
    }

    /// Whether a rendition of it may be used although it has changed since, for want of room to make another. A file's by
    /// what the route promises of answers.
    pub(crate) fn may_be_used_stale(&self, now: SystemTime) -> bool {
        let lifetime = if self.seen.was_told() { &self.lifetime } else { &self.told };
        lifetime.freshness(now) != Freshness::Expired
    }

    /// The type that its origin gives it.
    pub(crate) fn media_type(&self) -> Option<&HeaderValue> {
        self.seen.told.as_ref().and_then(|told| told.fields.get(CONTENT_TYPE))
    }
}
