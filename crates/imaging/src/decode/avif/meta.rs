//! The `meta` box of a still picture: items, where their bytes lie, their properties, and how they refer to each other.
//!
//! Invariant: every list is bounded, every identifier that is kept exists, and nothing here follows a reference twice.

use super::property::Property;
use super::reader::Reader;

/// Items, properties and associations of one file. A grid of the largest allowed size has fewer tiles.
const MAX_ITEMS: usize = 4096;
const MAX_EXTENTS: usize = 64;
const MAX_REFERENCES: usize = 4096;

/// Where bytes of an item lie.
#[derive(Clone, Debug, Default)]
pub(super) struct Location {
    /// From the `idat` box instead of the file.
    pub(super) in_idat: bool,
    /// Offset and length; a length of 0 means "to the end".
    pub(super) extents: Vec<(u64, u64)>,
}

/// One item.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) id: u32,
    pub(super) kind: [u8; 4],
    /// Of a `mime` item.
    pub(super) content_type: Vec<u8>,
    pub(super) location: Location,
    /// Index into [`Meta::properties`], and whether it is essential.
    pub(super) properties: Vec<(usize, bool)>,
}

/// A reference: kind, from, to.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub(super) kind: [u8; 4],
    pub(super) from: u32,
    pub(super) to: Vec<u32>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Meta<'a> {
    pub(super) primary: u32,
    pub(super) items: Vec<Item>,
    pub(super) properties: Vec<Property>,
    pub(super) references: Vec<Reference>,
    pub(super) idat: &'a [u8],
}

impl<'a> Meta<'a> {
    /// Reads the payload of `meta`. `None` when it is damaged, names no primary item, or exceeds a limit.
    pub(super) fn read(mut r: Reader<'a>) -> Option<Self> {
        r.version()?;
        let mut handler = r.find(b"hdlr")?;
        handler.take(8)?;
        if &handler.fourcc()? != b"pict" {
            return None;
        }
        let mut primary = r.find(b"pitm")?;
        let (version, _) = primary.version()?;
        let mut meta = Self {
            primary: identifier(&mut primary, version >= 1)?,
            idat: r.find(b"idat").map_or(&[], |b| b.0),
            ..Self::default()
        };
        meta.items = infos(r.find(b"iinf")?)?;
        meta.locations(r.find(b"iloc")?)?;
        if let Some(references) = r.find(b"iref") {
            meta.references = read_references(references)?;
        }
        let properties = r.find(b"iprp")?;
        meta.properties = read_properties(properties.find(b"ipco")?)?;
        meta.associations(properties)?;
        Some(meta)
    }

    pub(super) fn item(&self, id: u32) -> Option<&Item> {
        self.items.iter().find(|item| item.id == id)
    }

    /// What an item says about itself.
    pub(super) fn properties_of<'m>(&'m self, item: &'m Item) -> impl Iterator<Item = &'m Property> {
        item.properties.iter().filter_map(|&(index, _)| self.properties.get(index))
    }

    /// ISO/IEC 14496-12, 8.11.3.
    fn locations(&mut self, mut r: Reader<'_>) -> Option<()> {
        let (version, _) = r.version()?;
        let sizes = r.u16()?;
        let nibble = |shift: u16| (sizes >> shift & 15) as u8;
        let (offset_size, length_size, base_size) = (nibble(12), nibble(8), nibble(4));
        let index_size = if version == 0 { 0 } else { nibble(0) };
        let count = if version < 2 { u32::from(r.u16()?) } else { r.u32()? };
        if version > 2 || count as usize > MAX_ITEMS {
            return None;
        }
        for _ in 0..count {
            let id = identifier(&mut r, version == 2)?;
            let method = if version == 0 { 0 } else { r.u16()? & 15 };
            let reference = r.u16()?;
            let base = r.sized(base_size)?;
            let extents = r.u16()?;
            if usize::from(extents) > MAX_EXTENTS {
                return None;
            }
            let mut location = Location { in_idat: method == 1, extents: Vec::new() };
            for _ in 0..extents {
                r.sized(index_size)?;
                let offset = base.checked_add(r.sized(offset_size)?)?;
                location.extents.push((offset, r.sized(length_size)?));
            }
            // Other files and other items as the place of bytes (method 2) are not AVIF.
            let readable = method < 2 && reference == 0;
            if let Some(item) = self.items.iter_mut().find(|item| item.id == id && readable) {
                item.location = location;
            }
        }
        Some(())
    }

    /// `ipma`; there may be several.
    fn associations(&mut self, mut r: Reader<'_>) -> Option<()> {
        while let Some(found) = r.next_box().ok()? {
            if &found.kind != b"ipma" {
                continue;
            }
            let mut r = found.payload;
            let (version, flags) = r.version()?;
            let count = r.u32()?;
            if count as usize > MAX_ITEMS {
                return None;
            }
            for _ in 0..count {
                let id = identifier(&mut r, version >= 1)?;
                let mut properties = Vec::new();
                for _ in 0..r.u8()? {
                    let (index, essential) = if flags & 1 == 1 {
                        let value = r.u16()?;
                        (value & 0x7FFF, value & 0x8000 != 0)
                    } else {
                        let value = r.u8()?;
                        (u16::from(value & 0x7F), value & 0x80 != 0)
                    };
                    // 0 means "none"; positions count from 1.
                    if let Some(index) = usize::from(index).checked_sub(1) {
                        if index >= self.properties.len() {
                            return None;
                        }
                        properties.push((index, essential));
                    }
                }
                if let Some(item) = self.items.iter_mut().find(|item| item.id == id && item.properties.is_empty()) {
                    item.properties = properties;
                }
            }
        }
        Some(())
    }
}

fn identifier(r: &mut Reader<'_>, wide: bool) -> Option<u32> {
    if wide { r.u32() } else { r.u16().map(u32::from) }
}

/// `iinf`: entries of versions 2 and 3; older ones have no type and cannot be pictures.
fn infos(mut r: Reader<'_>) -> Option<Vec<Item>> {
    let (version, _) = r.version()?;
    let count = if version == 0 { u32::from(r.u16()?) } else { r.u32()? };
    if count as usize > MAX_ITEMS {
        return None;
    }
    let mut items: Vec<Item> = Vec::new();
    for _ in 0..count {
        let entry = r.next_box().ok()??;
        let mut entry_reader = entry.payload;
        let (version, _) = entry_reader.version()?;
        if &entry.kind != b"infe" || !(2..=3).contains(&version) {
            continue;
        }
        let id = identifier(&mut entry_reader, version == 3)?;
        entry_reader.u16()?;
        let kind = entry_reader.fourcc()?;
        if items.iter().any(|item| item.id == id) {
            return None;
        }
        // A name and a media type, each closed by 0.
        let content_type = match &kind {
            b"mime" => entry_reader.0.split(|&byte| byte == 0).nth(1).unwrap_or_default().to_vec(),
            _ => Vec::new(),
        };
        items.push(Item { id, kind, content_type, location: Location::default(), properties: Vec::new() });
    }
    Some(items)
}

fn read_references(mut r: Reader<'_>) -> Option<Vec<Reference>> {
    let (version, _) = r.version()?;
    let mut references = Vec::new();
    let mut total = 0;
    while let Some(found) = r.next_box().ok()? {
        let mut r = found.payload;
        let from = identifier(&mut r, version == 1)?;
        let count = usize::from(r.u16()?);
        total += count.max(1);
        if total > MAX_REFERENCES {
            return None;
        }
        let mut to = Vec::new();
        for _ in 0..count {
            to.push(identifier(&mut r, version == 1)?);
        }
        references.push(Reference { kind: found.kind, from, to });
    }
    Some(references)
}

fn read_properties(mut r: Reader<'_>) -> Option<Vec<Property>> {
    let mut properties = Vec::new();
    while let Some(found) = r.next_box().ok()? {
        if properties.len() >= MAX_ITEMS {
            return None;
        }
        properties.push(Property::read(found)?);
    }
    Some(properties)
}
