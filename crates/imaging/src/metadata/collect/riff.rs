//! What a WebP's chunks hold: `EXIF`, `XMP `, `ICCP`.

use super::Metadata;
use crate::metadata::webp::chunks;

const RIFF_HEADER: usize = 12;

/// Collects from all chunks.
pub(super) fn collect<'a>(bytes: &'a [u8], found: &mut Metadata<'a>) {
    for (kind, body) in chunks(bytes.get(RIFF_HEADER..).unwrap_or_default()) {
        match kind {
            b"EXIF" => found.found_exif(body),
            b"XMP " => found.found_xmp(body),
            b"ICCP" => found.found_icc(body),
            _ => {}
        }
    }
}
