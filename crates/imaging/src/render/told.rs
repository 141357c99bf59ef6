//! What is told of a picture instead of the picture: decode → operations → tell. It knows no encoder.

use super::{Clock, Job, Rendition, Timings};
use crate::bitmap::Bitmap;
use crate::decode::{Decoded, decode, decode_frame};
use crate::error::Error;
use crate::info;
use crate::pipeline::{self, Start};
use crate::product::Product;
use crate::scratch::Scratch;
use cache_key::transform::Metadata;

/// Tells of the picture. Where its size does not matter for its looks, fewer pixels are made.
///
/// # Errors
/// As [`super::render`].
pub(super) fn render(
    job: Job<'_>,
    product: Product,
    mut clock: Clock,
    scratch: &mut Scratch,
) -> Result<Rendition, Error> {
    let transform = &job.variant.transform;
    let planned = job.passes.last().map_or((job.source.width, job.source.height), pipeline::Pass::size);
    let reduced = info::reduced(transform);
    let mut job = match &reduced {
        Some(reduced) => {
            let stored = (job.source.width, job.source.height);
            Job { passes: pipeline::plan(job.turn.size(stored), reduced, job.setup)?, ..job }
        }
        None => job,
    };
    let mut timings = Timings::default();
    let bitmap = pixels(&mut job, &mut clock, &mut timings, scratch)?;
    let (width, height) = if reduced.is_some() { planned } else { (bitmap.width(), bitmap.height()) };
    let facts = || {
        let mut facts = info::facts(job.original, &job.source, transform.output.metadata == Metadata::Keep);
        facts.insert("result".into(), serde_json::json!({ "width": width, "height": height }));
        facts
    };
    let bytes = info::tell(product, &bitmap, facts, job.watch)?;
    scratch.give(bitmap.into_pixels());
    timings.encode = clock.lap();
    Ok(Rendition { bytes, product, width, height, timings, source: job.source })
}

/// The picture that the passes make.
fn pixels(job: &mut Job<'_>, clock: &mut Clock, timings: &mut Timings, scratch: &mut Scratch) -> Result<Bitmap, Error> {
    let Job { original, variant, setup, watch, source, turn, passes } = job;
    let stored = (source.width, source.height);
    let want = passes.first().map(|pass| pass.want(stored, *turn)).unwrap_or_default();
    let decoded = match variant.transform.frames.frame {
        // A still picture that is no frame of the animation has no number.
        Some(number) if source.motion.is_some() => {
            decode_frame(original, source, number, &setup.limits, watch, scratch)
        }
        _ => decode(original, source, &want, &setup.limits, watch, scratch),
    };
    let Decoded { mut bitmap, delivered, icc, .. } = decoded?;
    timings.decode = clock.lap();

    let start = Start { delivered, turn: *turn, profile: icc };
    pipeline::settle(passes, &mut bitmap, &start, setup, watch, scratch)?;
    let operations = pipeline::operations(passes, start);
    let bitmap = pipeline::run(&operations, bitmap, watch, scratch)?;
    timings.transform = clock.lap();
    Ok(bitmap)
}
