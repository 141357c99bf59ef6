//! The decoder against files of our own encoder, damaged ones, and the shared corpus where it is present.

use crate::bitmap::{Bitmap, Layout};
use crate::decode::{Decoded, Want};
use crate::encode::avif::{AvifOptions, Engine, encode};
use crate::error::Error;
use crate::limits::{Limits, Watch};
use crate::scratch::Scratch;
use crate::{SourceFormat, decode, probe};
use cache_key::transform::Chroma;
use std::path::{Path, PathBuf};

fn open(bytes: &[u8], limits: &Limits) -> Result<Decoded, Error> {
    let probe = probe(bytes, limits)?;
    let decoded = decode(bytes, &probe, &Want::EVERYTHING, limits, &Watch::new(), &mut Scratch::new(0))?;
    assert_eq!((probe.width, probe.height), (decoded.bitmap.width(), decoded.bitmap.height()));
    assert_eq!(probe.orientation, decoded.orientation);
    Ok(decoded)
}

/// A picture with slow gradients in every channel.
fn gradient(width: u32, height: u32, layout: Layout) -> Bitmap {
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| {
        let all =
            [x * 200 / width + 20, y * 200 / height + 20, (x + y) * 100 / (width + height) + 60, 254 - x * 128 / width];
        all.map(|v| v as u8).into_iter().take(layout.channels())
    });
    Bitmap::new(width, height, layout, pixels.collect())
}

fn written(bitmap: &Bitmap, quality: u8, chroma: Chroma, lossless: bool) -> Vec<u8> {
    let options = AvifOptions { engine: Engine::Libaom, quality, effort: None, chroma, lossless };
    encode(bitmap, &options, &Watch::new()).expect("encodes")
}

fn psnr(a: &Bitmap, b: &Bitmap) -> f64 {
    assert_eq!((a.width(), a.height(), a.layout()), (b.width(), b.height(), b.layout()));
    let squares: f64 = a.pixels().iter().zip(b.pixels()).map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * a.pixels().len() as f64 / squares.max(1e-9)).log10()
}

#[test]
fn what_was_encoded_comes_back() {
    for layout in [Layout::Gray, Layout::Rgb, Layout::Rgba] {
        for (width, height) in [(1, 1), (1, 9), (2, 3), (7, 5), (64, 64), (201, 133)] {
            let picture = gradient(width, height, layout);
            // Where neighbours differ by half the range, halved chroma cannot follow.
            let halved = if width < 64 { 14.0 } else { 34.0 };
            for (chroma, least) in [(Chroma::Auto, halved), (Chroma::C444, 34.0)] {
                let back = open(&written(&picture, 90, chroma, false), &Limits::default()).expect("decodes");
                let psnr = psnr(&picture, &back.bitmap);
                assert!(psnr >= least, "{layout:?} {width}×{height} {chroma:?}: {psnr:.1} dB");
                assert_eq!(back.icc, None, "sRGB needs no profile");
            }
            let back = open(&written(&picture, 1, Chroma::Auto, true), &Limits::default()).expect("decodes");
            assert_eq!(back.bitmap, picture, "lossless {layout:?} {width}×{height}");
        }
    }
}

#[test]
fn opaque_alpha_is_left_out() {
    let mut pixels = gradient(8, 8, Layout::Rgba).into_pixels();
    pixels.as_chunks_mut::<4>().0.iter_mut().for_each(|p| p[3] = 255);
    let file = written(&Bitmap::new(8, 8, Layout::Rgba, pixels), 80, Chroma::Auto, false);
    assert_eq!(open(&file, &Limits::default()).expect("decodes").bitmap.layout(), Layout::Rgb);
}

#[test]
fn the_header_tells_what_the_pixels_are() {
    let found = probe(&written(&gradient(7, 5, Layout::Gray), 60, Chroma::Auto, false), &Limits::default());
    let found = found.expect("probes");
    assert_eq!(found.format, SourceFormat::Avif);
    assert_eq!((found.width, found.height, found.depth, found.frames), (7, 5, 10, 1));
    assert!(found.gray && !found.has_alpha && !found.has_icc);
    let found = probe(&written(&gradient(7, 5, Layout::Rgba), 60, Chroma::Auto, false), &Limits::default());
    assert!(found.is_ok_and(|p| p.has_alpha && !p.gray));
}

#[test]
fn limits_are_held_before_anything_is_decoded() {
    let file = written(&gradient(64, 48, Layout::Rgb), 60, Chroma::Auto, false);
    let limits = [
        Limits { source_pixels: 64 * 48 - 1, ..Limits::default() },
        Limits { source_side: 63, ..Limits::default() },
        Limits { memory: 10_000, ..Limits::default() },
    ];
    for limits in limits {
        assert!(matches!(open(&file, &limits), Err(Error::TooLarge { .. })), "{limits:?}");
    }
}

#[test]
fn a_frame_larger_than_stated_is_refused() {
    let mut file = written(&gradient(64, 48, Layout::Rgb), 60, Chroma::Auto, false);
    let size = file.windows(4).position(|w| w == b"ispe").expect("has a size") + 8;
    file[size..size + 8].copy_from_slice(&[0, 0, 0, 16, 0, 0, 0, 16]);
    assert!(matches!(open(&file, &Limits::default()), Err(Error::Malformed(_))));
}

#[test]
fn a_cancelled_watch_ends_it() {
    let file = written(&gradient(8, 8, Layout::Rgb), 60, Chroma::Auto, false);
    let limits = Limits::default();
    let found = probe(&file, &limits).expect("probes");
    let watch = Watch::new();
    watch.cancel();
    let result = decode(&file, &found, &Want::EVERYTHING, &limits, &watch, &mut Scratch::new(0));
    assert_eq!(result, Err(Error::Cancelled));
}

#[test]
fn every_truncation_is_refused() {
    let file = written(&gradient(33, 21, Layout::Rgba), 60, Chroma::Auto, false);
    for length in 0..file.len() {
        let result = open(&file[..length], &Limits::default());
        assert!(matches!(result, Err(Error::Malformed(_) | Error::Unsupported(_))), "{length}: {result:?}");
    }
}

#[test]
fn changed_bytes_never_panic() {
    let file = written(&gradient(33, 21, Layout::Rgba), 60, Chroma::Auto, false);
    let limits = Limits { source_pixels: 1 << 16, ..Limits::default() };
    for (position, change) in (0..file.len()).zip([0x01, 0x80, 0xFF, 0x10].into_iter().cycle()) {
        let mut damaged = file.clone();
        damaged[position] ^= change;
        // Whatever it says: no panic, no hang, and a bitmap of the stated size when there is one.
        let _ = open(&damaged, &limits);
    }
}

fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("TINTYPE_SHARED").map_or(beside, PathBuf::from).join("corpora");
    if shared.join("manifest.json").is_file() {
        return Some(shared);
    }
    eprintln!("skipped: the shared corpus is not there");
    None
}

#[test]
fn the_corpus_is_judged_as_its_manifest_says() {
    let Some(corpus) = corpus() else { return };
    let manifest = std::fs::read_to_string(corpus.join("manifest.json")).expect("a manifest");
    let manifest: Vec<serde_json::Value> = serde_json::from_str(&manifest).expect("a list");
    let (mut judged, mut wrong) = (0, Vec::new());
    for entry in &manifest {
        let name = entry["file"].as_str().expect("a file name");
        let bytes = std::fs::read(corpus.join(name)).expect("the file");
        let format = SourceFormat::sniff(&bytes);
        if format != Some(SourceFormat::Avif) {
            continue;
        }
        judged += 1;
        let result = open(&bytes, &Limits::default());
        let verdict = entry["expected"]["verdict"].as_str().expect("a verdict");
        let size = |side: usize| entry["expected"]["upright_size"][side].as_u64();
        let short = match (verdict, &result) {
            (_, Err(Error::Internal(why))) => Some(why.clone()),
            ("valid", Err(error)) => Some(error.to_string()),
            ("valid", Ok(decoded)) => {
                let (w, h) = decoded.orientation.turned(decoded.bitmap.width(), decoded.bitmap.height());
                let disputed = !entry["expected"]["disputed"].is_null();
                let same = (Some(w.into()), Some(h.into())) == (size(0), size(1));
                (!same && !disputed).then(|| format!("{w}×{h}"))
            }
            ("must_reject", Ok(_)) => Some("accepted".into()),
            ("truncated", Ok(_)) => Some("accepted although cut".into()),
            _ => None,
        };
        wrong.extend(short.map(|why| format!("{name} [{verdict}]: {why}")));
    }
    assert!(judged > 60, "{judged} files");
    assert!(wrong.is_empty(), "{} of {judged}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn apertures_and_turns_of_the_corpus_are_understood() {
    let Some(corpus) = corpus() else { return };
    for (name, size, exif) in [
        ("kimono.crop.avif", (385, 330), 1),
        ("kimono.mirror-vertical.avif", (722, 1024), 4),
        ("kimono.mirror-vertical.rotate270.crop.avif", (330, 385), 5),
        ("kimono.rotate90.avif", (1024, 722), 6),
    ] {
        let bytes = std::fs::read(corpus.join("exif-orientation").join(name)).expect("the file");
        let decoded = open(&bytes, &Limits::default()).expect("decodes");
        assert_eq!((decoded.bitmap.width(), decoded.bitmap.height()), size, "{name}");
        assert_eq!(decoded.orientation.exif(), exif, "{name}");
    }
}
