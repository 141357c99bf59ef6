//! Which URLs there are: host and path prefix → an origin and the rules of its pictures.
//!
//! Invariant: the longest prefix wins, and of two equal ones that with a host; built once, never changed.

use crate::config::{RouteConfig, SigningMode};
use crate::original::Seen;
use crate::semantics::cors::{Cors, OriginPattern};
use crate::semantics::referrer::Referrers;
use crate::semantics::{Classes, Delivery, Hints, Rules};
use crate::stand_in::StandIn;
use crate::stats::Counts;
use cache_key::Presets;
use cache_key::sizes::Sizes;
use http::{HeaderName, HeaderValue};
use origin::{Origin, Server};
use std::sync::Arc;
use std::time::Duration;

/// One route, ready for use.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) prefix: String,
    host: Option<String>,
    /// Whether its URLs must be signed, where that is another than everybody's.
    pub(crate) signing: Option<SigningMode>,
    pub(crate) origin_name: String,
    /// In the order in which they are asked.
    pub(crate) origins: Vec<Arc<Origin>>,
    /// Shown when none has the original.
    pub(crate) stand_in: Option<Arc<StandIn>>,
    /// On whose pages its pictures may be.
    pub(crate) referrers: Option<Referrers>,
    /// Shown on all others.
    pub(crate) not_here: Option<Arc<StandIn>>,
    /// How large they may be.
    pub(crate) sizes: Sizes,
    /// What is added to the word of origins that are asked, where they have an original, and where not.
    pub(crate) rules: Rules,
    pub(crate) negative_rules: Rules,
    /// Whether answers say the freshness that the original has left.
    pub(crate) inherit: bool,
    /// Longest fetch in all, where it is not the origin's own.
    pub(crate) fetch_timeout: Option<Duration>,
    /// Serve the originals' own bytes.
    pub(crate) originals: bool,
    pub(crate) presets: Presets,
    pub(crate) classes: Classes,
    /// How long a quick answer stands in for AVIF that is put off; `None`: it is not.
    pub(crate) deferred: Option<Duration>,
    pub(crate) hints: Hints,
    pub(crate) delivery: Delivery,
    pub(crate) tags: bool,
    pub(crate) server_timing: bool,
    /// What its requests came to.
    pub(crate) counts: Arc<Counts>,
}

/// All routes, the most particular first.
#[derive(Debug)]
pub(crate) struct Routes(Vec<Arc<Route>>);

impl Routes {
    pub(crate) fn new(mut routes: Vec<Route>) -> Self {
        routes.sort_by_key(|route| (std::cmp::Reverse(route.prefix.len()), route.host.is_none()));
        Self(routes.into_iter().map(Arc::new).collect())
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Route> {
        self.0.iter().map(|route| &**route)
    }

    /// The one that there is, if there is just one.
    pub(crate) fn only(&self) -> Option<&Route> {
        let [only] = &self.0[..] else { return None };
        Some(only)
    }

    /// The route and what of the path comes after its prefix, both undecoded.
    pub(crate) fn find<'p>(&self, host: Option<&str>, path: &'p str) -> Option<(&Arc<Route>, &'p str)> {
        self.0.iter().find_map(|route| {
            let rest = path.strip_prefix(route.prefix.as_str())?;
            route.is_for(host).then_some((route, rest))
        })
    }

    /// The same where the host is not known: the most particular path decides.
    pub(crate) fn find_any<'p>(&self, path: &'p str) -> Option<(&Arc<Route>, &'p str)> {
        self.0.iter().find_map(|route| Some((route, path.strip_prefix(route.prefix.as_str())?)))
    }

    /// All of them, the most particular first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Route>> {
        self.0.iter()
    }
}

impl Route {
    /// The one host that it is for.
    pub(crate) fn host(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Whether it serves this host.
    pub(crate) fn is_for(&self, host: Option<&str>) -> bool {
        self.host.as_deref().is_none_or(|own| host.is_some_and(|host| own.eq_ignore_ascii_case(host)))
    }

    /// Whether what is known of its originals may be told to other instances.
    pub(crate) fn shares(&self) -> bool {
        self.origins.iter().any(|origin| origin.may_be_shared())
    }

    /// Likewise, of this very one, by the origin that had it.
    pub(crate) fn shares_of(&self, seen: &Seen) -> bool {
        let origin = seen.told.as_ref().and_then(|told| self.origins.get(told.origin));
        origin.is_some_and(|origin| origin.may_be_shared())
    }

    /// Whether any of its originals comes over HTTP.
    pub(crate) fn asks(&self) -> bool {
        self.origins.iter().any(|origin| matches!(**origin, Origin::Server(Server::Http(_))))
    }

    /// # Errors
    /// A header name or value in the config that HTTP does not allow, or a bad preset.
    pub(crate) fn new(config: &RouteConfig, origins: Vec<Arc<Origin>>, presets: Presets) -> Result<Self, String> {
        let place = |what: &str| format!("routes: {} {what}", config.prefix);
        let mut delivery = Delivery::new(config.policy).negative(config.error_max_age);
        if let Some(allowed) = &config.allow_origin {
            let (cors, timing) = origins_of(allowed).map_err(|text| place(&text))?;
            delivery = delivery.cors(cors);
            if let Some(timing) = timing {
                delivery = delivery.timing_allow_origin(timing);
            }
        }
        if let Some(name) = &config.tag_header {
            let name = HeaderName::try_from(name).map_err(|_| place("tag_header is no header name"))?;
            delivery = delivery.cache_tag_name(name);
        }
        let picture = |path: Option<&std::path::Path>| {
            path.map(StandIn::open).transpose().map_err(|text| place(&text)).map(|picture| picture.map(Arc::new))
        };
        let stand_in = picture(config.fallback_image.as_deref())?;
        let (hosts, empty) = (config.referrer.allow.clone(), config.referrer.empty);
        Ok(Self {
            prefix: config.prefix.clone(),
            host: config.host.clone(),
            signing: config.signing,
            origin_name: config.origin_name(),
            origins,
            stand_in,
            not_here: picture(config.referrer.image.as_deref())?,
            referrers: (!hosts.is_empty()).then_some(Referrers { hosts, empty }),
            sizes: config.sizes.0.clone(),
            rules: config.fetch.rules,
            negative_rules: config.fetch.negative_rules(),
            inherit: config.fetch.inherit,
            fetch_timeout: config.fetch.timeout,
            originals: config.originals,
            presets,
            classes: config.classes,
            deferred: config.deferred_avif.then_some(config.deferred_max_age),
            hints: config.hints.clone(),
            delivery,
            tags: config.tag_header.is_some(),
            server_timing: config.server_timing,
            counts: Arc::default(),
        })
    }
}

/// What `allow_origin` says: who may read, and who may time. The latter knows no stars within names.
fn origins_of(text: &str) -> Result<(Cors, Option<HeaderValue>), String> {
    if text == "*" {
        return Ok((Cors::Any, Some(const { HeaderValue::from_static("*") })));
    }
    let mut patterns = Vec::new();
    for origin in text.split(',').map(str::trim) {
        let pattern = OriginPattern::parse(origin);
        patterns.push(pattern.ok_or_else(|| format!("allow_origin: {origin} is no origin as https://example.org"))?);
    }
    let plain: Vec<_> = text.split(',').map(str::trim).filter(|origin| !origin.contains('*')).collect();
    let timing = (!plain.is_empty()).then(|| HeaderValue::try_from(plain.join(", ")));
    Ok((Cors::Origins(patterns), timing.transpose().map_err(|_| "allow_origin is no header value".to_owned())?))
}
