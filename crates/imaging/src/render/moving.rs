//! An animation: frame after frame through the same operations, one in memory at a time. Frames that `fps-max` drops are
//! decoded, as later ones build on them, and no more.

use super::carried::{self, Held};
use super::{Clock, Job, Rendition, Timings};
use crate::animation::Moving;
use crate::bitmap::Bitmap;
use crate::decode::Delivered;
use crate::decode::frames::Frames;
use crate::embed::attach;
use crate::encode::animation::{self, Reel};
use crate::error::Error;
use crate::motion;
use crate::op::Operation;
use crate::output;
use crate::pipeline::{self, Start};
use crate::product::Product;
use crate::scratch::Scratch;
use cache_key::transform::Codec;

/// Makes the rendition.
///
/// # Errors
/// As [`super::render`].
pub(super) fn render(
    job: Job<'_>,
    moving: Moving,
    mut clock: Clock,
    scratch: &mut Scratch,
) -> Result<Rendition, Error> {
    let Job { original, variant, setup, watch, source, turn, mut passes } = job;
    let transform = &variant.transform;
    let settings = output::settings(transform, moving.codec, setup.avif)?;
    let delays = motion::delays(original, source.format, setup.limits.frames);
    let mut frames = Frames::open(original, &source, &setup.limits, scratch)?;
    let mut timings = Timings::default();
    let mut operations: Option<Vec<Box<dyn Operation>>> = None;
    let mut reel: Option<(Box<dyn Reel>, (u32, u32))> = None;
    let mut held: Option<Held> = None;

    for seen in motion::schedule(&delays, transform.frames.fps_max) {
        if !frames.advance(watch, scratch)? {
            break;
        }
        let Some(micros) = seen else { continue };
        let mut bitmap = copy(frames.seen(), scratch);
        timings.decode += clock.lap();

        // Planned once: what has to be looked for in a picture is found in the first frame.
        let operations = match &operations {
            Some(planned) => planned,
            None => {
                let start = Start { delivered: Delivered::whole(&bitmap), turn, profile: frames.icc() };
                held = Held::of(transform.output.colour_space, start.profile.as_deref());
                pipeline::settle(&mut passes, &mut bitmap, &start, setup, watch, scratch)?;
                operations.insert(pipeline::operations(&passes, start))
            }
        };
        let mut bitmap = pipeline::run(operations, bitmap, watch, scratch)?;
        if let Some(held) = held.as_ref().filter(|_| !keeps_profile(moving.codec)) {
            held.release(&mut bitmap)?;
        }
        timings.transform += clock.lap();

        let size = (bitmap.width(), bitmap.height());
        let (file, _) = match &mut reel {
            Some(begun) => begun,
            None => reel.insert((animation::start(settings, size, moving.plays)?, size)),
        };
        file.add(bitmap, micros, watch, scratch)?;
        timings.encode += clock.lap();
    }
    let (reel, (width, height)) = reel.ok_or_else(|| Error::Malformed("an animation without frames".into()))?;
    let bytes = reel.finish(watch, scratch)?;
    let held = held.filter(|_| keeps_profile(moving.codec));
    let carried = carried::attachments(original, source.format, transform, moving.codec, (width, height), held);
    let bytes = attach(bytes, moving.codec, &carried)?;
    let canvas = frames.into_seen(scratch);
    scratch.give(canvas.into_pixels());
    timings.encode += clock.lap();
    Ok(Rendition { bytes, product: Product::Picture(moving.codec), width, height, timings, source })
}

/// Frames of a GIF or APNG may be gray or have a palette each: no profile fits them all.
const fn keeps_profile(codec: Codec) -> bool {
    matches!(codec, Codec::Webp | Codec::Avif)
}

fn copy(bitmap: &Bitmap, scratch: &mut Scratch) -> Bitmap {
    let mut pixels = scratch.take(bitmap.pixels().len());
    pixels.copy_from_slice(bitmap.pixels());
    Bitmap::new(bitmap.width(), bitmap.height(), bitmap.layout(), pixels)
}
