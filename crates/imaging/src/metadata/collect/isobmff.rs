//! What the boxes of a JPEG XL container hold (ISO/IEC 18181-2): `Exif` and `xml `. Those compressed by Brotli (`brob`)
//! are left out, and a bare codestream has none.

use super::Metadata;
use crate::metadata::{be32, exif_item};

/// Collects from the boxes on the first level.
pub(super) fn collect<'a>(mut bytes: &'a [u8], found: &mut Metadata<'a>) {
    while let (Some(size), Some(kind)) = (be32(bytes, 0), bytes.get(4..8)) {
        let end = match usize::try_from(size) {
            Ok(0) => bytes.len(),
            Ok(size) if size >= 8 => size.min(bytes.len()),
            // A 64-bit size: such a box holds pixels, and nothing behind it is worth a walk.
            _ => return,
        };
        let body = bytes.get(8..end).unwrap_or_default();
        match kind {
            b"Exif" => exif_item(body).into_iter().for_each(|block| found.found_exif(block)),
            b"xml " => found.found_xmp(body),
            _ => {}
        }
        bytes = bytes.get(end..).unwrap_or_default();
    }
}
