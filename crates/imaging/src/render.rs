//! One render on one screen: probe → plan → decode → operations → encode. Everything is refused that can be refused
//! before the next step costs something; the watch is asked between steps.

use crate::bitmap::{Bitmap, Layout};
use crate::decode::{Decoded, decode};
use crate::encode::encode;
use crate::error::Error;
use crate::limits::Watch;
use crate::op::premultiply::is_opaque;
use crate::output::{self, Subject};
use crate::pipeline::{self, Pass, Start};
use crate::probe::{Probe, probe};
use crate::product::Product;
use crate::scratch::Scratch;
use crate::setup::Setup;
use cache_key::{Transform, Variant, not_implemented};
use std::time::{Duration, Instant};

/// Part of every rendition's key: raised when the same transform gives other bytes than before.
pub const PIPELINE_VERSION: u32 = 1;

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
    let (transform, limits) = (&variant.transform, &setup.limits);
    refuse_unknown(transform)?;
    watch.check()?;
    let mut clock = Clock(Instant::now());
    let source = probe(original, limits)?;
    let turn = pipeline::upright(transform, source.orientation);
    let stored = (source.width, source.height);
    let passes = pipeline::plan(turn.size(stored), transform, setup)?;
    let want = passes.first().map(|pass| pass.want(stored, turn)).unwrap_or_default();
    let Decoded { bitmap, icc, .. } = decode(original, &source, &want, limits, watch, scratch)?;
    let decode = clock.lap();

    let bitmap = run(&passes, bitmap, Start { size: stored, turn, profile: icc }, watch, scratch)?;
    let transforming = clock.lap();

    let (width, height) = (bitmap.width(), bitmap.height());
    let alpha = bitmap.layout() == Layout::Rgba && !is_opaque(&bitmap);
    let subject = Subject { source: source.format, alpha, longer_side: width.max(height) };
    let codec = output::codec(&transform.output, variant.class, subject)?;
    let settings = output::settings(transform, codec)?;
    let bytes = encode(bitmap, &settings, watch, scratch)?;
    let timings = Timings { decode, transform: transforming, encode: clock.lap() };
    Ok(Rendition { bytes, product: Product::Picture(codec), width, height, timings, source })
}

/// Says which parameter is in use that cannot be served yet.
///
/// # Errors
/// [`Error::NotImplemented`].
pub(crate) fn refuse_unknown(transform: &Transform) -> Result<(), Error> {
    not_implemented(transform).map_or(Ok(()), |name| Err(Error::NotImplemented(name)))
}

fn run(
    passes: &[Pass<'_>],
    mut bitmap: Bitmap,
    start: Start,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Bitmap, Error> {
    let mut start = Some(start);
    for pass in passes {
        let size = (bitmap.width(), bitmap.height());
        // Only the first pass begins with what a decoder made; the others with an upright sRGB picture.
        let start = match start.take() {
            Some(first) => Start { size, ..first },
            None => Start { size, turn: Default::default(), profile: None },
        };
        for operation in pass.operations(start) {
            watch.check()?;
            bitmap = operation.apply(bitmap, scratch)?;
        }
    }
    Ok(bitmap)
}

struct Clock(Instant);

impl Clock {
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.0;
        self.0 = now;
        lap
    }
}
