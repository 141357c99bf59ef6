//! The headers of a JPEG XL (ISO/IEC 18181-1, annexes A and D; 18181-2 for the container), bit by bit: sizes,
//! orientation, channels. It reads no profile and no frame.

use super::be32;

/// What the headers say.
#[derive(Debug, Default)]
pub(crate) struct JxlHeader {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 1 to 8, as EXIF counts.
    pub(crate) orientation: u32,
    pub(crate) bits: u32,
    pub(crate) gray: bool,
    pub(crate) alpha: bool,
    pub(crate) animated: bool,
    pub(crate) icc: bool,
    /// Stored for the eye, hence with loss.
    pub(crate) xyb: bool,
    pub(crate) has_metadata: bool,
}

/// More extra channels than any picture has.
const MOST_EXTRA: u32 = 64;

/// Reads the headers of a bare codestream or a container. `None` when they are cut or make no sense.
pub(crate) fn read(bytes: &[u8]) -> Option<JxlHeader> {
    let (stream, has_metadata) = if bytes.starts_with(&[0xFF, 0x0A]) { (bytes, false) } else { codestream(bytes)? };
    let mut bits = Bits { bytes: stream.strip_prefix(&[0xFF, 0x0A])?, at: 0 };
    let mut header = JxlHeader { orientation: 1, bits: 8, xyb: true, has_metadata, ..JxlHeader::default() };
    (header.width, header.height) = bits.size()?;
    header.metadata(&mut bits)?;
    Some(header)
}

/// The first box that holds the codestream or its beginning, and whether EXIF or XMP lie before it.
fn codestream(bytes: &[u8]) -> Option<(&[u8], bool)> {
    let (mut at, mut metadata) = (0usize, false);
    loop {
        let size = be32(bytes, at)?;
        let kind = bytes.get(at.checked_add(4)?..)?.first_chunk::<4>()?;
        let (head, length) = match size {
            0 => (8, bytes.len() - at),
            1 => {
                let large = u64::from_be_bytes(*bytes.get(at + 8..)?.first_chunk()?);
                (16, usize::try_from(large).ok()?)
            }
            size => (8, usize::try_from(size).ok()?),
        };
        if length < head {
            return None;
        }
        let body = bytes.get(at + head..at.saturating_add(length).min(bytes.len()))?;
        match kind {
            b"jxlc" => return Some((body, metadata)),
            b"jxlp" => return Some((body.get(4..)?, metadata)),
            b"Exif" | b"xml " | b"brob" => metadata = true,
            _ => {}
        }
        at = at.checked_add(length)?;
    }
}

/// Bits from the lowest of each byte (annex B).
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for bit in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << bit;
            self.at += 1;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        self.take(1).map(|bit| bit == 1)
    }

    /// One of four ranges: an offset, and so many bits.
    fn ranged(&mut self, ranges: [(u32, u32); 4]) -> Option<u32> {
        let (offset, count) = ranges[self.take(2)? as usize & 3];
        offset.checked_add(self.take(count)?)
    }

    fn kind(&mut self) -> Option<u32> {
        self.ranged([(0, 0), (1, 0), (2, 4), (18, 6)])
    }

    /// D.2: a height, and a width that may be a known share of it.
    fn size(&mut self) -> Option<(u32, u32)> {
        let small = self.flag()?;
        let side = |bits: &mut Self| {
            if small { Some((1 + bits.take(5)?) * 8) } else { bits.ranged([(1, 9), (1, 13), (1, 18), (1, 30)]) }
        };
        let height = side(self)?;
        let width = match self.take(3)? {
            0 => side(self)?,
            ratio => share(height, ratio)?,
        };
        Some((width, height))
    }

    fn preview(&mut self) -> Option<()> {
        let small = self.flag()?;
        let side = |bits: &mut Self| {
            bits.ranged(if small {
                [(16, 0), (32, 0), (1, 5), (33, 9)]
            } else {
                [(1, 6), (65, 8), (321, 10), (1345, 12)]
            })
        };
        side(self)?;
        if self.take(3)? == 0 {
            side(self)?;
        }
        Some(())
    }

    fn animation(&mut self) -> Option<()> {
        self.ranged([(100, 0), (1000, 0), (1, 10), (1, 30)])?;
        self.ranged([(1, 0), (1001, 0), (1, 8), (1, 10)])?;
        self.ranged([(0, 0), (0, 3), (0, 16), (0, 32)])?;
        self.flag().map(|_| ())
    }

    fn depth(&mut self) -> Option<u32> {
        if !self.flag()? {
            return self.ranged([(8, 0), (10, 0), (12, 0), (1, 6)]);
        }
        let bits = self.ranged([(32, 0), (16, 0), (24, 0), (1, 6)])?;
        self.take(4)?;
        Some(bits)
    }

    /// D.3.6: whether an extra channel is alpha.
    fn extra_is_alpha(&mut self) -> Option<bool> {
        if self.flag()? {
            return Some(true);
        }
        let kind = self.kind()?;
        self.depth()?;
        self.ranged([(0, 0), (3, 0), (4, 0), (1, 3)])?;
        let name = self.ranged([(0, 0), (0, 4), (16, 5), (48, 10)])?;
        self.at = self.at.checked_add(name as usize * 8)?;
        match kind {
            0 => drop(self.flag()?),
            2 => self.at += 64,
            5 => drop(self.ranged([(1, 0), (0, 2), (3, 4), (19, 8)])?),
            _ => {}
        }
        Some(kind == 0)
    }
}

fn share(height: u32, ratio: u32) -> Option<u32> {
    let (across, down) = [(1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1)][ratio as usize - 1];
    u32::try_from(u64::from(height) * across / down).ok()
}

impl JxlHeader {
    /// D.3: the image's metadata.
    fn metadata(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        if bits.flag()? {
            return Some(());
        }
        if bits.flag()? {
            self.orientation = 1 + bits.take(3)?;
            if bits.flag()? {
                bits.size()?;
            }
            if bits.flag()? {
                bits.preview()?;
            }
            self.animated = bits.flag()?;
            if self.animated {
                bits.animation()?;
            }
        }
        self.bits = bits.depth()?;
        bits.flag()?;
        let extra = bits.ranged([(0, 0), (1, 0), (2, 4), (1, 12)])?;
        if extra > MOST_EXTRA {
            return None;
        }
        for _ in 0..extra {
            self.alpha |= bits.extra_is_alpha()?;
        }
        self.xyb = bits.flag()?;
        if !bits.flag()? {
            self.icc = bits.flag()?;
            self.gray = bits.kind()? == 1;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_small_square_is_read() {
        // Small, (1 + 31) × 8 high, ratio 1, all metadata as usual.
        let bits: u16 = 1 | 31 << 1 | 1 << 6 | 1 << 9;
        let header = read(&[&[0xFF, 0x0A][..], &bits.to_le_bytes()].concat()).expect("a header");
        assert_eq!((header.width, header.height, header.orientation, header.alpha), (256, 256, 1, false));
        assert!(read(&[0xFF, 0x0A]).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&[&[0xFF, 0x0A][..], &tail].concat());
            read(&[b"\0\0\0\x0cJXL \r\n\x87\n".as_slice(), &tail].concat());
            read(&tail);
        }
    }
}
