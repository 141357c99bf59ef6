//! One render on one screen: probe → plan, then `still` or `moving`: decode → operations → encode. Everything is refused
//! that can be refused before the next step costs something; the watch is asked between steps.

mod carried;
mod gain_map;
mod moving;
mod still;
mod told;
mod untouched;
mod working;

use crate::animation;
use crate::error::Error;
use crate::info;
use crate::limits::Watch;
use crate::op::orient::Turn;
use crate::pipeline::{self, Pass};
use crate::probe::{Probe, probe};
use crate::product::Product;
use crate::scratch::Scratch;
use crate::setup::Setup;
use cache_key::transform::Hdr;
use cache_key::{Transform, Variant, not_implemented};
use std::time::{Duration, Instant};

/// Part of every rendition's key: raised when the same transform gives other bytes than before.
pub const PIPELINE_VERSION: u32 = 5;

/// The result of a render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendition {
    /// A whole file.
    pub bytes: Vec<u8>,
    /// What they are.
    pub product: Product,
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Where the time went.
    pub timings: Timings,
    /// What the original was.
    pub source: Probe,
}

impl Rendition {
    /// The media type of `bytes`.
    pub const fn media_type(&self) -> &'static str {
        self.product.media_type()
    }

    /// What a file name of `bytes` ends in, without the point.
    pub const fn extension(&self) -> &'static str {
        self.product.extension()
    }
}

/// Wall time of the stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Header and pixels of the original.
    pub decode: Duration,
    /// All operations.
    pub transform: Duration,
    /// The encoder.
    pub encode: Duration,
}

/// Makes the rendition that `variant` names out of the bytes of an original.
///
/// # Errors
/// All of [`Error`]: what is refused by the original, by the request, by the limits, and by `watch`.
pub fn render(
    original: &[u8],
    variant: &Variant,
    setup: &Setup,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Rendition, Error> {
    refuse_unknown(&variant.transform)?;
    watch.check()?;
    let clock = Clock(Instant::now());
    let source = probe(original, &setup.limits)?;
    refuse_lost_range(original, &source, &variant.transform)?;
    let own_colours = gain_map::in_own_colours(original, &source, variant, setup.avif);
    let variant = own_colours.as_ref().unwrap_or(variant);
    let converted = working::converted(original, &source, variant);
    let variant = converted.as_ref().unwrap_or(variant);
    let turn = pipeline::upright(&variant.transform, source.orientation);
    let passes = pipeline::plan(turn.size((source.width, source.height)), &variant.transform, setup)?;
    let size = passes.last().map_or((source.width, source.height), Pass::size);
    let told = info::product(variant.transform.output.format);
    let moving = if told.is_none() { animation::decide(&source, variant, size, setup)? } else { None };
    let job = Job { original, variant, setup, watch, source, turn, passes };
    match (told, moving) {
        (Some(product), _) => told::render(job, product, clock, scratch),
        (None, Some(moving)) => moving::render(job, moving, clock, scratch),
        (None, None) => still::render(job, clock, scratch),
    }
}

/// What is asked of a render, and what is known before any pixel exists.
struct Job<'a> {
    original: &'a [u8],
    variant: &'a Variant,
    setup: &'a Setup,
    watch: &'a Watch,
    source: Probe,
    /// What makes the original upright.
    turn: Turn,
    passes: Vec<Pass<'a>>,
}

/// Says which parameter is in use that cannot be served yet.
///
/// # Errors
/// [`Error::NotImplemented`].
pub(crate) fn refuse_unknown(transform: &Transform) -> Result<(), Error> {
    not_implemented(transform).map_or(Ok(()), |name| Err(Error::NotImplemented(name)))
}

/// Pictures that are bright in themselves (PQ, HLG) come out in ordinary range, which is not what `hdr=keep` asks for.
/// Those with a gain map, and all others, are served as far as they can be.
///
/// # Errors
/// [`Error::Impossible`].
pub(crate) fn refuse_lost_range(original: &[u8], source: &Probe, transform: &Transform) -> Result<(), Error> {
    if transform.output.hdr == Hdr::Keep && untouched::is_hdr(original, source.format) {
        let why = "`hdr=keep` keeps the gain maps of JPEG files; PQ and HLG can only be served tone-mapped (`hdr=sdr`)";
        return Err(Error::Impossible(why.into()));
    }
    Ok(())
}

/// Measures the stages.
struct Clock(Instant);

impl Clock {
    /// The time since the lap before.
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.0;
        self.0 = now;
        lap
    }
}
