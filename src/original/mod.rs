//! The original that a request names: what is known of it, whether that still holds, and its bytes.
//!
//! One flight per original, whatever renditions are wanted of it. Composes `origin`, `cache` and `semantics`; does not know
//! pixels nor responses. Invariants: what an origin forbids to keep is not kept; what is used stale is so by the origin's or
//! the route's leave, and says so.

mod ask;
mod seen;
mod shared;

pub(crate) use ask::{Brought, Want};
pub(crate) use seen::{Original, Seen, View};

use crate::app::App;
use crate::cache::{Flights, Memory, Role};
use crate::error::{Error, Kind};
use crate::handler::Asked;
use crate::semantics::{Freshness, Outcome, Tier};
use bytes::Bytes;
use cache_key::SourceKey;
use http::HeaderValue;
use http::request::Parts;
use origin::Missing;
use origin::http::{CDN_LOOP, has_passed};
use std::sync::Arc;
use std::time::SystemTime;

/// How often a flight that ended without a result is started again for one request.
const ATTEMPTS: usize = 3;
/// Budget of what is known about originals: about 30,000 of them.
const SIGHTINGS: u64 = 32 << 20;

/// What a flight is for, and what has been purged before: who asks after a purge does not join a flight from before it.
pub(crate) type Flown = (SourceKey, Want, u64);

/// What is kept of originals between requests, and the flights that bring more.
#[derive(Debug)]
pub(crate) struct Originals {
    pub(crate) sightings: Memory<SourceKey, Arc<Seen>>,
    pub(crate) bytes: Memory<SourceKey, Arc<Original>>,
    pub(crate) flights: Flights<Flown, Result<Arc<Brought>, Error>>,
}

impl Originals {
    /// With a budget in bytes for the originals themselves.
    pub(crate) fn new(budget: u64) -> Self {
        Self {
            sightings: Memory::new(SIGHTINGS, |seen: &Arc<Seen>| seen.weight()),
            bytes: Memory::new(budget, |original: &Arc<Original>| original.bytes.len() as u64),
            flights: Flights::new(),
        }
    }

    /// What is known of the original, unless that was purged.
    fn known(&self, asked: &Asked) -> Option<Arc<Seen>> {
        self.sightings.get(&asked.reading.source).filter(|seen| seen.stamp.generation >= asked.since)
    }
}

/// An original as a request may use it.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    pub(crate) view: Arc<View>,
    /// Its bytes, where they came with the answer.
    pub(crate) bytes: Option<Bytes>,
    pub(crate) how: How,
    /// Whether the miss that it was has been counted against whoever asked.
    pub(crate) paid: bool,
}

/// By what right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// It is fresh, or was just looked at.
    Fresh,
    /// It is stale, and asked about behind the response.
    Stale,
    /// It is stale, and its origin failed when it was asked.
    Failing,
    /// Its origin was asked for this request, over HTTP, and said 304.
    NotModified,
    /// Likewise, and sent it.
    Sent,
}

impl How {
    /// What became of a request whose rendition was there.
    pub(crate) const fn outcome(self, tier: Tier) -> Outcome {
        match self {
            Self::Fresh => Outcome::Hit(tier),
            Self::Stale => Outcome::Stale(tier),
            Self::Failing => Outcome::StaleIfError(tier),
            Self::NotModified => Outcome::Revalidated { tier, again: false },
            Self::Sent => Outcome::Revalidated { tier, again: true },
        }
    }
}

impl Looked {
    fn known(view: Arc<View>, how: How) -> Self {
        Self { view, bytes: None, how, paid: false }
    }
}

/// The original as last seen if that still holds, else as its origin has it now.
pub(crate) async fn see(app: &App, asked: &Asked, request: &Parts, now: SystemTime) -> Result<Looked, Error> {
    let reading = &asked.reading;
    if let Some(view) = reading.view().filter(|view| view.is_fresh(now) && view.seen.stamp.generation >= asked.since) {
        return Ok(Looked::known(view, How::Fresh));
    }
    let known = app.originals.known(asked);
    let view = match known.map(|seen| View::new(app.check, &reading.route, seen)) {
        Some(Err(gone)) if gone.is_fresh(now) => return Err(gone.missing.into()),
        Some(Ok(view)) => Some(Arc::new(view)),
        _ => None,
    };
    if let Some(view) = &view {
        match view.freshness(now) {
            Freshness::Fresh => {
                reading.saw(view);
                return Ok(Looked::known(Arc::clone(view), How::Fresh));
            }
            Freshness::StaleWhileRevalidate => {
                if !view.seen.failed_lately(now) {
                    ask::refresh(app, asked, came_by(asked, request, app)?);
                }
                return Ok(Looked::known(Arc::clone(view), How::Stale));
            }
            Freshness::StaleIfError if view.seen.failed_lately(now) => {
                return Ok(Looked::known(Arc::clone(view), How::Failing));
            }
            Freshness::StaleIfError | Freshness::Expired => {}
        }
    }
    // In a box of its own: a hit shall not carry the room that a fetch needs.
    let paid = view.is_none() && reading.route.asks();
    match Box::pin(look(app, asked, came_by(asked, request, app)?, paid)).await {
        Ok(brought) => found(app, asked, &brought).map(|looked| Looked { paid, ..looked }),
        Err(error) => match view {
            Some(view) if error.is_the_origins() && view.may_stand_in(now) => Ok(Looked::known(view, How::Failing)),
            _ => Err(error),
        },
    }
}

/// The bytes of the original, with what is then known of it: it may have changed since it was seen.
pub(crate) async fn bytes(
    app: &App,
    asked: &Asked,
    looked: Looked,
    came_by: Option<HeaderValue>,
) -> Result<(Arc<View>, Bytes), Error> {
    if let Some(bytes) = looked.bytes {
        return Ok((looked.view, bytes));
    }
    let kept = app.originals.bytes.get(&asked.reading.source);
    if let Some(kept) = kept.filter(|kept| kept.version == looked.view.sighting.version) {
        return Ok((looked.view, kept.bytes.clone()));
    }
    let brought = bring(app, asked, Want::Bytes, came_by, false).await?;
    let found = found(app, asked, &brought)?;
    let bytes = found.bytes.ok_or(Kind::Abandoned)?;
    Ok((found.view, bytes))
}

/// The way that a request came, for the request to the origin.
///
/// # Errors
/// It has been here before.
pub(crate) fn came_by(asked: &Asked, request: &Parts, app: &App) -> Result<Option<HeaderValue>, Error> {
    if !asked.reading.route.asks() {
        return Ok(None);
    }
    if has_passed(&request.headers, &app.name) {
        return Err(Missing::Loop.into());
    }
    Ok(request.headers.get(CDN_LOOP).cloned())
}

/// What is known now, by an origin or by another instance that asked it.
async fn look(app: &App, asked: &Asked, came_by: Option<HeaderValue>, counted: bool) -> Result<Arc<Brought>, Error> {
    let brought = bring(app, asked, Want::Look, came_by.clone(), counted).await?;
    // Another instance's word may have been enough for a route of other rules, whose request led.
    if brought.asked || shared::holds(app, asked, &brought.seen) {
        return Ok(brought);
    }
    bring(app, asked, Want::Ask, came_by, counted).await
}

/// `counted`: against whoever leads, as a miss.
async fn bring(
    app: &App,
    asked: &Asked,
    want: Want,
    came_by: Option<HeaderValue>,
    counted: bool,
) -> Result<Arc<Brought>, Error> {
    for _ in 0..ATTEMPTS {
        let work = |interest| {
            let (app, asked, came_by) = (app.clone(), asked.clone(), came_by.clone());
            async move {
                if let Some(recalled) = shared::recall(&app, &asked, want).await {
                    return Some(Ok(recalled));
                }
                if counted
                    && let Some(payer) = asked.payer()
                    && let Err(limited) = app.limits.charge(payer).await
                {
                    return Some(Err(limited.into()));
                }
                ask::fly(app, asked, want, came_by, interest).await
            }
        };
        match app.originals.flights.join((asked.reading.source, want, asked.since), work).await {
            // It was whoever led that asked for too much: this request may lead.
            (Some(Err(error)), Role::Follow) if error.is_about_who_asked() => {}
            (Some(result), _) => return result,
            (None, _) => {}
        }
    }
    Err(Kind::Abandoned.into())
}

/// What was brought, as the request's route sees it.
fn found(app: &App, asked: &Asked, brought: &Brought) -> Result<Looked, Error> {
    let route = &asked.reading.route;
    let view = Arc::new(View::new(app.check, route, Arc::clone(&brought.seen)).map_err(|gone| gone.missing)?);
    if view.storable {
        asked.reading.saw(&view);
    }
    let how = match (view.seen.was_told() && brought.asked, &brought.bytes) {
        (false, _) => How::Fresh,
        (true, None) => How::NotModified,
        (true, Some(_)) => How::Sent,
    };
    Ok(Looked { view, bytes: brought.bytes.clone(), how, paid: false })
}
