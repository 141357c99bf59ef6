//! Making one rendition: have the original → wait for a permit → render → tell what it took.
//!
//! For requests and for the lane alike. Knows neither tiers nor who waits. Invariant: a permit is asked for only when the
//! original is here.

use crate::app::App;
use crate::error::Error;
use crate::handler::Asked;
use crate::kept::Kept;
use crate::original::{self, Looked, View};
use crate::render::{Admitted, Class};
use crate::semantics::LastModified;
use crate::stand_in::StandIn;
use crate::step::step;
use bytes::Bytes;
use cache_key::Variant;
use http::HeaderValue;
use imaging::Rendition;
use std::sync::Arc;
use std::time::Duration;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

/// Of what a rendition is made.
#[derive(Clone)]
pub(crate) enum Source {
    /// The original as it was seen, and the way that the request for it came.
    Original(Looked, Option<HeaderValue>),
    /// What the route shows instead of it.
    StandIn(Arc<StandIn>),
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

/// What a render has been.
fn tell(span: &Span, rendition: &Rendition) {
    if !span.is_disabled() {
        let millis = |took: Duration| took.as_secs_f64() * 1e3;
        let times = &rendition.timings;
        span.record("decode_ms", millis(times.decode)).record("transform_ms", millis(times.transform));
        span.record("encode_ms", millis(times.encode)).record("format", rendition.extension());
    }
}
