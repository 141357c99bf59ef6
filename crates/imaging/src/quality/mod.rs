//! What a picture looks like after encoding, and which dial makes it look, or weigh, as wished: `q=auto`, `max-bytes`
//! and `chroma=auto`.
//!
//! One guess from cheap features of the pixels, one look at the result, at most one correction: [`encode`]. It decides
//! nothing but the dial and the chroma; the same pixels and wishes give the same bytes on every machine.

pub mod chroma;
pub mod features;
mod fit;
mod model;
mod sample;
pub mod score;
mod shrink;

use crate::bitmap::Bitmap;
use crate::decode::{Want, decode};
use crate::encode::avif::is_quick;
use crate::encode::{self, Settings};
use crate::error::Error;
use crate::limits::{Limits, Watch};
use crate::probe::probe;
use crate::scratch::Scratch;
use cache_key::transform::{Chroma, Codec, QualityTarget};
use std::num::NonZeroU32;

/// What is asked of the result beside its format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Goal {
    /// `q=auto`: how close to the original's pixels it comes. Formats and settings without loss ignore it.
    pub target: Option<QualityTarget>,
    /// `max-bytes`: the dial goes down until the result fits; what fits at no dial is as small as it gets.
    pub max_bytes: Option<NonZeroU32>,
}

/// The score that a level stands for: SSIMULACRA2 of the result against the pixels before encoding.
pub const fn wanted(target: QualityTarget) -> f64 {
    match target {
        QualityTarget::Low => 60.0,
        QualityTarget::Medium => 70.0,
        QualityTarget::High => 80.0,
        QualityTarget::Best => 90.0,
    }
}

/// A result no further from the wish than this is left alone: a just noticeable difference is several times as much.
const TOLERANCE: f64 = 1.5;

/// Encodes a picture as wished and gives its memory back.
///
/// # Errors
/// As [`encode::encode`].
pub fn encode(
    bitmap: Bitmap,
    settings: &Settings,
    goal: Goal,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Error> {
    let bitmap = encode::prepare(bitmap, settings, watch, scratch)?;
    let bytes = attempt(&bitmap, settings, goal, watch, scratch);
    scratch.give(bitmap.into_pixels());
    bytes
}

fn attempt(
    bitmap: &Bitmap,
    settings: &Settings,
    goal: Goal,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Error> {
    // Tiles that stand for a large picture are encoded as it will be.
    let mut settings = settings.for_size(bitmap.width(), bitmap.height());
    if settings.chroma == Chroma::Auto && has_dial(&settings) {
        let careful = settings.effort.is_some_and(|effort| !is_quick(settings.engine, effort));
        settings.chroma = chroma::choose(bitmap, settings.codec, expected_dial(&settings, goal), careful);
    }
    let bytes = match goal.target.filter(|_| has_dial(&settings)) {
        Some(target) => reach(bitmap, &mut settings, target, watch, scratch)?,
        None => encode::write(bitmap, &settings, watch)?,
    };
    match goal.max_bytes {
        Some(most) if has_dial(&settings) || settings.codec == Codec::Png && settings.quality < 100 => {
            let tries = |quality| encode::write(bitmap, &Settings { quality, ..settings }, watch);
            shrink::shrink(bytes, settings.quality, most.get() as usize, tries)
        }
        _ => Ok(bytes),
    }
}

/// What reaching a goal costs beside one encode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// How often the picture is encoded, about.
    pub(crate) encodes: u64,
    /// For decoding and scoring.
    pub(crate) nanoseconds: u64,
    /// Bytes held meanwhile.
    pub(crate) memory: u64,
}

/// Prices a goal for a result of so many pixels; measured on photographs, one core.
pub(crate) fn price(settings: &Settings, goal: Goal, pixels: u64) -> Look {
    let aims = goal.target.is_some() && has_dial(settings);
    let looked_at = if aims { pixels.min(sample::WHOLE as u64) } else { 0 };
    Look {
        encodes: 1 + u64::from(aims) + if goal.max_bytes.is_some() { 3 } else { 0 },
        nanoseconds: looked_at * 120,
        memory: looked_at * 200,
    }
}

/// Whether there is a loss that a dial turns.
fn has_dial(settings: &Settings) -> bool {
    !settings.lossless && matches!(settings.codec, Codec::Jpeg | Codec::Webp | Codec::Avif)
}

/// Roughly the dial in the end, before anything was looked at.
fn expected_dial(settings: &Settings, goal: Goal) -> u8 {
    goal.target.map_or(settings.quality, |target| model::usual(settings.codec, target))
}

/// Encodes at the dial that the features promise, looks at the result, and corrects the dial once where it is off. Of a
/// large picture a sample of tiles is looked at, so that the cost of looking is bounded.
fn reach(
    bitmap: &Bitmap,
    settings: &mut Settings,
    target: QualityTarget,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Error> {
    let sample = sample::of(bitmap);
    let looked_at = sample.as_ref().unwrap_or(bitmap);
    let features = features::of(looked_at);
    settings.quality = model::predict(settings.codec, settings.chroma, target, &features);
    let tried = encode::write(looked_at, settings, watch)?;
    let score = look(looked_at, &tried, watch, scratch)?;
    let missing = wanted(target) - score;
    let before = settings.quality;
    if missing.abs() > TOLERANCE {
        settings.quality = model::corrected(settings.codec, settings.chroma, target, before, missing);
    }
    if sample.is_none() && settings.quality == before {
        return Ok(tried);
    }
    encode::write(bitmap, settings, watch)
}

/// The score of an encoded picture.
fn look(original: &Bitmap, encoded: &[u8], watch: &Watch, scratch: &mut Scratch) -> Result<f64, Error> {
    let limits = Limits::default();
    let seen = decode(encoded, &probe(encoded, &limits)?, &Want::EVERYTHING, &limits, watch, scratch)?.bitmap;
    watch.check()?;
    let score = score::Reference::new(original)?.score(&seen);
    scratch.give(seen.into_pixels());
    score
}

#[cfg(test)]
mod tests;
