//! Asking the origins of a route, one after the other, and keeping what they say.
//!
//! The work of one flight. Invariant: what is asked does not depend on who asks; what must not be kept is not, and takes
//! what was kept before with it.

use super::seen::{Original, Seen, Told};
use super::shared;
use crate::app::App;
use crate::cache::{Interest, Stamp, Turn};
use crate::error::Error;
use crate::handler::Asked;
use crate::semantics::{Terms, refresh as head};
use crate::step::step;
use bytes::Bytes;
use cache_key::{OriginalVersion, SourceKey};
use http::HeaderValue;
use origin::file::FileOrigin;
use origin::{Asking, Cause, Found, Missing, Origin, Phase, Reply, Server, Sighting, Trouble};
use std::sync::Arc;
use std::time::SystemTime;
use tracing::Instrument as _;

/// What a flight is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Want {
    /// To know whether what is known still holds. The bytes come along where it does not.
    Look,
    /// Likewise, by an origin, whatever other instances know.
    Ask,
    /// The bytes.
    Bytes,
}

/// What a flight brings.
#[derive(Clone, Debug)]
pub(crate) struct Brought {
    pub(crate) seen: Arc<Seen>,
    pub(crate) bytes: Option<Bytes>,
    /// Whether an origin was asked for it.
    pub(crate) asked: bool,
}

type Landed = Option<Result<Arc<Brought>, Error>>;

/// Asks about a stale original; nobody waits for the answer.
pub(super) fn refresh(app: &App, asked: &Asked, came_by: Option<HeaderValue>) {
    let work = |_nobody_waits| {
        let (app, asked) = (app.clone(), asked.clone());
        async move { Some(ask(&app, &asked, Want::Look, came_by.as_ref()).await) }
    };
    app.originals.flights.start((asked.reading.source, Want::Look, asked.since), work);
}

/// Dropped as soon as nobody waits for it any more.
pub(super) async fn fly(
    app: App,
    asked: Asked,
    want: Want,
    came_by: Option<HeaderValue>,
    interest: Interest<super::Flown, Result<Arc<Brought>, Error>>,
) -> Landed {
    tokio::select! {
        biased;
        result = ask(&app, &asked, want, came_by.as_ref()) => Some(result),
        () = interest.abandoned() => None,
    }
}

async fn ask(app: &App, asked: &Asked, want: Want, came_by: Option<&HeaderValue>) -> Result<Arc<Brought>, Error> {
    let source = asked.reading.source;
    let holding = match shared::turn(app, asked, want).await {
        Turn::Found(brought) => return Ok(brought),
        Turn::Work(holding) => holding,
    };
    let known = app.originals.known(asked);
    match first(app, asked, want, known.as_deref(), came_by).await {
        Ok(brought) => {
            keep(app, source, &brought);
            shared::tell(app, asked, &brought, holding);
            Ok(Arc::new(brought))
        }
        Err(missing) => {
            app.metrics.fetch(match missing {
                Missing::Failed(_) | Missing::Loop => "failed",
                _ => "refused",
            });
            // Others need not wait for what does not come.
            holding.nothing();
            if let (Some(known), Missing::Failed(_)) = (known, &missing) {
                let now = Some((app.clock.wall)());
                app.originals.sightings.insert(source, Arc::new(Seen { failed_at: now, ..(*known).clone() }));
            }
            Err(missing.into())
        }
    }
}

/// The first origin that has it. Where none has, a failure counts more than an absence: it may be there.
async fn first(
    app: &App,
    asked: &Asked,
    want: Want,
    known: Option<&Seen>,
    came_by: Option<&HeaderValue>,
) -> Result<Brought, Missing> {
    let reading = &asked.reading;
    // Before anybody is asked: a purge meanwhile makes void what comes of it.
    let stamp = asked.stamp(app);
    let mut absent = None;
    let mut failed = None;
    for (number, origin) in reading.route.origins.iter().enumerate() {
        let result = match &**origin {
            Origin::File(folder) => from_folder(app, folder, reading.path.as_str(), want, &stamp).await,
            Origin::Server(server) => {
                let told = known.and_then(|seen| Some((seen, seen.told.as_ref()?)));
                let known =
                    told.filter(|(seen, told)| want != Want::Bytes && told.origin == number && seen.found.is_ok());
                let conditions = known.map(|(_, told)| head::conditions(&told.fields));
                let asking = Asking {
                    path: reading.path.as_str(),
                    known: conditions.as_ref().zip(known).map(|(fields, (_, told))| (fields, &*told.place)),
                    cdn_loop: came_by,
                    timeout: reading.route.fetch_timeout,
                };
                let asked = from_server(app, server, asking, known, number, &stamp);
                asked.instrument(step!("fetch", origin = number)).await
            }
        };
        match result {
            Ok(Brought { seen, .. }) if seen.found.is_err() => {
                absent = Some(Ok(Brought { seen, bytes: None, asked: true }));
            }
            Err(missing @ Missing::NotFound) => absent = absent.or(Some(Err(missing))),
            Err(missing @ Missing::Failed(_)) => failed = failed.or(Some(missing)),
            decided => return decided,
        }
    }
    match failed {
        Some(missing) => Err(missing),
        None => absent.unwrap_or(Err(Missing::NotFound)),
    }
}

async fn from_folder(
    app: &App,
    folder: &FileOrigin,
    path: &str,
    want: Want,
    stamp: &Stamp,
) -> Result<Brought, Missing> {
    let (sighting, bytes) = match want {
        Want::Look | Want::Ask => (folder.look(path).await?, None),
        Want::Bytes => {
            let original = folder.fetch(path).await?;
            (original.sighting, Some(original.bytes))
        }
    };
    let (at, stamp) = ((app.clock.wall)(), stamp.clone());
    let seen = Seen { found: Ok(sighting), at, told: None, failed_at: None, stamp };
    Ok(Brought { seen: Arc::new(seen), bytes, asked: true })
}

async fn from_server(
    app: &App,
    server: &Server,
    asking: Asking<'_>,
    known: Option<(&Seen, &Told)>,
    origin: usize,
    stamp: &Stamp,
) -> Result<Brought, Missing> {
    let reply = server.get(asking).await?;
    // A 304 that speaks of something else tells nothing: ask without conditions.
    let of_another = matches!(reply.found, Found::NotModified)
        && known.is_some_and(|(_, told)| !head::is_about(&told.fields, &reply.headers));
    let reply = if of_another { server.get(Asking { known: None, ..asking }).await? } else { reply };
    let known = known.filter(|_| !of_another);
    let Reply { found, headers, place, requested, received } = reply;
    let seen = |found, fields: http::HeaderMap| {
        let terms = Terms::read(&fields, requested, received);
        let told = Some(Told { terms, fields, place, origin });
        Arc::new(Seen { found, at: received, told, failed_at: None, stamp: stamp.clone() })
    };
    match (found, known) {
        (Found::Original(bytes, hash), _) => {
            app.metrics.fetch("fetched");
            let sighting = sighting(&hash, &headers, bytes.len());
            Ok(Brought { seen: seen(Ok(sighting), head::keep(&headers)), bytes: Some(bytes), asked: true })
        }
        (Found::NotModified, Some((Seen { found, .. }, told))) => {
            app.metrics.fetch("not-modified");
            Ok(Brought { seen: seen(found.clone(), head::update(&told.fields, &headers)), bytes: None, asked: true })
        }
        (Found::NotModified, None) => {
            Err(Trouble::new(Phase::Response, Cause::Status(304), "without conditions").into())
        }
        (Found::Nothing(missing), _) => {
            app.metrics.fetch("absent");
            Ok(Brought { seen: seen(Err(missing), head::keep(&headers)), bytes: None, asked: true })
        }
    }
}

/// By its content: an origin's tags may change while the bytes do not, and the other way round.
fn sighting(hash: &[u8; 32], headers: &http::HeaderMap, len: usize) -> Sighting {
    let modified: Option<SystemTime> = head::modified(headers);
    Sighting { version: OriginalVersion::from_content_hash(hash), modified, len: len as u64 }
}

fn keep(app: &App, source: SourceKey, brought: &Brought) {
    let super::Originals { sightings, bytes, .. } = &app.originals;
    if !brought.seen.is_storable() {
        sightings.remove(&source);
        bytes.remove(&source);
        return;
    }
    sightings.insert(source, Arc::clone(&brought.seen));
    match (&brought.seen.found, &brought.bytes) {
        // Files are kept by the kernel.
        (Ok(sighting), Some(fresh)) if brought.seen.was_told() => {
            let original = Original { version: sighting.version.clone(), bytes: fresh.clone() };
            bytes.insert(source, Arc::new(original));
        }
        (Err(_), _) => bytes.remove(&source),
        _ => {}
    }
}
