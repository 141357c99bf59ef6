//! The chunks of a WebP file (RFC 9649, section 2), without their pixels.

use super::{exif, le16, le24, le32};
use crate::orientation::Orientation;

/// What the chunks say.
#[derive(Debug, Default)]
pub(crate) struct WebpHeader<'a> {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) alpha: bool,
    pub(crate) lossy: bool,
    pub(crate) animated: bool,
    /// 1 for a still picture.
    pub(crate) frames: u32,
    /// How often the animation plays; 0 is for ever.
    pub(crate) plays: u32,
    /// All durations together.
    pub(crate) micros: u64,
    pub(crate) orientation: Orientation,
    pub(crate) has_metadata: bool,
    pub(crate) icc: Option<&'a [u8]>,
}

const RIFF_HEADER: usize = 12;
const FLAG_ALPHA: u8 = 0x10;
const FLAG_ANIMATION: u8 = 0x02;
/// In an `ANMF` chunk the frame's own chunks begin here.
const FRAME_DATA: usize = 16;

/// Walks the chunks. `None` without one that tells the size, and where the pixels' own header tells another: decoders
/// size their buffers by the one or by the other, and limits are held against only one.
pub(crate) fn read(bytes: &[u8]) -> Option<WebpHeader<'_>> {
    read_times(bytes, &mut |_| ())
}

/// The same; `frame` is told the duration of each frame, in microseconds.
pub(crate) fn read_times<'a>(bytes: &'a [u8], frame: &mut dyn FnMut(u64)) -> Option<WebpHeader<'a>> {
    let mut header = WebpHeader::default();
    let mut extended = false;
    for (kind, body) in chunks(bytes.get(RIFF_HEADER..)?) {
        match kind {
            b"VP8X" if !extended => {
                extended = true;
                let flags = *body.first()?;
                header.alpha = flags & FLAG_ALPHA != 0;
                header.animated = flags & FLAG_ANIMATION != 0;
                header.width = le24(body, 4)? + 1;
                header.height = le24(body, 7)? + 1;
            }
            // Beside an animation's frames pixels mean nothing (section 2.7): a damaged length may leave some there.
            b"VP8 " | b"VP8L" if header.frames == 0 && !header.animated => {
                header.bitstream(kind, body, extended)?;
                header.frames = 1;
                if !extended {
                    break;
                }
            }
            b"ANMF" if header.animated => {
                match check_frame(body) {
                    None if header.frames == 0 => return None,
                    // What comes before a damaged frame can be shown.
                    None => break,
                    Some(()) => {}
                }
                let mut inner = chunks(body.get(FRAME_DATA..).unwrap_or_default());
                header.lossy |= inner.any(|(kind, _)| kind == b"VP8 ");
                header.frames = header.frames.saturating_add(1);
                let micros = u64::from(le24(body, 12).unwrap_or_default()) * 1000;
                header.micros = header.micros.saturating_add(micros);
                frame(micros);
            }
            b"ANIM" => header.plays = le16(body, 4).unwrap_or_default().into(),
            b"ICCP" => header.icc = Some(body),
            b"EXIF" => {
                header.has_metadata = true;
                header.orientation = exif::orientation(body);
            }
            b"XMP " => header.has_metadata = true,
            _ => {}
        }
    }
    (header.width != 0 && header.height != 0).then_some(header)
}

impl WebpHeader<'_> {
    fn bitstream(&mut self, kind: &[u8; 4], body: &[u8], extended: bool) -> Option<()> {
        self.lossy = kind == b"VP8 ";
        let (width, height) = size(kind, body)?;
        if !self.lossy {
            self.alpha |= !extended && (le32(body, 1)? >> 28) & 1 != 0;
        }
        if extended && !self.animated && (width, height) != (self.width, self.height) {
            return None;
        }
        if !extended {
            (self.width, self.height) = (width, height);
        }
        Some(())
    }
}

/// Width and height by the header of the pixels themselves.
fn size(kind: &[u8; 4], body: &[u8]) -> Option<(u32, u32)> {
    if kind == b"VP8 " {
        // RFC 6386, section 9.1: 3 bytes of frame tag, 3 of start code, then 14 bits each.
        return Some((u32::from(le16(body, 6)? & 0x3FFF), u32::from(le16(body, 8)? & 0x3FFF)));
    }
    // RFC 9649, section 3.4: a signature byte, then 14 bits each (less 1), and the alpha hint.
    let bits = le32(body, 1)?;
    Some(((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1))
}

/// Holds the size of an animation's frame against that of its pixels: `VP8 ` or `VP8L`, or `ALPH` with `VP8 ` next.
fn check_frame(body: &[u8]) -> Option<()> {
    let told = (le24(body, 6)? + 1, le24(body, 9)? + 1);
    let mut inner = chunks(body.get(FRAME_DATA..)?);
    let (kind, pixels) = match inner.next()? {
        (b"ALPH", _) => inner.next().filter(|(kind, _)| *kind == b"VP8 ")?,
        found => found,
    };
    (matches!(kind, b"VP8 " | b"VP8L") && size(kind, pixels)? == told).then_some(())
}

/// A frame of an animation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnimationFrame<'a> {
    pub(crate) left: u32,
    pub(crate) top: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Laid over what is there, instead of replacing it.
    pub(crate) blends: bool,
    /// Its place is cleared before the next frame.
    pub(crate) clears: bool,
    alpha: Option<&'a [u8]>,
    kind: &'a [u8; 4],
    pixels: &'a [u8],
}

/// The frames of an animation whose headers agree with their pixels', up to the first that does not: those that
/// [`read_times`] tells of.
pub(crate) fn frames(bytes: &[u8]) -> impl Iterator<Item = AnimationFrame<'_>> {
    let chunks = chunks(bytes.get(RIFF_HEADER..).unwrap_or_default());
    chunks
        .skip_while(|(kind, _)| *kind != b"VP8X")
        .filter(|(kind, _)| *kind == b"ANMF")
        .map_while(|(_, body)| AnimationFrame::read(body))
}

impl<'a> AnimationFrame<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        check_frame(body)?;
        let flags = *body.get(15)?;
        let mut inner = chunks(body.get(FRAME_DATA..)?);
        let (alpha, (kind, pixels)) = match inner.next()? {
            (b"ALPH", alpha) => (Some(alpha), inner.next()?),
            found => (None, found),
        };
        Some(Self {
            left: le24(body, 0)? * 2,
            top: le24(body, 3)? * 2,
            width: le24(body, 6)? + 1,
            height: le24(body, 9)? + 1,
            blends: flags & 2 == 0,
            clears: flags & 1 != 0,
            alpha,
            kind,
            pixels,
        })
    }

    /// Makes `file` a still picture of this frame.
    pub(crate) fn write_still(&self, file: &mut Vec<u8>) {
        file.clear();
        file.extend(b"RIFF\0\0\0\0WEBP");
        if let Some(alpha) = self.alpha {
            let [w0, w1, w2, _] = (self.width - 1).to_le_bytes();
            let [h0, h1, h2, _] = (self.height - 1).to_le_bytes();
            put_chunk(file, b"VP8X", &[FLAG_ALPHA, 0, 0, 0, w0, w1, w2, h0, h1, h2]);
            put_chunk(file, b"ALPH", alpha);
        }
        put_chunk(file, self.kind, self.pixels);
        let length = u32::try_from(file.len() - 8).unwrap_or(u32::MAX);
        if let Some(field) = file.get_mut(4..8) {
            field.copy_from_slice(&length.to_le_bytes());
        }
    }
}

/// The chunks of a still picture's pixels: `ALPH` and `VP8 `, or `VP8L`.
pub(crate) fn pixel_chunks(still: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let chunks = chunks(still.get(RIFF_HEADER..).unwrap_or_default());
    chunks.filter(|(kind, _)| matches!(*kind, b"ALPH" | b"VP8 " | b"VP8L"))
}

/// Appends a chunk, padded to an even length. It fits 32 bits: its parts come from a file, or are small.
pub(crate) fn put_chunk(file: &mut Vec<u8>, kind: &[u8; 4], body: &[u8]) {
    file.extend(kind);
    file.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
    file.extend(body);
    file.resize(file.len() + body.len() % 2, 0);
}

/// Each chunk's name and as much of its body as the file has. Bodies are padded to an even length.
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8; 4], &[u8])> {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        let kind = bytes.get(at..)?.first_chunk::<4>()?;
        let length = usize::try_from(le32(bytes, at + 4)?).ok()?;
        let start = at + 8;
        let end = start.saturating_add(length).min(bytes.len());
        at = start.saturating_add(length).saturating_add(length & 1).min(bytes.len());
        Some((kind, bytes.get(start..end)?))
    })
}

#[cfg(test)]
mod tests {
    use super::{frames, read, read_times};
    use proptest::prelude::*;

    fn chunk(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len()).expect("test chunks are short");
        let mut out = [kind.as_slice(), &length.to_le_bytes(), body].concat();
        out.resize(out.len() + body.len() % 2, 0);
        out
    }

    fn file(chunks: &[Vec<u8>]) -> Vec<u8> {
        [b"RIFF\0\0\0\0WEBP".as_slice(), &chunks.concat()].concat()
    }

    fn lossy((width, height): (u8, u8)) -> Vec<u8> {
        chunk(b"VP8 ", &[0, 0, 0, 0x9d, 1, 0x2a, width, 0, height, 0])
    }

    fn frame((width, height): (u8, u8), inner: &[Vec<u8>]) -> Vec<u8> {
        let head = [0, 0, 0, 0, 0, 0, width - 1, 0, 0, height - 1, 0, 0, 0, 0, 0, 0];
        chunk(b"ANMF", &[head.as_slice(), &inner.concat()].concat())
    }

    #[test]
    fn sizes_that_disagree_are_refused() {
        let animated = || chunk(b"VP8X", &[0x12, 0, 0, 0, 9, 0, 0, 4, 0, 0]);
        let still = || chunk(b"VP8X", &[0x10, 0, 0, 0, 9, 0, 0, 4, 0, 0]);
        let alpha = || chunk(b"ALPH", &[0]);
        assert!(read(&file(&[still(), lossy((10, 5))])).is_some());
        assert!(read(&file(&[still(), lossy((200, 200))])).is_none());
        assert!(read(&file(&[animated(), frame((4, 4), &[lossy((4, 4))])])).is_some());
        assert!(read(&file(&[animated(), frame((4, 4), &[alpha(), lossy((4, 4))])])).is_some());
        assert!(read(&file(&[animated(), frame((4, 4), &[lossy((200, 200))])])).is_none());
        assert!(read(&file(&[animated(), frame((4, 4), &[alpha(), lossy((200, 0))])])).is_none());
        let hidden = chunk(b"JUNK", &[0, 0, 0, 0x9d, 1, 0x2a, 200, 0, 200, 0]);
        assert!(read(&file(&[animated(), frame((4, 4), &[alpha(), hidden, lossy((4, 4))])])).is_none());
    }

    /// As the probe counts them, as they are timed, and as they are decoded.
    fn counts(bytes: &[u8]) -> Option<(u32, usize, usize)> {
        let mut times = 0;
        let header = read_times(bytes, &mut |_| times += 1)?;
        Some((header.frames, times, frames(bytes).count()))
    }

    #[test]
    fn pixels_outside_of_an_animations_frames_are_none_of_it() {
        let moving = || chunk(b"VP8X", &[0x12, 0, 0, 0, 9, 0, 0, 4, 0, 0]);
        let still = || chunk(b"VP8X", &[0x10, 0, 0, 0, 9, 0, 0, 4, 0, 0]);
        let (good, bad) = (|| frame((4, 4), &[lossy((4, 4))]), || frame((4, 4), &[lossy((5, 4))]));
        let stray = || lossy((10, 5));
        assert_eq!(counts(&file(&[moving(), stray(), good()])), Some((1, 1, 1)));
        assert_eq!(counts(&file(&[moving(), good(), stray(), good(), bad(), good()])), Some((2, 2, 2)));
        assert_eq!(counts(&file(&[good(), bad(), moving(), good(), good()])), Some((2, 2, 2)), "before the header");
        let (told, times, _) = counts(&file(&[still(), stray(), good(), good()])).expect("a header");
        assert_eq!((told, times), (1, 0), "frames where no animation is announced");
    }

    /// A frame whose length is short of what it holds, with damaged alpha: its pixels come to stand beside it.
    #[test]
    fn a_frame_that_overshoots_is_counted_as_it_is_shown() {
        let moving = chunk(b"VP8X", &[0x12, 0, 0, 0, 9, 0, 0, 4, 0, 0]);
        let good = frame((4, 4), &[lossy((4, 4))]);
        let mut last = frame((4, 4), &[chunk(b"ALPH", &[0xff; 3]), lossy((4, 4))]);
        let length = last.len() as u32;
        for told in [0, 15, 16, 17, 24, 30, length, u32::MAX - 1, u32::MAX] {
            last[4..8].copy_from_slice(&told.to_le_bytes());
            for chunks in
                [&[moving.clone(), good.clone(), last.clone()][..], &[moving.clone(), last.clone(), good.clone()]]
            {
                let Some((told, times, shown)) = counts(&file(chunks)) else { continue };
                assert_eq!((told as usize, times), (shown, shown));
            }
        }
    }

    #[test]
    fn the_canvas_of_an_extended_file_wins() {
        let bytes = file(&[
            chunk(b"VP8X", &[0x1A, 0, 0, 0, 9, 0, 0, 4, 0, 0]),
            chunk(b"ICCP", b"abc"),
            frame((10, 5), &[lossy((10, 5))]),
            chunk(b"ANIM", &[0, 0, 0, 0, 7, 0]),
            chunk(b"ANMF", &[[0; 6].as_slice(), &[1, 0, 0, 1, 0, 0, 44, 1, 0, 0], &lossy((2, 2))].concat()),
        ]);
        let header = read(&bytes).expect("a header");
        assert_eq!((header.plays, header.micros), (7, 300_000));
        assert_eq!((header.width, header.height, header.frames), (10, 5, 2));
        assert!(header.alpha && header.animated);
        assert_eq!(header.icc, Some(b"abc".as_slice()));
    }

    #[test]
    fn simple_files_tell_their_size_in_the_bitstream() {
        let lossy = file(&[chunk(b"VP8 ", &[0, 0, 0, 0x9d, 1, 0x2a, 7, 0, 5, 0])]);
        let header = read(&lossy).expect("a header");
        assert_eq!((header.width, header.height, header.lossy), (7, 5, true));
        let bits: u32 = (7 - 1) | (5 - 1) << 14 | 1 << 28;
        let lossless = file(&[chunk(b"VP8L", &[&[0x2f], bits.to_le_bytes().as_slice()].concat())]);
        let header = read(&lossless).expect("a header");
        assert_eq!((header.width, header.height, header.alpha, header.lossy), (7, 5, true, false));
    }

    proptest! {
        #[test]
        fn what_is_counted_is_timed_and_shown(
            order in proptest::collection::vec(0..7_usize, 0..8),
            damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4),
            length in any::<proptest::sample::Index>(),
        ) {
            let kinds = [
                chunk(b"VP8X", &[0x12, 0, 0, 0, 9, 0, 0, 4, 0, 0]),
                chunk(b"VP8X", &[0x10, 0, 0, 0, 9, 0, 0, 4, 0, 0]),
                lossy((10, 5)),
                frame((4, 4), &[lossy((4, 4))]),
                frame((4, 4), &[chunk(b"ALPH", &[1]), lossy((4, 4))]),
                frame((4, 4), &[lossy((5, 4))]),
                chunk(b"ANIM", &[0; 6]),
            ];
            let mut bytes = file(&order.iter().map(|kind| kinds[*kind].clone()).collect::<Vec<_>>());
            for (place, value) in damage {
                let place = place.index(bytes.len());
                bytes[place] = value;
            }
            bytes.truncate(length.index(bytes.len() + 1));
            if let Some((told, times, shown)) = counts(&bytes) && (told > 1 || times > 0) {
                prop_assert_eq!((told as usize, times), (shown, shown));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&file(std::slice::from_ref(&tail)));
            read(&file(&[chunk(b"VP8X", &tail), tail.clone()]));
            read(&tail);
        }
    }
}
