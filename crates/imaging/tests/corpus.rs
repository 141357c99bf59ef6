//! Every file of the corpus that lies beside the repository, through probe, decode and colour: verdicts as the manifest
//! gives them. Skips, aloud, where there is no corpus.

mod corpus_folder;

use imaging::{Decoded, Error, Limits, Scratch, SourceFormat, Want, Watch, color, decode, probe};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One file may take this long, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// Whose `must_reject` is a rule, not an observation.
const FIRM: [&str; 2] = ["generated here", "PngSuite freeware"];
/// AVIF has its own tests beside its decoder.
const ELSEWHERE: [SourceFormat; 1] = [SourceFormat::Avif];
/// Valid, and refused in words: what compresses them is not read.
const REFUSED: [&str; 2] =
    ["tiff/hopper_lzma.tif", "malformed/clusterfuzz-testcase-minimized-fuzzer_script_tiff-5026894169374720.tif"];
/// Names a primary picture that is not there: which of the others is shown is anybody's choice.
const ANY_SIZE: [&str; 1] = ["heic/invalid_id.heic"];

fn corpus() -> Option<(PathBuf, Vec<Value>)> {
    let manifest = std::fs::read(corpus_folder::path("manifest.json")?).expect("a file that is there");
    let folder = corpus_folder::path("")?;
    let items = serde_json::from_slice(&manifest).expect("the manifest is JSON");
    Some((folder, items))
}

fn run(bytes: &[u8], scratch: &mut Scratch) -> Result<((u32, u32), Decoded), Error> {
    let limits = Limits::default();
    let found = probe(bytes, &limits)?;
    let mut decoded = decode(bytes, &found, &Want::EVERYTHING, &limits, &Watch::new(), scratch)?;
    if let Some(icc) = decoded.icc.take() {
        color::to_srgb(&mut decoded.bitmap, &icc)?;
    }
    let size = found.upright_size();
    assert_eq!(size, decoded.orientation.turned(decoded.bitmap.width(), decoded.bitmap.height()));
    Ok((size, decoded))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Why the outcome falls short of the verdict.
fn judge(item: &Value, outcome: &Result<((u32, u32), Decoded), Error>, format: Option<SourceFormat>) -> Option<String> {
    let expected = &item["expected"];
    let ours = format.is_some_and(|f| !ELSEWHERE.contains(&f));
    if REFUSED.contains(&text(item, "file")) {
        return (!matches!(outcome, Err(Error::Unsupported(_)))).then(|| "not refused in words".into());
    }
    match text(expected, "verdict") {
        "valid" | "valid_degraded" if ours => match outcome {
            Err(error) => Some(error.to_string()),
            Ok((size, _)) => {
                let side = |i: usize| expected["upright_size"][i].as_u64().and_then(|v| u32::try_from(v).ok());
                let wanted = side(0).zip(side(1));
                let disputed = expected["disputed"].as_bool() == Some(true) || ANY_SIZE.contains(&text(item, "file"));
                (!disputed && wanted.is_some_and(|w| w != *size)).then(|| format!("{size:?}, expected {wanted:?}"))
            }
        },
        "must_reject" if FIRM.iter().any(|firm| text(item, "licence").contains(firm)) => {
            outcome.is_ok().then(|| "accepted".into())
        }
        _ => None,
    }
}

#[test]
fn verdicts_hold() {
    let Some((folder, items)) = corpus() else { return };
    let mut scratch = Scratch::new(64 << 20);
    let mut short = Vec::new();
    let mut slowest = (Duration::ZERO, String::new());
    for item in &items {
        let file = text(item, "file");
        let bytes = std::fs::read(folder.join(file)).expect("the manifest names files that are there");
        let start = Instant::now();
        let outcome = run(&bytes, &mut scratch);
        let took = start.elapsed();
        if let Some(why) = judge(item, &outcome, SourceFormat::sniff(&bytes)) {
            short.push(format!("{file} [{}] {why}", text(&item["expected"], "verdict")));
        }
        if took > PATIENCE {
            short.push(format!("{file} took {took:?}"));
        }
        slowest = slowest.max((took, file.to_owned()));
        if let Ok((_, decoded)) = outcome {
            scratch.give(decoded.bitmap.into_pixels());
        }
    }
    eprintln!("{} files, slowest {slowest:?}", items.len());
    assert!(short.is_empty(), "{} fall short:\n{}", short.len(), short.join("\n"));
}

/// The colours that the manifest gives for sRGB, at their places: profiles with swapped primaries tell who ignores them.
#[test]
fn colours_come_out_as_srgb() {
    let Some((folder, items)) = corpus() else { return };
    let mut checked = 0;
    for item in &items {
        let Some(places) = item["expected"]["srgb_at"].as_array() else { continue };
        let file = text(item, "file");
        let bytes = std::fs::read(folder.join(file)).expect("the manifest names files that are there");
        if SourceFormat::sniff(&bytes).is_none() {
            continue;
        }
        let (_, decoded) = run(&bytes, &mut Scratch::new(0)).expect("a valid file");
        let channels = decoded.bitmap.layout().channels();
        for place in places {
            let number = |key: &str| place[key].as_u64().and_then(|v| usize::try_from(v).ok()).expect("a number");
            let at = (number("y") * decoded.bitmap.width() as usize + number("x")) * channels;
            for (i, &got) in decoded.bitmap.pixels()[at..at + 3].iter().enumerate() {
                let expected = place["expected_srgb"][i].as_u64().expect("a colour");
                assert!(u64::from(got).abs_diff(expected) <= number("tol") as u64, "{file}: {place} but {got}");
            }
        }
        checked += 1;
    }
    assert!(checked >= 4, "{checked} files with known colours");
}
