//! THE MISS PATH: fly → look into the far tiers → have the original → admit → render → store.
//!
//! Knows the order of things; how each is done is elsewhere. A permit is asked for only when the original is here.

use crate::app::App;
use crate::cache::{Ending, Holding, Interest, Role, Stamp, Turn};
use crate::deferred;
use crate::error::{Error, Kind};
use crate::handler::Asked;
use crate::kept::Kept;
use crate::original::{self, Looked, View};
use crate::render::{Admitted, Class};
use crate::semantics::{LastModified, Outcome, Tier};
use crate::shelf::{Found, Shelf};
use crate::stand_in::StandIn;
use crate::step::step;
use bytes::Bytes;
use cache_key::{RenditionKey, Variant};
use http::HeaderValue;
use http::request::Parts;
use imaging::Rendition;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

/// How often a flight that ended without a result is started again for one request.
const ATTEMPTS: usize = 3;

/// How often a render that nobody waits for looks whether it is in somebody's way.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What a flight of a rendition ends with.
pub(crate) type Filled = Result<Landed, Error>;

/// A rendition, and the tier that had it if it was not made.
#[derive(Clone, Debug)]
pub(crate) struct Landed {
    pub(crate) kept: Arc<Kept>,
    pub(crate) found: Option<Tier>,
    /// Whether it stands in for what is put off.
    pub(crate) deferred: bool,
}

/// Of what a rendition is made.
#[derive(Clone)]
pub(crate) enum Source {
    /// The original as it was seen, and the way that the request for it came.
    Original(Looked, Option<HeaderValue>),
    /// What the route shows instead of it.
    StandIn(Arc<StandIn>),
}

/// The rendition, made by this request or by another that asked first.
pub(crate) async fn fill(
    app: &App,
    asked: &Asked,
    key: RenditionKey,
    request: &Parts,
    looked: &Looked,
) -> Result<(Arc<Kept>, Outcome), Error> {
    if let Some(quick) = app.lane.quick(&key, (app.clock.wall)(), asked.since) {
        return Ok((quick, Outcome::Deferred { tier: Some(Tier::Memory) }));
    }
    let source = Source::Original(looked.clone(), original::came_by(asked, request, app)?);
    let (Landed { kept, found, deferred }, role) = board(app, asked, key, &source).await?;
    let outcome = match (found, role) {
        (tier, _) if deferred => Outcome::Deferred { tier },
        (Some(tier), _) => looked.how.outcome(tier),
        (None, Role::Lead) => Outcome::Miss { stored: looked.view.storable },
        (None, Role::Follow) => Outcome::Collapsed,
    };
    Ok((kept, outcome))
}

/// The picture that is shown instead, made as the URL asks.
pub(crate) async fn stand_in(app: &App, asked: &Asked, picture: &Arc<StandIn>) -> Result<Arc<Kept>, Error> {
    let key = asked.stand_in_key(&picture.version);
    match app.renditions.part(asked.share()).get(&key) {
        Some(kept) => Ok(kept),
        None => board(app, asked, key, &Source::StandIn(Arc::clone(picture))).await.map(|(landed, _)| landed.kept),
    }
}

/// A rendition whose original is here, from wherever it is, or made.
pub(crate) async fn kept_or_made(app: &App, asked: &Asked, key: RenditionKey, looked: Looked) -> Filled {
    board(app, asked, key, &Source::Original(looked, None)).await.map(|(landed, _)| landed)
}

async fn board(app: &App, asked: &Asked, key: RenditionKey, source: &Source) -> Result<(Landed, Role), Error> {
    for _ in 0..ATTEMPTS {
        let work = |interest| fly(app.clone(), asked.clone(), key, source.clone(), interest);
        match app.fills.join(key, work).await {
            // It was whoever led that asked for too much: this request may lead.
            (Some(Err(error)), Role::Follow) if error.is_about_who_asked() => {}
            (Some(result), role) => return result.map(|landed| (landed, role)),
            (None, _) => {}
        }
    }
    Err(Kind::Abandoned.into())
}

/// The flight's work. Until the render begins it is dropped as soon as nobody waits for it any more.
async fn fly(
    app: App,
    asked: Asked,
    key: RenditionKey,
    source: Source,
    interest: Interest<RenditionKey, Filled>,
) -> Option<Filled> {
    let shelf = shelf(&app, &asked, key, &source);
    // Another flight may have landed between this request's look-up and its turn to lead.
    if let Some(found) = shelf.at_hand() {
        return Some(Ok(found.into()));
    }
    let begin = async {
        match shelf.turn().instrument(step!("look below")).await {
            Turn::Found(found) => Ok(Begun::Found(found.into())),
            Turn::Work(holding) => match prepare(&app, &asked, source).await {
                Ok(Begun::Prepared(prepared, _)) => Ok(Begun::Prepared(prepared, holding)),
                Ok(other) => {
                    nothing(holding);
                    Ok(other)
                }
                Err(error) => Err((error, holding)),
            },
        }
    };
    let begun = tokio::select! {
        biased;
        begun = begin => begun,
        () = interest.abandoned() => return None,
    };
    match begun {
        Ok(Begun::Found(landed)) => Some(Ok(landed)),
        Ok(Begun::PutOff(view, bytes)) => {
            let (now, later) = (app.clone(), asked.clone());
            attended(&app, &interest, deferred::answer(now, later, key, view, bytes)).await
        }
        Ok(Begun::Prepared(prepared, holding)) => {
            attended(&app, &interest, finish(&app, &asked, &shelf, *prepared, holding)).await
        }
        Err((error, holding)) => Some(failed(error, holding)),
    }
}

/// Counts the miss against whoever asked, unless that is done.
async fn pay(app: &App, asked: &Asked, source: &Source) -> Result<(), Error> {
    if let Source::Original(..) = source {
        app.tenants.charge(asked.reading.tenant())?;
    }
    match (source, asked.payer()) {
        (Source::Original(Looked { paid: false, .. }, _), Some(payer)) => Ok(app.limits.charge(payer).await?),
        _ => Ok(()),
    }
}

/// The end of a render. One that nobody waits for any more goes on, for the next who asks, unless somebody else waits for
/// its thread: then it is given up.
async fn attended(
    app: &App,
    interest: &Interest<RenditionKey, Filled>,
    work: impl Future<Output = Filled>,
) -> Option<Filled> {
    let mut work = pin!(work);
    let in_the_way = async || loop {
        interest.deserted().await;
        if app.renderer.admission().waiting() > 0 {
            return;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    };
    loop {
        tokio::select! {
            biased;
            result = &mut work => return Some(result),
            () = in_the_way() => {
                if interest.give_up() {
                    app.metrics.given_up();
                    return None;
                }
            }
        }
    }
}

/// Nothing will be there for instances that wait: they go their own ways, at once.
fn nothing(holding: Option<Holding>) {
    if let Some(holding) = holding {
        holding.end(Ending::Nothing);
    }
}

fn failed(error: Error, holding: Option<Holding>) -> Filled {
    nothing(holding);
    Err(error)
}

/// What a flight knows when it can no longer be abandoned.
enum Begun {
    Found(Landed),
    /// Something quicker is given meanwhile.
    PutOff(Arc<View>, Bytes),
    Prepared(Box<Prepared>, Option<Holding>),
}

impl From<Found> for Landed {
    fn from((kept, tier): Found) -> Self {
        Self { kept, found: Some(tier), deferred: false }
    }
}

fn shelf<'a>(app: &'a App, asked: &Asked, key: RenditionKey, source: &Source) -> Shelf<'a> {
    match source {
        Source::Original(looked, _) => Shelf {
            app,
            key,
            share: asked.share(),
            stamp: asked.stamp(app),
            since: asked.since,
            storable: looked.view.storable,
        },
        // One for all paths: no purge of a path concerns it.
        Source::StandIn(_) => {
            let stamp = Stamp { generation: app.fleet.marks.generation(), ..Stamp::default() };
            Shelf { app, key, share: asked.share(), stamp, since: 0, storable: true }
        }
    }
}

/// An original that is here.
pub(crate) struct Read {
    pub(crate) bytes: Bytes,
    /// The original as it was read; `None` for a stand-in.
    pub(crate) view: Option<Arc<View>>,
    fetched: Duration,
}

/// An original with, where its rendition allows for it, a permit to make that.
pub(crate) struct Prepared {
    pub(crate) read: Read,
    admitted: Option<Admitted>,
}

async fn prepare(app: &App, asked: &Asked, source: Source) -> Result<Begun, Error> {
    pay(app, asked, &source).await?;
    let read = read(app, asked, source).await?;
    match &read.view {
        Some(view) if deferred::is_due(app, asked, view, &read.bytes) => {
            Ok(Begun::PutOff(Arc::clone(view), read.bytes))
        }
        _ => {
            let prepared = admit(app, asked, read, asked.variant(), Class::Live).await?;
            Ok(Begun::Prepared(Box::new(prepared), None))
        }
    }
}

/// Has the original.
pub(crate) async fn read(app: &App, asked: &Asked, source: Source) -> Result<Read, Error> {
    let began = (app.clock.tick)();
    let (view, bytes) = match source {
        Source::Original(looked, came_by) => {
            let (view, bytes) = original::bytes(app, asked, looked, came_by).instrument(step!("original")).await?;
            (Some(view), bytes)
        }
        Source::StandIn(picture) => (None, picture.bytes.clone()),
    };
    Ok(Read { bytes, view, fetched: (app.clock.tick)() - began })
}

/// Waits for a permit.
pub(crate) async fn admit(
    app: &App,
    asked: &Asked,
    read: Read,
    variant: Arc<Variant>,
    class: Class,
) -> Result<Prepared, Error> {
    let admitted = match asked.reading.route.originals {
        true => None,
        false => {
            let admit = app.renderer.admit(read.bytes.clone(), variant, class, asked.reading.tenant());
            Some(admit.instrument(step!("queue")).await?)
        }
    };
    Ok(Prepared { read, admitted })
}

async fn finish(app: &App, asked: &Asked, shelf: &Shelf<'_>, prepared: Prepared, holding: Option<Holding>) -> Filled {
    let (kept, view) = match make(app, asked, prepared).await {
        Ok((kept, view)) => (Arc::new(kept.stamped(shelf.stamp.clone())), view),
        Err(error) => return failed(error, holding),
    };
    app.tenants.spend(asked.reading.tenant(), kept.representation.body().len() as u64);
    let key = match view {
        None => Some(shelf.key),
        // Under the version that was in fact read: the original may have changed since it was looked at.
        Some(view) => view.storable.then(|| asked.key(&view)),
    };
    shelf.keep(key, &kept, asked.reading.source, holding);
    Ok(Landed { kept, found: None, deferred: false })
}

/// What a render has been.
fn tell(span: &Span, rendition: &Rendition) {
    if !span.is_disabled() {
        let millis = |took: Duration| took.as_secs_f64() * 1e3;
        let times = &rendition.timings;
        span.record("decode_ms", millis(times.decode)).record("transform_ms", millis(times.transform));
        span.record("encode_ms", millis(times.encode)).record("format", rendition.extension());
    }
}

/// Makes the rendition, of the original that was in fact read.
pub(crate) async fn make(app: &App, asked: &Asked, prepared: Prepared) -> Result<(Kept, Option<Arc<View>>), Error> {
    let Prepared { read: Read { bytes, view, fetched }, admitted } = prepared;
    let now = (app.clock.wall)();
    let modified = view.as_ref().and_then(|view| LastModified::new(view.sighting.modified?, now));
    let kept = match admitted {
        None => Kept::untouched(bytes, view.as_ref().and_then(|view| view.media_type()), modified, fetched),
        Some(admitted) => {
            let span = step!("render", decode_ms = Empty, transform_ms = Empty, encode_ms = Empty, format = Empty);
            let mut rendered = app.renderer.render(admitted).instrument(span.clone()).await?;
            tell(&span, &rendered.rendition);
            // A stand-in is one for all paths: it names none.
            if view.is_some() {
                asked.complete(&mut rendered.rendition, app.renderer.setup())?;
            }
            Kept::rendered(rendered, modified, fetched)
        }
    };
    for (stage, took) in &kept.stages {
        app.metrics.stage(stage, *took);
    }
    app.metrics.fill(kept.extension.clone());
    Ok((kept, view))
}
