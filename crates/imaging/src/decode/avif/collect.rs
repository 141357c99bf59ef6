//! What is embedded beside the picture: items of type `Exif` and `mime`, the primary item's colour properties.

use super::meta::{Location, Meta};
use super::plan::colors;
use super::reader::Reader;
use crate::metadata::{Metadata, exif_item};
use std::borrow::Cow;

/// Texts of an XMP item are told by their media type.
const XMP: &[u8] = b"application/rdf+xml";

/// Collects from the items that describe a picture.
pub(crate) fn collect<'a>(bytes: &'a [u8], found: &mut Metadata<'a>) {
    let Some(meta) = Reader(bytes).find(b"meta").and_then(Meta::read) else { return };
    for item in &meta.items {
        let is_xmp = &item.kind == b"mime" && item.content_type == XMP;
        if !is_xmp && &item.kind != b"Exif" {
            continue;
        }
        let Some(body) = body(bytes, &meta, &item.location) else { continue };
        if is_xmp {
            found.found_xmp(body);
            continue;
        }
        match body {
            Cow::Borrowed(body) => exif_item(body).into_iter().for_each(|block| found.found_exif(block)),
            Cow::Owned(body) => exif_item(&body).into_iter().for_each(|block| found.found_exif(block.to_vec())),
        }
    }
    let Some(primary) = meta.item(meta.primary) else { return };
    let (nclx, icc) = colors(&meta, primary);
    found.cicp = nclx.and_then(|nclx| {
        let code = |value| u8::try_from(value).ok();
        Some([code(nclx.primaries)?, code(nclx.transfer)?, code(nclx.matrix)?, nclx.full_range.into()])
    });
    icc.into_iter().for_each(|icc| found.found_icc(icc));
}

/// The bytes of an item, put together from its extents.
fn body<'a>(file: &'a [u8], meta: &Meta<'a>, location: &Location) -> Option<Cow<'a, [u8]>> {
    let base = if location.in_idat { meta.idat } else { file };
    let piece = |&(offset, length): &(u64, u64)| {
        let rest = base.get(usize::try_from(offset).ok()?..)?;
        if length == 0 { Some(rest) } else { rest.get(..usize::try_from(length).ok()?) }
    };
    if let [extent] = location.extents.as_slice() {
        return piece(extent).map(Cow::Borrowed);
    }
    let mut whole = Vec::new();
    for extent in &location.extents {
        whole.extend_from_slice(piece(extent)?);
        if whole.len() > crate::metadata::MAX_BLOCK {
            return None;
        }
    }
    Some(Cow::Owned(whole))
}
