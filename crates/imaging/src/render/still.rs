//! One picture: decode → operations → encode. It knows no frames but the one that it is given.

use super::carried::{self, Held};
use super::{Clock, Job, Rendition, Timings, gain_map, untouched};
use crate::bitmap::Layout;
use crate::decode::{Decoded, decode, decode_frame};
use crate::embed::attach;
use crate::error::Error;
use crate::op::premultiply::is_opaque;
use crate::output::{self, Subject};
use crate::pipeline::{self, Start};
use crate::product::Product;
use crate::quality;
use crate::scratch::Scratch;
use cache_key::transform::ColourSpace;

/// Makes the rendition.
///
/// # Errors
/// As [`super::render`].
pub(super) fn render(mut job: Job<'_>, mut clock: Clock, scratch: &mut Scratch) -> Result<Rendition, Error> {
    let Job { original, variant, setup, watch, turn, .. } = job;
    let (source, transform) = (&job.source, &variant.transform);
    let stored = (source.width, source.height);
    let want = job.passes.first().map(|pass| pass.want(stored, turn)).unwrap_or_default();
    let decoded = match transform.frames.frame {
        // A still picture that is no frame of the animation has no number.
        Some(number) if source.motion.is_some() => {
            decode_frame(original, source, number, &setup.limits, watch, scratch)
        }
        _ => decode(original, source, &want, &setup.limits, watch, scratch),
    };
    let Decoded { mut bitmap, delivered, icc, .. } = decoded?;
    let decode = clock.lap();

    let held = Held::of(transform.output.colour_space, icc.as_deref());
    let srgb = icc.is_none() && held.is_none();
    let converted = transform.output.colour_space != ColourSpace::Keep && !srgb;
    let start = Start { delivered, turn, profile: icc };
    pipeline::settle(&mut job.passes, &mut bitmap, &start, setup, watch, scratch)?;
    let untouched = untouched::stripped(&job, srgb);
    let operations = pipeline::operations(&job.passes, start);
    let mut bitmap = pipeline::run(&operations, bitmap, watch, scratch)?;
    let transforming = clock.lap();

    let (width, height) = (bitmap.width(), bitmap.height());
    let alpha = bitmap.layout() == Layout::Rgba && !is_opaque(&bitmap);
    let subject = Subject { source: source.format, alpha, longer_side: width.max(height) };
    let codec = output::codec(&transform.output, variant.class, setup.avif, subject)?;
    let settings = output::settings(transform, codec, setup.avif)?;
    let held = held.map_or(Ok(None), |held| held.settle(&mut bitmap, codec))?;
    let gain_map = gain_map::kept(&job, codec, converted, scratch)?;
    let (gain_map, goal) = gain_map::share(gain_map, output::goal(&transform.output, codec));
    let bytes = quality::encode(bitmap, &settings, goal, watch, scratch)?;
    let (codec, bytes) = match untouched {
        Some((codec, original)) if original.len() < bytes.len() => (codec, original),
        _ => (codec, bytes),
    };
    let mut attachments = carried::attachments(original, source.format, transform, codec, (width, height), held);
    if let Some(gain_map) = &gain_map {
        gain_map.announce(&mut attachments);
    }
    let mut bytes = attach(bytes, codec, &attachments)?;
    if let Some(gain_map) = gain_map {
        bytes = gain_map.behind(&bytes)?;
    }
    let timings = Timings { decode, transform: transforming, encode: clock.lap() };
    Ok(Rendition { bytes, product: Product::Picture(codec), width, height, timings, source: job.source })
}
