//! EXIF blocks (EXIF 3.0, CIPA DC-008): a TIFF structure (TIFF 6.0, section 2) of directories with tagged values.
//!
//! Values are borrowed from the block and looked at only when asked for. A broken entry is left out, the others count:
//! no block is a reason to refuse a picture. The directory of the embedded thumbnail is never followed.

mod names;
mod orientation;
mod write;

pub(crate) use orientation::orientation;
pub use write::{Facts, of_rights, rewritten};

use super::{be16, be32, le16, le32};
use std::fmt::Write;

/// Fields of one block, directories together. Cameras write about a hundred.
const MAX_FIELDS: usize = 1024;
/// Numbers of one field that are shown.
const MAX_NUMBERS: usize = 16;
const ENTRY: usize = 12;

/// Which directory a field stands in. The same tag means different things in different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Directory {
    /// The first one (IFD0): the picture.
    Image,
    /// The one that tag 0x8769 points to: how it was taken.
    Photo,
    /// The one that tag 0x8825 points to: where it was taken.
    Gps,
    /// The one that tag 0xA005 points to: interoperability.
    Interoperability,
}

/// One entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Where it stands.
    pub directory: Directory,
    /// What it says.
    pub tag: u16,
    /// TIFF's type of the values, 1 to 13.
    pub kind: u16,
    /// How many values.
    pub count: u32,
    /// The values, in the block's byte order.
    pub bytes: &'a [u8],
    little: bool,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, without what pads it.
    Text(String),
    /// Numbers (at most 16 of them); a fraction without denominator is left out.
    Numbers(Vec<f64>),
    /// Bytes without a known meaning.
    Opaque,
}

/// A block, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exif<'a> {
    /// Whether numbers begin with their least significant byte.
    pub little: bool,
    /// In the order of the block, each tag once per directory.
    pub fields: Vec<Field<'a>>,
}

pub(crate) const POINTER_PHOTO: u16 = 0x8769;
pub(crate) const POINTER_GPS: u16 = 0x8825;
pub(crate) const POINTER_INTEROPERABILITY: u16 = 0xA005;

impl<'a> Exif<'a> {
    /// Takes a block apart that begins at the TIFF header. `None` when there is none.
    pub fn read(block: &'a [u8]) -> Option<Self> {
        let little = match block.get(..2)? {
            b"II" => true,
            b"MM" => false,
            _ => return None,
        };
        let mut exif = Self { little, fields: Vec::new() };
        let first = if little { le32(block, 4) } else { be32(block, 4) }?;
        exif.directory(block, first, Directory::Image);
        for (tag, inside, directory) in [
            (POINTER_PHOTO, Directory::Image, Directory::Photo),
            (POINTER_GPS, Directory::Image, Directory::Gps),
            (POINTER_INTEROPERABILITY, Directory::Photo, Directory::Interoperability),
        ] {
            if let Some(at) = exif.get(inside, tag).and_then(Field::unsigned) {
                exif.directory(block, at, directory);
            }
        }
        Some(exif)
    }

    /// The first field of this tag.
    pub fn get(&self, directory: Directory, tag: u16) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.directory == directory && field.tag == tag)
    }

    fn directory(&mut self, block: &'a [u8], at: u32, directory: Directory) {
        let little = self.little;
        let short = |at| if little { le16(block, at) } else { be16(block, at) };
        let long = |at| if little { le32(block, at) } else { be32(block, at) };
        let Ok(at) = usize::try_from(at) else { return };
        let Some(count) = short(at) else { return };
        for index in 0..usize::from(count) {
            let entry = at.saturating_add(2 + index * ENTRY);
            let (Some(tag), Some(kind), Some(count)) = (short(entry), short(entry + 2), long(entry + 4)) else {
                return;
            };
            let Some(length) = size_of(kind).and_then(|size| size.checked_mul(usize::try_from(count).ok()?)) else {
                continue;
            };
            let start = if length <= 4 { Some(entry + 8) } else { long(entry + 8).map(|offset| offset as usize) };
            let Some(bytes) = start.and_then(|start| block.get(start..start.checked_add(length)?)) else { continue };
            if self.fields.len() < MAX_FIELDS && self.get(directory, tag).is_none() {
                self.fields.push(Field { directory, tag, kind, count, bytes, little });
            }
        }
    }
}

/// Bytes of one value of a type.
fn size_of(kind: u16) -> Option<usize> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 => Some(8),
        _ => None,
    }
}

impl Field<'_> {
    /// The name that EXIF gives to the tag, where it is one of those that people look at.
    pub fn name(&self) -> Option<&'static str> {
        names::name(self.directory, self.tag)
    }

    /// The first value, where it is a whole number without sign.
    pub fn unsigned(&self) -> Option<u32> {
        match self.kind {
            1 => self.bytes.first().copied().map(u32::from),
            3 if self.little => le16(self.bytes, 0).map(u32::from),
            3 => be16(self.bytes, 0).map(u32::from),
            4 | 13 if self.little => le32(self.bytes, 0),
            4 | 13 => be32(self.bytes, 0),
            _ => None,
        }
    }

    /// What the field holds.
    pub fn value(&self) -> Value {
        match self.kind {
            2 => Value::Text(self.text()),
            7 if self.is_text() => {
                Value::Text(String::from_utf8_lossy(self.bytes).trim_matches(['\0', ' ']).to_owned())
            }
            7 => Value::Opaque,
            _ => Value::Numbers(self.numbers().take(MAX_NUMBERS).collect()),
        }
    }

    /// The bytes as text, up to the first zero.
    pub(crate) fn text(&self) -> String {
        let text = self.bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        String::from_utf8_lossy(text).trim().to_owned()
    }

    /// Versions are four digits in bytes without a type.
    fn is_text(&self) -> bool {
        matches!((self.directory, self.tag), (Directory::Photo, 0x9000 | 0xA000))
    }

    fn numbers(&self) -> impl Iterator<Item = f64> {
        let size = size_of(self.kind).unwrap_or(1);
        self.bytes.chunks_exact(size).filter_map(|bytes| self.number(bytes))
    }

    fn number(&self, bytes: &[u8]) -> Option<f64> {
        let long = |at| if self.little { le32(bytes, at) } else { be32(bytes, at) };
        let short = || if self.little { le16(bytes, 0) } else { be16(bytes, 0) };
        let ratio = |above: f64, below: f64| (below != 0.0).then(|| above / below);
        match self.kind {
            1 => bytes.first().map(|&b| b.into()),
            6 => bytes.first().map(|&b| b.cast_signed().into()),
            3 => short().map(f64::from),
            8 => short().map(|v| v.cast_signed().into()),
            4 | 13 => long(0).map(f64::from),
            9 => long(0).map(|v| v.cast_signed().into()),
            5 => ratio(long(0)?.into(), long(4)?.into()),
            10 => ratio(long(0)?.cast_signed().into(), long(4)?.cast_signed().into()),
            11 => long(0).map(|v| f32::from_bits(v).into()),
            12 => {
                let bytes = *bytes.first_chunk()?;
                Some(if self.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) })
            }
            _ => None,
        }
        .filter(|value| value.is_finite())
    }
}

impl Value {
    /// On one line: numbers with a space between.
    pub fn to_line(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Numbers(numbers) => Some(numbers.iter().fold(String::new(), |mut line, number| {
                let space = if line.is_empty() { "" } else { " " };
                let _infallible = write!(line, "{space}{number}");
                line
            })),
            Self::Opaque => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A little-endian block: Artist in the first directory, exposure time in the second, latitude in the third.
    pub(super) fn block() -> Vec<u8> {
        let entry = |tag: u16, kind: u16, count: u32, value: u32| {
            [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
        };
        let directory = |entries: &[Vec<u8>]| {
            [&(entries.len() as u16).to_le_bytes()[..], &entries.concat(), &0u32.to_le_bytes()].concat()
        };
        let mut out = b"II*\0\x08\0\0\0".to_vec();
        out.extend(directory(&[
            entry(0x0112, 3, 1, 6),
            entry(0x013B, 2, 4, u32::from_le_bytes(*b"Ada\0")),
            entry(POINTER_PHOTO, 4, 1, 62),
            entry(POINTER_GPS, 4, 1, 88),
        ]));
        assert_eq!(out.len(), 62);
        out.extend(directory(&[entry(0x829A, 5, 1, 80)]));
        out.extend(1u32.to_le_bytes());
        out.extend(125u32.to_le_bytes());
        out.extend(directory(&[entry(0x0001, 2, 2, u32::from(b'N'))]));
        out
    }

    #[test]
    fn fields_of_all_directories_are_read() {
        let block = block();
        let exif = Exif::read(&block).expect("a block");
        let shown: Vec<_> = exif.fields.iter().map(|f| (f.name(), f.value().to_line())).collect();
        assert!(shown.contains(&(Some("Artist"), Some("Ada".into()))), "{shown:?}");
        assert!(shown.contains(&(Some("ExposureTime"), Some("0.008".into()))), "{shown:?}");
        assert!(shown.contains(&(Some("GPSLatitudeRef"), Some("N".into()))), "{shown:?}");
        assert_eq!(exif.get(Directory::Image, 0x0112).and_then(Field::unsigned), Some(6));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(cut in 0usize..120, at in 0usize..110, byte: u8) {
            let mut block = block();
            if let Some(place) = block.get_mut(at) {
                *place = byte;
            }
            block.truncate(cut);
            if let Some(exif) = Exif::read(&block) {
                exif.fields.iter().for_each(|field| drop(field.value()));
            }
        }
    }
}
