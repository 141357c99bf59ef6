//! `tintype transform`: the engine on a file. Knows no server; the bytes are those that one sends.

use super::{ConfigArguments, Failure};
use clap::Args;
use imaging::{Scratch, Setup, Watch};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, Args)]
pub(super) struct TransformArguments {
    /// The original; - reads standard input.
    input: PathBuf,
    /// Where the rendition goes; - writes standard output. Its ending gives the format where the parameters do not.
    output: PathBuf,
    /// Parameters as in a URL's query: docs/url.md lists them.
    #[arg(default_value = "")]
    parameters: String,
    /// Print size, bytes and time of each step.
    #[arg(long, short)]
    verbose: bool,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn transform(arguments: &TransformArguments) -> Result<(), Failure> {
    let config = arguments.config.load()?;
    let presets = crate::app::presets(&config, false).map_err(|error| Failure::Failed(error.to_string()))?;
    let mut parsed =
        cache_key::parse(Some(&arguments.parameters), &presets).map_err(|error| Failure::Failed(error.to_string()))?;
    if let Some(name) = parsed.unknown.first() {
        return Err(Failure::Failed(format!("unknown parameter `{name}`: docs/url.md lists them")));
    }
    if parsed.transform.output.format == cache_key::transform::Format::Source {
        parsed.transform.output.format = format_of(&arguments.output)?;
    }
    if parsed.transform.output.srcset.is_some() {
        return Err(Failure::Failed("srcset tells URLs: only a server has them".to_owned()));
    }
    let original = read(&arguments.input, config.render.limits.memory)?;
    // Nobody hints anything here: `auto` leaves a side open.
    let transform = parsed.transform.hinted(cache_key::Hinted::default());
    let variant = cache_key::Variant { transform, class: cache_key::FormatClass::default() };
    let watch = Watch::until(Instant::now() + config.render.deadline);
    let assets = crate::render::assets::load(&config).map_err(Failure::Failed)?;
    let setup = Setup { limits: config.render.limits.clone(), assets, avif: config.render.avif_engine };
    let rendition = imaging::render(&original, &variant, &setup, &watch, &mut Scratch::new(0))
        .map_err(|error| Failure::Failed(format!("{}: {error}", arguments.input.display())))?;
    write(&arguments.output, &rendition.bytes)?;
    if arguments.verbose {
        let t = &rendition.timings;
        eprintln!(
            "{} {}x{}, {} bytes of {}; decode {:.1?}, transform {:.1?}, encode {:.1?}",
            rendition.media_type(),
            rendition.width,
            rendition.height,
            rendition.bytes.len(),
            original.len(),
            t.decode,
            t.transform,
            t.encode
        );
    }
    Ok(())
}

/// The output's ending chooses the format; standard output keeps the original's.
fn format_of(output: &Path) -> Result<cache_key::transform::Format, Failure> {
    use cache_key::transform::{Codec, Format};
    let ending = output.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    Ok(match ending.as_deref() {
        None => Format::Source,
        Some("jpg" | "jpeg") => Format::Image(Codec::Jpeg),
        Some("png") => Format::Image(Codec::Png),
        Some("webp") => Format::Image(Codec::Webp),
        Some("avif") => Format::Image(Codec::Avif),
        Some(other) => {
            let text = format!("cannot tell a format from `.{other}`: use .jpg, .png, .webp or .avif, or give f=");
            return Err(Failure::Failed(text));
        }
    })
}

/// Reads whole, up to `limit` bytes: a file larger than all decoded pixels may be is none of ours.
pub(super) fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let result = if path.as_os_str() == "-" {
        std::io::stdin().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    result.map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
    Ok(bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let result = if path.as_os_str() == "-" { std::io::stdout().write_all(bytes) } else { std::fs::write(path, bytes) };
    result.map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))
}
