//! One job: have the original → look whether it is there already → wait for quiet → render → keep what is smaller.
//!
//! Knows the order of things; where jobs come from is for others. Invariant: until the render begins it may be dropped at
//! any time; from then on the drain waits for it.

use crate::app::App;
use crate::cache::{Holding, Stamp};
use crate::deferred;
use crate::error::{Error, Kind};
use crate::handler::Asked;
use crate::kept::Kept;
use crate::making::{self, Source};
use crate::original;
use crate::render::Class;
use crate::shelf::Shelf;
use cache_key::RenditionKey;
use http::Request;
use service::drain::Drain;
use std::sync::Arc;

/// How a job ended that ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// It was made, and is kept.
    New,
    /// It was made and was no smaller than the quick answer, which is kept in its place.
    GaveWay,
    /// It was there already.
    Found,
    /// Its original must not be kept, so neither must it.
    NotKept,
}

impl Made {
    /// The name in metrics and answers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::New => "made",
            Self::GaveWay => "gave-way",
            Self::Found => "found",
            Self::NotKept => "not-kept",
        }
    }
}

/// Makes what is asked. `None`: the server drains, and it was not begun.
pub(crate) async fn make(app: &App, asked: &Asked, class: Class, drain: &Drain) -> Option<Result<Made, Error>> {
    let begun = tokio::select! {
        biased;
        () = drain.draining() => return None,
        begun = begin(app, asked, class) => begun,
    };
    let (key, ready) = match begun {
        Ok(Begun::Over(made)) => return Some(Ok(made)),
        Ok(Begun::Ready(key, ready)) => (key, ready),
        Err(error) => return Some(Err(error)),
    };
    let _waited_for = drain.track();
    let (stamp, view) = (ready.stamp, ready.prepared.read.view.clone());
    let made = match making::make(app, asked, *ready.prepared).await {
        Ok((kept, _)) => {
            let quick = quick(app, asked, key, view.as_deref()).await;
            let (kept, made) = smaller(Arc::new(kept.stamped(stamp)), quick);
            // Under the version that was in fact read.
            let key = view.as_deref().map_or(key, |view| asked.key(view));
            shelf(app, asked, key).keep(Some(key), &kept, asked.reading.source, Holding::alone());
            app.lane.landed(&key);
            Ok(made)
        }
        Err(error) => {
            // What cannot be made shall not be tried for ever: what stood in for it stays, in this process.
            if let (Some(quick), true) = (app.lane.landed(&key), error.is_lasting()) {
                app.renditions.part(asked.share()).insert(key, quick);
            }
            Err(error)
        }
    };
    Some(made)
}

enum Begun {
    Over(Made),
    Ready(RenditionKey, Ready),
}

/// What may be rendered now.
struct Ready {
    prepared: Box<making::Prepared>,
    /// Of the time when the work began.
    stamp: Stamp,
}

async fn begin(app: &App, asked: &Asked, class: Class) -> Result<Begun, Error> {
    let request = Request::get(asked.reading.target()).body(()).map_err(|_| Kind::NoRoute)?.into_parts().0;
    let looked = original::see(app, asked, &request, (app.clock.wall)()).await?;
    if !looked.view.storable {
        return Ok(Begun::Over(Made::NotKept));
    }
    let key = asked.key(&looked.view);
    let shelf = shelf(app, asked, key);
    if shelf.at_hand().is_some() || shelf.look().await.is_some() {
        app.lane.landed(&key);
        return Ok(Begun::Over(Made::Found));
    }
    let read = making::read(app, asked, Source::Original(looked, None)).await?;
    let variant = deferred::careful(app, asked, &read.bytes);
    let prepared = Box::new(making::admit(app, asked, read, variant, class).await?);
    Ok(Begun::Ready(key, Ready { prepared, stamp: shelf.stamp }))
}

/// Without a lease: requests would wait for what is made here, and it may take long.
fn shelf<'a>(app: &'a App, asked: &Asked, key: RenditionKey) -> Shelf<'a> {
    Shelf { app, key, share: asked.share(), stamp: asked.stamp(app), since: asked.since, storable: true }
}

/// What was given meanwhile, if it is at hand.
async fn quick(app: &App, asked: &Asked, key: RenditionKey, view: Option<&original::View>) -> Option<Arc<Kept>> {
    if !deferred::may_be(asked) {
        return None;
    }
    if let Some(pending) = app.lane.landed(&key) {
        return Some(pending);
    }
    let other = deferred::quick(asked);
    let shelf = shelf(app, &other, other.key(view?));
    match shelf.at_hand() {
        Some((kept, _)) => Some(kept),
        None => shelf.look().await.map(|(kept, _)| kept),
    }
}

fn smaller(kept: Arc<Kept>, quick: Option<Arc<Kept>>) -> (Arc<Kept>, Made) {
    let bytes = |kept: &Kept| kept.representation.body().len();
    match quick {
        Some(quick) if bytes(&quick) <= bytes(&kept) => (quick, Made::GaveWay),
        _ => (kept, Made::New),
    }
}
