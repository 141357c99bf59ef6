//! Which URLs there are: host and path prefix → an origin and the rules of its pictures.
//!
//! Invariant: the longest prefix wins, and of two equal ones that with a host; built once, never changed.

use crate::config::RouteConfig;
use crate::origin::Origin;
use crate::semantics::cors::Cors;
use crate::semantics::{Classes, Delivery};
use cache_key::Presets;
use http::{HeaderName, HeaderValue};
use std::sync::Arc;

/// One route, ready for use.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) prefix: String,
    host: Option<String>,
    pub(crate) origin_name: String,
    pub(crate) origin: Arc<Origin>,
    /// Serve the originals' own bytes.
    pub(crate) originals: bool,
    pub(crate) presets: Presets,
    pub(crate) classes: Classes,
    pub(crate) delivery: Delivery,
    pub(crate) tags: bool,
    pub(crate) server_timing: bool,
}

/// All routes, the most particular first.
#[derive(Debug)]
pub(crate) struct Routes(Vec<Arc<Route>>);

impl Routes {
    pub(crate) fn new(mut routes: Vec<Route>) -> Self {
        routes.sort_by_key(|route| (std::cmp::Reverse(route.prefix.len()), route.host.is_none()));
        Self(routes.into_iter().map(Arc::new).collect())
    }

    /// The route and what of the path comes after its prefix, both undecoded.
    pub(crate) fn find<'p>(&self, host: Option<&str>, path: &'p str) -> Option<(&Arc<Route>, &'p str)> {
        self.0.iter().find_map(|route| {
            let rest = path.strip_prefix(route.prefix.as_str())?;
            let here = route.host.as_deref().is_none_or(|own| host.is_some_and(|host| own.eq_ignore_ascii_case(host)));
            here.then_some((route, rest))
        })
    }
}

impl Route {
    /// # Errors
    /// A header name or value in the config that HTTP does not allow, or a bad preset.
    pub(crate) fn new(config: &RouteConfig, origin: Arc<Origin>, presets: Presets) -> Result<Self, String> {
        let place = |what: &str| format!("routes: {} {what}", config.prefix);
        let mut delivery = Delivery::new(config.policy).negative(config.error_max_age);
        if let Some(allowed) = &config.allow_origin {
            let value = HeaderValue::try_from(allowed).map_err(|_| place("allow_origin is no header value"))?;
            let cors = if allowed == "*" { Cors::Any } else { Cors::Origins(vec![value.clone()]) };
            delivery = delivery.cors(cors).timing_allow_origin(value);
        }
        if let Some(name) = &config.tag_header {
            let name = HeaderName::try_from(name).map_err(|_| place("tag_header is no header name"))?;
            delivery = delivery.cache_tag_name(name);
        }
        Ok(Self {
            prefix: config.prefix.clone(),
            host: config.host.clone(),
            origin_name: config.origin.clone(),
            origin,
            originals: config.originals,
            presets,
            classes: config.classes,
            delivery,
            tags: config.tag_header.is_some(),
            server_timing: config.server_timing,
        })
    }
}
