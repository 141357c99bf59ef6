//! What the encoders write is read back by the decoders of this crate, which are other libraries.

use super::*;
use crate::limits::Limits;
use crate::{Probe, SourceFormat, Want, decode, probe};
use std::time::{Duration, Instant};

fn settings(codec: Codec) -> Settings {
    let quality = if matches!(codec, Codec::Png | Codec::Gif) { 100 } else { 90 };
    Settings::new(codec, quality)
}

/// Smooth, in all channels.
fn picture(width: u32, height: u32, layout: Layout) -> Bitmap {
    let pixels = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let across = (x * 255 / width) as u8;
            let down = (y * 255 / height) as u8;
            match layout {
                Layout::Gray => vec![across],
                Layout::Rgb => vec![across, down, 128],
                Layout::Rgba => vec![across, down, 128, 255 - down],
            }
        })
        .collect();
    Bitmap::new(width, height, layout, pixels)
}

fn encoded(bitmap: &Bitmap, settings: &Settings) -> Vec<u8> {
    encode(bitmap.clone(), settings, &Watch::new(), &mut Scratch::new(0)).expect("encoded")
}

fn read(bytes: &[u8]) -> (Probe, Bitmap) {
    let limits = Limits::default();
    let probe = probe(bytes, &limits).expect("probed");
    let decoded = decode(bytes, &probe, &Want::EVERYTHING, &limits, &Watch::new(), &mut Scratch::new(0));
    (probe, decoded.expect("decoded").bitmap)
}

fn mean_error(a: &Bitmap, b: &Bitmap) -> f64 {
    assert_eq!((a.width(), a.height(), a.layout()), (b.width(), b.height(), b.layout()));
    let sum: u64 = a.pixels().iter().zip(b.pixels()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.pixels().len() as f64
}

#[test]
fn png_is_exact_at_every_effort() {
    for layout in [Layout::Gray, Layout::Rgb, Layout::Rgba] {
        let bitmap = picture(61, 47, layout);
        for effort in [None, Some(0), Some(5), Some(10)] {
            let (probe, back) = read(&encoded(&bitmap, &Settings { effort, ..settings(Codec::Png) }));
            assert_eq!((probe.format, &back), (SourceFormat::Png, &bitmap));
        }
    }
}

#[test]
fn png_of_grey_colours_has_one_channel() {
    let grey = Bitmap::new(8, 8, Layout::Rgb, (0..64).flat_map(|value| [value; 3]).collect());
    let (probe, back) = read(&encoded(&grey, &settings(Codec::Png)));
    assert!(probe.gray);
    assert_eq!(back, Bitmap::new(8, 8, Layout::Gray, (0..64).collect()));
    let clear = Bitmap::new(2, 1, Layout::Rgba, vec![9, 9, 9, 0, 7, 7, 7, 100]);
    let bytes = encoded(&clear, &settings(Codec::Png));
    // Colour type 3: two colours, also below transparency.
    assert_eq!((bytes[25], read(&bytes).1), (3, clear));
    let levels = (0..=255).flat_map(|alpha| [alpha / 2, alpha / 2, alpha / 2, alpha, 9, 9, 9, alpha]);
    let levels = Bitmap::new(32, 16, Layout::Rgba, levels.collect());
    let bytes = encoded(&levels, &settings(Codec::Png));
    // Colour type 4: grey with alpha.
    assert_eq!((bytes[25], read(&bytes).1), (4, levels));
}

#[test]
fn png_of_few_colours_has_a_palette_of_as_few_bits() {
    for (colours, depth) in [(1, 1), (2, 1), (3, 2), (4, 2), (5, 4), (16, 4), (17, 8), (256, 8)] {
        let pixels = (0..61 * 47u32).flat_map(|at| [(at % colours) as u8, 7, 9, 200]).collect();
        let bitmap = Bitmap::new(61, 47, Layout::Rgba, pixels);
        let bytes = encoded(&bitmap, &settings(Codec::Png));
        assert_eq!((bytes[24], bytes[25]), (depth, 3), "{colours} colours");
        assert_eq!(read(&bytes).1, bitmap);
    }
    let opaque = picture(61, 47, Layout::Rgb);
    let covered = opaque.pixels().as_chunks::<3>().0.iter().flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    let bytes = encoded(&Bitmap::new(61, 47, Layout::Rgba, covered), &settings(Codec::Png));
    assert_eq!((bytes[25], read(&bytes).1), (2, opaque), "opaque pictures lose their alpha");
}

#[test]
fn png_with_a_quality_has_a_palette_and_is_smaller() {
    for layout in [Layout::Rgb, Layout::Rgba] {
        let mut bitmap = picture(261, 147, layout);
        // Grain, as photographs have it: without it, filters make a gradient smaller than any palette does.
        for (at, value) in (0u32..).zip(bitmap.pixels_mut()) {
            *value = value.wrapping_add((at.wrapping_mul(2_654_435_761) >> 28) as u8);
        }
        let exact = encoded(&bitmap, &settings(Codec::Png));
        let bytes = encoded(&bitmap, &Settings { quality: 80, ..settings(Codec::Png) });
        let (_, back) = read(&bytes);
        assert_eq!(bytes[25], 3);
        let error = mean_error(&back, &bitmap);
        assert!(error < 14.0 && bytes.len() < exact.len(), "{error} {} {}", bytes.len(), exact.len());
        let lossless = Settings { quality: 80, lossless: true, ..settings(Codec::Png) };
        assert_eq!(read(&encoded(&bitmap, &lossless)).1, bitmap);
    }
}

#[test]
fn gif_keeps_256_colours_and_whole_transparency() {
    let pixels = (0..256u32).flat_map(|at| [at as u8, (at / 2) as u8, 9, if at % 7 == 0 { 0 } else { 255 }]);
    let bitmap = Bitmap::new(32, 8, Layout::Rgba, pixels.collect());
    let (probe, back) = read(&encoded(&bitmap, &settings(Codec::Gif)));
    assert_eq!((probe.format, probe.frames), (SourceFormat::Gif, 1));
    for (got, wanted) in back.pixels().as_chunks::<4>().0.iter().zip(bitmap.pixels().as_chunks::<4>().0) {
        assert!(if wanted[3] == 0 { *got == [0; 4] } else { got == wanted }, "{got:?} for {wanted:?}");
    }
    let photo = picture(200, 100, Layout::Rgb);
    let (_, back) = read(&encoded(&photo, &settings(Codec::Gif)));
    let seen: Vec<u8> = back.pixels().as_chunks::<4>().0.iter().flat_map(|p| [p[0], p[1], p[2]]).collect();
    let error = mean_error(&Bitmap::new(200, 100, Layout::Rgb, seen), &photo);
    assert!(error < 6.0, "{error}");
}

#[test]
fn jpeg_comes_back_alike() {
    for layout in [Layout::Gray, Layout::Rgb] {
        let bitmap = picture(61, 47, layout);
        for (effort, progressive) in [(None, false), (None, true), (Some(5), false), (Some(10), false)] {
            let bytes = encoded(&bitmap, &Settings { effort, progressive, ..settings(Codec::Jpeg) });
            let frame = if progressive || effort == Some(10) { 0xC2 } else { 0xC0 };
            assert!(bytes.windows(2).any(|pair| pair == [0xFF, frame]), "effort {effort:?} {progressive}");
            let (probe, back) = read(&bytes);
            assert_eq!(probe.gray, layout == Layout::Gray);
            let error = mean_error(&back, &bitmap);
            assert!(error < 2.5, "{layout:?} {effort:?}: {error}");
        }
    }
}

/// The sampling factors of the first component in the frame header (ITU-T T.81, B.2.2).
fn sampling(jpeg: &[u8]) -> u8 {
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).expect("a baseline frame");
    jpeg[frame + 11]
}

#[test]
fn chroma_is_halved_unless_asked_otherwise() {
    let bitmap = picture(32, 32, Layout::Rgb);
    assert_eq!(sampling(&encoded(&bitmap, &settings(Codec::Jpeg))), 0x22);
    let full = Settings { chroma: Chroma::C444, ..settings(Codec::Jpeg) };
    assert_eq!(sampling(&encoded(&bitmap, &full)), 0x11);
}

#[test]
fn jpeg_lays_transparency_on_the_background() {
    let bitmap = Bitmap::new(16, 16, Layout::Rgba, [0, 0, 0, 0].repeat(256));
    let (_, white) = read(&encoded(&bitmap, &settings(Codec::Jpeg)));
    assert!(white.pixels().iter().all(|&value| value > 250));
    let red = Settings { background: Colour { r: 255, g: 0, b: 0, a: 0 }, ..settings(Codec::Jpeg) };
    let (_, red) = read(&encoded(&bitmap, &red));
    assert!(red.pixels()[0] > 250 && red.pixels()[1] < 5);
}

#[test]
fn webp_comes_back_alike_and_lossless_exactly() {
    for layout in [Layout::Rgb, Layout::Rgba] {
        let bitmap = picture(61, 47, layout);
        for effort in [None, Some(0), Some(10)] {
            let (probe, back) = read(&encoded(&bitmap, &Settings { effort, ..settings(Codec::Webp) }));
            assert_eq!(probe.format, SourceFormat::Webp);
            let error = mean_error(&back, &bitmap);
            assert!(error < 3.0, "{layout:?} {effort:?}: {error}");
        }
        let mut opaque_enough = bitmap.clone();
        if layout == Layout::Rgba {
            // Colour under wholly transparent pixels is not kept.
            opaque_enough.pixels_mut().as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] |= 1);
        }
        let lossless = Settings { lossless: true, ..settings(Codec::Webp) };
        assert_eq!(read(&encoded(&opaque_enough, &lossless)).1, opaque_enough);
    }
    let gray = picture(40, 30, Layout::Gray);
    let (_, back) = read(&encoded(&gray, &settings(Codec::Webp)));
    assert!(back.pixels().as_chunks::<3>().0.iter().zip(gray.pixels()).all(|(a, b)| a[0].abs_diff(*b) < 12));
}

#[test]
fn a_side_beyond_the_format_is_refused_before_any_work() {
    let long = Bitmap::new(16_384, 1, Layout::Gray, vec![0; 16_384]);
    let refused = encode(long.clone(), &settings(Codec::Webp), &Watch::new(), &mut Scratch::new(0));
    assert!(matches!(refused, Err(Error::TooLarge { limit: 16_383, .. })));
    assert!(!encoded(&long, &settings(Codec::Jpeg)).is_empty());
}

#[test]
fn the_watch_ends_every_encoder() {
    let noise = (0..2000 * 2000 * 3u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let bitmap = Bitmap::new(2000, 2000, Layout::Rgb, noise);
    for (codec, effort, lossless) in [(Codec::Jpeg, 10, false), (Codec::Png, 10, false), (Codec::Webp, 10, true)] {
        let settings = Settings { effort: Some(effort), lossless, ..settings(codec) };
        let begun = Instant::now();
        let watch = Watch::until(begun + Duration::from_millis(30));
        let ended = encode(bitmap.clone(), &settings, &watch, &mut Scratch::new(0));
        assert_eq!(ended, Err(Error::Deadline), "{codec:?}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{codec:?} took {:?}", begun.elapsed());
    }
}
