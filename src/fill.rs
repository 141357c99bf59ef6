//! THE MISS PATH: fly → have the original → admit → render → store.
//!
//! Knows the order of things; how each is done is elsewhere. A permit is asked for only when the original is here.

use crate::app::App;
use crate::cache::{Interest, Role};
use crate::error::{Error, Kind};
use crate::handler::Asked;
use crate::original::{self, Looked, View};
use crate::render::{Admitted, Rendered};
use crate::semantics::{LastModified, Outcome, Representation};
use crate::stand_in::StandIn;
use bytes::Bytes;
use cache_key::RenditionKey;
use http::HeaderValue;
use http::request::Parts;
use imaging::SourceFormat;
use std::sync::Arc;
use std::time::Duration;

/// How often a flight that ended without a result is started again for one request.
const ATTEMPTS: usize = 3;

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

/// Of what a rendition is made.
#[derive(Clone)]
enum Source {
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
    let source = Source::Original(looked.clone(), original::came_by(asked, request, app)?);
    let (kept, role) = board(app, asked, key, &source).await?;
    let lead = Outcome::Miss { stored: looked.view.storable };
    Ok((kept, if role == Role::Lead { lead } else { Outcome::Collapsed }))
}

/// The picture that is shown instead, made as the URL asks.
pub(crate) async fn stand_in(app: &App, asked: &Asked, picture: &Arc<StandIn>) -> Filled {
    let key = asked.stand_in_key(&picture.version);
    match app.renditions.get(&key) {
        Some(kept) => Ok(kept),
        None => board(app, asked, key, &Source::StandIn(Arc::clone(picture))).await.map(|(kept, _)| kept),
    }
}

async fn board(app: &App, asked: &Asked, key: RenditionKey, source: &Source) -> Result<(Arc<Kept>, Role), Error> {
    for _ in 0..ATTEMPTS {
        let work = |interest| fly(app.clone(), asked.clone(), key, source.clone(), interest);
        if let (Some(result), role) = app.fills.join(key, work).await {
            return result.map(|kept| (kept, role));
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
    // Another flight may have landed between this request's look-up and its turn to lead.
    if let Some(kept) = app.renditions.get(&key) {
        return Some(Ok(kept));
    }
    let prepared = tokio::select! {
        biased;
        prepared = prepare(&app, &asked, source) => prepared,
        () = interest.abandoned() => return None,
    };
    Some(match prepared {
        Ok(prepared) => finish(&app, &asked, key, prepared).await,
        Err(error) => Err(error),
    })
}

/// An original that is here, and where its rendition allows for it a permit to make that.
struct Prepared {
    bytes: Bytes,
    /// The original as it was read; `None` for a stand-in.
    view: Option<Arc<View>>,
    fetched: Duration,
    admitted: Option<Admitted>,
}

async fn prepare(app: &App, asked: &Asked, source: Source) -> Result<Prepared, Error> {
    let began = (app.clock.tick)();
    let (view, bytes) = match source {
        Source::Original(looked, came_by) => {
            let (view, bytes) = original::bytes(app, asked, looked, came_by).await?;
            (Some(view), bytes)
        }
        Source::StandIn(picture) => (None, picture.bytes.clone()),
    };
    let fetched = (app.clock.tick)() - began;
    let admitted = match asked.reading.route.originals {
        true => None,
        false => Some(app.renderer.admit(bytes.clone(), asked.variant()).await?),
    };
    Ok(Prepared { bytes, view, fetched, admitted })
}

async fn finish(app: &App, asked: &Asked, key: RenditionKey, prepared: Prepared) -> Filled {
    let Prepared { bytes, view, fetched, admitted } = prepared;
    let now = (app.clock.wall)();
    let modified = view.as_ref().and_then(|view| LastModified::new(view.sighting.modified?, now));
    let kept = Arc::new(match admitted {
        None => Kept::untouched(bytes, view.as_ref().and_then(|view| view.media_type()), modified, fetched),
        Some(admitted) => Kept::rendered(app.renderer.render(admitted).await?, modified, fetched),
    });
    for (stage, took) in &kept.stages {
        app.metrics.stage(stage, *took);
    }
    app.metrics.fill(kept.extension);
    match view {
        None => app.renditions.insert(key, Arc::clone(&kept)),
        // Under the version that was in fact read: the original may have changed since it was looked at.
        Some(view) if view.storable => app.renditions.insert(asked.key(&view), Arc::clone(&kept)),
        Some(_not_ours_to_keep) => {}
    }
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

    /// Its type is that of its bytes; of bytes that are no picture known here, what the origin says.
    fn untouched(bytes: Bytes, told: Option<&HeaderValue>, modified: Option<LastModified>, fetched: Duration) -> Self {
        let format = SourceFormat::sniff(&bytes);
        let kind = match (format, told) {
            (Some(format), _) => HeaderValue::from_static(format.media_type()),
            (None, Some(told)) => told.clone(),
            (None, None) => HeaderValue::from_static("application/octet-stream"),
        };
        Self {
            representation: Representation::new(bytes, kind, modified),
            extension: format.map_or("bin", SourceFormat::extension),
            stages: vec![("fetch", fetched)],
        }
    }
}
