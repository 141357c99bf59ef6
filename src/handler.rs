//! THE HIT PATH: verify → read → negotiate → key → look up → respond. A miss goes to [`crate::fill`].
//!
//! Knows what a request means; sockets, pixels and tiers are elsewhere. Nothing is parsed before it is verified.

use crate::app::App;
use crate::error::Error;
use crate::fill::{self, Kept, Seen};
use crate::reading::Reading;
use crate::route::Route;
use crate::semantics::{self, Context, Lifetime, Outcome, Request, Tier, Vary, format_class, note};
use bytes::Bytes;
use cache_key::{FormatClass, RenditionKey, Variant};
use http::Response;
use http::request::Parts;
use signature::Verified;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A request for a picture, understood.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) reading: Arc<Reading>,
    class: FormatClass,
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
    let asked = ask(app, route, rest, request, host, now).map_err(|error| (error, Vary::Nothing))?;
    let answer = async {
        let seen = fill::see(app, &asked, now).await?;
        let key = asked.key(&seen);
        let (kept, outcome) = match app.renditions.get(&key) {
            Some(kept) => (kept, Outcome::Hit(Tier::Memory)),
            None => fill::fill(app, &asked, key).await?,
        };
        Ok((asked.respond(request, &kept, &seen, outcome, now), outcome))
    };
    answer.await.map_err(|error| (error, asked.vary()))
}

fn ask(
    app: &App,
    route: &Arc<Route>,
    rest: &str,
    request: &Parts,
    host: Option<&str>,
    now: SystemTime,
) -> Result<Asked, Error> {
    let verified = app.guard.verify(request, host, now)?;
    let signed_tenant = verified.as_ref().map(|verified| Arc::from(verified.tenant()));
    let tenant = signed_tenant.as_ref().unwrap_or(&app.nobody);
    let reading = app.readings.read(&request.uri, route, rest, tenant, verified.is_some())?;
    let class = match reading.negotiated {
        true => format_class(&request.headers, route.classes),
        false => FormatClass::default(),
    };
    let expires = verified.as_ref().and_then(Verified::expires).map(Duration::from_secs);
    Ok(Asked { reading, class, expires: expires.and_then(|since| UNIX_EPOCH.checked_add(since)) })
}

impl Asked {
    /// Names the rendition.
    pub(crate) fn key(&self, seen: &Seen) -> RenditionKey {
        self.reading.key(self.class, &seen.sighting.version)
    }

    /// What is asked of the engine.
    pub(crate) fn variant(&self) -> &Arc<Variant> {
        self.reading.variant(self.class)
    }

    fn vary(&self) -> Vary {
        if self.reading.negotiated { Vary::Accept } else { Vary::Nothing }
    }

    fn respond(&self, request: &Parts, kept: &Kept, seen: &Seen, outcome: Outcome, now: SystemTime) -> Response<Bytes> {
        let Reading { route, path, delivery, fields, .. } = &*self.reading;
        let policy = route.delivery.policy();
        semantics::respond(
            Request { method: &request.method, headers: &request.headers },
            &kept.representation,
            Context {
                now,
                delivery: &route.delivery,
                lifetime: Lifetime {
                    fresh_since: seen.at,
                    fresh_for: policy.max_age,
                    stale_while_revalidate: policy.stale_while_revalidate,
                    stale_if_error: policy.stale_if_error,
                },
                outcome,
                vary: self.vary(),
                expires: self.expires,
                cache_tag: fields.cache_tag.clone(),
                canonical: fields.canonical.clone(),
                disposition: delivery.download.as_ref().map(|download| {
                    let name = download.file_name.as_deref().unwrap_or_else(|| path.file_name());
                    semantics::disposition::attachment(name, kept.extension)
                }),
                ignored_parameters: fields.ignored.clone(),
                server_timing: route.server_timing.then(|| note::server_timing(&kept.stages)).flatten(),
            },
        )
    }
}
