//! AVIF that is put off: the first who asks gets the quick format at once, and the AVIF is made while it is quiet; and AVIF
//! that gives way to the quick format while there is too little room.
//!
//! Owns the decisions and the quick answer; the work is the lane's. Knows no headers. Invariants: the quick answer is kept
//! under its own key only; nothing is put off that will not be made, nor what an origin forbids to keep.

use crate::app::App;
use crate::fill::{self, Filled, Landed};
use crate::handler::Asked;
use crate::lane::job::Job;
use crate::original::{How, Looked, View};
use bytes::Bytes;
use cache_key::transform::Format;
use cache_key::{FormatClass, RenditionKey, Variant};
use std::pin::Pin;
use std::sync::Arc;

/// The quick format has to take at most this part of the AVIF's time.
const QUICKER: u32 = 2;

/// Whether the rendition is of the sort that the route puts off: AVIF that nobody asked for by name.
pub(crate) fn may_be(asked: &Asked) -> bool {
    let route = &asked.reading.route;
    route.deferred.is_some() && !route.originals && is_avif_by_chance(asked)
}

fn is_avif_by_chance(asked: &Asked) -> bool {
    asked.client().class == FormatClass::Avif && asked.variant().transform.output.format == Format::Auto
}

/// The same for clients that read what is quick: WebP, where the route offers that.
pub(crate) fn quick(asked: &Asked) -> Asked {
    let webp = asked.reading.route.classes.webp;
    asked.for_class(if webp { FormatClass::Webp } else { FormatClass::Baseline })
}

/// Whether to put it off: it would take long, the quick format would not, and the lane is there to make it.
pub(crate) fn is_due(app: &App, asked: &Asked, view: &View, bytes: &Bytes) -> bool {
    if !may_be(asked) || !app.lane.runs() || !view.storable {
        return false;
    }
    let Some(slow) = slower(app, asked, bytes) else { return false };
    let Ok(later) = app.renderer.price(bytes, &careful(app, asked, bytes)) else { return false };
    u128::from(slow) >= app.lane.config().quick.as_millis() && app.renderer.idle().fits(later.memory).is_ok()
}

/// Whether it gives way, since too many ask for pictures: then five get a picture where one would.
pub(crate) fn gives_way(app: &App, asked: &Asked, bytes: &Bytes) -> bool {
    let chance = !asked.reading.route.originals && is_avif_by_chance(asked);
    let due = chance && app.renderer.is_pressed(asked.reading.tenant()) && slower(app, asked, bytes).is_some();
    if due {
        app.metrics.gave_way();
    }
    due
}

/// The milliseconds that it would take, where the quick format takes at most half of them. Animations, for one, come out the
/// same for both classes; what cannot be priced is refused in due course, by whoever renders it.
fn slower(app: &App, asked: &Asked, bytes: &Bytes) -> Option<u32> {
    let slow = app.renderer.price(bytes, &asked.variant()).ok()?.millis;
    let quick = app.renderer.price(bytes, &quick(asked).variant()).ok()?.millis;
    (quick.saturating_mul(QUICKER) <= slow).then_some(slow)
}

/// What the lane makes of it: AVIF with more effort, where the URL names none and the lane's deadline is far enough.
pub(crate) fn careful(app: &App, asked: &Asked, bytes: &Bytes) -> Arc<Variant> {
    let plain = asked.variant();
    let output = &plain.transform.output;
    if !is_avif_by_chance(asked) || output.effort.is_some() || output.lossless {
        return plain;
    }
    let mut careful = Variant::clone(&plain);
    careful.transform.output.effort = Some(app.lane.config().effort);
    match app.renderer.price(bytes, &careful) {
        Ok(cost)
            if u128::from(cost.millis) * 2 <= app.lane.config().deadline.as_millis()
                && app.renderer.idle().fits(cost.memory).is_ok() =>
        {
            Arc::new(careful)
        }
        _ => plain,
    }
}

/// The quick answer to a flight of the rendition, which is left to the lane where the route puts off.
///
/// In a box of a known type: a flight of one key begins one of another here.
pub(crate) fn answer(
    app: App,
    asked: Asked,
    key: RenditionKey,
    view: Arc<View>,
    bytes: Bytes,
) -> Pin<Box<dyn Future<Output = Filled> + Send>> {
    Box::pin(async move {
        let other = quick(&asked);
        let quick_key = other.key(&view);
        let looked = Looked { view, bytes: Some(bytes), how: How::Fresh, paid: true };
        let Landed { kept, found, .. } = fill::kept_or_made(&app, &other, quick_key, looked).await?;
        if let Some(max_age) = asked.reading.route.deferred {
            let until = (app.clock.wall)() + max_age;
            app.lane.put_off(&app, key, Job::of(&asked), &kept, until);
        }
        Ok(Landed { kept, found, deferred: true })
    })
}
