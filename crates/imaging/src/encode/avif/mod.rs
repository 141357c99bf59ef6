//! AVIF: pixels → planes → AV1 by libaom → an ISO base media file of our own writing.
//!
//! C sees only pixels that we made. It does not know where the pixels come from, nor which quality the client was
//! promised: `quality` is a dial. What it writes is always a single still picture, labelled sRGB; with loss and at leisure
//! ten bits a sample, else eight.

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
    /// 0–10: more is slower and smaller. `None`: see [`effort`].
    pub effort: Option<u8>,
    /// 4:2:0 unless 4:4:4 is asked for: `Auto` means 4:2:0.
    pub chroma: Chroma,
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
    let effort = effort(bitmap.width(), bitmap.height(), options.effort, options.lossless);
    let settings = aom::Settings {
        quantizer: quantizer(options.quality, !is_quick(effort)),
        cpu_used: cpu_used(effort),
        lossless: options.lossless,
        careful: !is_quick(effort),
    };
    if is_quick(effort) || options.lossless {
        file::<u8>(bitmap, subsampling, settings, watch)
    } else {
        // The pixels have eight bits, yet what is rounded between them and the coded samples costs fewer bytes.
        file::<u16>(bitmap, subsampling, settings, watch)
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
            // Edges of masks are no photograph.
            Some(frame(&planes, aom::Settings { careful: false, ..settings })?)
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

/// libavif's mapping of its quality to AV1's quantizer index of 0–63, bent so that a dial looks alike at every effort
/// (the mean SSIMULACRA2 at 60 and at 77): finer than libavif's where the encoder is quick, by a fourth at 60, coarser
/// where it is careful, by a fifth at 60. 0 is kept for lossless.
fn quantizer(quality: u8, careful: bool) -> u8 {
    let distance = f64::from(100 - quality.clamp(1, 100)) / 100.0;
    let bent = if careful { 1.32 - 0.32 * distance } else { 0.7 + 0.3 * distance * distance };
    (distance * 63.0 * bent).round().clamp(1.0, 63.0) as u8
}

/// Pictures up to this many pixels (1920 × 1080 and a little) get the careful default: about 1.5 seconds of one core.
const CAREFUL_PIXELS: u64 = 1 << 21;

/// The effort in the end: what is asked, else 4 up to two megapixels and 0 beyond, and 0 without loss. It follows from
/// the size alone, never from how busy the machine is: the bytes are named by what was asked.
pub fn effort(width: u32, height: u32, asked: Option<u8>, lossless: bool) -> u8 {
    let careful = !lossless && u64::from(width) * u64::from(height) <= CAREFUL_PIXELS;
    asked.unwrap_or(if careful { 4 } else { 0 })
}

/// Whether an effort is one of those that write eight bits, and halved colours where the dial is low.
pub(crate) fn is_quick(effort: u8) -> bool {
    cpu_used(effort) == 9
}

/// libaom's speed of a single picture, 9 (fastest) down to 3.
fn cpu_used(effort: u8) -> u8 {
    const SPEEDS: [u8; 11] = [9, 9, 8, 7, 6, 6, 5, 5, 4, 4, 3];
    SPEEDS.get(usize::from(effort)).copied().unwrap_or(3)
}

/// What an encode costs, in milliseconds of one core, to price it before it begins; measured on photographs, so flat
/// pictures cost less. The figures are in `docs/decisions/0038-avif-effort-and-depth.md`.
pub fn expected_cpu_ms(width: u32, height: u32, effort: u8) -> u64 {
    let per_megapixel = match cpu_used(effort) {
        9 => 85,
        8 => 300,
        7 => 540,
        6 => 720,
        5 => 3_100,
        4 => 6_400,
        _ => 13_000,
    };
    (u64::from(width) * u64::from(height) * per_megapixel).div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{Want, decode};
    use crate::limits::Limits;
    use crate::probe::probe;
    use crate::scratch::Scratch;

    fn options(quality: u8) -> AvifOptions {
        AvifOptions { quality, effort: None, chroma: Chroma::Auto, lossless: false }
    }

    #[test]
    fn the_dial_is_libavifs_and_never_reaches_lossless() {
        assert_eq!([1, 50, 60, 75, 99, 100].map(|q| quantizer(q, false)), [62, 24, 19, 11, 1, 1]);
        assert_eq!([1, 50, 60, 75, 99, 100].map(|q| quantizer(q, true)), [63, 37, 30, 20, 1, 1]);
        assert_eq!([0, 4, 6, 10, 200].map(cpu_used), [9, 6, 5, 3, 3]);
    }

    #[test]
    fn effort_falls_with_the_size_unless_it_is_asked() {
        assert_eq!([effort(1_920, 1_080, None, false), effort(2_000, 1_080, None, false)], [4, 0]);
        assert_eq!([effort(9, 9, None, true), effort(9_000, 9_000, Some(7), false)], [0, 7]);
        assert!(expected_cpu_ms(1_920, 1_080, 4) < 1_500 && expected_cpu_ms(8_192, 4_882, 0) < 4_000);
    }

    /// The file's `pixi`, its `av1C` and what our decoder reads of the stream all say the same depth.
    #[test]
    fn careful_files_have_ten_bits_and_come_back() {
        let pixels: Vec<u8> = (0..24 * 16).flat_map(|i| [(i % 24 * 9) as u8, 90, 200, 255 - (i / 2) as u8]).collect();
        let picture = Bitmap::new(24, 16, Layout::Rgba, pixels);
        for (effort, chroma, bits) in [(4, Chroma::C444, 10), (4, Chroma::C420, 10), (0, Chroma::C444, 8)] {
            let asked = AvifOptions { quality: 95, effort: Some(effort), chroma, lossless: false };
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
    fn a_side_that_av1_cannot_state_is_refused() {
        let picture = Bitmap::new(65_537, 1, Layout::Gray, vec![0; 65_537]);
        let refused = encode(&picture, &options(60), &Watch::new());
        assert!(matches!(refused, Err(Error::TooLarge { value: 65_537, limit: 65_536, .. })), "{refused:?}");
    }
}
