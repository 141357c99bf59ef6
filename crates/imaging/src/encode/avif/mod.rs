//! AVIF: pixels → planes → AV1 by libaom → an ISO base media file of our own writing.
//!
//! C sees only pixels that we made. It does not know where the pixels come from, nor which quality the client was
//! promised: `quality` is a dial. What it writes is always a single still picture, 8 bits a sample, labelled sRGB.

mod aom;
mod container;
mod obu;
mod planes;

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use cache_key::transform::Chroma;
use planes::{Planes, Sample, Subsampling};

/// The longest side that the AV1 sequence header can state.
const MAX_SIDE: u32 = 65_536;

/// How to encode an AVIF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvifOptions {
    /// The dial, 1–100, on libavif's scale: 60 here looks like `avifenc -q 60`. 100 is near-lossless, not lossless.
    pub quality: u8,
    /// 0–10: more is slower and smaller. `None` is the fast default.
    pub effort: Option<u8>,
    /// 4:2:0 unless 4:4:4 is asked for: `Auto` means 4:2:0.
    pub chroma: Chroma,
    /// Ten bits a sample: the pixels have eight, but the rounding in between costs less. Not of lossless pictures.
    pub deep: bool,
    /// Every sample survives: GBR (identity matrix) in 4:4:4. `quality` and `chroma` are then ignored.
    pub lossless: bool,
}

/// Encodes one still picture. An alpha channel that is opaque everywhere is left out.
///
/// libaom offers no hook inside a frame: `watch` is asked before each of the two frames (colour, alpha) and after, so a
/// cancelled render still pays for the frame that has begun. [`expected_cpu_ms`] tells beforehand what that is.
///
/// # Errors
/// [`Error::TooLarge`] for a side above 65,536 (AV1 specification 5.5.1), [`Error::Internal`] when libaom fails, and
/// what [`Watch::check`] returns.
pub fn encode(bitmap: &Bitmap, options: &AvifOptions, watch: &Watch) -> Result<Vec<u8>, Error> {
    let longer = bitmap.width().max(bitmap.height());
    if longer > MAX_SIDE {
        let what = "longer side of an AVIF";
        return Err(Error::TooLarge { what, value: longer.into(), limit: MAX_SIDE.into() });
    }
    watch.check()?;
    let subsampling = match (bitmap.layout(), options.lossless, options.chroma) {
        (Layout::Gray, _, _) => Subsampling::Monochrome,
        (_, true, _) => Subsampling::Identity,
        (_, false, Chroma::C444) => Subsampling::Full,
        (_, false, Chroma::Auto | Chroma::C420) => Subsampling::Half,
    };
    let settings = aom::Settings {
        quantizer: quantizer(options.quality),
        cpu_used: cpu_used(options.effort),
        lossless: options.lossless,
    };
    if options.deep && !options.lossless {
        file::<u16>(bitmap, subsampling, settings, watch)
    } else {
        file::<u8>(bitmap, subsampling, settings, watch)
    }
}

/// Both frames have the same depth: readers refuse others.
fn file<S: Sample>(
    bitmap: &Bitmap,
    subsampling: Subsampling,
    settings: aom::Settings,
    watch: &Watch,
) -> Result<Vec<u8>, Error> {
    let color = frame(&Planes::<S>::of_color(bitmap, subsampling), settings)?;
    let alpha = match Planes::<S>::of_alpha(bitmap) {
        Some(planes) => {
            watch.check()?;
            Some(frame(&planes, settings)?)
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

fn frame<S: Sample>(planes: &Planes<S>, settings: aom::Settings) -> Result<Coded, Error> {
    let stream = aom::encode_still(planes, settings)?;
    let data = obu::without_temporal_delimiter(&stream).to_vec();
    let sequence =
        obu::sequence(&data).ok_or_else(|| Error::Internal("libaom wrote no still-picture sequence header".into()))?;
    Ok(Coded { data, depth: S::BITS as u8, sequence })
}

/// libavif's mapping of its quality to AV1's quantizer index of 0–63, made finer by what the quantiser matrices coarsen, so
/// that a dial looks as it does there: by a fourth at 60, by nothing at 1. 0 is kept for lossless.
fn quantizer(quality: u8) -> u8 {
    let distance = f64::from(100 - quality.clamp(1, 100)) / 100.0;
    let finer = 0.7 + 0.3 * distance * distance;
    (distance * 63.0 * finer).round().clamp(1.0, 63.0) as u8
}

/// libaom's speed of a single picture, 9 (fastest) down to 3; slower ones take seconds for less than 2 % of the bytes.
fn cpu_used(effort: Option<u8>) -> u8 {
    const SPEEDS: [u8; 11] = [9, 9, 8, 8, 7, 7, 6, 6, 5, 4, 3];
    effort.and_then(|e| SPEEDS.get(usize::from(e)).copied()).unwrap_or(if effort.is_some() { 3 } else { 9 })
}

/// What an encode costs, in milliseconds of one core, to price it before it begins; measured on photographs, so flat
/// pictures cost less. The figures are in `docs/decisions/0006-avif-encoder.md`.
pub fn expected_cpu_ms(width: u32, height: u32, effort: Option<u8>) -> u64 {
    let per_megapixel = match cpu_used(effort) {
        9 => 85,
        8 => 280,
        7 => 420,
        6 => 750,
        5 => 1_600,
        4 => 4_400,
        _ => 9_000,
    };
    (u64::from(width) * u64::from(height) * per_megapixel).div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(quality: u8) -> AvifOptions {
        AvifOptions { quality, effort: None, chroma: Chroma::Auto, lossless: false }
    }

    #[test]
    fn the_dial_is_libavifs_and_never_reaches_lossless() {
        assert_eq!([1, 50, 60, 75, 99, 100].map(quantizer), [62, 24, 19, 11, 1, 1]);
        assert_eq!([None, Some(0), Some(6), Some(10), Some(200)].map(cpu_used), [9, 9, 6, 3, 3]);
    }

    #[test]
    fn the_file_begins_as_an_avif_and_ends_with_its_frame() {
        let gray = Bitmap::new(5, 3, Layout::Gray, (0..15).map(|v| v * 16).collect());
        let file = encode(&gray, &options(60), &Watch::new()).expect("encodes");
        assert_eq!(&file[4..12], b"ftypavif");
        let mdat = file.windows(4).position(|w| w == b"mdat").expect("has data");
        let size = u32::from_be_bytes(file[mdat - 4..mdat].try_into().expect("four bytes"));
        assert_eq!(size as usize, file.len() - (mdat - 4));
    }

    #[test]
    fn a_cancelled_watch_ends_it_before_any_work() {
        let watch = Watch::new();
        watch.cancel();
        let picture = Bitmap::new(1, 1, Layout::Gray, vec![0]);
        assert_eq!(encode(&picture, &options(60), &watch), Err(Error::Cancelled));
    }

    #[test]
    fn a_side_that_av1_cannot_state_is_refused() {
        let picture = Bitmap::new(65_537, 1, Layout::Gray, vec![0; 65_537]);
        let refused = encode(&picture, &options(60), &Watch::new());
        assert!(matches!(refused, Err(Error::TooLarge { value: 65_537, limit: 65_536, .. })), "{refused:?}");
    }
}
