//! The headers of a BMP (Microsoft's DIB headers of 12 to 124 bytes, OS/2 1.x and 2.x), alone or inside an icon.

use super::{le16, le32};

/// How the pixels are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Rows of indices or colours, padded to four bytes.
    Plain,
    /// Run lengths of 8-bit or 4-bit indices.
    Runs,
    /// A kind that nobody writes: JPEG or PNG for printers, OS/2's Huffman codes and 24-bit runs.
    Other,
}

/// What the headers say.
#[derive(Clone, Debug)]
pub(crate) struct BmpHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The usual order: the last row comes first.
    pub(crate) bottom_up: bool,
    /// Bits per pixel.
    pub(crate) bits: u16,
    pub(crate) packing: Packing,
    /// Where red, green, blue and alpha are in a pixel of 16 or 32 bits; alpha 0 is none.
    pub(crate) masks: [u32; 4],
    /// Where the palette begins, the bytes of one entry (blue, green, red first), and how many there are.
    pub(crate) palette: (usize, usize, usize),
    /// Where the pixels begin.
    pub(crate) pixels: usize,
    /// Where an embedded profile lies.
    pub(crate) profile: Option<(usize, usize)>,
}

const FILE_HEADER: usize = 14;
/// `MBED` in the order of the file.
const EMBEDDED: u32 = 0x4D42_4544;

/// Reads a file's headers. `None` when they are cut or make no sense.
pub(crate) fn read(bytes: &[u8]) -> Option<BmpHeader> {
    let mut header = read_dib(bytes, FILE_HEADER)?;
    let stated = usize::try_from(le32(bytes, 10)?).ok()?;
    let (start, entry, count) = header.palette;
    // A palette ends where the pixels begin, whatever it claims.
    if stated >= start && stated < bytes.len() {
        header.pixels = stated;
        header.palette.2 = count.min((stated - start) / entry);
    }
    Some(header)
}

/// Reads the header at `at`; palette and pixels follow it.
pub(crate) fn read_dib(bytes: &[u8], at: usize) -> Option<BmpHeader> {
    let size = usize::try_from(le32(bytes, at)?).ok()?;
    if size == 12 {
        let (width, height) = (le16(bytes, at + 4)?, le16(bytes, at + 6)?);
        let bits = le16(bytes, at + 10)?;
        let palette = (at + size, 3, colours(bits, 0)?);
        return Some(BmpHeader {
            width: width.into(),
            height: height.into(),
            bottom_up: true,
            bits,
            packing: Packing::Plain,
            masks: default_masks(bits),
            palette,
            pixels: palette.0 + palette.1 * palette.2,
            profile: None,
        });
    }
    if !(16..=0x1000).contains(&size) {
        return None;
    }
    // OS/2 2.x may cut its header anywhere: what is not there is 0.
    let field = |offset: usize| if offset + 4 <= size { le32(bytes, at + offset) } else { Some(0) };
    let height = field(8)? as i32;
    let bits = le16(bytes, at + 14)?;
    let compression = field(16)?;
    let (packing, fields) = match (compression, bits) {
        (0, _) => (Packing::Plain, 0),
        (1, 8) | (2, 4) => (Packing::Runs, 0),
        (3, 16 | 32) => (Packing::Plain, 3),
        (6, 16 | 32) => (Packing::Plain, 4),
        _ => (Packing::Other, 0),
    };
    // The masks follow a header of 40 bytes, and lie inside larger ones.
    let after = if size == 40 { fields * 4 } else { 0 };
    let masks = if fields == 0 { default_masks(bits) } else { masks(bytes, at, size, fields)? };
    let palette = (at + size + after, 4, colours(bits, field(32)?)?);
    Some(BmpHeader {
        width: u32::try_from(field(4)? as i32).ok()?,
        height: height.unsigned_abs(),
        bottom_up: height > 0,
        bits,
        packing,
        masks,
        palette,
        pixels: palette.0.checked_add(palette.1 * palette.2)?,
        profile: profile(bytes, at, size),
    })
}

/// Entries of the palette: what is stated, never more than the indices reach. `None` for depths that do not exist.
fn colours(bits: u16, stated: u32) -> Option<usize> {
    match (bits, stated) {
        (1 | 2 | 4 | 8, 0) => Some(1 << bits),
        (1 | 2 | 4 | 8, stated) => Some(usize::try_from(stated).ok()?.min(1 << bits)),
        // A palette of proposals for screens: only its length matters.
        (16 | 24 | 32, stated) => Some(usize::try_from(stated).ok()?.min(256)),
        _ => None,
    }
}

fn default_masks(bits: u16) -> [u32; 4] {
    match bits {
        16 => [0x7C00, 0x03E0, 0x001F, 0],
        _ => [0x00FF_0000, 0x0000_FF00, 0x0000_00FF, 0],
    }
}

fn masks(bytes: &[u8], at: usize, size: usize, fields: usize) -> Option<[u32; 4]> {
    let mask = |number: usize| le32(bytes, at + 40 + number * 4);
    let alpha = if size >= 56 || (size == 40 && fields == 4) { mask(3)? } else { 0 };
    Some([mask(0)?, mask(1)?, mask(2)?, alpha])
}

fn profile(bytes: &[u8], at: usize, size: usize) -> Option<(usize, usize)> {
    if size < 124 || le32(bytes, at + 56)? != EMBEDDED {
        return None;
    }
    let start = at.checked_add(usize::try_from(le32(bytes, at + 112)?).ok()?)?;
    Some((start, usize::try_from(le32(bytes, at + 116)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn info(width: i32, height: i32, bits: u16, compression: u32) -> Vec<u8> {
        let mut file = b"BM\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        file.extend(40u32.to_le_bytes());
        file.extend(width.to_le_bytes());
        file.extend(height.to_le_bytes());
        file.extend([1, 0]);
        file.extend(bits.to_le_bytes());
        file.extend(compression.to_le_bytes());
        file.extend([0; 20]);
        file
    }

    #[test]
    fn headers_of_both_families_are_read() {
        let header = read(&info(7, -5, 24, 0)).expect("a header");
        assert_eq!((header.width, header.height, header.bottom_up, header.pixels), (7, 5, false, 54));
        let core = b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x0c\0\0\0\x07\0\x05\0\x01\0\x01\0";
        let header = read(core).expect("a header");
        assert_eq!((header.width, header.height, header.bottom_up, header.pixels), (7, 5, true, 32));
    }

    #[test]
    fn nonsense_is_no_header() {
        assert!(read(&info(-7, 5, 24, 0)).is_none(), "a negative width");
        assert!(read(&info(7, 5, 5, 0)).is_none(), "a depth that does not exist");
        assert_eq!(read(&info(7, 5, 24, 5)).map(|h| h.packing), Some(Packing::Other));
        assert!(read(&info(7, i32::MIN, 24, 0)).is_some_and(|h| h.height == 1 << 31));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&[b"BM".as_slice(), &tail].concat());
            read_dib(&tail, 0);
        }
    }
}
