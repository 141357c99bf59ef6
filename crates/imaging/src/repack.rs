//! A still PNG packed anew: the same pixels and the same chunks in fewer bytes.
//!
//! Our decoder takes the file apart; `oxipng` sees samples only, never a stranger's bytes. Knows no files and no store. Invariants:
//! what is given has the samples of the original, compared one by one after decoding both, and every ancillary chunk of it,
//! byte by byte and in order; a file of which that cannot be said is left alone.

use crate::embed::png::chunk as write_chunk;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::metadata::png::{Chunk, chunks};
use crate::probe::probe;
use oxipng::{BitDepth, ColorType, Options, RGB16, RGBA8, RawImage};
use png::{DecodeOptions, Decoder, Info, Transformations};
use std::io::Cursor;
use std::time::Duration;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
/// PNG third edition, 5.6: these stand before the palette.
const EARLY: [&[u8; 4]; 8] = [b"cHRM", b"cICP", b"gAMA", b"iCCP", b"mDCV", b"cLLI", b"sBIT", b"sRGB"];
/// Those of the specification that may stand behind it, and that say nothing of how samples are stored.
const LATE: [&[u8; 4]; 7] = [b"eXIf", b"iTXt", b"pHYs", b"sPLT", b"tEXt", b"tIME", b"zTXt"];
/// They speak of samples as they are stored, so that depth and colour type have to stay.
const OF_SAMPLES: [&[u8; 4]; 3] = [b"bKGD", b"hIST", b"sBIT"];
/// A profile or code points for colour do not suit grey.
const OF_COLOUR: [&[u8; 4]; 3] = [b"cICP", b"iCCP", b"mDCV"];
/// Where Apple's own decoder may begin in the middle: of no use to anybody else, and wrong once the file is packed anew.
const DROPPED: &[u8; 4] = b"iDOT";
/// Pixels between two looks at the watch.
const STRETCH: usize = 1 << 20;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repacked {
    /// The file that may take the original's place.
    Smaller(Vec<u8>),
    /// It stays as it is; why, in words.
    Left(&'static str),
}

/// Packs a PNG anew. `effort` ends the search for something smaller, between two attempts; `watch` ends the whole.
/// Memory: samples four times and both pictures expanded, within `limits.memory`.
///
/// # Errors
/// [`Error::Malformed`], [`Error::TooLarge`], [`Error::Internal`]; [`Error::Deadline`] and [`Error::Cancelled`] by `watch`.
pub fn repack(bytes: &[u8], limits: &Limits, effort: Duration, watch: &Watch) -> Result<Repacked, Error> {
    let probe = probe(bytes, limits)?;
    if probe.format != SourceFormat::Png {
        return Ok(Repacked::Left("it is no PNG"));
    }
    let original = match Parts::of(bytes) {
        Ok(parts) => parts,
        Err(why) => return Ok(Repacked::Left(why)),
    };
    let expanded = u64::from(probe.width) * u64::from(probe.height) * 8;
    let (info, samples) = samples(bytes, limits, expanded)?;
    watch.check()?;
    let Some(color) = color_of(&info) else { return Ok(Repacked::Left("its palette is not sound")) };
    if !within_palette(&color, &info, &samples) {
        return Ok(Repacked::Left("it has colours that are not in its palette"));
    }
    let failed = |error: oxipng::PngError| Error::Internal(error.to_string());
    let depth = depth_of(info.bit_depth);
    let image = RawImage::new(info.width, info.height, color, depth, samples).map_err(failed)?;
    let small = image.create_optimized_png(&original.options(effort)).map_err(failed)?;
    drop(image);
    watch.check()?;
    let packed = Parts::of(&small).map_err(|why| Error::Internal(why.to_owned()))?;
    let whole = original.with_pixels_of(&packed);
    if whole.len() >= bytes.len() {
        return Ok(Repacked::Left("nothing is saved"));
    }
    if !same_pixels(bytes, &whole, expanded, watch)? {
        return Err(Error::Internal("packed anew, the pixels would be others".to_owned()));
    }
    Ok(Repacked::Smaller(whole))
}

/// A file's chunks by what they are to it.
struct Parts<'a> {
    header: &'a [u8],
    /// Ancillary ones before the pixels, in order.
    before: Vec<Chunk<'a>>,
    /// Palette and transparency.
    colors: Vec<Chunk<'a>>,
    pixels: Vec<&'a [u8]>,
    /// Ancillary ones behind the pixels.
    after: Vec<Chunk<'a>>,
}

impl<'a> Parts<'a> {
    /// # Errors
    /// Why the file is better left as it is.
    fn of(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut parts =
            Self { header: &[], before: Vec::new(), colors: Vec::new(), pixels: Vec::new(), after: Vec::new() };
        let mut whole = Vec::with_capacity(bytes.len());
        whole.extend_from_slice(SIGNATURE);
        for chunk in chunks(bytes) {
            write_chunk(&chunk.kind, &[chunk.body], &mut whole);
            match &chunk.kind {
                b"IHDR" => parts.header = chunk.body,
                b"PLTE" | b"tRNS" => parts.colors.push(chunk),
                b"IDAT" => parts.pixels.push(chunk.body),
                b"IEND" => break,
                DROPPED => {}
                b"acTL" | b"fcTL" | b"fdAT" => return Err("it is an animation"),
                kind if !may_be_copied(kind) => return Err("it has a chunk that depends on how it is packed"),
                _ if parts.pixels.is_empty() => parts.before.push(chunk),
                _ => parts.after.push(chunk),
            }
        }
        // So nothing is behind its end, and no checksum was wrong before and would be right afterwards.
        if whole == bytes { Ok(parts) } else { Err("its chunks are not whole, or are not all of the file") }
    }

    fn has(&self, kinds: &[&[u8; 4]]) -> bool {
        self.before.iter().any(|chunk| kinds.contains(&&chunk.kind))
    }

    fn options(&self, effort: Duration) -> Options {
        let free = !self.has(&OF_SAMPLES);
        Options {
            bit_depth_reduction: free,
            color_type_reduction: free,
            palette_reduction: free,
            grayscale_reduction: free && !self.has(&OF_COLOUR),
            timeout: Some(effort),
            ..Options::default()
        }
    }

    /// The other one's pixels, and all else of this one.
    fn with_pixels_of(&self, other: &Self) -> Vec<u8> {
        let mut out = SIGNATURE.to_vec();
        let (early, late): (Vec<_>, Vec<_>) = self.before.iter().partition(|chunk| EARLY.contains(&&chunk.kind));
        write_chunk(b"IHDR", &[other.header], &mut out);
        for chunk in early.into_iter().chain(&other.colors).chain(late) {
            write_chunk(&chunk.kind, &[chunk.body], &mut out);
        }
        write_chunk(b"IDAT", &other.pixels, &mut out);
        for chunk in &self.after {
            write_chunk(&chunk.kind, &[chunk.body], &mut out);
        }
        write_chunk(b"IEND", &[], &mut out);
        out
    }
}

/// Whether a chunk holds for pixels that are packed otherwise: one of the specification's, or one whose name says so
/// (5.4: the case of the first letter is "ancillary", that of the fourth "safe to copy").
fn may_be_copied(kind: &[u8; 4]) -> bool {
    let known = EARLY.iter().chain(&LATE).chain(&OF_SAMPLES).any(|known| *known == kind);
    known || (kind[0].is_ascii_lowercase() && kind[3].is_ascii_lowercase())
}

/// The samples as they are in the file, rows packed to bytes.
fn samples(bytes: &[u8], limits: &Limits, expanded: u64) -> Result<(Info<'static>, Vec<u8>), Error> {
    let mut reader = open(bytes, Transformations::IDENTITY)?;
    let length = reader.output_buffer_size().unwrap_or(usize::MAX);
    let needed = (length as u64).saturating_mul(4).saturating_add(expanded.saturating_mul(2));
    if needed > limits.memory {
        let what = "memory for packing the picture anew";
        return Err(Error::TooLarge { what, value: needed, limit: limits.memory });
    }
    let mut samples = vec![0; length];
    reader.next_frame(&mut samples).map_err(|error| told(&error))?;
    let info = reader.info();
    let palette = info.palette.as_ref().map(|palette| palette.to_vec().into());
    let trns = info.trns.as_ref().map(|trns| trns.to_vec().into());
    let mut kept = Info::with_size(info.width, info.height);
    (kept.bit_depth, kept.color_type, kept.palette, kept.trns) = (info.bit_depth, info.color_type, palette, trns);
    Ok((kept, samples))
}

fn open(bytes: &[u8], transformations: Transformations) -> Result<png::Reader<Cursor<&[u8]>>, Error> {
    let mut options = DecodeOptions::default();
    options.set_ignore_text_chunk(true);
    options.set_ignore_iccp_chunk(true);
    let mut decoder = Decoder::new_with_options(Cursor::new(bytes), options);
    decoder.set_limits(png::Limits { bytes: 16 << 20 });
    decoder.set_transformations(transformations);
    decoder.read_info().map_err(|error| told(&error))
}

fn told(error: &png::DecodingError) -> Error {
    Error::Malformed(error.to_string())
}

fn depth_of(depth: png::BitDepth) -> BitDepth {
    match depth {
        png::BitDepth::One => BitDepth::One,
        png::BitDepth::Two => BitDepth::Two,
        png::BitDepth::Four => BitDepth::Four,
        png::BitDepth::Eight => BitDepth::Eight,
        png::BitDepth::Sixteen => BitDepth::Sixteen,
    }
}

/// The colour type with what belongs to it; `None` for a palette that is none.
fn color_of(info: &Info<'_>) -> Option<ColorType> {
    let trns = info.trns.as_deref();
    let shade = |at: usize| trns.and_then(|trns| Some(u16::from_be_bytes(*trns.get(at..)?.first_chunk()?)));
    Some(match info.color_type {
        png::ColorType::Grayscale => ColorType::Grayscale { transparent_shade: shade(0) },
        png::ColorType::GrayscaleAlpha => ColorType::GrayscaleAlpha,
        png::ColorType::Rgba => ColorType::RGBA,
        png::ColorType::Rgb => {
            let color = shade(0).zip(shade(2)).zip(shade(4));
            ColorType::RGB { transparent_color: color.map(|((r, g), b)| RGB16 { r, g, b }) }
        }
        png::ColorType::Indexed => {
            let (colors, []) = info.palette.as_deref()?.as_chunks::<3>() else { return None };
            let alpha = |at: usize| trns.and_then(|trns| trns.get(at)).copied().unwrap_or(u8::MAX);
            let color = |(at, &[r, g, b]): (usize, &[u8; 3])| RGBA8 { r, g, b, a: alpha(at) };
            ColorType::Indexed { palette: colors.iter().enumerate().map(color).collect() }
        }
    })
}

/// Whether each sample names a colour that there is.
fn within_palette(color: &ColorType, info: &Info<'_>, samples: &[u8]) -> bool {
    let ColorType::Indexed { palette } = color else { return true };
    let bits = info.bit_depth as u32;
    let row = (info.width as usize * bits as usize).div_ceil(8).max(1);
    let mask = u8::try_from((1_u32 << bits) - 1).unwrap_or(u8::MAX);
    samples.chunks_exact(row).all(|row| {
        (0..info.width).all(|x| {
            let at = x * bits;
            let byte = row.get((at / 8) as usize).copied().unwrap_or(u8::MAX);
            usize::from(byte >> (8 - bits - at % 8) & mask) < palette.len()
        })
    })
}

/// Whether two files show the same, sample by sample, hidden colours of clear pixels included.
fn same_pixels(one: &[u8], other: &[u8], expanded: u64, watch: &Watch) -> Result<bool, Error> {
    let (one, other) = (Expanded::of(one, expanded)?, Expanded::of(other, expanded)?);
    if one.size != other.size {
        return Ok(false);
    }
    let count = one.size.0 as usize * one.size.1 as usize;
    for start in (0..count).step_by(STRETCH) {
        watch.check()?;
        if (start..count.min(start + STRETCH)).any(|at| one.pixel(at) != other.pixel(at)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A picture whose palette, low depths and transparent colour have become samples of 8 or 16 bits.
struct Expanded {
    size: (u32, u32),
    channels: usize,
    wide: bool,
    samples: Vec<u8>,
}

impl Expanded {
    fn of(bytes: &[u8], most: u64) -> Result<Self, Error> {
        let mut reader = open(bytes, Transformations::EXPAND)?;
        let length = reader.output_buffer_size().filter(|length| *length as u64 <= most);
        let mut samples = vec![0; length.ok_or_else(|| Error::Internal("more samples than pixels have".to_owned()))?];
        let frame = reader.next_frame(&mut samples).map_err(|error| told(&error))?;
        let (channels, wide) = (frame.color_type.samples(), frame.bit_depth == png::BitDepth::Sixteen);
        Ok(Self { size: (frame.width, frame.height), channels, wide, samples })
    }

    /// Red, green, blue, alpha, of 16 bits each.
    fn pixel(&self, at: usize) -> Option<[u16; 4]> {
        let sample = |channel: usize| {
            let at = at * self.channels + channel;
            if self.wide {
                self.samples.get(at * 2..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
            } else {
                self.samples.get(at).map(|value| u16::from(*value) * 257)
            }
        };
        Some(match self.channels {
            1 => [sample(0)?, sample(0)?, sample(0)?, u16::MAX],
            2 => [sample(0)?, sample(0)?, sample(0)?, sample(1)?],
            3 => [sample(0)?, sample(1)?, sample(2)?, u16::MAX],
            _ => [sample(0)?, sample(1)?, sample(2)?, sample(3)?],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use png::{ColorType as Kind, Compression, Encoder};
    use proptest::prelude::*;

    const EFFORT: Duration = Duration::from_secs(5);

    fn packed(bytes: &[u8]) -> Result<Repacked, Error> {
        repack(bytes, &Limits::default(), EFFORT, &Watch::new())
    }

    fn smaller(bytes: &[u8]) -> Vec<u8> {
        match packed(bytes) {
            Ok(Repacked::Smaller(small)) => small,
            other => panic!("{other:?}"),
        }
    }

    fn file(kind: Kind, depth: png::BitDepth, size: (u32, u32), samples: &[u8], more: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = Encoder::new(&mut out, size.0, size.1);
        encoder.set_color(kind);
        encoder.set_depth(depth);
        if kind == Kind::Indexed {
            encoder.set_palette((0..48).map(|at| at * 5).collect::<Vec<u8>>());
            encoder.set_trns(vec![0, 100, 255]);
        }
        encoder.set_compression(Compression::NoCompression);
        let mut writer = encoder.write_header().expect("a sound header");
        for (kind, body) in more {
            writer.write_chunk(png::chunk::ChunkType(**kind), body).expect("memory takes it");
        }
        writer.write_image_data(samples).expect("as many samples as pixels");
        writer.finish().expect("a whole picture");
        out
    }

    fn ancillary(bytes: &[u8]) -> Vec<([u8; 4], Vec<u8>)> {
        let core = [b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"];
        let all = chunks(bytes).filter(|chunk| !core.contains(&&chunk.kind));
        all.map(|chunk| (chunk.kind, chunk.body.to_vec())).collect()
    }

    #[test]
    fn what_belongs_to_the_picture_stays() {
        let more: [(&[u8; 4], &[u8]); 7] = [
            (b"gAMA", &45_455_u32.to_be_bytes()),
            (b"iCCP", b"ours\0\0not looked at"),
            (b"sBIT", &[8, 8, 8]),
            (b"pHYs", &[0, 0, 11, 19, 0, 0, 11, 19, 1]),
            (b"eXIf", b"II*\0\x08\0\0\0\0\0\0\0\0\0"),
            (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"),
            (b"prVt", b"safe to copy"),
        ];
        let samples = [7_u8; 64 * 64 * 3];
        let original = file(Kind::Rgb, png::BitDepth::Eight, (64, 64), &samples, &more);
        let small = smaller(&original);
        assert!(small.len() < original.len() / 10, "{} of {}", small.len(), original.len());
        assert_eq!(ancillary(&small), ancillary(&original));
        assert_eq!(small[25], 2, "sBIT and a profile speak of three samples");
        let plain = smaller(&file(Kind::Rgb, png::BitDepth::Eight, (64, 64), &samples, &[]));
        assert_ne!(plain[25], 2, "without them fewer are enough");
        assert_eq!(packed(&small), Ok(Repacked::Left("nothing is saved")), "twice is as once");
    }

    #[test]
    fn what_cannot_be_vouched_for_is_left() {
        let picture = |more: &[(&[u8; 4], &[u8])]| file(Kind::Rgb, png::BitDepth::Eight, (8, 8), &[7; 192], more);
        let left = |bytes: &[u8]| match packed(bytes) {
            Ok(Repacked::Left(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(left(&picture(&[(b"caBX", b"signs the bytes")])).contains("depends"));
        assert!(left(&picture(&[(b"acTL", &[0, 0, 0, 1, 0, 0, 0, 0])])).contains("animation"));
        assert!(left(&[&picture(&[])[..], b"more"].concat()).contains("not all"));
        let mut damaged = picture(&[(b"tEXt", b"a\0b")]);
        let at = damaged.windows(4).position(|four| four == b"tEXt").unwrap();
        damaged[at + 4] ^= 1;
        assert!(left(&damaged).contains("not whole"));
        assert_eq!(left(b"GIF89a\x01\0\x01\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b"), "it is no PNG");
        let limits = Limits { memory: 100, ..Limits::default() };
        assert!(matches!(repack(&picture(&[]), &limits, EFFORT, &Watch::new()), Err(Error::TooLarge { .. })));
        let over = Watch::new();
        over.cancel();
        assert_eq!(repack(&picture(&[]), &Limits::default(), EFFORT, &over), Err(Error::Cancelled));
    }

    #[test]
    fn another_picture_is_known() {
        let one = file(Kind::Rgba, png::BitDepth::Eight, (2, 1), &[1, 2, 3, 0, 4, 5, 6, 255], &[]);
        let hidden = file(Kind::Rgba, png::BitDepth::Eight, (2, 1), &[9, 2, 3, 0, 4, 5, 6, 255], &[]);
        assert_eq!(same_pixels(&one, &one, 16, &Watch::new()), Ok(true));
        assert_eq!(same_pixels(&one, &hidden, 16, &Watch::new()), Ok(false));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn pixels_stay(
            which in 0_usize..11, width in 1_u32..40, height in 1_u32..20, seed in any::<u8>(), step in 0_u8..4,
        ) {
            use png::BitDepth as D;
            let (kind, depth) = [
                (Kind::Grayscale, D::One), (Kind::Grayscale, D::Two), (Kind::Grayscale, D::Eight),
                (Kind::Grayscale, D::Sixteen), (Kind::GrayscaleAlpha, D::Eight), (Kind::GrayscaleAlpha, D::Sixteen),
                (Kind::Rgb, D::Eight), (Kind::Rgb, D::Sixteen), (Kind::Rgba, D::Eight), (Kind::Rgba, D::Sixteen),
                (Kind::Indexed, D::Four),
            ][which];
            let row = (width as usize * kind.samples() * depth as usize).div_ceil(8);
            let samples: Vec<u8> = (0..row * height as usize).map(|at| seed.wrapping_add((at as u8).wrapping_mul(step))).collect();
            let original = file(kind, depth, (width, height), &samples, &[]);
            match packed(&original)? {
                Repacked::Left(_) => {}
                Repacked::Smaller(small) => {
                    prop_assert!(small.len() < original.len());
                    // Not by the comparison that it has passed, but by what a reader gets.
                    let read = |bytes: &[u8]| {
                        let mut decoder = Decoder::new(Cursor::new(bytes));
                        decoder.set_transformations(Transformations::ALPHA | Transformations::STRIP_16);
                        let mut reader = decoder.read_info().unwrap();
                        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
                        let frame = reader.next_frame(&mut pixels).unwrap();
                        let color = |pixel: &[u8]| match *pixel {
                            [v, a] => [v, v, v, a],
                            [r, g, b, a] => [r, g, b, a],
                            _ => unreachable!("alpha was asked for"),
                        };
                        pixels.chunks(frame.color_type.samples()).map(color).collect::<Vec<_>>()
                    };
                    prop_assert_eq!(read(&original), read(&small));
                }
            }
        }
    }
}
