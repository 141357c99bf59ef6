//! `tintype info`: what the server tells of a picture (`f=json`), of files; for people, or the same JSON.

use super::picture::read;
use super::{ConfigArguments, Failure};
use cache_key::transform::Format;
use cache_key::{FormatClass, Hinted, Presets, Variant};
use clap::Args;
use imaging::{Scratch, Setup, Watch};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, Args)]
pub(super) struct InfoArguments {
    /// The files; - reads standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The JSON that the server answers to f=json; of several files each with its name as `file`.
    #[arg(long)]
    json: bool,
    /// Parameters as in a URL's query: `meta=keep` tells places and serial numbers too.
    #[arg(long, short, default_value = "", value_name = "QUERY")]
    parameters: String,
    #[command(flatten)]
    config: ConfigArguments,
}

pub(super) fn info(arguments: &InfoArguments) -> Result<(), Failure> {
    let config = arguments.config.load()?;
    let variant = variant(&arguments.parameters)?;
    let assets = crate::render::assets::load(&config).map_err(Failure::Failed)?;
    let setup = Setup { limits: config.render.limits.clone(), assets, avif: config.render.avif_engine };
    let mut scratch = Scratch::new(0);
    let mut failed = Vec::new();
    for file in &arguments.files {
        let watch = Watch::until(Instant::now() + config.render.deadline);
        let told = read(file, config.render.limits.memory).and_then(|bytes| {
            imaging::render(&bytes, &variant, &setup, &watch, &mut scratch)
                .map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))
        });
        match told.and_then(|rendition| shown(arguments, file, &rendition.bytes)) {
            Ok(text) => print!("{text}"),
            Err(error) => failed.push(error.to_string()),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Failed(failed.join("\n"))) }
}

/// What is asked of the engine: `f=json` with these parameters.
fn variant(parameters: &str) -> Result<Variant, Failure> {
    let parsed = cache_key::parse(Some(parameters), &Presets::none());
    let parsed = parsed.map_err(|error| Failure::Failed(error.to_string()))?;
    if let Some(name) = parsed.unknown.first() {
        return Err(Failure::Failed(format!("unknown parameter `{name}`: docs/url.md lists them")));
    }
    let mut transform = parsed.transform;
    transform.output.format = Format::Json;
    Ok(Variant { transform: transform.hinted(Hinted::default()), class: FormatClass::default() })
}

fn shown(arguments: &InfoArguments, file: &Path, bytes: &[u8]) -> Result<String, Failure> {
    let failed = |error: serde_json::Error| Failure::Failed(format!("{}: {error}", file.display()));
    let mut facts: Value = serde_json::from_slice(bytes).map_err(failed)?;
    if !arguments.json {
        return Ok(for_people(file, &facts));
    }
    if arguments.files.len() > 1 {
        facts["file"] = file.display().to_string().into();
    }
    serde_json::to_string_pretty(&facts).map(|text| text + "\n").map_err(failed)
}

/// A line with the most important, then one for each other fact.
fn for_people(file: &Path, facts: &Value) -> String {
    let original = &facts["original"];
    let alpha = if original["alpha"] == true { ", alpha" } else { "" };
    let mut text = format!(
        "{}: {} {}x{}, {} bit{alpha}, orientation {}, frames {}, {} bytes\n",
        file.display(),
        original["format"].as_str().unwrap_or_default(),
        original["width"],
        original["height"],
        original["depth"],
        original["orientation"],
        original["frames"],
        original["bytes"]
    );
    put("", facts, &mut text);
    text
}

/// Facts of the first line, and what is of no use to people.
const SAID: [&str; 10] = [
    "schema",
    "original.format",
    "original.width",
    "original.height",
    "original.depth",
    "original.alpha",
    "original.orientation",
    "original.frames",
    "original.bytes",
    "original.stored",
];

/// `name  value` for every fact below `name` that there is.
fn put(name: &str, value: &Value, text: &mut String) {
    match value {
        _ if SAID.contains(&name) => {}
        Value::Null => {}
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                put(&name, value, text);
            }
        }
        Value::String(string) => line(name, string, text),
        Value::Array(all) if name == "looks.palette" => {
            let colours: Vec<_> = all.iter().filter_map(|colour| colour["colour"].as_str()).collect();
            line(name, &colours.join(" "), text);
        }
        other => line(name, &other.to_string(), text),
    }
}

/// What a file says of itself shall not steer a terminal.
fn line(name: &str, value: &str, text: &mut String) {
    let plain = |text: &str| text.replace(char::is_control, " ");
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "  {:<26} {}", plain(name), plain(value).trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_file_steers_the_terminal() {
        let facts = serde_json::json!({ "exif": { "Make": "a\u{1b}[2J\nb" }, "original": { "hdr": null } });
        let text = for_people(Path::new("a.jpg"), &facts);
        assert!(text.lines().count() == 2 && text.ends_with("  exif.Make                  a [2J b\n"), "{text}");
    }
}
