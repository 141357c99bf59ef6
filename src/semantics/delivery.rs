//! What all responses of a route have in common, made once from its config.
//!
//! Owns the prebuilt fields. Does not know how a route is found. Invariant: equal for every request of the route, so that
//! a hit only clones.

use super::cache_control::Policy;
use super::cors::Cors;
use super::hints;
use http::header::VARY;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// A route's side of its responses.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub(super) policy: Policy,
    pub(super) cache_control: HeaderValue,
    pub(super) cdn_cache_control: Option<HeaderValue>,
    pub(super) cors: Cors,
    pub(super) timing_allow_origin: Option<HeaderValue>,
    pub(super) cache_tag_name: HeaderName,
    pub(super) negative: Duration,
}

impl Delivery {
    /// With no CORS, no `Timing-Allow-Origin`, tags in `Cache-Tag`, and errors kept for ten seconds.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            cache_control: policy.cache_control(),
            cdn_cache_control: policy.cdn_cache_control(),
            policy,
            cors: Cors::Off,
            timing_allow_origin: None,
            cache_tag_name: HeaderName::from_static("cache-tag"),
            negative: Duration::from_secs(10),
        }
    }

    /// Who may read responses by script.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = cors;
        self
    }

    /// `Timing-Allow-Origin` (Resource Timing): `*` or a list of origins.
    #[must_use]
    pub fn timing_allow_origin(mut self, value: HeaderValue) -> Self {
        self.timing_allow_origin = Some(value);
        self
    }

    /// The name of the field that carries tags, as the cache in front is told to read it.
    #[must_use]
    pub fn cache_tag_name(mut self, name: HeaderName) -> Self {
        self.cache_tag_name = name;
        self
    }

    /// How long errors that depend on the URL alone are kept downstream; zero for not at all.
    #[must_use]
    pub fn negative(mut self, max_age: Duration) -> Self {
        self.negative = max_age;
        self
    }

    /// How long renditions may be used.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Who may read responses, for answering OPTIONS.
    #[must_use]
    pub fn cors_policy(&self) -> &Cors {
        &self.cors
    }

    /// The fields that say who may read and time a response, and what it depends on.
    pub(super) fn apply(&self, vary: Vary, request: &HeaderMap, response: &mut HeaderMap) {
        if let Some(fields) = vary.fields(self.cors.varies()) {
            response.insert(VARY, fields);
        }
        self.cors.apply(request, response);
        if let Some(origins) = &self.timing_allow_origin {
            response.insert(const { HeaderName::from_static("timing-allow-origin") }, origins.clone());
        }
    }
}

/// Which fields of the request chose the rendition (RFC 9110 §12.5.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Vary {
    /// `Accept`: `f=auto`, whatever came of it.
    pub accept: bool,
    /// Hints for a width: `w=auto`.
    pub width: bool,
    /// Hints for a height: `h=auto`.
    pub height: bool,
    /// `Save-Data`: the route follows it.
    pub save_data: bool,
    /// `Referer`: the route asks on whose pages its pictures are.
    pub referrer: bool,
}

impl Vary {
    /// The URL alone.
    pub const NOTHING: Self = Self { accept: false, width: false, height: false, save_data: false, referrer: false };
    /// `Accept` alone.
    pub const ACCEPT: Self = Self { accept: true, ..Self::NOTHING };

    /// Whether client hints have a say.
    pub(super) fn hints(self) -> bool {
        self.width || self.height
    }

    /// The field's value; `origin` where CORS depends on it.
    fn fields(self, origin: bool) -> Option<HeaderValue> {
        match (self, origin) {
            // What nearly every response has, without any work.
            (Self::NOTHING, false) => return None,
            (Self::NOTHING, true) => return Some(const { HeaderValue::from_static("origin") }),
            (Self::ACCEPT, false) => return Some(const { HeaderValue::from_static("accept") }),
            _ => {}
        }
        let named = [
            (self.accept, "accept"),
            (self.width, hints::WIDTH_FIELDS),
            // Both share the density; a field named twice does no harm.
            (self.height, hints::HEIGHT_FIELDS),
            (self.save_data, "save-data"),
            (self.referrer, "referer"),
            (origin, "origin"),
        ];
        let names: Vec<&str> = named.iter().filter(|(used, _)| *used).map(|(_, name)| *name).collect();
        HeaderValue::try_from(names.join(", ")).ok()
    }
}
