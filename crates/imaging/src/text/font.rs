//! A font: from the config, or one of those that ship with this crate. Parsed by memory-safe code (skrifa, harfrust).

use cache_key::OriginalVersion;
use harfrust::ShaperData;
use skrifa::{FontRef, MetadataProvider};
use std::borrow::Cow;
use std::fmt;

/// A font file, read and found usable.
pub struct Font {
    bytes: Cow<'static, [u8]>,
    shaper: ShaperData,
    version: OriginalVersion,
}

/// The fonts that are always there: DejaVu, which covers Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic.
/// The first is used where a URL names none.
pub const BUNDLED: [Bundled; 2] =
    [Bundled { name: "sans", bytes: dejavu::sans::regular }, Bundled { name: "sans-bold", bytes: dejavu::sans::bold }];

/// A font that ships with this crate.
#[derive(Clone, Copy, Debug)]
pub struct Bundled {
    /// The name in URLs.
    pub name: &'static str,
    bytes: fn() -> &'static [u8],
}

impl Bundled {
    /// The font itself.
    pub(crate) fn read(self) -> Font {
        Font::read((self.bytes)()).expect("a test reads every bundled font")
    }
}

impl Font {
    /// Reads a TrueType or OpenType font; of a collection, the first; of a variable font, the default instance.
    ///
    /// # Errors
    /// In words: what is no font, or has no outlines.
    pub fn read(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, String> {
        let bytes = bytes.into();
        let face = FontRef::from_index(&bytes, 0)
            .map_err(|error| format!("not a TrueType or OpenType font (WOFF is not read): {error}"))?;
        if face.outline_glyphs().format().is_none() {
            return Err("the font has no outlines".to_owned());
        }
        let shaper = ShaperData::new(&face);
        let version = OriginalVersion::from_content(&bytes);
        Ok(Self { bytes, shaper, version })
    }

    /// The file's content.
    pub fn version(&self) -> &OriginalVersion {
        &self.version
    }

    pub(super) fn face(&self) -> FontRef<'_> {
        FontRef::from_index(&self.bytes, 0).expect("these bytes were read as a font before")
    }

    pub(super) fn shaper(&self) -> &ShaperData {
        &self.shaper
    }
}

impl fmt::Debug for Font {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Font").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_font_is_told() {
        assert!(Font::read(&b"no font"[..]).expect_err("refused").contains("not a TrueType"));
        assert!(Font::read(&b"wOF2 and so on"[..]).expect_err("refused").contains("WOFF"));
        let whole = dejavu::sans::regular();
        for length in [0, 4, 12, 100, 1_000, 10_000] {
            assert!(Font::read(&whole[..length]).is_err(), "{length} bytes of a font are none");
        }
    }

    #[test]
    fn bundled_fonts_are_sound() {
        for bundled in BUNDLED {
            assert!(Font::read((bundled.bytes)()).is_ok(), "{}", bundled.name);
        }
    }
}
