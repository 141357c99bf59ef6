//! What a JPEG's segments hold: APP1 (EXIF; XMP and its extension), APP2 (ICC), APP13 (Photoshop), COM.

use super::{MAX_BLOCK, Metadata};
use crate::metadata::jpeg::segments;
use crate::metadata::{be32, iptc, jpeg};

const APP1: u8 = 0xE1;
const APP13: u8 = 0xED;
const COM: u8 = 0xFE;
/// XMP part 3, 1.1.3.
pub(crate) const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
/// Digits of the MD5 sum that names an extension, then its whole length and the part's offset.
const NAME: usize = 32;

/// Collects from all segments before the first scan.
pub(super) fn collect<'a>(bytes: &'a [u8], found: &mut Metadata<'a>) {
    let mut extension = Extension::default();
    let mut resources = Vec::new();
    for segment in segments(bytes) {
        let body = segment.body;
        match segment.marker {
            APP1 if body.starts_with(b"Exif\0") => found.found_exif(body),
            APP1 => {
                if let Some(packet) = body.strip_prefix(XMP) {
                    found.found_xmp(packet);
                } else if let Some(part) = body.strip_prefix(EXTENDED_XMP) {
                    extension.add(part);
                }
            }
            APP13 => resources.extend(body.strip_prefix(iptc::PHOTOSHOP)),
            COM => found.found_text(b"", body),
            _ => {}
        }
    }
    if let Some(records) = resources.into_iter().find_map(iptc::in_resources) {
        found.found_iptc(records);
    }
    found.extended_xmp = extension.whole().map(Into::into);
    if let Some(profile) = jpeg::read(bytes).and_then(|header| header.icc()) {
        found.found_icc(profile);
    }
}

/// The parts of an extension, put where they say that they belong.
#[derive(Default)]
struct Extension<'a> {
    name: &'a [u8],
    packet: Vec<u8>,
    filled: usize,
}

impl<'a> Extension<'a> {
    fn add(&mut self, part: &'a [u8]) {
        let (Some((name, rest)), Some(length), Some(offset)) =
            (part.split_at_checked(NAME), be32(part, NAME), be32(part, NAME + 4))
        else {
            return;
        };
        let (Ok(length), Ok(offset)) = (usize::try_from(length), usize::try_from(offset)) else { return };
        let data = rest.get(8..).unwrap_or_default();
        if self.name.is_empty() && length <= MAX_BLOCK {
            self.name = name;
            self.packet = vec![0; length];
        }
        let place = offset.checked_add(data.len()).and_then(|end| self.packet.get_mut(offset..end));
        if let Some(place) = place.filter(|_| self.name == name) {
            place.copy_from_slice(data);
            self.filled += data.len();
        }
    }

    /// The packet, where as many bytes came as it has.
    fn whole(self) -> Option<Vec<u8>> {
        (self.filled > 0 && self.filled == self.packet.len()).then_some(self.packet)
    }
}
