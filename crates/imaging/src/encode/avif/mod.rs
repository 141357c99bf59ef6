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
mod sequence;

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use aom::Libaom;
use cache_key::transform::Chroma;
pub use engine::Engine;
use engine::{Encoder, Wish};
use planes::{Planes, Sample, Subsampling};

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
    }
}

fn by<E: Encoder>(bitmap: &Bitmap, options: &AvifOptions, watch: &Watch) -> Result<Vec<u8>, Error> {
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
fn file<E: Encoder, S: Sample>(
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

fn frame<E: Encoder, S: Sample>(planes: &Planes<S>, wish: Wish) -> Result<Coded, Error> {
    let stream = E::still(planes, wish)?;
    let data = obu::without_temporal_delimiter(&stream).to_vec();
    let missing = || Error::Internal(format!("{} wrote no still-picture sequence header", E::KNOWN.name));
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
pub(crate) fn memory_per_pixel(engine: Engine, effort: u8, lossless: bool) -> u64 {
    // Without loss all of it lives as long as in a careful encode.
    engine.known().speed(if lossless { 10 } else { effort }).memory
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Want, decode};
    use crate::limits::Limits;
    use crate::probe::probe;
    use crate::scratch::Scratch;

    fn options(quality: u8) -> AvifOptions {
        AvifOptions { engine: Engine::Libaom, quality, effort: None, chroma: Chroma::Auto, lossless: false }
    }

    #[test]
    fn effort_falls_with_the_size_unless_it_is_asked() {
        let effort = |width, height, asked, lossless| effort(Engine::Libaom, width, height, asked, lossless);
        assert_eq!([effort(1_920, 1_080, None, false), effort(2_000, 1_080, None, false)], [4, 0]);
        assert_eq!([effort(9, 9, None, true), effort(9_000, 9_000, Some(7), false)], [0, 7]);
        assert_eq!(
            [0, 1, 2, 10, 200].map(|effort| is_quick(Engine::Libaom, effort)),
            [true, true, false, false, false]
        );
        let millis = |width, height, effort| expected_cpu_ms(Engine::Libaom, width, height, effort);
        assert!(millis(1_920, 1_080, 4) < 1_500 && millis(8_192, 4_882, 0) < 4_000);
        assert_eq!(millis(1_000, 1_000, 200), millis(1_000, 1_000, 10));
    }

    /// The file's `pixi`, its `av1C` and what our decoder reads of the stream all say the same depth.
    #[test]
    fn careful_files_have_ten_bits_and_come_back() {
        let pixels: Vec<u8> = (0..24 * 16).flat_map(|i| [(i % 24 * 9) as u8, 90, 200, 255 - (i / 2) as u8]).collect();
        let picture = Bitmap::new(24, 16, Layout::Rgba, pixels);
        for (effort, chroma, bits) in [(4, Chroma::C444, 10), (4, Chroma::C420, 10), (0, Chroma::C444, 8)] {
            let asked = AvifOptions { effort: Some(effort), chroma, ..options(95) };
            let file = encode(&picture, &asked, &Watch::new()).expect("encodes");
            let limits = Limits::default();
            let header = probe(&file, &limits).expect("is read");
            assert_eq!((header.depth, header.has_alpha), (bits, true));
            let seen = |kind: &[u8]| file.windows(4).position(|w| w == kind).map(|at| at + 4).expect("is there");
            assert_eq!(&file[seen(b"pixi") + 4..][..4], &[3, bits, bits, bits]);
            assert_eq!(file[seen(b"av1C") + 2] >> 6 & 1, u8::from(bits > 8));
            let scratch = &mut Scratch::new(0);
            let back = decode(&file, &header, &Want::EVERYTHING, &limits, &Watch::new(), scratch).expect("decodes");
            let off = back.bitmap.pixels().as_chunks::<4>().0.iter().zip(picture.pixels().as_chunks::<4>().0);
            let worst = off.clone().map(|(a, b)| a[3].abs_diff(b[3])).max();
            assert!(worst < Some(8), "alpha is off by {worst:?}");
            let mean = off.map(|(a, b)| u32::from(a[1].abs_diff(b[1]))).sum::<u32>() / (24 * 16);
            assert!(mean < 4, "green is off by {mean}");
        }
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
    fn a_side_that_the_encoders_cannot_state_is_refused() {
        let picture = Bitmap::new(65_536, 1, Layout::Gray, vec![0; 65_536]);
        let refused = encode(&picture, &options(60), &Watch::new());
        assert!(matches!(refused, Err(Error::TooLarge { value: 65_536, limit: 65_535, .. })), "{refused:?}");
    }
}
