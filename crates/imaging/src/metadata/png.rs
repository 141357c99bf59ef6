//! The chunks of a PNG file (PNG third edition, 2025; section 11), without their pixels and without checking their CRC.

use super::{be16, be32, exif};
use crate::orientation::Orientation;

const SIGNATURE: usize = 8;

/// What the chunks say.
#[derive(Debug, Default)]
pub(crate) struct PngHeader<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bits per sample, 1 to 16.
    pub(crate) depth: u8,
    /// Bit 0 palette, bit 1 colour, bit 2 alpha.
    pub(crate) color_type: u8,
    pub(crate) transparency: bool,
    /// Frames of the animation, as `acTL` and the chunks themselves tell; 0 without one.
    pub(crate) frames: u32,
    /// How often the animation plays; 0 is for ever.
    pub(crate) plays: u32,
    /// All delays together.
    pub(crate) micros: u64,
    /// The still picture is not a frame of the animation.
    pub(crate) hidden_default: bool,
    pub(crate) orientation: Orientation,
    pub(crate) has_metadata: bool,
    /// The still compressed profile of `iCCP`.
    pub(crate) iccp: Option<&'a [u8]>,
    pub(crate) srgb: bool,
    /// Gamma × 100000.
    pub(crate) gamma: Option<u32>,
    /// White x, y, red x, y, green x, y, blue x, y, each × 100000.
    pub(crate) chromaticities: Option<[u32; 8]>,
    /// Primaries, transfer characteristics, matrix, full range (ITU-T H.273).
    pub(crate) cicp: Option<[u8; 4]>,
}

/// A chunk as it stands in the file.
pub(crate) struct Chunk<'a> {
    pub(crate) kind: [u8; 4],
    pub(crate) body: &'a [u8],
}

/// The chunks up to the first one that is not complete.
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut at = SIGNATURE;
    std::iter::from_fn(move || {
        let length = usize::try_from(be32(bytes, at)?).ok()?;
        let kind = *bytes.get(at + 4..)?.first_chunk::<4>()?;
        let end = (at + 8).saturating_add(length);
        let body = bytes.get(at + 8..end)?;
        at = end.saturating_add(4);
        Some(Chunk { kind, body })
    })
}

/// Walks the chunks. `None` without a complete `IHDR` in front.
pub(crate) fn read(bytes: &[u8]) -> Option<PngHeader<'_>> {
    read_times(bytes, &mut |_| ())
}

/// The same; `frame` is told the delay of each frame, in microseconds.
pub(crate) fn read_times<'a>(bytes: &'a [u8], frame: &mut dyn FnMut(u64)) -> Option<PngHeader<'a>> {
    let mut header = PngHeader::default();
    let (mut told, mut sequence) = (0, 0);
    let mut pixels = false;
    for (index, Chunk { kind, body }) in chunks(bytes).enumerate() {
        if index == 0 {
            if &kind != b"IHDR" {
                return None;
            }
            header.width = be32(body, 0)?;
            header.height = be32(body, 4)?;
            header.depth = *body.get(8)?;
            header.color_type = *body.get(9)?;
        }
        match &kind {
            b"IDAT" => pixels = true,
            b"IEND" => break,
            b"tRNS" if !pixels => header.transparency = true,
            b"acTL" if !pixels && told == 0 => {
                (told, header.plays) = (be32(body, 0).unwrap_or_default(), be32(body, 4).unwrap_or_default());
            }
            // 4.9: with its parts out of order it is a still picture.
            b"fcTL" | b"fdAT" if told > 0 && be32(body, 0) != Some(sequence) => {
                (told, header.frames, header.micros) = (0, 0, 0);
            }
            b"fdAT" => sequence = sequence.wrapping_add(1),
            b"fcTL" if header.frames < told => {
                sequence = sequence.wrapping_add(1);
                header.hidden_default |= pixels && header.frames == 0;
                let micros = delay(body);
                header.frames += 1;
                header.micros = header.micros.saturating_add(micros);
                frame(micros);
            }
            b"fcTL" => sequence = sequence.wrapping_add(1),
            b"eXIf" => {
                header.has_metadata = true;
                header.orientation = exif::orientation(body);
            }
            b"tEXt" | b"zTXt" | b"iTXt" => header.has_metadata = true,
            kind if !pixels => header.color(kind, body),
            _ => {}
        }
    }
    (header.depth != 0).then_some(header)
}

impl<'a> PngHeader<'a> {
    fn color(&mut self, kind: &[u8; 4], body: &'a [u8]) {
        match kind {
            b"iCCP" => self.iccp = compressed_profile(body),
            b"sRGB" => self.srgb = true,
            b"gAMA" => self.gamma = be32(body, 0),
            b"cHRM" => {
                let values = std::array::from_fn(|i| be32(body, i * 4));
                self.chromaticities = values.iter().all(Option::is_some).then(|| values.map(Option::unwrap_or_default));
            }
            b"cICP" => self.cicp = body.first_chunk().copied(),
            _ => {}
        }
    }

    /// Whether the picture has no colour: type 0 or 4.
    pub(crate) fn is_gray(&self) -> bool {
        self.color_type & 0b011 == 0
    }

    /// Whether any pixel may be transparent.
    pub(crate) fn has_alpha(&self) -> bool {
        self.color_type & 0b100 != 0 || self.transparency
    }
}

/// Microseconds, by numerator and denominator (section 11.3.6.2; a denominator of 0 is 100).
fn delay(body: &[u8]) -> u64 {
    let number = |at| u64::from(be16(body, at).unwrap_or_default());
    let denominator = if number(22) == 0 { 100 } else { number(22) };
    (number(20) * 1_000_000 + denominator / 2) / denominator
}

/// Section 11.3.2.3: a name of 1 to 79 bytes, 0, the compression method 0, the zlib stream.
pub(crate) fn compressed_profile(body: &[u8]) -> Option<&[u8]> {
    let name = body.iter().take(80).position(|&b| b == 0)?;
    match body.get(name + 1..)? {
        [0, stream @ ..] => Some(stream),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use proptest::prelude::*;

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).expect("test chunks are short");
        [length.to_be_bytes().as_slice(), kind, body, &[0; 4]].concat()
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        out.extend(chunk(b"IHDR", &[0, 0, 0, 3, 0, 0, 0, 2, 16, 6, 0, 0, 0]));
        out.extend(chunks.concat());
        out
    }

    #[test]
    fn chunks_are_read_and_pixels_end_the_colour_ones() {
        let bytes = file(&[
            chunk(b"gAMA", &45455u32.to_be_bytes()),
            chunk(b"IDAT", &[1, 2, 3]),
            chunk(b"sRGB", &[0]),
            chunk(b"eXIf", b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0"),
        ]);
        let header = read(&bytes).expect("a header");
        assert_eq!((header.width, header.height, header.depth), (3, 2, 16));
        assert_eq!(header.gamma, Some(45455));
        assert!(!header.srgb && header.has_alpha() && !header.is_gray());
        assert_eq!(header.orientation.exif(), 6);
    }

    #[test]
    fn frames_are_counted_with_their_times() {
        let frame = |number: u8, delay: [u8; 4]| {
            chunk(b"fcTL", &[[0, 0, 0, number].as_slice(), &[0; 16], &delay, &[0, 0]].concat())
        };
        let animation = chunk(b"acTL", &[0, 0, 0, 2, 0, 0, 0, 3]);
        let frames = [frame(0, [0, 1, 0, 30]), frame(1, [0, 5, 0, 0])].concat();
        let pixels = chunk(b"IDAT", &[1]);
        for (order, hidden) in [([&frames, &pixels], false), ([&pixels, &frames], true)] {
            let bytes = file(&[animation.clone(), order.map(Vec::as_slice).concat()]);
            let mut delays = Vec::new();
            let header = super::read_times(&bytes, &mut |micros| delays.push(micros)).expect("a header");
            assert_eq!((header.frames, header.plays, header.hidden_default), (2, 3, hidden));
            assert_eq!(delays, [33_333, 50_000]);
        }
        let disordered = file(&[animation, frame(0, [0; 4]), frame(0, [0; 4])]);
        assert_eq!(read(&disordered).map(|h| h.frames), Some(0));
        assert_eq!(read(&file(&[frames])).map(|h| h.frames), Some(0), "without acTL it is a still picture");
    }

    #[test]
    fn a_chunk_that_claims_too_much_ends_the_walk() {
        let mut bytes = file(&[]);
        bytes.extend(u32::MAX.to_be_bytes());
        bytes.extend(b"gAMA");
        assert!(read(&bytes).is_some_and(|h| h.gamma.is_none()));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&[file(&[]), tail.clone()].concat());
            read(&tail);
        }
    }
}
