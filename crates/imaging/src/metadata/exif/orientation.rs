//! The orientation out of an EXIF block: a TIFF structure (TIFF 6.0, section 2) whose first directory holds tag 0x0112.
//!
//! A broken block is no reason to refuse a picture: whatever cannot be read means "as stored".

use crate::metadata::{be16, be32, le16, le32};
use crate::orientation::Orientation;

const ORIENTATION: u16 = 0x0112;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const ENTRY: usize = 12;

/// The orientation that an EXIF block names; `block` begins at the TIFF header, or with `Exif\0\0` before it.
pub(crate) fn orientation(block: &[u8]) -> Orientation {
    read(block).unwrap_or_default()
}

fn read(block: &[u8]) -> Option<Orientation> {
    let tiff = block.strip_prefix(b"Exif\0\0").or_else(|| block.strip_prefix(b"Exif\0\xFF")).unwrap_or(block);
    let little = match tiff.get(..2)? {
        b"II" => true,
        b"MM" => false,
        _ => return None,
    };
    let short = |at| if little { le16(tiff, at) } else { be16(tiff, at) };
    let long = |at| if little { le32(tiff, at) } else { be32(tiff, at) };
    if short(2)? != 42 {
        return None;
    }
    let directory = usize::try_from(long(4)?).ok()?;
    let entries = usize::from(short(directory)?);
    for index in 0..entries {
        let at = directory.checked_add(2 + index * ENTRY)?;
        if short(at)? != ORIENTATION {
            continue;
        }
        let value = match short(at.checked_add(2)?)? {
            SHORT => u32::from(short(at.checked_add(8)?)?),
            LONG => long(at.checked_add(8)?)?,
            _ => return None,
        };
        return Orientation::from_exif(value);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::orientation;
    use crate::orientation::Orientation;
    use proptest::prelude::*;

    /// An EXIF block with one entry.
    pub(crate) fn block(little: bool, value: u16) -> Vec<u8> {
        let short = |v: u16| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let long = |v: u32| if little { v.to_le_bytes() } else { v.to_be_bytes() };
        let mut out = if little { b"II".to_vec() } else { b"MM".to_vec() };
        out.extend(short(42));
        out.extend(long(8));
        out.extend(short(1));
        out.extend(short(0x0112));
        out.extend(short(3));
        out.extend(long(1));
        out.extend(short(value));
        out.extend(short(0));
        out.extend(long(0));
        out
    }

    #[test]
    fn both_byte_orders_and_the_prefix_are_read() {
        for expected in Orientation::ALL {
            for little in [false, true] {
                let plain = block(little, u16::from(expected.exif()));
                assert_eq!(orientation(&plain), expected);
                assert_eq!(orientation(&[b"Exif\0\0", plain.as_slice()].concat()), expected);
            }
        }
    }

    #[test]
    fn a_broken_block_means_as_stored() {
        let good = block(true, 6);
        for end in 0..good.len() - 6 {
            assert_eq!(orientation(&good[..end]), Orientation::Upright, "cut at {end}");
        }
        assert_eq!(orientation(&block(true, 0)), Orientation::Upright);
        assert_eq!(orientation(&block(true, 9)), Orientation::Upright);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(mut tail in proptest::collection::vec(any::<u8>(), 0..80), little: bool) {
            let mut bytes = block(little, 1);
            bytes.truncate(4);
            bytes.append(&mut tail);
            orientation(&bytes);
        }
    }
}
