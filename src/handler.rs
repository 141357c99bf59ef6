//! THE HIT PATH: verify → read → negotiate → key → look up → respond. A miss goes to [`crate::fill`].
//!
//! Knows what a request means; sockets, pixels and tiers are elsewhere. Nothing is parsed before it is verified.

use crate::app::App;
use crate::cache::{Share, Stamp};
use crate::error::{Error, Kind};
use crate::fill;
use crate::kept::Kept;
use crate::limit::Payer;
use crate::original::{self, View};
use crate::reading::{Client, Reading};
use crate::route::Route;
use crate::semantics::{self, Context, Outcome, Request, Tier, Vary, note};
use crate::srcset;
use crate::stand_in;
use crate::tenant::NotTheirs;
use bytes::Bytes;
use cache_key::{FormatClass, OriginalVersion, RenditionKey, Variant};
use http::Response;
use http::request::Parts;
use imaging::{Rendition, Setup};
use signature::Verified;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long others may keep what is served stale for want of room.
const BRIEFLY: Duration = Duration::from_secs(10);

/// A request for a picture, understood.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) reading: Arc<Reading>,
    client: Client,
    expires: Option<SystemTime>,
    /// What is older has been purged.
    pub(crate) since: u64,
    share: Share,
    /// The page that it is for may not show it.
    hotlink: bool,
    /// The client's; `None` for what nobody asks by a request.
    address: Option<IpAddr>,
    verified: Option<Verified>,
}

/// Where a request comes from, as far as proxies that are believed tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    /// The client's.
    pub(crate) address: IpAddr,
    /// That it asked for.
    pub(crate) host: Option<&'a str>,
}

/// A request that does not get its picture.
pub(crate) struct Refused {
    pub(crate) error: Error,
    pub(crate) vary: Vary,
    /// What it gets instead of a problem document.
    pub(crate) shown: Option<Response<Bytes>>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self { error, vary: Vary::NOTHING, shown: None }
    }
}

/// Answers a request for the picture that the route calls `rest`.
pub(crate) async fn picture(
    app: &App,
    route: &Arc<Route>,
    rest: &str,
    request: &Parts,
    from: Sender<'_>,
    now: SystemTime,
) -> Result<(Response<Bytes>, Outcome), Refused> {
    let asked = ask(app, route, rest, request, from, now).map_err(Refused::from)?;
    let answer = async {
        if asked.hotlink {
            return Err(Kind::Hotlink.into());
        }
        let looked = original::see(app, &asked, request, now).await?;
        let key = asked.key(&looked.view);
        let kept = app.renditions.part(asked.share()).get(&key).filter(|kept| kept.stamp.generation >= asked.since);
        let (kept, outcome) = match kept {
            Some(kept) => (kept, looked.how.outcome(Tier::Memory)),
            // In a box of its own: a hit shall not carry the room that a miss needs.
            None => Box::pin(fill::fill(app, &asked, key, request, &looked)).await?,
        };
        Ok((asked.respond(request, &kept, &looked.view, outcome, now), outcome))
    };
    match answer.await {
        Ok(answered) => Ok(answered),
        Err(error) => {
            if let Some(stale) = stale(app, &asked, &error, request, now) {
                return Ok(stale);
            }
            let (seen, vary) = (Request { method: &request.method, headers: &request.headers }, asked.vary());
            let shown = stand_in::show(app, &asked, &error, seen, vary).await;
            Err(Refused { error, vary, shown })
        }
    }
}

/// The rendition of the original as it was before it changed, where there is no room to make the new one.
fn stale(
    app: &App,
    asked: &Asked,
    error: &Error,
    request: &Parts,
    now: SystemTime,
) -> Option<(Response<Bytes>, Outcome)> {
    let (view, key) = asked.reading.former(asked.client).filter(|_| error.is_for_want_of_room())?;
    let kept = app.renditions.part(asked.share()).get(&key).filter(|kept| kept.stamp.generation >= asked.since)?;
    if !view.may_be_used_stale(now) {
        return None;
    }
    let outcome = Outcome::StaleIfError(Tier::Memory);
    let asked =
        Asked { expires: Some(asked.expires.map_or(now + BRIEFLY, |at| at.min(now + BRIEFLY))), ..asked.clone() };
    Some((asked.respond(request, &kept, &view, outcome, now), outcome))
}

fn ask(
    app: &App,
    route: &Arc<Route>,
    rest: &str,
    request: &Parts,
    from: Sender<'_>,
    now: SystemTime,
) -> Result<Asked, Error> {
    let verified = app.guard.verify(request, from.host, route.signing, now)?;
    let tenant = app.tenants.owner(request.uri.path(), verified.as_ref().map(Verified::tenant), &app.nobody);
    let tenant = tenant.map_err(|NotTheirs| Error::from(Kind::Refused(signature::Refused::Prefix)))?;
    let reading = app.readings.read(&request.uri, route, rest, tenant, verified.is_some(), app.renderer.setup())?;
    let client = reading.client(&request.headers);
    let expires = verified.as_ref().and_then(Verified::expires).map(Duration::from_secs);
    let since = reading.since(&app.fleet.marks);
    let expires = expires.and_then(|since| UNIX_EPOCH.checked_add(since));
    let share = app.tenants.share(tenant);
    let hotlink = route.referrers.as_ref().is_some_and(|rule| !rule.admit(&request.headers, from.host));
    let address = Some(from.address);
    Ok(Asked { reading, client, since, expires, share, hotlink, address, verified })
}

impl Asked {
    /// For what nobody asks by a request.
    pub(crate) fn of(reading: Arc<Reading>, client: Client, app: &App) -> Self {
        let (since, share) = (reading.since(&app.fleet.marks), app.tenants.share(reading.tenant()));
        Self { reading, client, since, expires: None, share, hotlink: false, address: None, verified: None }
    }

    /// The same for clients of another class.
    pub(crate) fn for_class(&self, class: FormatClass) -> Self {
        Self { client: Client { class, ..self.client }, ..self.clone() }
    }

    /// What counts of the client.
    pub(crate) fn client(&self) -> Client {
        self.client
    }

    /// Which part of memory has its renditions.
    pub(crate) fn share(&self) -> Share {
        self.share
    }

    /// Names the rendition.
    pub(crate) fn key(&self, view: &View) -> RenditionKey {
        self.reading.key(self.client, &view.sighting.version)
    }

    /// Names what is shown instead of its original.
    pub(crate) fn stand_in_key(&self, version: &OriginalVersion) -> RenditionKey {
        self.reading.stand_in_key(self.client, version)
    }

    /// Who answers for the miss that it may be, if anybody.
    pub(crate) fn payer(&self) -> Option<Payer<'_>> {
        let key = self.verified.as_ref().map(|verified| &**verified.key_id());
        self.address.map(|address| Payer { address, key })
    }

    /// What is asked of the engine.
    pub(crate) fn variant(&self) -> Arc<Variant> {
        self.reading.variant(self.client)
    }

    /// Puts in what is told of the picture's URLs, where that is asked.
    pub(crate) fn complete(&self, rendition: &mut Rendition, setup: &Setup) -> Result<(), Error> {
        let Reading { route, path, .. } = &*self.reading;
        srcset::complete(rendition, &self.variant().transform, (route, path), setup)
    }

    /// What the work for this request bears: taken when the work begins.
    pub(crate) fn stamp(&self, app: &App) -> Stamp {
        Stamp { generation: app.fleet.marks.generation(), label: Arc::clone(&self.reading.label) }
    }

    fn vary(&self) -> Vary {
        self.reading.vary
    }

    fn respond(&self, request: &Parts, kept: &Kept, view: &View, outcome: Outcome, now: SystemTime) -> Response<Bytes> {
        let Reading { route, path, delivery, fields, .. } = &*self.reading;
        // What stands in for something better is not kept for longer than that will take.
        let stands_in = matches!(outcome, Outcome::Deferred { .. });
        let ends = stands_in.then(|| route.deferred.unwrap_or(BRIEFLY)).and_then(|most| now.checked_add(most));
        let expires = ends.map_or(self.expires, |ends| Some(self.expires.map_or(ends, |expires| expires.min(ends))));
        semantics::respond(
            Request { method: &request.method, headers: &request.headers },
            &kept.representation,
            Context {
                // An original that was asked for meanwhile is not from the future.
                now: now.max(view.seen.at),
                delivery: &route.delivery,
                lifetime: view.told,
                said: view.said.as_ref(),
                outcome,
                vary: self.vary(),
                expires,
                cache_tag: fields.cache_tag.clone(),
                canonical: fields.canonical.clone(),
                disposition: delivery.download.as_ref().map(|download| {
                    let name = download.file_name.as_deref().unwrap_or_else(|| path.file_name());
                    semantics::disposition::attachment(name, &kept.extension)
                }),
                ignored_parameters: fields.ignored.clone(),
                server_timing: route.server_timing.then(|| note::server_timing(&kept.stages)).flatten(),
            },
        )
    }
}
