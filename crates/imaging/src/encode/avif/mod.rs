//! AVIF: pixels → planes → AV1 by one of the engines → an ISO base media file of our own writing.
//!
//! Encoders see only pixels that we made. It does not know where the pixels come from, nor which quality the client was
//! promised: `quality` is a dial. What it writes is labelled sRGB: still pictures, with loss and at leisure of ten bits a
//! sample, else eight; and sequences ([`film`]), of eight.

mod aom;
mod container;
mod engine;
pub(crate) mod film;
mod obu;
mod planes;
mod rav1e;
mod sequence;

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::quality::chroma::AVIF_FROM;
use aom::Libaom;
use cache_key::transform::Chroma;
pub use engine::Engine;
use engine::{Encoder, Wish};
use planes::{Planes, Sample, Subsampling};
use rav1e::Rav1e;

/// The longest side that every engine can state: 16 bits, of which AV1 could say one more (specification 5.5.1).
pub(super) const MAX_SIDE: u32 = 65_535;

/// How to encode an AVIF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvifOptions {
    /// Who encodes.
    pub engine: Engine,
    /// The dial, 1–100, on libavif's scale: 60 here looks like `avifenc -q 60`. 100 is near-lossless, not lossless.
    pub quality: u8,
    /// 0–10: more is slower and smaller. `None`: see [`effort`].
    pub effort: Option<u8>,
    /// 4:2:0 unless 4:4:4 is asked for: `Auto` means 4:2:0.
    pub chroma: Chroma,
    /// Every sample survives: GBR (identity matrix) in 4:4:4. `quality` and `chroma` are then ignored.
    pub lossless: bool,
}

/// Encodes one still picture. An alpha channel that is opaque everywhere is left out.
///
/// No engine offers a hook inside a frame: `watch` is asked before each of the two frames (colour, alpha) and after, so a
/// cancelled render still pays for the frame that has begun. [`expected_cpu_ms`] tells beforehand what that is.
///
/// # Errors
/// [`Error::TooLarge`] for a side above 65,535, [`Error::Impossible`] for `lossless` where the engine always loses a
/// little, [`Error::Internal`] when the encoder fails, and what [`Watch::check`] returns.
pub fn encode(bitmap: &Bitmap, options: &AvifOptions, watch: &Watch) -> Result<Vec<u8>, Error> {
    let longer = bitmap.width().max(bitmap.height());
    if longer > MAX_SIDE {
        let what = "longer side of an AVIF";
        return Err(Error::TooLarge { what, value: longer.into(), limit: MAX_SIDE.into() });
    }
    options.engine.can(options.lossless)?;
    watch.check()?;
    match options.engine {
        Engine::Libaom => by::<Libaom>(bitmap, options, watch),
        Engine::Rav1e => by::<Rav1e>(bitmap, options, watch),
    }
}

fn by<E: Encoder<u8> + Encoder<u16>>(bitmap: &Bitmap, options: &AvifOptions, watch: &Watch) -> Result<Vec<u8>, Error> {
    let AvifOptions { engine, quality, lossless, .. } = *options;
    let subsampling = match (bitmap.layout(), lossless, options.chroma) {
        (Layout::Gray, _, _) => Subsampling::Monochrome,
        (_, true, _) => Subsampling::Identity,
        (_, false, Chroma::C444) => Subsampling::Full,
        (_, false, Chroma::Auto | Chroma::C420) => Subsampling::Half,
    };
    let effort = effort(engine, bitmap.width(), bitmap.height(), options.effort, lossless);
    let wish = Wish { quality, effort, lossless, mask: false };
    if is_quick(engine, effort) || lossless {
        file::<E, u8>(bitmap, subsampling, wish, watch)
    } else {
        // The pixels have eight bits, yet what is rounded between them and the coded samples costs fewer bytes.
        file::<E, u16>(bitmap, subsampling, wish, watch)
    }
}

/// Both frames have the same depth: readers refuse others.
fn file<E: Encoder<S>, S: Sample>(
    bitmap: &Bitmap,
    subsampling: Subsampling,
    wish: Wish,
    watch: &Watch,
) -> Result<Vec<u8>, Error> {
    let color = frame::<E, S>(&Planes::of_color(bitmap, subsampling), wish)?;
    let alpha = match Planes::of_alpha(bitmap) {
        Some(planes) => {
            watch.check()?;
            Some(frame::<E, S>(&planes, Wish { mask: true, ..wish })?)
        }
        None => None,
    };
    watch.check()?;
    container::write(bitmap.width(), bitmap.height(), subsampling, &color, alpha.as_ref())
}

/// One coded frame and what the container has to repeat of it.
struct Coded {
    data: Vec<u8>,
    /// Bits of a sample.
    depth: u8,
    sequence: obu::Sequence,
}

fn frame<E: Encoder<S>, S: Sample>(planes: &Planes<S>, wish: Wish) -> Result<Coded, Error> {
    let stream = E::still(planes, wish)?;
    let data = obu::without_temporal_delimiter(&stream).to_vec();
    let missing = || Error::Internal("the encoder wrote no still-picture sequence header".into());
    let sequence = obu::sequence(&data).ok_or_else(missing)?;
    Ok(Coded { data, depth: S::BITS as u8, sequence })
}

/// The effort in the end: what is asked, else what is usual for the size. It follows from the size alone, never from how
/// busy the machine is: the bytes are named by what was asked.
pub fn effort(engine: Engine, width: u32, height: u32, asked: Option<u8>, lossless: bool) -> u8 {
    let (most, usual) = engine.known().usual;
    let careful = !lossless && u64::from(width) * u64::from(height) <= most;
    asked.unwrap_or(if careful { usual } else { 0 })
}

/// Whether an effort is one of those that write eight bits, and halved colours where the dial is low.
pub(crate) fn is_quick(engine: Engine, effort: u8) -> bool {
    engine.known().speed(effort).quick
}

/// What an encode costs, in milliseconds of one core, to price it before it begins; measured on photographs, so flat
/// pictures cost less.
pub fn expected_cpu_ms(engine: Engine, width: u32, height: u32, effort: u8) -> u64 {
    (u64::from(width) * u64::from(height) * engine.known().speed(effort).per_megapixel).div_ceil(1_000_000)
}

/// Bytes for a pixel of the result that an encode holds beside the bitmap.
pub(crate) fn memory_per_pixel(options: &AvifOptions) -> u64 {
    // Without loss all of it lives as long as in an encode of the usual effort.
    let known = options.engine.known();
    let speed = known.speed(if options.lossless { known.usual.1 } else { options.effort.unwrap_or(0) });
    let (halved, whole) = speed.memory;
    let is_halved = match options.chroma {
        Chroma::C420 => true,
        Chroma::C444 => false,
        Chroma::Auto => speed.quick && options.quality < AVIF_FROM,
    };
    if is_halved { halved } else { whole }
}

#[cfg(test)]
mod tests;
