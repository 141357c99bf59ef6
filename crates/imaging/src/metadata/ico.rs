//! The directory of an icon or cursor file, and which of its pictures is the largest.

use super::bmp::{self, BmpHeader};
use super::png::{self, PngHeader};
use super::{le16, le32};

/// One picture of the file.
pub(crate) enum Entry<'a> {
    /// A whole PNG file.
    Png(&'a [u8], Box<PngHeader<'a>>),
    /// A DIB header, a palette, pixels, and a mask of one bit a pixel; `height` is that of the picture alone.
    Bmp(&'a [u8], BmpHeader),
}

const DIRECTORY: usize = 6;
const ENTRY: usize = 16;
/// More pictures than this are not looked at: real files have a dozen.
const MOST: usize = 256;

/// The largest picture by the directory, of those that have a readable header of their own; of equals the deepest.
pub(crate) fn largest(bytes: &[u8]) -> Option<Entry<'_>> {
    let cursor = le16(bytes, 2)? == 2;
    let count = usize::from(le16(bytes, 4)?).min(MOST);
    let mut listed: Vec<(u32, u16, usize)> = (0..count)
        .map_while(|number| {
            let at = DIRECTORY + number * ENTRY;
            let side = |at: usize| bytes.get(at).map(|&side| if side == 0 { 256 } else { u32::from(side) });
            // A cursor has its hot spot there.
            let depth = if cursor { 0 } else { le16(bytes, at + 6)? };
            Some((side(at)? * side(at + 1)?, depth, at))
        })
        .collect();
    listed.sort_by_key(|&(area, depth, at)| (std::cmp::Reverse((area, depth)), at));
    listed.into_iter().find_map(|(_, _, at)| entry(bytes, at))
}

fn entry(bytes: &[u8], at: usize) -> Option<Entry<'_>> {
    let length = usize::try_from(le32(bytes, at + 8)?).ok()?;
    let start = usize::try_from(le32(bytes, at + 12)?).ok()?;
    // A cut file may still hold most of its picture.
    let body = bytes.get(start..start.saturating_add(length).min(bytes.len()))?;
    if body.starts_with(b"\x89PNG\r\n\x1a\n") {
        return png::read(body).map(|header| Entry::Png(body, Box::new(header)));
    }
    let header = bmp::read_dib(body, 0)?;
    // The mask's rows are counted too.
    let height = header.height / 2;
    (header.width > 0 && height > 0).then_some(Entry::Bmp(body, BmpHeader { height, ..header }))
}

impl Entry<'_> {
    /// Width and height of the picture, by its own header.
    pub(crate) fn size(&self) -> (u32, u32) {
        match self {
            Self::Png(_, header) => (header.width, header.height),
            Self::Bmp(_, header) => (header.width, header.height),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dib(side: u32, bits: u16) -> Vec<u8> {
        let mut out = 40u32.to_le_bytes().to_vec();
        out.extend(side.to_le_bytes());
        out.extend((side * 2).to_le_bytes());
        out.extend([1, 0]);
        out.extend(bits.to_le_bytes());
        out.extend([0; 24]);
        out
    }

    fn file(pictures: &[(u8, u16, Vec<u8>)]) -> Vec<u8> {
        let mut out = vec![0, 0, 1, 0, pictures.len() as u8, 0];
        let mut start = DIRECTORY + ENTRY * pictures.len();
        for (side, depth, body) in pictures {
            out.extend([*side, *side, 0, 0, 1, 0]);
            out.extend(depth.to_le_bytes());
            out.extend((body.len() as u32).to_le_bytes());
            out.extend((start as u32).to_le_bytes());
            start += body.len();
        }
        pictures.iter().for_each(|(_, _, body)| out.extend(body));
        out
    }

    #[test]
    fn the_largest_readable_and_deepest_one_is_taken() {
        let broken = vec![9; 60];
        let bytes = file(&[(16, 32, dib(16, 32)), (48, 8, dib(48, 8)), (48, 32, dib(48, 32)), (0, 32, broken)]);
        let Some(Entry::Bmp(_, header)) = largest(&bytes) else { panic!("a bitmap") };
        assert_eq!((header.width, header.height, header.bits), (48, 48, 32));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(entry) = largest(&[&[0, 0, 1, 0][..], &tail].concat()) {
                entry.size();
            }
        }
    }
}
