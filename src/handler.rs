//! THE HIT PATH: verify → parse → negotiate → key → look up → respond. A miss goes to [`crate::fill`].
//!
//! Knows what a request means; sockets, pixels and tiers are elsewhere. Nothing is parsed before it is verified.

use crate::app::App;
use crate::error::{Error, Kind};
use crate::fill::{self, Kept, Seen};
use crate::route::Route;
use crate::semantics::{self, Context, Lifetime, Outcome, Request, Tier, Vary, format_class, note};
use bytes::Bytes;
use cache_key::transform::Format;
use cache_key::{
    FormatClass, Parsed, RenditionKey, RenditionParts, SourceKey, SourceParts, SourcePath, Transform, Variant,
};
use http::Response;
use http::request::Parts;
use signature::Verified;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Tenant of requests that no key vouches for.
const NOBODY: &str = "default";

/// A request for a picture, understood.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) route: Arc<Route>,
    pub(crate) path: SourcePath,
    pub(crate) variant: Arc<Variant>,
    pub(crate) vary: Vary,
    tenant: Arc<str>,
    parsed: Parsed,
    expires: Option<SystemTime>,
}

/// Answers a request for the picture that the route calls `rest`.
pub(crate) async fn picture(
    app: &App,
    route: &Arc<Route>,
    rest: &str,
    request: &Parts,
    host: Option<&str>,
    now: SystemTime,
) -> Result<(Response<Bytes>, Outcome), (Error, Vary)> {
    let asked = Asked::new(app, route, rest, request, host, now).map_err(|error| (error, Vary::Nothing))?;
    let asked = Arc::new(asked);
    let answer = async {
        let seen = fill::see(app, &asked, now).await?;
        let key = asked.key(&seen);
        let (kept, outcome) = match app.renditions.get(&key) {
            Some(kept) => (kept, Outcome::Hit(Tier::Memory)),
            None => fill::fill(app, &asked, key).await?,
        };
        Ok((asked.respond(request, &kept, &seen, outcome, now), outcome))
    };
    answer.await.map_err(|error| (error, asked.vary))
}

impl Asked {
    fn new(
        app: &App,
        route: &Arc<Route>,
        rest: &str,
        request: &Parts,
        host: Option<&str>,
        now: SystemTime,
    ) -> Result<Self, Error> {
        let verified = app.guard.verify(request, host, now)?;
        let parsed = cache_key::parse(request.uri.query(), &route.presets)?;
        if verified.is_some() {
            parsed.refuse_unknown()?;
        }
        if let Some(name) = cache_key::not_implemented(&parsed.transform) {
            return Err(imaging::Error::NotImplemented(name).into());
        }
        if route.originals && parsed.transform != Transform::default() {
            return Err(Kind::Originals.into());
        }
        let path = SourcePath::parse(rest).map_err(|error| Kind::Path(error.to_string()))?;
        let (class, vary) = match parsed.transform.output.format {
            Format::Auto => (format_class(&request.headers, route.classes), Vary::Accept),
            _ => (FormatClass::default(), Vary::Nothing),
        };
        let tenant = verified.as_ref().map_or(NOBODY, Verified::tenant).into();
        let expires =
            verified.and_then(|v| v.expires()).map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let variant = Arc::new(Variant { transform: parsed.transform.clone(), class });
        Ok(Self { route: Arc::clone(route), path, variant, vary, tenant, parsed, expires })
    }

    /// Names the original.
    pub(crate) fn source(&self) -> SourceKey {
        SourceParts { tenant: &self.tenant, origin: &self.route.origin_name, path: &self.path }.key()
    }

    /// Names the rendition.
    pub(crate) fn key(&self, seen: &Seen) -> RenditionKey {
        RenditionParts {
            tenant: &self.tenant,
            origin: &self.route.origin_name,
            path: &self.path,
            version: &seen.sighting.version,
            variant: &self.variant,
            pipeline: imaging::PIPELINE_VERSION,
            untouched: self.route.originals,
        }
        .key()
    }

    fn respond(&self, request: &Parts, kept: &Kept, seen: &Seen, outcome: Outcome, now: SystemTime) -> Response<Bytes> {
        let Delivered { tags, canonical } = self.delivered(request);
        let policy = self.route.delivery.policy();
        let download = self.parsed.delivery.download.as_ref();
        semantics::respond(
            Request { method: &request.method, headers: &request.headers },
            &kept.representation,
            Context {
                now,
                delivery: &self.route.delivery,
                lifetime: Lifetime {
                    fresh_since: seen.at,
                    fresh_for: policy.max_age,
                    stale_while_revalidate: policy.stale_while_revalidate,
                    stale_if_error: policy.stale_if_error,
                },
                outcome,
                vary: self.vary,
                expires: self.expires,
                cache_tag: tags,
                canonical,
                disposition: download.map(|download| {
                    let name = download.file_name.as_deref().unwrap_or_else(|| self.path.file_name());
                    semantics::disposition::attachment(name, kept.extension)
                }),
                ignored_parameters: note::ignored_parameters(self.parsed.unknown.iter().map(String::as_str)),
                server_timing: self.route.server_timing.then(|| note::server_timing(&kept.stages)).flatten(),
            },
        )
    }

    fn delivered(&self, request: &Parts) -> Delivered {
        let tags = self.route.tags.then(|| {
            let presets = self.parsed.presets.iter().map(|preset| ("preset", preset.as_str()));
            let named: Vec<_> =
                [("src", self.path.as_str()), ("route", self.route.prefix.as_str()), ("tenant", &*self.tenant)]
                    .into_iter()
                    .chain(presets)
                    .collect();
            let own: Vec<_> = self.parsed.delivery.tags.iter().map(String::as_str).collect();
            semantics::cache_tag::field(&named, &own)
        });
        Delivered { tags: tags.flatten(), canonical: note::canonical_link(request.uri.path()) }
    }
}

/// Fields of a response that depend on the URL.
struct Delivered {
    tags: Option<http::HeaderValue>,
    canonical: Option<http::HeaderValue>,
}
