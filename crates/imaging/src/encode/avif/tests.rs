//! What every engine promises, held for each that is built; what differs is said where it does.

use super::*;
use crate::decode::{Decoded, Want, decode};
use crate::limits::Limits;
use crate::probe::{Probe, probe};
use crate::scratch::Scratch;

fn engines() -> impl Iterator<Item = Engine> {
    Engine::ALL.into_iter().filter(|engine| engine.is_built())
}

fn options(engine: Engine, quality: u8) -> AvifOptions {
    AvifOptions { engine, quality, effort: None, chroma: Chroma::Auto, lossless: false }
}

fn read(file: &[u8]) -> (Probe, Decoded) {
    let limits = Limits::default();
    let header = probe(file, &limits).expect("is read");
    let scratch = &mut Scratch::new(0);
    let decoded = decode(file, &header, &Want::EVERYTHING, &limits, &Watch::new(), scratch).expect("decodes");
    (header, decoded)
}

/// Waves of different lengths in every channel.
fn picture(width: u32, height: u32, layout: Layout) -> Bitmap {
    let wave = |x: u32, y: u32, c: u32| (128.0 + 90.0 * (f64::from(x * (c + 1) + y * 2) / 17.0).sin()) as u8;
    let all = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let pixels = all.flat_map(|(x, y)| (0..layout.channels() as u32).map(move |c| wave(x, y, c))).collect();
    Bitmap::new(width, height, layout, pixels)
}

/// Mean difference of the samples of one channel.
fn off(a: &Bitmap, b: &Bitmap, channel: usize) -> f64 {
    assert_eq!((a.width(), a.height(), a.layout()), (b.width(), b.height(), b.layout()));
    let pairs = a.pixels().iter().zip(b.pixels()).skip(channel).step_by(a.layout().channels());
    pairs.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / f64::from(a.width() * a.height())
}

#[test]
fn effort_falls_with_the_size_unless_it_is_asked() {
    for engine in Engine::ALL {
        let effort = |width, height, asked, lossless| effort(engine, width, height, asked, lossless);
        let (most, usual) = engine.known().usual;
        let side = most.isqrt() as u32;
        assert_eq!([effort(side, side, None, false), effort(side + 1, side + 1, None, false)], [usual, 0]);
        assert_eq!([effort(9, 9, None, true), effort(9_000, 9_000, Some(7), false)], [0, 7]);
        let millis = |width, height, effort| expected_cpu_ms(engine, width, height, effort);
        assert_eq!(millis(1_000, 1_000, 200), millis(1_000, 1_000, 10));
        for effort in 1..=10 {
            assert!(millis(999, 999, effort) >= millis(999, 999, effort - 1), "more effort takes no less time");
            assert!(!is_quick(engine, effort) || is_quick(engine, effort - 1));
        }
        assert!(is_quick(engine, 0));
    }
    let quick = |effort| is_quick(Engine::Libaom, effort);
    assert_eq!([quick(0), quick(1), quick(2), quick(10)], [true, true, false, false]);
}

/// `render.deadline` is 20 s, and results have 40 megapixels at most, unless a config says otherwise.
#[test]
fn what_is_usual_meets_the_deadline() {
    for engine in Engine::ALL {
        let millis = |width, height| expected_cpu_ms(engine, width, height, effort(engine, width, height, None, false));
        assert!(millis(1_920, 1_080) < 2_500, "{engine:?}");
        assert!(millis(8_192, 4_882) < 19_000, "{engine:?}");
    }
}

/// The file's `pixi`, its `av1C` and what our decoder reads of the stream all say the same depth.
#[test]
fn careful_files_have_ten_bits_and_come_back() {
    let pixels: Vec<u8> = (0..24 * 16).flat_map(|i| [(i % 24 * 9) as u8, 90, 200, 255 - (i / 2) as u8]).collect();
    let original = Bitmap::new(24, 16, Layout::Rgba, pixels);
    for engine in engines() {
        for (effort, chroma, bits) in [(4, Chroma::C444, 10), (4, Chroma::C420, 10), (0, Chroma::C444, 8)] {
            let asked = AvifOptions { effort: Some(effort), chroma, ..options(engine, 98) };
            let file = encode(&original, &asked, &Watch::new()).expect("encodes");
            let (header, back) = read(&file);
            assert_eq!((header.depth, header.has_alpha), (bits, true));
            let seen = |kind: &[u8]| file.windows(4).position(|w| w == kind).map(|at| at + 4).expect("is there");
            assert_eq!(&file[seen(b"pixi") + 4..][..4], &[3, bits, bits, bits]);
            assert_eq!(file[seen(b"av1C") + 2] >> 6 & 1, u8::from(bits > 8));
            let off = |channel| off(&original, &back.bitmap, channel);
            assert!(off(3) < 3.0, "{engine:?}: alpha is off by {}", off(3));
            assert!(off(1) < 4.0, "{engine:?}: green is off by {}", off(1));
        }
    }
}

/// The smallest and odd sides, every layout, halved and whole colours, eight and ten bits.
#[test]
fn every_size_and_layout_comes_back() {
    for engine in engines() {
        for layout in [Layout::Gray, Layout::Rgb, Layout::Rgba] {
            for (width, height) in [(1, 1), (1, 9), (9, 1), (2, 3), (15, 17), (64, 64), (131, 67)] {
                for (chroma, effort) in [(Chroma::C420, 0), (Chroma::C444, 0), (Chroma::C420, 4), (Chroma::C444, 4)] {
                    let original = picture(width, height, layout);
                    let asked = AvifOptions { effort: Some(effort), chroma, ..options(engine, 97) };
                    let (header, back) = read(&encode(&original, &asked, &Watch::new()).expect("encodes"));
                    let case = format!("{engine:?} {layout:?} {width} × {height} {chroma:?} effort {effort}");
                    assert_eq!((header.width, header.height, header.gray), (width, height, layout == Layout::Gray));
                    // Green is nearly luma. In the smallest, halved colours are those of nearly all pixels.
                    let most = if width * height < 64 { 24.0 } else { 6.0 };
                    let green = if layout == Layout::Gray { 0 } else { 1 };
                    assert!(off(&original, &back.bitmap, green) < most, "{case}");
                    if layout == Layout::Rgba {
                        assert!(off(&original, &back.bitmap, 3) < 4.0, "{case}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_dial_goes_from_small_to_good() {
    let original = picture(96, 64, Layout::Rgb);
    for engine in engines() {
        for effort in [0, 4] {
            let rungs = [10, 40, 60, 80, 100].map(|quality| {
                let asked = AvifOptions { effort: Some(effort), chroma: Chroma::C444, ..options(engine, quality) };
                let file = encode(&original, &asked, &Watch::new()).expect("encodes");
                let error = off(&original, &read(&file).1.bitmap, 1);
                (file.len(), error)
            });
            assert!(rungs.windows(2).all(|two| two[0].0 < two[1].0), "{engine:?}: {rungs:?}");
            assert!(rungs[0].1 > rungs[2].1 && rungs[2].1 > rungs[4].1 && rungs[4].1 < 1.0, "{engine:?}: {rungs:?}");
        }
    }
}

#[test]
fn every_sample_survives_or_it_is_refused() {
    let original = picture(33, 21, Layout::Rgba);
    for engine in engines() {
        let asked = AvifOptions { lossless: true, ..options(engine, 50) };
        match encode(&original, &asked, &Watch::new()) {
            Ok(file) => assert_eq!((engine.known().lossless, read(&file).1.bitmap), (true, original.clone())),
            Err(Error::Impossible(why)) => assert!(!engine.known().lossless && why.contains(engine.name()), "{why}"),
            Err(other) => panic!("{engine:?}: {other}"),
        }
    }
}

#[test]
fn the_same_wish_gives_the_same_bytes_and_engines_differ() {
    let original = picture(40, 30, Layout::Rgb);
    let by = |engine| encode(&original, &options(engine, 60), &Watch::new()).expect("encodes");
    let files: Vec<Vec<u8>> = engines().map(by).collect();
    for (number, engine) in engines().enumerate() {
        assert_eq!(by(engine), files[number]);
        assert!(!files[..number].contains(&files[number]));
    }
}

#[test]
fn the_file_begins_as_an_avif_and_ends_with_its_frame() {
    let gray = Bitmap::new(5, 3, Layout::Gray, (0..15).map(|v| v * 16).collect());
    for engine in engines() {
        let file = encode(&gray, &options(engine, 60), &Watch::new()).expect("encodes");
        assert_eq!(&file[4..12], b"ftypavif");
        let mdat = file.windows(4).position(|w| w == b"mdat").expect("has data");
        let size = u32::from_be_bytes(file[mdat - 4..mdat].try_into().expect("four bytes"));
        assert_eq!(size as usize, file.len() - (mdat - 4));
    }
}

#[test]
fn a_cancelled_watch_ends_it_before_any_work() {
    let watch = Watch::new();
    watch.cancel();
    let picture = Bitmap::new(1, 1, Layout::Gray, vec![0]);
    for engine in engines() {
        assert_eq!(encode(&picture, &options(engine, 60), &watch), Err(Error::Cancelled));
    }
}

#[test]
fn a_side_that_the_encoders_cannot_state_is_refused() {
    let picture = Bitmap::new(65_536, 1, Layout::Gray, vec![0; 65_536]);
    for engine in engines() {
        let refused = encode(&picture, &options(engine, 60), &Watch::new());
        assert!(matches!(refused, Err(Error::TooLarge { value: 65_536, limit: 65_535, .. })), "{refused:?}");
    }
}
