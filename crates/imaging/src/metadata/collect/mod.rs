//! All that is embedded in an original besides its pixels, format by format, as one type.
//!
//! Blocks are borrowed from the file where they lie in one piece, are limited in size, and are not looked into here:
//! `exif`, `xmp`, `iptc` and `color` do that. What is larger than a limit, or damaged, is as if it were not there.

mod isobmff;
mod jpeg;
mod png;
mod riff;
mod tiff;

use crate::format::SourceFormat;
use std::borrow::Cow;

/// Of an EXIF, XMP or IPTC block, bytes. Packets of 1 MB are depth maps in disguise.
pub(crate) const MAX_BLOCK: usize = 1 << 20;
/// Of a colour profile, bytes; the largest known CMYK profiles have about 3 MB.
pub(crate) const MAX_PROFILE: usize = 4 << 20;
/// Of comments and texts: how many, and bytes of each.
const MAX_TEXTS: usize = 64;
const MAX_TEXT: usize = 16 << 10;

/// What is embedded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata<'a> {
    /// The EXIF block, from its TIFF header on. Of a TIFF the file itself.
    pub exif: Option<Cow<'a, [u8]>>,
    /// The XMP packet.
    pub xmp: Option<Cow<'a, [u8]>>,
    /// The second packet of a JPEG whose first one was too small for all (XMP part 3, 1.1.3.1).
    pub extended_xmp: Option<Cow<'a, [u8]>>,
    /// IPTC-IIM records, without what they were wrapped in.
    pub iptc: Option<Cow<'a, [u8]>>,
    /// The colour profile (ICC.1), decompressed.
    pub icc: Option<Cow<'a, [u8]>>,
    /// Code points of ITU-T H.273 (PNG `cICP`, `nclx`): primaries, transfer, matrix, full range.
    pub cicp: Option<[u8; 4]>,
    /// Comments and texts.
    pub texts: Vec<Text>,
}

/// A comment, or a text with a keyword.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// PNG's keyword; empty for a comment.
    pub keyword: String,
    /// What it says.
    pub text: String,
}

/// Collects what is embedded in a file of this format. It cannot fail: what cannot be read is left out.
pub fn read(bytes: &[u8], format: SourceFormat) -> Metadata<'_> {
    let mut found = Metadata::default();
    match format {
        SourceFormat::Jpeg => jpeg::collect(bytes, &mut found),
        SourceFormat::Png => png::collect(bytes, &mut found),
        SourceFormat::Webp => riff::collect(bytes, &mut found),
        SourceFormat::Gif => super::gif::collect(bytes, &mut found),
        SourceFormat::Avif | SourceFormat::Heic => crate::decode::avif::collect(bytes, &mut found),
        SourceFormat::Jxl => isobmff::collect(bytes, &mut found),
        SourceFormat::Tiff => tiff::collect(bytes, &mut found),
        SourceFormat::Bmp | SourceFormat::Ico | SourceFormat::Svg => {}
    }
    found
}

impl<'a> Metadata<'a> {
    /// Keeps an EXIF block, with or without what JPEG puts before it. The first one counts.
    pub(crate) fn found_exif(&mut self, block: impl Into<Cow<'a, [u8]>>) {
        let block = match block.into() {
            Cow::Borrowed(block) => Cow::Borrowed(unprefixed(block)),
            Cow::Owned(block) => Cow::Owned(unprefixed(&block).to_vec()),
        };
        if self.exif.is_none() && !block.is_empty() && block.len() <= MAX_BLOCK {
            self.exif = Some(block);
        }
    }

    /// Keeps an XMP packet. The first one counts.
    pub(crate) fn found_xmp(&mut self, packet: impl Into<Cow<'a, [u8]>>) {
        keep(&mut self.xmp, packet.into(), MAX_BLOCK);
    }

    /// Keeps IPTC-IIM records. The first ones count.
    pub(crate) fn found_iptc(&mut self, records: &'a [u8]) {
        keep(&mut self.iptc, records.into(), MAX_BLOCK);
    }

    /// Keeps a profile. The first one counts.
    pub(crate) fn found_icc(&mut self, profile: impl Into<Cow<'a, [u8]>>) {
        keep(&mut self.icc, profile.into(), MAX_PROFILE);
    }

    /// Keeps a text: UTF-8 where it is that, else Latin-1.
    pub(crate) fn found_text(&mut self, keyword: &[u8], text: &[u8]) {
        if self.texts.len() < MAX_TEXTS && text.len() <= MAX_TEXT && keyword.len() <= MAX_TEXT {
            self.texts.push(Text { keyword: readable(keyword), text: readable(text) });
        }
    }

    /// Whether nothing at all was found.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn keep<'a>(place: &mut Option<Cow<'a, [u8]>>, block: Cow<'a, [u8]>, limit: usize) {
    if place.is_none() && !block.is_empty() && block.len() <= limit {
        *place = Some(block);
    }
}

fn unprefixed(block: &[u8]) -> &[u8] {
    block.strip_prefix(b"Exif\0\0").or_else(|| block.strip_prefix(b"Exif\0\xFF")).unwrap_or(block)
}

fn readable(bytes: &[u8]) -> String {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&byte| char::from(byte)).collect(),
    };
    text.trim_matches(['\0', ' ', '\r', '\n']).to_owned()
}

#[cfg(test)]
mod tests;
