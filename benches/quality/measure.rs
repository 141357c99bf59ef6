//! One side of `make bench-quality`: encodes and scores pictures, one line of JSON each. It knows no peer: what others
//! encoded is scored from their files, by the same decoders.
//!
//! - `picture FILE WIDTH OUT.png`: the reference, at most WIDTH wide, by the server's engine
//! - `ladder CODEC DIALS EFFORT CHROMA REFERENCE.png…`: our encoder at each of the dials, separated by commas
//! - `score REFERENCE.png FILE…`: what others made of it

use cache_key::transform::{Chroma, Codec, Colour};
use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::encode::{Settings, encode};
use imaging::quality::score::Reference;
use imaging::{Bitmap, Limits, Scratch, Setup, Want, Watch, decode, probe, render};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["picture", file, width, out] => picture(file, width, out),
        ["ladder", codec, dials, effort, chroma, references @ ..] => ladder(codec, dials, effort, chroma, references),
        ["score", reference, files @ ..] => score(reference, files),
        _ => Err("usage: see the first lines of benches/quality/measure.rs".into()),
    }
}

fn picture(file: &str, width: &str, out: &str) -> Result<(), Box<dyn Error>> {
    let transform = parse(Some(&format!("w={width}&f=png")), &Presets::none())?.transform;
    let variant = Variant { transform, class: FormatClass::Baseline };
    let setup = Setup::from(Limits::default());
    let rendition = render(&std::fs::read(file)?, &variant, &setup, &Watch::new(), &mut Scratch::new(0))?;
    Ok(std::fs::write(out, rendition.bytes)?)
}

fn read(file: &str) -> Result<Bitmap, Box<dyn Error>> {
    Ok(pixels(&std::fs::read(file)?)?)
}

fn pixels(bytes: &[u8]) -> Result<Bitmap, imaging::Error> {
    let limits = Limits::default();
    let probe = probe(bytes, &limits)?;
    Ok(decode(bytes, &probe, &Want::EVERYTHING, &limits, &Watch::new(), &mut Scratch::new(0))?.bitmap)
}

fn ladder(codec: &str, dials: &str, effort: &str, chroma: &str, files: &[&str]) -> Result<(), Box<dyn Error>> {
    let mut settings = Settings {
        codec: match codec {
            "jpeg" => Codec::Jpeg,
            "webp" => Codec::Webp,
            "avif" => Codec::Avif,
            other => return Err(format!("no lossy format: {other}").into()),
        },
        quality: 0,
        effort: effort.parse().ok(),
        lossless: false,
        progressive: std::env::var("K_PROG").is_ok(),
        chroma: match chroma {
            "444" => Chroma::C444,
            "420" => Chroma::C420,
            _ => Chroma::Auto,
        },
        background: Colour { r: 255, g: 255, b: 255, a: 255 },
    };
    for file in files {
        let picture = read(file)?;
        let reference = Reference::new(&picture)?;
        for dial in dials.split(',') {
            settings.quality = dial.parse()?;
            let before = cpu()?;
            let bytes = encode(picture.clone(), &settings, &Watch::new(), &mut Scratch::new(0))?;
            let took = cpu()? - before;
            let score = reference.score(&pixels(&bytes)?)?;
            println!(r#"{{"picture":{file:?},"q":{dial},"bytes":{},"score":{score:.3},"ms":{took:.2}}}"#, bytes.len());
        }
    }
    Ok(())
}

fn score(reference: &str, files: &[&str]) -> Result<(), Box<dyn Error>> {
    let prepared = Reference::new(&read(reference)?)?;
    for file in files {
        let bytes = std::fs::read(file)?;
        let score = prepared.score(&pixels(&bytes)?)?;
        println!(r#"{{"file":{file:?},"bytes":{},"score":{score:.3}}}"#, bytes.len());
    }
    Ok(())
}

/// Milliseconds that this thread has run: other work of the machine does not count.
fn cpu() -> Result<f64, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().ok_or("an empty schedstat")?.parse()?;
    Ok(nanoseconds / 1e6)
}
