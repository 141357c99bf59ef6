//! Segments behind SOI (and JFIF's, which has to be the first): EXIF, XMP, IPTC, ICC in parts.

use super::Attachments;
use crate::metadata::iptc;
use crate::metadata::jpeg::segments;

/// Of a segment's body: 16 bits of length that count themselves.
const MAX_BODY: usize = 65_533;
const ICC: &[u8] = b"ICC_PROFILE\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
/// A segment holds no larger packet.
pub(crate) const MAX_XMP: usize = MAX_BODY - XMP.len();

pub(crate) fn attach(file: &[u8], attachments: &Attachments) -> Option<Vec<u8>> {
    let first = segments(file).next()?;
    let at = if first.marker == 0xE0 { first.place.end } else { first.place.start };
    let (head, rest) = file.split_at_checked(at)?;
    let mut out = Vec::with_capacity(file.len() + attachments.room());
    out.extend_from_slice(head);
    segment(0xE1, &[b"Exif\0\0", &attachments.exif], &mut out);
    segment(0xE1, &[XMP, &attachments.xmp], &mut out);
    segment(0xED, &[iptc::PHOTOSHOP, &attachments.resources], &mut out);
    if let Some(icc) = &attachments.icc {
        let parts = icc.chunks(MAX_BODY - ICC.len() - 2);
        // 255 parts hold 16 MB: larger profiles are not read in the first place.
        let count = u8::try_from(parts.len()).ok()?;
        for (number, part) in (1..=count).zip(parts) {
            segment(0xE2, &[ICC, &[number, count], part], &mut out);
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}

/// Nothing where the last part is empty, or all of it too long.
pub(crate) fn segment(marker: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if parts.last().is_none_or(|part| part.is_empty()) || length > MAX_BODY {
        return;
    }
    out.extend([0xFF, marker]);
    out.extend(u16::try_from(length + 2).unwrap_or(u16::MAX).to_be_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
}
