//! Animations end to end. Every animated file of the corpus that lies beside the repository goes through every format that
//! moves: frames, times, plays and pictures come back. Skips, aloud, where there is no corpus.

mod corpus_folder;

use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::motion::{HASTE, delays};
use imaging::{Bitmap, Error, Limits, Probe, Rendition, Scratch, Setup, Watch, decode_frame, probe, render};

fn rendered(original: &[u8], query: &str) -> Result<Rendition, Error> {
    let transform = parse(Some(query), &Presets::none()).expect("a valid query").transform;
    let variant = Variant { transform, class: FormatClass::Webp };
    render(original, &variant, &Setup::default(), &Watch::new(), &mut Scratch::new(64 << 20))
}

/// Every file of these folders that says that it moves.
fn animations() -> Vec<(String, Vec<u8>, Probe)> {
    let mut found = Vec::new();
    for name in ["gif", "apng", "webp", "avif"] {
        let Some(folder) = corpus_folder::path(name) else { return Vec::new() };
        let entries = std::fs::read_dir(folder).expect("a folder that is there");
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            let bytes = std::fs::read(&path).expect("a file that is there");
            if let Ok(probe) = probe(&bytes, &Limits::default())
                && probe.motion.is_some()
            {
                found.push((format!("{name}/{}", path.file_name().unwrap_or_default().display()), bytes, probe));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn picture(bytes: &[u8], probe: &Probe, number: u32) -> Result<Bitmap, Error> {
    let limits = Limits::default();
    let mut decoded = decode_frame(bytes, probe, number, &limits, &Watch::new(), &mut Scratch::new(0))?;
    if let Some(icc) = decoded.icc.take() {
        imaging::color::to_srgb(&mut decoded.bitmap, &icc)?;
    }
    Ok(decoded.bitmap)
}

/// The mean difference of two RGBA pictures as they are seen, over black. Half transparent pixels of `a` do not count
/// where `b` cannot hold them.
fn difference(a: &Bitmap, b: &Bitmap, levels: bool) -> f64 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    let sum: u64 = (a.pixels().as_chunks::<4>().0.iter())
        .zip(b.pixels().as_chunks::<4>().0)
        .filter(|(a, _)| levels || matches!(a[3], 0 | 255))
        .map(|(a, b)| {
            let seen = |p: &[u8; 4], channel: usize| i64::from(p[channel]) * i64::from(p[3]) / 255;
            (0..3).map(|channel| (seen(a, channel) - seen(b, channel)).unsigned_abs()).sum::<u64>()
        })
        .sum();
    sum as f64 / f64::from(a.width() * a.height() * 3)
}

/// Times as `unit` can tell them.
fn like(stored: &[u64], got: &[u64], unit: u64) -> bool {
    let total = |delays: &[u64]| delays.iter().sum::<u64>();
    let stretched = stored.iter().any(|&delay| delay > HASTE && delay < 2 * unit) || stored.iter().any(|d| *d <= HASTE);
    stored.len() == got.len()
        && stored.iter().zip(got).all(|(a, b)| a.abs_diff(*b) <= unit && (*a <= HASTE) == (*b <= HASTE))
        && (stretched || total(stored).abs_diff(total(got)) <= unit)
}

/// What is lost of `original`, made into another format by `query`.
fn lost(original: &[u8], before: &Probe, query: &str, unit: u64, worst: f64) -> Option<String> {
    let rendition = match rendered(original, query) {
        Ok(rendition) => rendition,
        Err(error) => return Some(error.to_string()),
    };
    let limits = Limits::default();
    let after = probe(&rendition.bytes, &limits).expect("our own file");
    let stored = delays(original, before.format, u32::MAX);
    let got = delays(&rendition.bytes, after.format, u32::MAX);
    let count = u32::try_from(got.len()).expect("few");
    // A cut or damaged file ends earlier than it says.
    if got.len() != stored.len() && picture(original, before, count).is_ok() {
        return Some(format!("{} frames became {count}", stored.len()));
    }
    if !like(&stored[..got.len()], &got, unit) {
        return Some(format!("{stored:?} became {got:?}"));
    }
    if count < 2 {
        return None;
    }
    let plays = |probe: &Probe| probe.motion.map(|motion| motion.plays);
    if plays(before) != plays(&after) {
        return Some(format!("{:?} plays became {:?}", plays(before), plays(&after)));
    }
    [0, count / 2, count - 1].into_iter().find_map(|number| {
        let (a, b) = (picture(original, before, number), picture(&rendition.bytes, &after, number));
        let off = difference(&a.expect("a frame"), &b.expect("our own frame"), unit < 10_000);
        (off > worst).then(|| format!("frame {number} is off by {off}"))
    })
}

#[test]
fn every_animation_survives_every_format() {
    let (mut checked, mut short) = (0, Vec::new());
    for (name, original, before) in animations() {
        // Large ones would take a debug build minutes; their first frames are like the others'.
        if before.pixels() * u64::from(before.frames) > 3_000_000 {
            continue;
        }
        for (query, unit, worst) in [
            ("f=png&effort=0", 1000, 0.0),
            ("f=webp&lossless=1&effort=0", 1000, 0.0),
            // Halved chroma says nothing of pictures of a few pixels.
            ("f=webp&effort=0", 1000, if before.pixels() < 1000 { 255.0 } else { 16.0 }),
            ("f=gif", 10_000, 8.0),
            ("f=avif&lossless=1", 1, 0.0),
            ("f=avif", 1, if before.pixels() < 1000 { 255.0 } else { 16.0 }),
        ] {
            // libaom is slow without optimisation.
            if query.starts_with("f=avif") && before.pixels() * u64::from(before.frames) > 150_000 {
                continue;
            }
            short.extend(lost(&original, &before, query, unit, worst).map(|why| format!("{name} {query}: {why}")));
        }
        checked += 1;
    }
    eprintln!("{checked} animations");
    assert!(short.is_empty(), "{} fall short:\n{}", short.len(), short.join("\n"));
    assert!(checked == 0 || checked > 40, "{checked}");
}

#[test]
fn sizes_frames_rates_and_loops_are_as_asked_for() {
    let brisk = |probe: &Probe| {
        let time = probe.motion.map_or(0, |motion| motion.micros);
        probe.frames > 5 && probe.pixels() < 200_000 && time / u64::from(probe.frames) < 300_000
    };
    for (name, original, before) in animations().into_iter().filter(|(_, _, probe)| brisk(probe)).take(5) {
        let small = rendered(&original, "f=webp&w=50&fit=fill&enlarge=1&loop=2&fps-max=1").expect("rendered");
        let after = probe(&small.bytes, &Limits::default()).expect("our own file");
        assert_eq!((after.width, after.motion.map(|motion| motion.plays)), (50, Some(2)), "{name}");
        let time = |probe: &Probe| probe.motion.expect("it moves").micros;
        assert_eq!(time(&before), time(&after), "{name}");
        assert!(after.frames < before.frames, "{name}");
        let still = rendered(&original, "f=png&frame=1").expect("rendered");
        assert_eq!(probe(&still.bytes, &Limits::default()).expect("our own file").frames, 1, "{name}");
        let beyond = rendered(&original, "frame=1000").expect_err("no such frame");
        assert!(beyond.to_string().ends_with(&format!("has {}", before.frames)), "{beyond}");
    }
}
