//! Where the pictures behind the first one of a JPEG file lie: by the index of CIPA DC-007 (MPF), and by the lengths of
//! the directory in the first picture's XMP. Both are a stranger's word: each place is one that the file has, or none.

use super::app2;
use crate::metadata::jpeg::next_marker;
use crate::metadata::{be16, be32, le16, le32, xmp};
use std::ops::Range;

const MPF: &[u8] = b"MPF\0";
/// MP entries: 16 bytes for each picture (DC-007, 5.2.3.3).
const ENTRIES: u16 = 0xB002;
const ENTRY: usize = 16;
/// Pictures and fields of an index, items of a directory; panoramas have a few dozen.
const MAX_ITEMS: usize = 64;
const CONTAINER: &str = "http://ns.google.com/photos/1.0/container/";
const ITEM: &str = "http://ns.google.com/photos/1.0/container/item/";

/// What begins as a JPEG file where the file says that further pictures lie; the index first.
pub(super) fn candidates<'a>(bytes: &'a [u8], packet: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let by_index = indexed(bytes).unwrap_or_default();
    let packet = packet.to_vec();
    // The second way takes a walk over the whole file: only where the first one leads nowhere.
    let by_directory = std::iter::once_with(move || listed(bytes, &packet).unwrap_or_default()).flatten();
    by_index.into_iter().chain(by_directory).filter_map(|place| bytes.get(place)).filter(|file| {
        // Not the file itself once more.
        file.starts_with(b"\xFF\xD8\xFF") && file.len() < bytes.len()
    })
}

/// By the index. Offsets count from its byte order mark, the first picture's is 0.
fn indexed(bytes: &[u8]) -> Option<Vec<Range<usize>>> {
    let (base, index) = app2(bytes, MPF).next()?;
    let little = match index.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| if little { le16(index, at) } else { be16(index, at) };
    let long = |at: usize| {
        let number = if little { le32(index, at) } else { be32(index, at) };
        number.and_then(|number| usize::try_from(number).ok())
    };
    let directory = long(4)?;
    let fields = usize::from(short(directory)?).min(MAX_ITEMS);
    let mut fields = (0..fields).filter_map(|field| directory.checked_add(2 + field * 12));
    let entries = fields.find(|&field| short(field) == Some(ENTRIES))?;
    let (count, from) = (long(entries.checked_add(4)?)? / ENTRY, long(entries.checked_add(8)?)?);
    let place = |number: usize| {
        let entry = from.checked_add(number * ENTRY)?;
        let (length, offset) = (long(entry.checked_add(4)?)?, long(entry.checked_add(8)?)?);
        let start = base.checked_add(offset)?;
        Some(start..start.checked_add(length)?)
    };
    Some((1..count.min(MAX_ITEMS)).filter_map(place).collect())
}

/// By the directory: items follow the first picture in their order, without gaps but those that it tells.
fn listed(bytes: &[u8], packet: &[u8]) -> Option<Vec<Range<usize>>> {
    let packet = std::str::from_utf8(packet).ok()?;
    let document = xmp::parse(packet)?;
    let items = document.descendants().filter(|node| node.has_tag_name((CONTAINER, "Item"))).take(MAX_ITEMS);
    let number = |text: Option<&str>| text.map_or(Some(0), |text| text.trim().parse::<usize>().ok());
    let mut places = Vec::new();
    let mut at = 0usize;
    for (position, item) in items.enumerate() {
        let length = number(item.attribute((ITEM, "Length")))?;
        let end = if position == 0 { end(bytes)? } else { at.checked_add(length)? };
        if item.attribute((ITEM, "Semantic")) == Some("GainMap") {
            places.push(at..end);
        }
        at = end.checked_add(number(item.attribute((ITEM, "Padding")))?).filter(|&at| at <= bytes.len())?;
    }
    Some(places)
}

/// Behind the first picture's end marker.
fn end(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        let (marker, body) = next_marker(bytes, at)?;
        at = match marker {
            0xD9 => return Some(body),
            // Without a length: TEM, RSTn, SOI.
            0x01 | 0xD0..=0xD8 => body,
            _ => body.checked_add(usize::from(be16(bytes, body)?).max(2))?,
        };
    }
}
