//! `[[watermarks]]` and `[[fonts]]`: what URLs may name for use in pictures, read once at start.
//!
//! Invariant: a server that runs has every one of them; what cannot be read or used is told before it starts, all together.

use crate::config::Config;
use imaging::{Assets, Font, Mark};
use service::config::{Reader, Section};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Largest file, bytes.
const MAX_FILE_BYTES: u64 = 32 << 20;

/// One mark.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct WatermarkConfig {
    pub name: String,
    pub file: PathBuf,
}

impl Section for WatermarkConfig {
    const DOC: &'static str = "A picture for wm=NAME, at most 4096 pixels a side. Its content is part of cache keys.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            name: named(r, "logo", "The name in URLs."),
            file: r.required(
                "file",
                "marks/logo.png",
                "A picture of any format that originals may have; read at start.",
            ),
        }
    }
}

/// One font.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct FontConfig {
    pub name: String,
    pub file: PathBuf,
}

impl Section for FontConfig {
    const DOC: &'static str =
        "A font for text-font=NAME, beside `sans` and `sans-bold`, which are always there. See docs/layers.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            name: named(r, "noto-jp", "The name in URLs; `sans` takes the place of the font that is used without one."),
            file: r.required("file", "fonts/NotoSansJP-Regular.ttf", "A TrueType or OpenType font; read at start."),
        }
    }
}

/// A name that a URL can write.
fn named(r: &mut Reader<'_>, example: &'static str, doc: &'static str) -> String {
    let name: String = r.required("name", example, doc);
    if !cache_key::is_name(&name) {
        r.reject("name", &name, "1–64 of A–Z a–z 0–9 . _ -", "");
    }
    name
}

/// Reads them all.
///
/// # Errors
/// One line for each that cannot be used.
pub fn load(config: &Config) -> Result<Assets, String> {
    let mut assets = Assets::default();
    let mut faults = Vec::new();
    for WatermarkConfig { name, file } in &config.watermarks {
        match read(file).and_then(|bytes| Mark::read(&bytes).map_err(|error| error.to_string())) {
            Ok(mark) => assets.add_mark(name, mark),
            Err(error) => faults.push(format!("watermarks: {name}: cannot use {}: {error}", file.display())),
        }
    }
    for FontConfig { name, file } in &config.fonts {
        match read(file).and_then(Font::read) {
            Ok(font) => assets.add_font(name, font),
            Err(error) => faults.push(format!("fonts: {name}: cannot use {}: {error}", file.display())),
        }
    }
    if faults.is_empty() { Ok(assets) } else { Err(faults.join("\n")) }
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| error.to_string())?;
    opened.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(format!("it has more than {MAX_FILE_BYTES} bytes"));
    }
    Ok(bytes)
}
