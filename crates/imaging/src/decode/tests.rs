//! Pictures made here by encoders that share no code with the decoders (or none that matters), decoded and compared.

use super::{Decoded, Want, decode};
use crate::bitmap::Layout;
use crate::error::Error;
use crate::limits::{Limits, Watch};
use crate::probe::probe;
use crate::scratch::Scratch;
use jpeg_encoder::{ColorType as JpegColor, Encoder as JpegEncoder, SamplingFactor};
use moxcms::ColorProfile;
use proptest::prelude::*;
use std::borrow::Cow;

const WIDTH: u16 = 53;
const HEIGHT: u16 = 37;
const PIXELS: usize = WIDTH as usize * HEIGHT as usize;

/// Decodes into memory that held something else before.
fn read(bytes: &[u8]) -> Result<Decoded, Error> {
    read_over(bytes, 0xA7)
}

fn read_over(bytes: &[u8], stale: u8) -> Result<Decoded, Error> {
    let mut scratch = Scratch::new(64 << 20);
    for _ in 0..3 {
        scratch.give(vec![stale; 1 << 20]);
    }
    let limits = Limits::default();
    let found = probe(bytes, &limits)?;
    decode(bytes, &found, &Want::EVERYTHING, &limits, &Watch::new(), &mut scratch)
}

/// Smooth in each of `channels`, so that lossy codecs come close.
fn gradient(channels: usize) -> Vec<u8> {
    let (width, height) = (usize::from(WIDTH), usize::from(HEIGHT));
    let value = |x: usize, y: usize, c: usize| match c {
        0 => x * 255 / width,
        1 => y * 255 / height,
        2 => (x + y) * 255 / (width + height),
        _ => 255 - x * 255 / width,
    };
    let coordinates = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    coordinates.flat_map(|(x, y)| (0..channels).map(move |c| value(x, y, c) as u8)).collect()
}

fn mean_difference(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / a.len() as f64
}

fn jpeg(color: JpegColor, channels: usize, set: impl FnOnce(&mut JpegEncoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = JpegEncoder::new(&mut out, 95);
    set(&mut encoder);
    encoder.encode(&gradient(channels), WIDTH, HEIGHT, color).expect("the encoder takes any pixels");
    out
}

mod jpegs {
    use super::*;

    #[test]
    fn optimised_and_progressive_tables_and_every_sampling_decode() {
        use SamplingFactor::*;
        for sampling in [F_1_1, F_2_1, F_1_2, F_2_2, F_4_1, F_4_2, F_1_4, F_2_4] {
            for (optimised, progressive, restart) in
                [(false, false, 0), (true, false, 0), (true, true, 0), (false, true, 0), (false, false, 2)]
            {
                let bytes = jpeg(JpegColor::Rgb, 3, |e| {
                    e.set_sampling_factor(sampling);
                    e.set_optimized_huffman_tables(optimised);
                    e.set_progressive(progressive);
                    e.set_restart_interval(restart);
                });
                let decoded = read(&bytes).expect("a good file");
                assert_eq!(decoded.bitmap.layout(), Layout::Rgb);
                let difference = mean_difference(decoded.bitmap.pixels(), &gradient(3));
                assert!(difference < 5.0, "{sampling:?} {optimised} {progressive} {restart}: {difference}");
            }
        }
    }

    #[test]
    fn gray_stays_gray() {
        let decoded = read(&jpeg(JpegColor::Luma, 1, |_| {})).expect("a good file");
        assert_eq!(decoded.bitmap.layout(), Layout::Gray);
        assert!(mean_difference(decoded.bitmap.pixels(), &gradient(1)) < 1.5);
    }

    #[test]
    fn inks_become_colours() {
        let inks = gradient(4);
        let naive: Vec<u8> = inks
            .chunks_exact(4)
            .flat_map(|p| [0, 1, 2].map(|i| (u32::from(255 - p[i]) * u32::from(255 - p[3]) / 255) as u8))
            .collect();
        for color in [JpegColor::Cmyk, JpegColor::CmykAsYcck] {
            let decoded = read(&jpeg(color, 4, |_| {})).expect("a good file");
            assert_eq!(decoded.bitmap.layout(), Layout::Rgb);
            let difference = mean_difference(decoded.bitmap.pixels(), &naive);
            assert!(difference < 4.0, "{color:?}: {difference}");
        }
    }

    #[test]
    fn what_a_cut_file_lacks_is_never_an_earlier_picture() {
        for progressive in [false, true] {
            let bytes = jpeg(JpegColor::Rgb, 3, |e| e.set_progressive(progressive));
            let mut served = 0;
            for end in (0..bytes.len()).step_by(7) {
                let (one, other) = (read_over(&bytes[..end], 0x11), read_over(&bytes[..end], 0xEE));
                served += usize::from(one.is_ok());
                assert_eq!(one, other, "cut at {end}");
            }
            assert!(served > 10, "most cuts still give a picture: {served}");
        }
    }

    #[test]
    fn processes_that_are_not_decoded_are_named() {
        let mut bytes = jpeg(JpegColor::Rgb, 3, |_| {});
        let frame = bytes.windows(2).position(|w| w == [0xFF, 0xC0]).expect("a baseline frame");
        bytes[frame + 4] = 12;
        assert!(matches!(read(&bytes), Err(Error::Unsupported(text)) if text.contains("12 bits")));
        bytes[frame + 1] = 0xC3;
        assert!(matches!(read(&bytes), Err(Error::Unsupported(text)) if text.contains("lossless")));
    }

    #[test]
    fn too_many_scans_are_refused_before_any() {
        let mut bytes = jpeg(JpegColor::Rgb, 3, |e| e.set_progressive(true));
        let scan = bytes.windows(2).rposition(|w| w == [0xFF, 0xDA]).expect("a scan");
        let last = bytes[scan..bytes.len() - 2].to_vec();
        for _ in 0..100 {
            bytes.splice(scan..scan, last.iter().copied());
        }
        assert!(matches!(read(&bytes), Err(Error::TooLarge { what: "scans of the original", .. })));
    }
}

mod pngs {
    use super::*;
    use png::{BitDepth, ColorType};

    fn png(
        color: ColorType,
        depth: BitDepth,
        data: &[u8],
        set: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>),
    ) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, WIDTH.into(), HEIGHT.into());
        encoder.set_color(color);
        encoder.set_depth(depth);
        set(&mut encoder);
        encoder.write_header().and_then(|mut w| w.write_image_data(data)).expect("the encoder takes any pixels");
        out
    }

    pub(super) fn sample() -> Vec<u8> {
        png(ColorType::Rgba, BitDepth::Eight, &gradient(4), |_| {})
    }

    #[test]
    fn eight_bits_come_back_as_they_were() {
        for (color, channels, layout) in [
            (ColorType::Grayscale, 1, Layout::Gray),
            (ColorType::Rgb, 3, Layout::Rgb),
            (ColorType::Rgba, 4, Layout::Rgba),
        ] {
            let decoded = read(&png(color, BitDepth::Eight, &gradient(channels), |_| {})).expect("a good file");
            assert_eq!(decoded.bitmap.layout(), layout);
            assert!(decoded.bitmap.pixels() == gradient(channels), "{color:?}");
        }
    }

    #[test]
    fn gray_with_alpha_is_widened() {
        for depth in [BitDepth::Eight, BitDepth::Sixteen] {
            let repeat = if depth == BitDepth::Sixteen { 2 } else { 1 };
            let data: Vec<u8> = gradient(2).into_iter().flat_map(|v| vec![v; repeat]).collect();
            let decoded = read(&png(ColorType::GrayscaleAlpha, depth, &data, |_| {})).expect("a good file");
            let expected: Vec<u8> = gradient(2).chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect();
            assert_eq!(decoded.bitmap.layout(), Layout::Rgba);
            assert!(decoded.bitmap.pixels() == expected, "{depth:?}");
        }
    }

    #[test]
    fn sixteen_bits_are_rounded_to_the_nearest() {
        let wide: Vec<u16> = (0..PIXELS).map(|i| (i * 33) as u16).collect();
        let data: Vec<u8> = wide.iter().flat_map(|v| v.to_be_bytes()).collect();
        let decoded = read(&png(ColorType::Grayscale, BitDepth::Sixteen, &data, |_| {})).expect("a good file");
        for (&got, &wide) in decoded.bitmap.pixels().iter().zip(&wide) {
            assert_eq!(got, (f64::from(wide) / 257.0).round() as u8, "{wide}");
        }
    }

    #[test]
    fn palettes_with_transparency_and_few_bits_are_expanded() {
        let row = usize::from(WIDTH).div_ceil(8);
        let data = vec![0b0101_0101; row * usize::from(HEIGHT)];
        let bytes = png(ColorType::Indexed, BitDepth::One, &data, |e| {
            e.set_palette(vec![1, 2, 3, 4, 5, 6]);
            e.set_trns(vec![0]);
        });
        let decoded = read(&bytes).expect("a good file");
        assert_eq!(decoded.bitmap.layout(), Layout::Rgba);
        assert_eq!(&decoded.bitmap.pixels()[..8], [1, 2, 3, 0, 4, 5, 6, 255]);
    }

    /// Puts a chunk behind the header. Its CRC is wrong, which costs an ancillary chunk nothing.
    fn with_chunk(mut file: Vec<u8>, kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).expect("test chunks are short");
        let chunk = [length.to_be_bytes().as_slice(), kind, body, &[0; 4]].concat();
        file.splice(33..33, chunk);
        file
    }

    #[test]
    fn a_profile_is_handed_on_only_when_it_matters() {
        let plain = png(ColorType::Rgb, BitDepth::Eight, &gradient(3), |_| {});
        let with = |icc: &[u8]| {
            let body = [b"any name\0\0".as_slice(), &fdeflate::compress_to_vec(icc)].concat();
            read(&with_chunk(plain.clone(), b"iCCP", &body)).expect("a good file").icc
        };
        let p3 = ColorProfile::new_display_p3().encode().expect("a built-in profile");
        let srgb = ColorProfile::new_srgb().encode().expect("a built-in profile");
        assert_eq!(with(&p3), Some(p3));
        assert_eq!(with(&srgb), None);
        assert_eq!(with(b"broken"), None);
        assert_eq!(with(&vec![0; 64 << 20]), None, "a bomb");
    }

    #[test]
    fn gamma_makes_a_profile_unless_it_is_the_usual_one() {
        let plain = png(ColorType::Rgb, BitDepth::Eight, &gradient(3), |_| {});
        let with = |gamma: u32| read(&with_chunk(plain.clone(), b"gAMA", &gamma.to_be_bytes())).expect("a good file");
        assert_eq!(with(45_455).icc, None);
        assert_eq!(with(0).icc, None);
        let mut linear = with(100_000);
        let before = mean_difference(linear.bitmap.pixels(), &vec![0; PIXELS * 3]);
        let icc = linear.icc.take().expect("linear light is not sRGB");
        crate::color::to_srgb(&mut linear.bitmap, &icc).expect("our own profile");
        let after = mean_difference(linear.bitmap.pixels(), &vec![0; PIXELS * 3]);
        assert!(after > before + 30.0, "brighter: {before} {after}");
    }

    /// CRC-32 of PNG (annex D), bit by bit.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |c: u32| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 };
        !bytes.iter().fold(u32::MAX, |c, &b| (0..8).fold(c ^ u32::from(b), |c, _| step(c)))
    }

    /// An interlaced file of whole-byte pixels, written here: the `png` crate has no such encoder.
    fn interlaced(color: ColorType, depth: BitDepth, bytes_per_pixel: usize, data: &[u8]) -> Vec<u8> {
        let (width, height) = (usize::from(WIDTH), usize::from(HEIGHT));
        let mut stream = Vec::new();
        for (x0, y0, dx, dy) in
            [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        {
            for y in (y0..height).step_by(dy) {
                stream.push(0);
                for x in (x0..width).step_by(dx) {
                    let at = (y * width + x) * bytes_per_pixel;
                    stream.extend_from_slice(&data[at..at + bytes_per_pixel]);
                }
            }
        }
        let mut header = [u32::from(WIDTH).to_be_bytes(), u32::from(HEIGHT).to_be_bytes()].concat();
        header.extend([depth as u8, color as u8, 0, 0, 1]);
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        for (kind, body) in [(b"IHDR", header), (b"IDAT", fdeflate::compress_to_vec(&stream)), (b"IEND", Vec::new())] {
            let named = [kind.as_slice(), &body].concat();
            out.extend(u32::try_from(body.len()).expect("test chunks are short").to_be_bytes());
            out.extend(&named);
            out.extend(crc(&named).to_be_bytes());
        }
        out
    }

    #[test]
    fn interlacing_changes_no_pixel() {
        use {BitDepth::*, ColorType::*};
        for (color, depth, size) in
            [(Rgb, Eight, 3), (Rgba, Sixteen, 8), (Grayscale, Eight, 1), (GrayscaleAlpha, Sixteen, 4)]
        {
            let data: Vec<u8> = (0..PIXELS * size).map(|i| (i * i / 5) as u8).collect();
            let plain = read(&png(color, depth, &data, |_| {})).expect("a good file");
            let laced = read(&interlaced(color, depth, size, &data)).expect("a good file");
            assert!(plain == laced, "{color:?} {depth:?}");
        }
    }

    #[test]
    fn a_cut_file_keeps_its_first_rows_and_nothing_stale() {
        let noise: Vec<u8> = (0..PIXELS * 3).map(|i| (i * i / 7) as u8).collect();
        let bytes = png(ColorType::Rgb, BitDepth::Eight, &noise, |_| {});
        let half = &bytes[..bytes.len() / 2];
        let (one, other) = (read_over(half, 0x11), read_over(half, 0xEE));
        assert_eq!(one, other);
        let decoded = one.expect("half a file is half a picture");
        let row = usize::from(WIDTH) * 3;
        assert_eq!(decoded.bitmap.pixels()[..row], noise[..row]);
        assert!(decoded.bitmap.pixels().ends_with(&[0; 30]));
        assert!(matches!(read(&bytes[..45]), Err(Error::Malformed(_))), "no row at all");
    }
}

mod webps {
    use super::*;
    use image_webp::{ColorType, WebPEncoder};

    fn webp(color: ColorType, channels: usize, set: impl FnOnce(&mut WebPEncoder<&mut Vec<u8>>)) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = WebPEncoder::new(&mut out);
        set(&mut encoder);
        encoder.encode(&gradient(channels), WIDTH.into(), HEIGHT.into(), color).expect("the encoder takes any pixels");
        out
    }

    pub(super) fn sample() -> Vec<u8> {
        webp(ColorType::Rgba8, 4, |_| {})
    }

    #[test]
    fn lossless_comes_back_as_it_was() {
        for (color, channels, layout) in [(ColorType::Rgb8, 3, Layout::Rgb), (ColorType::Rgba8, 4, Layout::Rgba)] {
            let decoded = read(&webp(color, channels, |_| {})).expect("a good file");
            assert_eq!(decoded.bitmap.layout(), layout);
            assert!(decoded.bitmap.pixels() == gradient(channels), "{color:?}");
        }
    }

    #[test]
    fn profile_and_orientation_are_read() {
        let p3 = ColorProfile::new_display_p3().encode().expect("a built-in profile");
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x08\0\0\0".to_vec();
        let bytes = webp(ColorType::Rgb8, 3, |e| {
            e.set_icc_profile(p3.clone());
            e.set_exif_metadata(exif);
        });
        let decoded = read(&bytes).expect("a good file");
        assert_eq!(decoded.icc, Some(p3));
        assert_eq!(decoded.orientation.exif(), 8);
    }

    #[test]
    fn a_cut_file_is_refused() {
        let bytes = webp(ColorType::Rgb8, 3, |_| {});
        for end in (0..bytes.len() - 8).step_by(11) {
            assert!(read(&bytes[..end]).is_err(), "cut at {end}");
        }
    }
}

mod gifs {
    use super::*;

    const TABLE: [u8; 12] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9];

    fn gif(screen: (u16, u16), frame: &gif::Frame<'_>, table: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = gif::Encoder::new(&mut out, screen.0, screen.1, table).expect("a good screen");
        encoder.write_frame(frame).expect("a good frame");
        drop(encoder);
        out
    }

    pub(super) fn sample() -> Vec<u8> {
        let indices: Vec<u8> = gradient(1).iter().map(|v| v / 64).collect();
        gif((WIDTH, HEIGHT), &frame(0, 0, WIDTH, HEIGHT, &indices), &TABLE)
    }

    fn frame(left: u16, top: u16, width: u16, height: u16, indices: &[u8]) -> gif::Frame<'_> {
        gif::Frame { left, top, width, height, buffer: Cow::Borrowed(indices), ..gif::Frame::default() }
    }

    fn pixel(decoded: &Decoded, x: u32, y: u32) -> &[u8] {
        let at = (y * decoded.bitmap.width() + x) as usize * 4;
        &decoded.bitmap.pixels()[at..at + 4]
    }

    #[test]
    fn a_small_frame_lies_on_a_transparent_canvas() {
        let mut small = frame(1, 2, 2, 1, &[0, 1]);
        small.transparent = Some(1);
        let decoded = read(&gif((4, 4), &small, &TABLE)).expect("a good file");
        assert_eq!((decoded.bitmap.width(), decoded.bitmap.height()), (4, 4));
        assert_eq!(pixel(&decoded, 1, 2), [255, 0, 0, 255]);
        for (x, y) in [(2, 2), (0, 0), (3, 3), (1, 1)] {
            assert_eq!(pixel(&decoded, x, y), [0; 4], "{x} {y}");
        }
    }

    #[test]
    fn the_canvas_grows_with_the_first_frame() {
        let decoded = read(&gif((1, 1), &frame(1, 0, 2, 2, &[0, 1, 2, 3]), &TABLE)).expect("a good file");
        assert_eq!((decoded.bitmap.width(), decoded.bitmap.height()), (3, 2));
        assert_eq!(pixel(&decoded, 2, 1), [9, 9, 9, 255]);
        assert_eq!(pixel(&decoded, 0, 0), [0; 4]);
    }

    #[test]
    fn rows_end_anywhere_in_the_codes() {
        // One colour makes codes that stand for many pixels: a decoder that is stopped at each row may lose some.
        for width in [7u16, 10, 31] {
            let indices: Vec<u8> = (0..width * 40).map(|i| u8::from(i % 97 == 0)).collect();
            let decoded = read(&gif((width, 40), &frame(0, 0, width, 40, &indices), &TABLE)).expect("a good file");
            let reds: Vec<u8> = decoded.bitmap.pixels().chunks_exact(4).map(|p| u8::from(p[1] == 255)).collect();
            assert_eq!(reds, indices, "{width}");
        }
    }

    #[test]
    fn interlaced_rows_find_their_places() {
        // Rows of 10 in the order of the four passes.
        let order = [0u8, 8, 4, 2, 6, 1, 3, 5, 7, 9];
        let table: Vec<u8> = (0..16).flat_map(|v| [v * 10; 3]).collect();
        let mut mixed = frame(0, 0, 1, 10, &order);
        mixed.interlaced = true;
        let decoded = read(&gif((1, 10), &mixed, &table)).expect("a good file");
        for y in 0..10 {
            assert_eq!(u32::from(pixel(&decoded, 0, y)[0]), y * 10);
        }
    }

    #[test]
    fn without_a_colour_table_indices_are_grays() {
        let mut bytes = gif((2, 1), &frame(0, 0, 2, 1, &[0, 3]), &TABLE);
        bytes[10] &= 0x7F;
        bytes.drain(13..25);
        let decoded = read(&bytes).expect("a file without a table");
        assert_eq!(decoded.bitmap.pixels(), [0, 0, 0, 255, 3, 3, 3, 255]);
    }

    #[test]
    fn a_cut_file_keeps_its_first_rows_and_nothing_stale() {
        let noise: Vec<u8> = (0..PIXELS).map(|i| (i * i / 7 % 4) as u8).collect();
        let bytes = gif((WIDTH, HEIGHT), &frame(0, 0, WIDTH, HEIGHT, &noise), &TABLE);
        let half = &bytes[..bytes.len() / 2];
        let (one, other) = (read_over(half, 0x11), read_over(half, 0xEE));
        assert_eq!(one, other);
        assert!(one.expect("half a picture").bitmap.pixels().ends_with(&[0; 40]));
    }
}

mod limits {
    use super::*;

    #[test]
    fn size_memory_deadline_and_cancellation_end_it() {
        let bytes = jpeg(JpegColor::Rgb, 3, |_| {});
        let good = Limits::default();
        let found = probe(&bytes, &good).expect("a good file");
        let run = |limits: &Limits, watch: &Watch| {
            decode(&bytes, &found, &Want::EVERYTHING, limits, watch, &mut Scratch::new(0)).map(|_| ())
        };
        assert_eq!(run(&good, &Watch::new()), Ok(()));
        for tight in [
            Limits { source_pixels: PIXELS as u64 - 1, ..good.clone() },
            Limits { source_side: u32::from(WIDTH) - 1, ..good.clone() },
            Limits { memory: PIXELS as u64 * 3 - 1, ..good.clone() },
        ] {
            assert!(matches!(run(&tight, &Watch::new()), Err(Error::TooLarge { .. })), "{tight:?}");
        }
        let cancelled = Watch::new();
        cancelled.cancel();
        assert_eq!(run(&good, &cancelled), Err(Error::Cancelled));
        assert_eq!(run(&good, &Watch::until(std::time::Instant::now())), Err(Error::Deadline));
    }

    #[test]
    fn a_probe_of_another_file_is_refused() {
        let bytes = jpeg(JpegColor::Rgb, 3, |_| {});
        let limits = Limits::default();
        let mut found = probe(&bytes, &limits).expect("a good file");
        found.width -= 1;
        let wrong = decode(&bytes, &found, &Want::EVERYTHING, &limits, &Watch::new(), &mut Scratch::new(0));
        assert!(matches!(wrong, Err(Error::Malformed(_))));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damage anywhere gives a picture of the told size or an error, and never what the memory held before.
    #[test]
    fn damage_never_panics_and_never_leaks(
        which in 0usize..6,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = match which {
            0 => jpeg(JpegColor::Rgb, 3, |_| {}),
            1 => jpeg(JpegColor::Rgb, 3, |e| e.set_progressive(true)),
            2 => jpeg(JpegColor::CmykAsYcck, 4, |e| e.set_restart_interval(2)),
            3 => pngs::sample(),
            4 => webps::sample(),
            _ => gifs::sample(),
        };
        for (place, value) in &damage {
            let at = place.index(bytes.len());
            bytes[at] = *value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let small = |stale| {
            let mut scratch = Scratch::new(1 << 20);
            scratch.give(vec![stale; 1 << 18]);
            let limits = Limits { source_pixels: 1 << 16, ..Limits::default() };
            let found = probe(&bytes, &limits)?;
            decode(&bytes, &found, &Want::EVERYTHING, &limits, &Watch::new(), &mut scratch)
        };
        prop_assert_eq!(small(0x11), small(0xEE));
    }
}
