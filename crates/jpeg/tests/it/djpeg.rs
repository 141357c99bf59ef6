//! Pixels against libjpeg-turbo's `djpeg`, on every JPEG of the corpus, at every scale. Skips, and says so, where the
//! program or the corpus is missing.

use jpeg::{Decoder, Error, Layout, Limits, Scale, Workspace};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The corpus: `../shared` beside the repository, or where `TINTYPE_SHARED` says.
fn corpus() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = std::env::var_os("TINTYPE_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let corpora = shared.join("corpora");
    corpora.is_dir().then_some(corpora)
}

fn jpegs(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            jpegs(&path, found);
        } else if std::fs::read(&path).unwrap().starts_with(&[0xFF, 0xD8]) {
            found.push(path);
        }
    }
}

/// Width, height, channels and pixels of a binary PNM.
fn pnm(bytes: &[u8]) -> Option<(u32, u32, usize, &[u8])> {
    let mut at = 0;
    let mut words = Vec::new();
    while words.len() < 4 {
        let start = at;
        at += bytes.get(at..)?.iter().position(u8::is_ascii_whitespace)?;
        words.push(std::str::from_utf8(&bytes[start..at]).ok()?);
        at += 1;
    }
    let channels = if words[0] == "P5" { 1 } else { 3 };
    Some((words[1].parse().ok()?, words[2].parse().ok()?, channels, &bytes[at..]))
}

/// What djpeg makes of a file: nothing if it fails; `true`: it warned.
fn djpeg(path: &Path, scale: Scale) -> Option<(Vec<u8>, bool)> {
    let ratio = format!("{}/8", scale.eighths());
    let output = Command::new("djpeg").args(["-pnm", "-dct", "int", "-scale", &ratio]).arg(path).output().ok()?;
    output.status.code().filter(|&code| code == 0 || code == 2)?;
    Some((output.stdout, !output.stderr.is_empty()))
}

#[derive(Clone, Copy, Debug, Default)]
struct Difference {
    max: u32,
    mean: f64,
}

fn difference(ours: &[u8], theirs: &[u8]) -> Difference {
    let (mut max, mut sum) = (0, 0u64);
    for (&a, &b) in ours.iter().zip(theirs) {
        let apart = u32::from(a.abs_diff(b));
        max = max.max(apart);
        sum += u64::from(apart);
    }
    Difference { max, mean: sum as f64 / ours.len() as f64 }
}

/// Mean difference of the means over 16 × 16 pixels of the frame: there libjpeg-turbo and this decoder agree at every
/// scale, whatever they do with high frequencies.
fn tile_difference(ours: &[u8], theirs: &[u8], width: usize, channels: usize, scale: Scale) -> f64 {
    let tile = 2 * scale.eighths() as usize;
    let height = ours.len() / (width * channels);
    let (mut sum, mut count) = (0.0, 0u32);
    for top in (0..height).step_by(tile) {
        for left in (0..width).step_by(tile) {
            let (right, bottom) = ((left + tile).min(width), (top + tile).min(height));
            if right - left < tile || bottom - top < tile {
                continue; // cut tiles have no common mean
            }
            for channel in 0..channels {
                let at = |y: usize, x: usize| (y * width + x) * channels + channel;
                let total: i64 = (top..bottom)
                    .flat_map(|y| (left..right).map(move |x| at(y, x)))
                    .map(|i| i64::from(ours[i]) - i64::from(theirs[i]))
                    .sum();
                sum += total.abs() as f64 / (tile * tile) as f64;
                count += 1;
            }
        }
    }
    sum / f64::from(count.max(1))
}

/// What may differ: largest, mean, mean of tiles. At 1/1 the arithmetic is the same. At the other scales
/// libjpeg-turbo folds frequencies above the kept ones back in, and this decoder leaves them out: pictures made of
/// edges differ, their means do not. (At 1/8 that concerns halved chroma, which is kept at 2 × 2.)
fn tolerance(scale: Scale, photograph: bool) -> (u32, f64, f64) {
    match (scale, photograph) {
        (Scale::Full, _) => (0, 0.0, 0.0),
        (_, true) => (120, 2.0, 0.25),
        (_, false) => (120, 14.0, 2.0),
    }
}

/// Files that stop after some scan: djpeg smooths over the missing coefficients, this decoder does not.
const SMOOTHED: &str = "peacock.progressive.scan";

#[test]
fn the_corpus_looks_as_djpeg_shows_it() {
    let Some(corpora) = corpus() else {
        println!("skipped: no corpus");
        return;
    };
    if Command::new("djpeg").arg("-version").output().is_err() {
        println!("skipped: no djpeg (package libjpeg-turbo-progs)");
        return;
    }
    let mut files = Vec::new();
    jpegs(&corpora, &mut files);
    // djpeg takes minutes for those; `hostile` has one of the kind.
    files.retain(|path| !path.starts_with(corpora.join("bomb")));
    let mut workspace = Workspace::default();
    let mut worst = [Difference::default(); 4];
    let (mut compared, mut failures) = (0, Vec::new());
    for path in &files {
        let name = path.strip_prefix(&corpora).unwrap().display().to_string();
        let bytes = std::fs::read(path).unwrap();
        for (scale, worst) in Scale::ALL.into_iter().zip(&mut worst) {
            let ours = decode(&bytes, scale, &mut workspace);
            let theirs = djpeg(path, scale);
            let Some((theirs, warned)) = theirs else {
                println!("{name} {scale:?}: djpeg fails; here {:?}", ours.map(|o| o.3));
                continue;
            };
            let (width, height, pixels, complete) = match ours {
                Ok(ours) => ours,
                Err(error) => {
                    // djpeg reads arithmetic coding; everything else that it reads is read here.
                    if error != Error::Unsupported("arithmetic coding") && !warned {
                        failures.push(format!("{name} {scale:?}: {error}"));
                    }
                    continue;
                }
            };
            let (w, h, channels, reference) = pnm(&theirs).unwrap();
            assert_eq!((w, h), (width, height), "{name} {scale:?}");
            if pixels.len() != reference.len() {
                println!("{name}: {channels} channels in djpeg's output, not compared");
                continue;
            }
            let apart = difference(&pixels, reference);
            compared += 1;
            if warned || name.contains(SMOOTHED) {
                println!("{name} {scale:?}: djpeg warns or smooths, complete: {complete}, {apart:?}");
                continue;
            }
            if !complete {
                failures.push(format!("{name} {scale:?}: incomplete"));
            }
            let photograph = name.starts_with("photo-jpeg") || name.contains("Landscape");
            let (max, mean, tiles) = tolerance(scale, photograph);
            let tile = tile_difference(&pixels, reference, width as usize, channels, scale);
            if apart.max > max || apart.mean > mean || tile > tiles {
                failures.push(format!("{name} {scale:?}: {apart:?}, tiles {tile:.3}"));
            }
            if photograph {
                println!("{name} {scale:?}: {apart:?}, tiles {tile:.3}");
            }
            worst.max = worst.max.max(apart.max);
            worst.mean = worst.mean.max(apart.mean);
        }
    }
    println!("{compared} pictures compared; worst by scale: {worst:?}");
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(compared > 300);
}

fn decode(bytes: &[u8], scale: Scale, workspace: &mut Workspace) -> Result<(u32, u32, Vec<u8>, bool), Error> {
    let mut decoder = Decoder::new(bytes, &Limits { max_pixels: u64::from(u32::MAX), ..Limits::default() })?;
    decoder.scale(scale);
    let mut pixels = vec![0; decoder.output_len()];
    let outcome = decoder.decode_into(workspace, &|| false, &mut pixels)?;
    let (width, height) = decoder.output_size();
    if decoder.output_layout() == Layout::Cmyk {
        // djpeg shows CMYK as if it were inverted, as Adobe's always is.
        pixels = pixels.chunks_exact(4).flat_map(cmyk_to_rgb).collect();
    }
    Ok((width, height, pixels, outcome.complete))
}

/// As djpeg does it: inks of 255 are none.
fn cmyk_to_rgb(pixel: &[u8]) -> [u8; 3] {
    let k = f64::from(pixel[3]);
    [0, 1, 2].map(|i| (f64::from(pixel[i]) * k / 255.0 + 0.5) as u8)
}
