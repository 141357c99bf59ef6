//! `hdr=keep`: the original's gain map goes the picture's way and is put behind it. The rules are told in
//! `docs/metadata.md`.
//!
//! Invariant: a gain map that cannot be kept, or is damaged, costs the picture nothing: it is served without one.

use super::Job;
use crate::bitmap::Layout;
use crate::decode::{Decoded, decode};
use crate::embed::Attachments;
use crate::encode::avif::Engine;
use crate::encode::{Settings, encode};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::gain_map::{self, GainMap};
use crate::limits::Limits;
use crate::op::channels::first_channel;
use crate::output::{self, Subject};
use crate::pipeline::{self, Beside, Start};
use crate::probe::{Probe, probe};
use crate::quality::Goal;
use crate::scratch::Scratch;
use cache_key::transform::{Chroma, Codec, Colour, ColourSpace, Hdr};
use cache_key::{Transform, Variant};
use std::num::NonZeroU32;

/// Errors of a gain map are multiplied with the picture.
const QUALITY: u8 = 90;

/// At most this many bytes of directory and index are put into the first picture.
const CONTAINER: usize = 1024;

/// A second picture that is ready to stand behind the first.
#[derive(Debug)]
pub(super) struct Kept {
    file: Vec<u8>,
    with_iso: bool,
}

/// The variant with `icc=keep` in place of `icc=srgb` for a picture whose gain map has gains for each channel: they hold
/// in its own colours only. `None` where nothing has to be changed.
pub(super) fn in_own_colours(original: &[u8], source: &Probe, variant: &Variant, avif: Engine) -> Option<Variant> {
    let output = &variant.transform.output;
    let subject = Subject { source: source.format, alpha: false, longer_side: 1 };
    let codec = output::codec(output, variant.class, avif, subject).ok()?;
    let is_moved = output.colour_space == ColourSpace::Srgb && source.has_icc;
    if !is_moved || !is_asked(source, &variant.transform, codec) {
        return None;
    }
    let found = gain_map::find(original).filter(|found| found.icc.is_none())?;
    let is_colour = probe(found.file, &Limits::default()).is_ok_and(|stored| !stored.gray);
    is_colour.then(|| {
        let mut variant = variant.clone();
        variant.transform.output.colour_space = ColourSpace::Keep;
        variant
    })
}

fn is_asked(source: &Probe, transform: &Transform, codec: Codec) -> bool {
    let kept = transform.output.hdr == Hdr::Keep && !transform.redacts();
    kept && codec == Codec::Jpeg && source.format == SourceFormat::Jpeg
}

/// The gain map of the rendition, once all sizes are settled. `converted`: its picture's colours are no longer those that
/// were stored.
///
/// # Errors
/// What `watch` says; [`Error::Internal`].
pub(super) fn kept(job: &Job<'_>, codec: Codec, converted: bool, scratch: &mut Scratch) -> Result<Option<Kept>, Error> {
    if !is_asked(&job.source, &job.variant.transform, codec) {
        return Ok(None);
    }
    let Some(found) = gain_map::find(job.original) else { return Ok(None) };
    match made(job, &found, converted, scratch) {
        Err(Error::Malformed(_) | Error::Unsupported(_) | Error::TooLarge { .. } | Error::Impossible(_)) => Ok(None),
        kept => kept,
    }
}

fn made(job: &Job<'_>, found: &GainMap<'_>, converted: bool, scratch: &mut Scratch) -> Result<Option<Kept>, Error> {
    let (watch, limits) = (job.watch, &job.setup.limits);
    let limits = Limits { source_pixels: limits.source_pixels.min(job.source.pixels()), ..limits.clone() };
    let stored = probe(found.file, &limits)?;
    // Gains for each channel are meant in the colours of the picture, unless they have their own.
    let is_moved = !stored.gray && converted && found.icc.is_none();
    let fits = stored.width <= job.source.width && stored.height <= job.source.height;
    if is_moved || !fits || !pipeline::keeps_gain_map(&job.passes, !stored.gray) {
        return Ok(None);
    }
    let beside = Beside {
        picture: (job.source.width, job.source.height),
        stored: (stored.width, stored.height),
        neutral: found.gains.neutral(),
    };
    let want = beside.want(&job.passes, job.turn);
    let Decoded { bitmap, delivered, .. } = decode(found.file, &stored, &want, &limits, watch, scratch)?;
    let start = Start { delivered, turn: job.turn, profile: None };
    let mut bitmap = pipeline::run(&beside.operations(&job.passes, &start), bitmap, watch, scratch)?;
    if stored.gray && bitmap.layout() != Layout::Gray {
        bitmap = first_channel(bitmap);
    }
    let file = encode(bitmap, &settings(beside.neutral), watch, scratch)?;
    let file = gain_map::second_picture(&file, found).ok_or_else(no_place)?;
    Ok(Some(Kept { file, with_iso: found.iso.is_some() }))
}

fn settings([r, g, b]: [u8; 3]) -> Settings {
    Settings { chroma: Chroma::C444, background: Colour { r, g, b, a: u8::MAX }, ..Settings::new(Codec::Jpeg, QUALITY) }
}

/// What `max-bytes` leaves the picture beside its gain map; where that would be less than half of it, the picture goes
/// without.
pub(super) fn share(kept: Option<Kept>, goal: Goal) -> (Option<Kept>, Goal) {
    let (Some(second), Some(most)) = (&kept, goal.max_bytes) else { return (kept, goal) };
    let taken = u32::try_from(second.file.len() + CONTAINER).unwrap_or(u32::MAX);
    match NonZeroU32::new(most.get().saturating_sub(taken)).filter(|left| left.get() >= most.get() / 2) {
        Some(left) => (kept, Goal { max_bytes: Some(left), ..goal }),
        None => (None, goal),
    }
}

impl Kept {
    /// Says in the first picture that there is a second.
    pub(super) fn announce(&self, attachments: &mut Attachments) {
        attachments.xmp = gain_map::announce(&attachments.xmp, self.file.len());
    }

    /// Puts it behind the first picture, in which it was announced.
    ///
    /// # Errors
    /// [`Error::Internal`] when that is no file of ours.
    pub(super) fn behind(&self, first: &[u8]) -> Result<Vec<u8>, Error> {
        gain_map::join(first, &self.file, self.with_iso).ok_or_else(no_place)
    }
}

fn no_place() -> Error {
    Error::Internal("gain map: no place in our own file".into())
}
