//! What the files say besides their pixels, read by walking their structure: size, depth, orientation, colour profile
//! (the headers, for `probe` and `decode`), and all else that is embedded ([`read`]).
//!
//! Nothing here decompresses pixels or trusts a length: every read is a slice of the file that may be absent, and every
//! walk ends because it moves forward. The decoders find the pixels on their own; `decode` compares the sizes.

pub(crate) mod bmp;
mod collect;
pub mod exif;
pub(crate) mod gif;
pub(crate) mod ico;
pub mod iptc;
pub(crate) mod jpeg;
pub(crate) mod jxl;
pub(crate) mod png;
mod rights;
pub(crate) mod svg;
pub(crate) mod tiff;
pub(crate) mod webp;
pub mod xmp;

pub(crate) use collect::{MAX_BLOCK, MAX_PROFILE};
pub use collect::{Metadata, Text, read};
pub use rights::Rights;

/// The text of a drawing, unpacked where it is packed; `None` where that cannot be done within the limit.
pub fn svg_text(bytes: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
    svg::whole(bytes)
}

/// The EXIF block of an item or box of ISO base media files (ISO/IEC 23008-12, A.2.1): behind an offset to it.
pub(crate) fn exif_item(body: &[u8]) -> Option<&[u8]> {
    let offset = usize::try_from(be32(body, 0)?).ok()?;
    body.get(offset.checked_add(4)?..)
}

/// Two bytes at `at`, most significant first.
pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Four bytes at `at`, most significant first.
pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Two bytes at `at`, least significant first.
pub(crate) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Three bytes at `at`, least significant first.
pub(crate) fn le24(bytes: &[u8], at: usize) -> Option<u32> {
    let [a, b, c] = *bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes([a, b, c, 0]))
}

/// Four bytes at `at`, least significant first.
pub(crate) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
