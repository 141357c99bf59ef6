//! THE MISS PATH: fly → look into the far tiers → have the original → admit → render → store.
//!
//! Knows the order of things and who waits; making is in [`crate::making`].

use crate::app::App;
use crate::cache::{Holding, Interest, Role, Stamp, Turn};
use crate::deferred;
use crate::error::{Error, Kind};
use crate::handler::Asked;
use crate::kept::Kept;
use crate::making::{self, Prepared, Source};
use crate::original::{self, Looked, View};
use crate::render::Class;
use crate::semantics::{Outcome, Tier};
use crate::shelf::{Found, Shelf};
use crate::stand_in::StandIn;
use crate::step::step;
use bytes::Bytes;
use cache_key::RenditionKey;
use http::request::Parts;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument as _;

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
    let begun = tokio::select! {
        biased;
        begun = begin(&app, &asked, &shelf, source) => begun,
        () = interest.abandoned() => return None,
    };
    match begun {
        Err(error) => Some(Err(error)),
        Ok(Begun::Found(landed)) => Some(Ok(landed)),
        Ok(Begun::PutOff(view, bytes)) => {
            let (now, later) = (app.clone(), asked.clone());
            attended(&app, &interest, deferred::answer(now, later, key, view, bytes)).await
        }
        Ok(Begun::Ready(prepared, holding)) => {
            attended(&app, &interest, finish(&app, &asked, &shelf, *prepared, holding)).await
        }
    }
}

/// What a flight knows when it can no longer be abandoned.
enum Begun {
    Found(Landed),
    /// Something quicker is given meanwhile.
    PutOff(Arc<View>, Bytes),
    Ready(Box<Prepared>, Holding),
}

/// All that comes before the render. Dropped, it gives up its turn.
async fn begin(app: &App, asked: &Asked, shelf: &Shelf<'_>, source: Source) -> Result<Begun, Error> {
    let holding = match shelf.turn().instrument(step!("look below")).await {
        Turn::Found(found) => return Ok(Begun::Found(found.into())),
        Turn::Work(holding) => holding,
    };
    let ((), holding) = holding.or_nothing(pay(app, asked, &source).await)?;
    let (read, holding) = holding.or_nothing(making::read(app, asked, source).await)?;
    if let Some(view) = &read.view
        && (deferred::is_due(app, asked, view, &read.bytes) || deferred::gives_way(app, asked, &read.bytes))
    {
        holding.nothing();
        return Ok(Begun::PutOff(Arc::clone(view), read.bytes));
    }
    let admitted = making::admit(app, asked, read, asked.variant(), Class::Live).await;
    let (prepared, holding) = holding.or_nothing(admitted)?;
    Ok(Begun::Ready(Box::new(prepared), holding))
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

/// The render, and where its result goes.
async fn finish(app: &App, asked: &Asked, shelf: &Shelf<'_>, prepared: Prepared, holding: Holding) -> Filled {
    let ((kept, view), holding) = holding.or_nothing(making::make(app, asked, prepared).await)?;
    let kept = Arc::new(kept.stamped(shelf.stamp.clone()));
    app.tenants.spend(asked.reading.tenant(), kept.representation.body().len() as u64);
    let key = match view {
        None => Some(shelf.key),
        // Under the version that was in fact read: the original may have changed since it was looked at.
        Some(view) => view.storable.then(|| asked.key(&view)),
    };
    shelf.keep(key, &kept, asked.reading.source, holding);
    Ok(Landed { kept, found: None, deferred: false })
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
