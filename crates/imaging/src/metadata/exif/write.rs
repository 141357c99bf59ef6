//! EXIF blocks of our own: never a copy of a stranger's block, so that nothing hides between its values.
//!
//! A block stays below 64 KiB, which is what a JPEG segment holds; values that do not fit are left out.

use super::{Directory, Exif, Field, POINTER_GPS, POINTER_INTEROPERABILITY, POINTER_PHOTO};

/// Of a whole block.
const MAX: usize = 65_000;
const ORIENTATION: u16 = 0x0112;
/// Where chroma lies; JPEG has to say it. Ours is in the middle.
const POSITIONING: u16 = 0x0213;
const ARTIST: u16 = 0x013B;
const COPYRIGHT: u16 = 0x8298;
const COLOR_SPACE: u16 = 0xA001;
const PIXEL_WIDTH: u16 = 0xA002;
const PIXEL_HEIGHT: u16 = 0xA003;
const ASCII: u16 = 2;
const SHORT: u16 = 3;
const LONG: u16 = 4;
/// What `ColorSpace` says of sRGB, and of everything else.
const SRGB: u16 = 1;
const UNCALIBRATED: u16 = 0xFFFF;

/// What is true of the picture that is served, whatever the original's block says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether its colours are sRGB.
    pub srgb: bool,
}

#[derive(Clone)]
struct Entry {
    tag: u16,
    kind: u16,
    count: u32,
    bytes: Vec<u8>,
}

/// The block anew: all fields but those that describe how the original was stored, its thumbnail and maker notes (whose
/// inner offsets break when moved, and which hold previews of the whole picture). Orientation, size and colour space
/// say what is served.
pub fn rewritten(exif: &Exif<'_>, facts: Facts) -> Vec<u8> {
    let little = exif.little;
    let short = |value: u16| if little { value.to_le_bytes() } else { value.to_be_bytes() }.to_vec();
    let long = |value: u32| if little { value.to_le_bytes() } else { value.to_be_bytes() }.to_vec();
    let mut block = Block { little, ..Block::default() };
    for field in exif.fields.iter().filter(|field| is_kept(field)) {
        let (kind, count, bytes) = match (field.directory, field.tag) {
            (Directory::Image, ORIENTATION | POSITIONING) => (SHORT, 1, short(1)),
            (Directory::Photo, COLOR_SPACE) => (SHORT, 1, short(if facts.srgb { SRGB } else { UNCALIBRATED })),
            (Directory::Photo, PIXEL_WIDTH) => (LONG, 1, long(facts.width)),
            (Directory::Photo, PIXEL_HEIGHT) => (LONG, 1, long(facts.height)),
            _ => (field.kind, field.count, field.bytes.to_vec()),
        };
        block.add(field.directory, Entry { tag: field.tag, kind, count, bytes });
    }
    block.write()
}

/// A block that names author and rights, and nothing else. Empty without either.
pub fn of_rights(artist: Option<&str>, copyright: Option<&str>) -> Vec<u8> {
    let mut block = Block { little: true, ..Block::default() };
    for (tag, text) in [(ARTIST, artist), (COPYRIGHT, copyright)] {
        let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
        let bytes = [text.replace('\0', " ").as_bytes(), &[0]].concat();
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        block.add(Directory::Image, Entry { tag, kind: ASCII, count, bytes });
    }
    block.write()
}

/// Whether a field still means something once the pixels are stored by somebody else.
fn is_kept(field: &Field<'_>) -> bool {
    match (field.directory, field.tag) {
        // Pointers are made anew.
        (Directory::Image, POINTER_PHOTO | POINTER_GPS) | (Directory::Photo, POINTER_INTEROPERABILITY) => false,
        // TIFF's own: shape of samples, strips, tiles, tables, further directories, old JPEG.
        (Directory::Image, 0x00FE..=0x0107 | 0x0111 | 0x0115..=0x0117 | 0x011C | 0x0120..=0x0124) => false,
        (Directory::Image, 0x013D | 0x0140..=0x015B | 0x0200..=0x0212 | 0x0214) => false,
        // XMP, IPTC, Photoshop, ICC, print matching, vendors' private data, padding: written by other ways or not at all.
        (Directory::Image, 0x02BC | 0x83BB | 0x8649 | 0x8773 | 0xC4A5 | 0xC634 | 0xEA1C) => false,
        // Maker notes, padding.
        (Directory::Photo, 0x927C | 0xEA1C) => false,
        _ => true,
    }
}

/// The directories of a block while it is made.
#[derive(Default)]
struct Block {
    little: bool,
    image: Vec<Entry>,
    photo: Vec<Entry>,
    gps: Vec<Entry>,
    interoperability: Vec<Entry>,
    length: usize,
}

impl Block {
    fn add(&mut self, directory: Directory, entry: Entry) {
        // 12 bytes of the entry, 1 of padding; the rest of a block takes less than the headroom below 64 KiB.
        let length = self.length + 13 + entry.bytes.len();
        if length > MAX {
            return;
        }
        self.length = length;
        match directory {
            Directory::Image => self.image.push(entry),
            Directory::Photo => self.photo.push(entry),
            Directory::Gps => self.gps.push(entry),
            Directory::Interoperability => self.interoperability.push(entry),
        }
    }

    /// Innermost directories last: their places are known once those before them are laid out.
    fn write(mut self) -> Vec<u8> {
        if self.length == 0 {
            return Vec::new();
        }
        let order = if self.little { b"II" } else { b"MM" };
        let mut out = [order.as_slice(), &self.short(42), &self.long(8)].concat();
        let pointer = |tag| Entry { tag, kind: LONG, count: 1, bytes: vec![0; 4] };
        if !self.interoperability.is_empty() {
            self.photo.push(pointer(POINTER_INTEROPERABILITY));
        }
        if !self.photo.is_empty() {
            self.image.push(pointer(POINTER_PHOTO));
        }
        if !self.gps.is_empty() {
            self.image.push(pointer(POINTER_GPS));
        }
        let image = 8;
        let photo = image + size(&self.image);
        let gps = photo + size(&self.photo);
        let interoperability = gps + size(&self.gps);
        for (tag, at) in [(POINTER_PHOTO, photo), (POINTER_GPS, gps), (POINTER_INTEROPERABILITY, interoperability)] {
            let bytes = self.long(u32::try_from(at).unwrap_or(u32::MAX));
            let list = if tag == POINTER_INTEROPERABILITY { &mut self.photo } else { &mut self.image };
            list.iter_mut().filter(|entry| entry.tag == tag).for_each(|entry| entry.bytes = bytes.clone());
        }
        for list in [&self.image, &self.photo, &self.gps, &self.interoperability] {
            self.directory(list, &mut out);
        }
        out
    }

    fn directory(&self, entries: &[Entry], out: &mut Vec<u8>) {
        if entries.is_empty() {
            return;
        }
        let mut entries: Vec<&Entry> = entries.iter().collect();
        entries.sort_by_key(|entry| entry.tag);
        let mut values = out.len() + 2 + entries.len() * super::ENTRY + 4;
        let mut tail = Vec::new();
        out.extend(self.short(u16::try_from(entries.len()).unwrap_or(u16::MAX)));
        for entry in entries {
            out.extend(self.short(entry.tag));
            out.extend(self.short(entry.kind));
            out.extend(self.long(entry.count));
            if entry.bytes.len() <= 4 {
                let mut inline = entry.bytes.clone();
                inline.resize(4, 0);
                out.extend(inline);
            } else {
                out.extend(self.long(u32::try_from(values).unwrap_or(u32::MAX)));
                let padded = entry.bytes.len().next_multiple_of(2);
                tail.extend_from_slice(&entry.bytes);
                tail.resize(tail.len() + padded - entry.bytes.len(), 0);
                values += padded;
            }
        }
        // No next directory: that would be a thumbnail.
        out.extend(self.long(0));
        out.extend(tail);
    }

    fn short(&self, value: u16) -> Vec<u8> {
        if self.little { value.to_le_bytes() } else { value.to_be_bytes() }.to_vec()
    }

    fn long(&self, value: u32) -> Vec<u8> {
        if self.little { value.to_le_bytes() } else { value.to_be_bytes() }.to_vec()
    }
}

/// Bytes of a directory with its values.
fn size(entries: &[Entry]) -> usize {
    if entries.is_empty() {
        return 0;
    }
    let value = |entry: &Entry| if entry.bytes.len() <= 4 { 0 } else { entry.bytes.len().next_multiple_of(2) };
    2 + entries.len() * super::ENTRY + 4 + entries.iter().map(value).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::super::tests::block;
    use super::*;
    use crate::metadata::exif::Value;

    const FACTS: Facts = Facts { width: 40, height: 30, srgb: true };

    fn lines(block: &[u8]) -> Vec<(Directory, u16, Value)> {
        let exif = Exif::read(block).expect("a block");
        let pointers = [POINTER_PHOTO, POINTER_GPS, POINTER_INTEROPERABILITY];
        let fields = exif.fields.iter().filter(|field| !pointers.contains(&field.tag));
        fields.map(|field| (field.directory, field.tag, field.value())).collect()
    }

    #[test]
    fn fields_survive_and_the_picture_stands_upright() {
        let old = block();
        let new = rewritten(&Exif::read(&old).expect("a block"), FACTS);
        let mut expected = lines(&old);
        expected[0].2 = Value::Numbers(vec![1.0]);
        assert_eq!(lines(&new), expected);
    }

    #[test]
    fn rights_alone_are_a_block_too() {
        let new = of_rights(Some("Ada"), Some("© Ada 2026"));
        let expected = [
            (Directory::Image, ARTIST, Value::Text("Ada".into())),
            (Directory::Image, COPYRIGHT, Value::Text("© Ada 2026".into())),
        ];
        assert_eq!(lines(&new), expected);
        assert!(of_rights(None, Some("")).is_empty());
    }
}
