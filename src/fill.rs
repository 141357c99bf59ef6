//! THE MISS PATH: look at the original → fly → fetch → admit → render → store.
//!
//! Knows the order of things; how each is done is elsewhere. A permit is asked for only when the original is here.

use crate::app::App;
use crate::cache::{Interest, Role};
use crate::error::{Error, Kind};
use crate::handler::Asked;
use crate::origin::{Original, Sighting};
use crate::render::{Admitted, Rendered};
use crate::semantics::{LastModified, Outcome, Representation};
use cache_key::{RenditionKey, SourceKey};
use http::HeaderValue;
use imaging::SourceFormat;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How often a flight that ended without a result is started again for one request.
const ATTEMPTS: usize = 3;

/// An original as it was at a moment.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) sighting: Sighting,
    pub(crate) at: SystemTime,
}

/// A rendition as it is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) representation: Representation,
    /// Of a file name.
    pub(crate) extension: &'static str,
    /// How long each stage took, when it was made.
    pub(crate) stages: Vec<(&'static str, Duration)>,
}

/// What a flight of a rendition ends with.
pub(crate) type Filled = Result<Arc<Kept>, Error>;
/// What a flight of a look at an original ends with.
pub(crate) type Looked = Result<Arc<Seen>, Error>;

/// The original as last seen, or as seen now if that was too long ago.
pub(crate) async fn see(app: &App, asked: &Asked, now: SystemTime) -> Looked {
    let source = asked.reading.source;
    let holds = |seen: &Arc<Seen>| now.duration_since(seen.at).is_ok_and(|age| age < app.check);
    if let Some(seen) = asked.reading.seen().filter(holds) {
        return Ok(seen);
    }
    if let Some(seen) = app.sightings.get(&source).filter(holds) {
        asked.reading.saw(&seen);
        return Ok(seen);
    }
    for _ in 0..ATTEMPTS {
        let (result, _) = app.looks.join(source, |_| look(app.clone(), asked.clone(), source)).await;
        if let Some(result) = result {
            return result;
        }
    }
    Err(Kind::Abandoned.into())
}

async fn look(app: App, asked: Asked, source: SourceKey) -> Option<Looked> {
    let looked = asked.reading.route.origin.look(asked.reading.path.as_str()).await;
    Some(looked.map_err(Error::from).map(|sighting| {
        let seen = Arc::new(Seen { sighting, at: (app.clock.wall)() });
        app.sightings.insert(source, Arc::clone(&seen));
        seen
    }))
}

/// The rendition, made by this request or by another that asked first.
pub(crate) async fn fill(app: &App, asked: &Asked, key: RenditionKey) -> Result<(Arc<Kept>, Outcome), Error> {
    for _ in 0..ATTEMPTS {
        let (result, role) = app.fills.join(key, |interest| fly(app.clone(), asked.clone(), key, interest)).await;
        if let Some(result) = result {
            let outcome = if role == Role::Lead { Outcome::Miss { stored: true } } else { Outcome::Collapsed };
            return result.map(|kept| (kept, outcome));
        }
    }
    Err(Kind::Abandoned.into())
}

/// The flight's work. Until the render begins it is dropped as soon as nobody waits for it any more.
async fn fly(app: App, asked: Asked, key: RenditionKey, interest: Interest<RenditionKey, Filled>) -> Option<Filled> {
    // Another flight may have landed between this request's look-up and its turn to lead.
    if let Some(kept) = app.renditions.get(&key) {
        return Some(Ok(kept));
    }
    let prepared = tokio::select! {
        biased;
        prepared = prepare(&app, &asked) => prepared,
        () = interest.abandoned() => return None,
    };
    Some(match prepared {
        Ok(prepared) => finish(&app, &asked, prepared).await,
        Err(error) => Err(error),
    })
}

/// An original that is here, and where its rendition allows for it a permit to make that.
struct Prepared {
    original: Original,
    fetched: Duration,
    admitted: Option<Admitted>,
}

async fn prepare(app: &App, asked: &Asked) -> Result<Prepared, Error> {
    let began = (app.clock.tick)();
    let original = asked.reading.route.origin.fetch(asked.reading.path.as_str()).await?;
    let fetched = (app.clock.tick)() - began;
    let admitted = match asked.reading.route.originals {
        true => None,
        false => Some(app.renderer.admit(original.bytes.clone(), Arc::clone(asked.variant())).await?),
    };
    Ok(Prepared { original, fetched, admitted })
}

async fn finish(app: &App, asked: &Asked, prepared: Prepared) -> Filled {
    let Prepared { original, fetched, admitted } = prepared;
    let now = (app.clock.wall)();
    let modified = original.sighting.modified.and_then(|modified| LastModified::new(modified, now));
    let kept = match admitted {
        None => Kept::untouched(&original, modified, fetched),
        Some(admitted) => Kept::rendered(app.renderer.render(admitted).await?, modified, fetched),
    };
    for (stage, took) in &kept.stages {
        app.metrics.stage(stage, *took);
    }
    app.metrics.fill(kept.extension);
    let (kept, seen) = (Arc::new(kept), Arc::new(Seen { sighting: original.sighting, at: now }));
    // Under the version that was in fact read: the file may have changed since it was looked at.
    app.renditions.insert(asked.key(&seen), Arc::clone(&kept));
    asked.reading.saw(&seen);
    app.sightings.insert(asked.reading.source, seen);
    Ok(kept)
}

impl Kept {
    fn rendered(rendered: Rendered, modified: Option<LastModified>, fetched: Duration) -> Self {
        let Rendered { rendition, queued } = rendered;
        let (extension, times) = (rendition.extension(), rendition.timings);
        let kind = HeaderValue::from_static(rendition.media_type());
        Self {
            representation: Representation::new(rendition.bytes.into(), kind, modified),
            extension,
            stages: vec![
                ("fetch", fetched),
                ("queue", queued),
                ("decode", times.decode),
                ("transform", times.transform),
                ("encode", times.encode),
            ],
        }
    }

    fn untouched(original: &Original, modified: Option<LastModified>, fetched: Duration) -> Self {
        let format = SourceFormat::sniff(&original.bytes);
        let kind = format.map_or("application/octet-stream", SourceFormat::media_type);
        Self {
            representation: Representation::new(original.bytes.clone(), HeaderValue::from_static(kind), modified),
            extension: format.map_or("bin", SourceFormat::extension),
            stages: vec![("fetch", fetched)],
        }
    }
}
