//! What an original can be, told by its first bytes alone: names and media types of strangers are not believed.

use crate::metadata::svg;

/// A recognised kind of original. Recognised does not mean supported: HEIC has a name, so that its 415 can say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SourceFormat {
    Jpeg,
    Png,
    Webp,
    Gif,
    Avif,
    Heic,
    Jxl,
    Tiff,
    Bmp,
    Ico,
    Svg,
}

/// How far into a text an `<svg` may begin (after a byte order mark, comments and a document type).
const SVG_WITHIN: usize = 4096;
/// How many brands of a `ftyp` box are looked at.
const BRANDS: usize = 32;

impl SourceFormat {
    /// The media type, for originals that are passed on untouched.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Avif => "image/avif",
            Self::Heic => "image/heic",
            Self::Jxl => "image/jxl",
            Self::Tiff => "image/tiff",
            Self::Bmp => "image/bmp",
            Self::Ico => "image/vnd.microsoft.icon",
            Self::Svg => "image/svg+xml",
        }
    }

    /// What file names end in, without the point.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Avif => "avif",
            Self::Heic => "heic",
            Self::Jxl => "jxl",
            Self::Tiff => "tif",
            Self::Bmp => "bmp",
            Self::Ico => "ico",
            Self::Svg => "svg",
        }
    }

    /// The kind that the first bytes tell, if they tell one.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some(Self::Png),
            [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(Self::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [0xFF, 0x0A, ..] | [0, 0, 0, 0x0C, b'J', b'X', b'L', b' ', 0x0D, 0x0A, 0x87, 0x0A, ..] => Some(Self::Jxl),
            [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Self::Tiff),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => sniff_brands(bytes),
            [b'B', b'M', _, _, _, _, _, _, _, _, _, _, _, _, header, 0, 0, 0, ..] if *header >= 12 => Some(Self::Bmp),
            [0, 0, 1 | 2, 0, count, more, ..] if (*count, *more) != (0, 0) => Some(Self::Ico),
            _ if svg::is_packed(bytes) => {
                svg::head(bytes).is_some_and(|text| looks_like_svg(&text)).then_some(Self::Svg)
            }
            _ => looks_like_svg(bytes).then_some(Self::Svg),
        }
    }

    /// The name, as messages show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Webp => "WebP",
            Self::Gif => "GIF",
            Self::Avif => "AVIF",
            Self::Heic => "HEIC",
            Self::Jxl => "JPEG XL",
            Self::Tiff => "TIFF",
            Self::Bmp => "BMP",
            Self::Ico => "ICO",
            Self::Svg => "SVG",
        }
    }
}

/// ISO 14496-12, 4.3: size, `ftyp`, major brand, minor version, compatible brands. AVIF wins over HEIF: `mif1` is in both.
fn sniff_brands(bytes: &[u8]) -> Option<SourceFormat> {
    let size = usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()?.min(bytes.len());
    let major = bytes.get(8..12)?;
    let compatible = bytes.get(16..size).unwrap_or_default().chunks_exact(4);
    let mut heif = false;
    for brand in std::iter::once(major).chain(compatible).take(BRANDS) {
        match brand {
            b"avif" | b"avis" => return Some(SourceFormat::Avif),
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" | b"mif1" | b"msf1"
            | b"mif2" | b"mif3" => heif = true,
            _ => {}
        }
    }
    heif.then_some(SourceFormat::Heic)
}

fn looks_like_svg(bytes: &[u8]) -> bool {
    let text = bytes.get(..SVG_WITHIN.min(bytes.len())).unwrap_or_default();
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
    if text.first() != Some(&b'<') {
        return false;
    }
    let html = text.windows(5).any(|w| w.eq_ignore_ascii_case(b"<html"));
    !html && text.windows(4).any(|w| w == b"<svg" || w == b":svg")
}

#[cfg(test)]
mod tests {
    use super::SourceFormat::{self, *};

    #[test]
    fn first_bytes_tell_the_kind() {
        let cases: &[(&[u8], Option<SourceFormat>)] = &[
            (b"\xFF\xD8\xFF\xE0", Some(Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(Png)),
            (b"GIF89a", Some(Gif)),
            (b"GIF88a", None),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(Webp)),
            (b"RIFF\0\0\0\0WAVEfmt ", None),
            (b"\0\0\0\x1cftypavif\0\0\0\0", Some(Avif)),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", Some(Avif)),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", Some(Heic)),
            (b"\0\0\0\x14ftypmif1\0\0\0\0heicavif", Some(Heic)),
            (b"\0\0\0\x14ftypisom\0\0\0\0mp42", None),
            (b"\xFF\x0A", Some(Jxl)),
            (b"\0\0\0\x0cJXL \r\n\x87\n", Some(Jxl)),
            (b"II*\0", Some(Tiff)),
            (b"MM\0*", Some(Tiff)),
            (b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", Some(Bmp)),
            (b"BMW is a maker of cars", None),
            (b"\0\0\x01\0\x01\0", Some(Ico)),
            (b"<?xml version='1.0'?><!-- a --><svg xmlns='http://www.w3.org/2000/svg'/>", Some(Svg)),
            (b"\xEF\xBB\xBF <svg/>", Some(Svg)),
            (b"\x1F\x8B\x08\0\0\0\0\0\0\x03\xB3\x29\x2E\x4B\xD7\xB7\x03\0\0\0\0\0\0\0\0\0", Some(Svg)),
            (b"\x1F\x8B\x08\0\0\0\0\0\0\x03\x03\0", None),
            (b"<!doctype html><html><svg/></html>", None),
            (b"text about <svg>", None),
            (b"", None),
            (b"\0", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(SourceFormat::sniff(bytes), *expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
