//! Our side of the figures in `docs/quality.md`: encodes and scores pictures, one line of JSON each. It knows no peer: what others
//! encoded is scored from their files, by the same decoders.
//!
//! - `picture FILE WIDTH OUT.png`: the reference, at most WIDTH wide, by the server's engine
//! - `ladder CODEC DIALS EFFORT CHROMA REFERENCE.png…`: our encoder at each of the dials, separated by commas
//! - `features REFERENCE.png…`: what the prediction of `q=auto` and the choice of `chroma=auto` look at
//! - `auto CODEC LEVEL REFERENCE.png…`: our encoder with `q=auto:LEVEL`
//! - `score REFERENCE.png FILE…`: what others made of it
//!
//! `--engine NAME` before all of that: who encodes AVIF, `libaom` or `rav1e`

use cache_key::transform::{Chroma, Codec, Colour};
use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::encode::avif::Engine;
use imaging::encode::{Settings, encode};
use imaging::quality::{self, score::Reference};
use imaging::{Bitmap, Limits, Scratch, Setup, Want, Watch, decode, output, probe, render};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (engine, words) = match words.as_slice() {
        ["--engine", name, rest @ ..] => {
            let known = Engine::ALL.into_iter().find(|engine| engine.is_built() && engine.name() == *name);
            (known.ok_or_else(|| format!("no engine of this build: {name}"))?, rest)
        }
        all => (Engine::Libaom, all),
    };
    match words {
        ["picture", file, width, out] => picture(file, width, out),
        ["ladder", codec, dials, effort, chroma, references @ ..] => {
            ladder(codec, dials, effort, chroma, engine, references)
        }
        ["features", references @ ..] => features(references),
        ["auto", codec, level, references @ ..] => auto(codec, level, engine, references),
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

fn ladder(
    codec: &str,
    dials: &str,
    effort: &str,
    chroma: &str,
    engine: Engine,
    files: &[&str],
) -> Result<(), Box<dyn Error>> {
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
        progressive: false,
        chroma: match chroma {
            "444" => Chroma::C444,
            "420" => Chroma::C420,
            _ => Chroma::Auto,
        },
        background: Colour { r: 255, g: 255, b: 255, a: 255 },
        engine,
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

fn features(files: &[&str]) -> Result<(), Box<dyn Error>> {
    for file in files {
        let picture = read(file)?;
        let (features, edges) = (quality::features::of(&picture), quality::chroma::coloured_edges(&picture));
        println!(r#"{{"picture":{file:?},"features":{features:?},"edges":{edges:.5}}}"#);
    }
    Ok(())
}

fn auto(codec: &str, level: &str, engine: Engine, files: &[&str]) -> Result<(), Box<dyn Error>> {
    let transform = parse(Some(&format!("f={codec}&q=auto:{level}")), &Presets::none())?.transform;
    let codec = match transform.output.format {
        cache_key::transform::Format::Image(codec) => codec,
        _ => return Err("no format".into()),
    };
    let settings = output::settings(&transform, codec, engine)?;
    for file in files {
        let picture = read(file)?;
        let before = cpu()?;
        let bytes = quality::encode(
            picture.clone(),
            &settings,
            output::goal(&transform.output, codec),
            &Watch::new(),
            &mut Scratch::new(64 << 20),
        )?;
        let took = cpu()? - before;
        let score = Reference::new(&picture)?.score(&pixels(&bytes)?)?;
        println!(r#"{{"picture":{file:?},"bytes":{},"score":{score:.3},"ms":{took:.2}}}"#, bytes.len());
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
