//! The blocks of a GIF file (GIF89a specification), without decompressing: the canvas, and how the pictures follow each
//! other in time.

use super::{MAX_BLOCK, Metadata, le16};

/// What the blocks say.
#[derive(Debug, Default)]
pub(crate) struct GifHeader {
    /// The canvas: the logical screen, enlarged where the first frame reaches beyond it, as the usual viewers do.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Whether the first frame has a colour table, its own or the global one.
    pub(crate) palette: bool,
    /// Whether the first frame leaves pixels of the canvas transparent.
    pub(crate) alpha: bool,
    /// Pictures in the file; the data of the last may be cut.
    pub(crate) frames: u32,
    /// How often the whole plays; 0 is for ever.
    pub(crate) plays: u32,
    /// All delays together.
    pub(crate) micros: u64,
}

const SCREEN: usize = 6;
/// Signature and logical screen together; the global colour table follows.
pub(crate) const SCREEN_END: usize = 13;
/// In the flags of the screen and of a frame; the lowest three bits then tell the table's size.
pub(crate) const HAS_TABLE: u8 = 0x80;
const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2C;
const GRAPHIC_CONTROL: u8 = 0xF9;
/// An application block: 11 bytes of name, then sub-blocks.
const APPLICATION: u8 = 0xFF;
/// A delay is told in hundredths of a second.
const MICROS: u64 = 10_000;

/// Walks the blocks. `None` without a logical screen.
pub(crate) fn read(bytes: &[u8]) -> Option<GifHeader> {
    read_times(bytes, &mut |_| ())
}

/// The same; `frame` is told the delay of each picture, in microseconds.
pub(crate) fn read_times(bytes: &[u8], frame: &mut dyn FnMut(u64)) -> Option<GifHeader> {
    let flags = *bytes.get(SCREEN + 4)?;
    let mut header = GifHeader {
        width: le16(bytes, SCREEN)?.into(),
        height: le16(bytes, SCREEN + 2)?.into(),
        palette: flags & HAS_TABLE != 0,
        plays: 1,
        ..Default::default()
    };
    let mut at = SCREEN_END + color_table(flags);
    let mut control = Control::default();
    while let Some(&block) = bytes.get(at) {
        at = match block {
            EXTENSION => {
                match bytes.get(at + 1) {
                    Some(&GRAPHIC_CONTROL) => control = Control::read(bytes.get(at + 3..).unwrap_or_default()),
                    Some(&APPLICATION) => header.plays = plays(bytes.get(at + 2..)).unwrap_or(header.plays),
                    _ => {}
                }
                skip_sub_blocks(bytes, at + 2)
            }
            IMAGE => {
                let flags = bytes.get(at + 9).copied().unwrap_or_default();
                if header.frames == 0 {
                    header.palette |= flags & HAS_TABLE != 0;
                    header.first_frame(bytes.get(at + 1..).unwrap_or_default(), control.transparent);
                }
                header.frames = header.frames.saturating_add(1);
                header.micros = header.micros.saturating_add(control.micros);
                frame(control.micros);
                control = Control::default();
                skip_sub_blocks(bytes, at + 11 + color_table(flags))
            }
            _ => break,
        };
    }
    Some(header)
}

/// What is said of the picture that follows.
#[derive(Default)]
struct Control {
    transparent: bool,
    micros: u64,
}

impl Control {
    /// Flags, then the delay.
    fn read(body: &[u8]) -> Self {
        let transparent = body.first().is_some_and(|flags| flags & 1 != 0);
        Self { transparent, micros: u64::from(le16(body, 1).unwrap_or_default()) * MICROS }
    }
}

/// How often it plays, by Netscape's block (or its copy, `ANIMEXTS`): it tells how often the animation is *repeated*,
/// as browsers since 2017 and libwebp agree; 0 is for ever. Without it: once.
fn plays(block: Option<&[u8]>) -> Option<u32> {
    match block? {
        [11, name @ ..] if name.starts_with(b"NETSCAPE2.0") || name.starts_with(b"ANIMEXTS1.0") => {
            match name.get(11..)? {
                [3, 1, low, high, ..] => Some(match u16::from_le_bytes([*low, *high]) {
                    0 => 0,
                    repeats => u32::from(repeats) + 1,
                }),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Bytes of the colour table that these flags announce.
fn color_table(flags: u8) -> usize {
    if flags & HAS_TABLE == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Collects XMP (an application extension whose packet lies there as it is, closed by a "magic trailer" of 258 bytes:
/// XMP part 3, 1.1.2), an ICC profile in sub-blocks, and comments.
pub(super) fn collect<'a>(bytes: &'a [u8], found: &mut Metadata<'a>) {
    const COMMENT: u8 = 0xFE;
    const APPLICATION: u8 = 0xFF;
    const TRAILER: usize = 257;
    let Some(&flags) = bytes.get(SCREEN + 4) else { return };
    let mut at = SCREEN_END + color_table(flags);
    while let Some(&block) = bytes.get(at) {
        at = match block {
            EXTENSION => {
                let end = skip_sub_blocks(bytes, at + 2);
                match (bytes.get(at + 1), bytes.get(at + 3..at + 14)) {
                    (Some(&COMMENT), _) => found.found_text(b"", &sub_blocks(bytes, at + 2)),
                    (Some(&APPLICATION), Some(b"XMP DataXMP")) => {
                        let packet = bytes.get(at + 14..end.saturating_sub(TRAILER + 1)).unwrap_or_default();
                        found.found_xmp(packet);
                    }
                    (Some(&APPLICATION), Some(b"ICCRGBG1012")) => found.found_icc(sub_blocks(bytes, at + 14)),
                    _ => {}
                }
                end
            }
            IMAGE => skip_sub_blocks(bytes, at + 11 + color_table(bytes.get(at + 9).copied().unwrap_or_default())),
            _ => break,
        };
    }
}

/// What sub-blocks hold together; nothing where that is too much.
fn sub_blocks(bytes: &[u8], mut at: usize) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(&length @ 1..) = bytes.get(at) {
        let end = at + 1 + usize::from(length);
        whole.extend_from_slice(bytes.get(at + 1..end).unwrap_or_default());
        if whole.len() > MAX_BLOCK {
            return Vec::new();
        }
        at = end;
    }
    whole
}

fn skip_sub_blocks(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&length) = bytes.get(at) {
        at += 1 + usize::from(length);
        if length == 0 {
            break;
        }
    }
    at
}

impl GifHeader {
    fn first_frame(&mut self, descriptor: &[u8], transparent: bool) {
        let field = |at| u32::from(le16(descriptor, at).unwrap_or_default());
        let (left, top, width, height) = (field(0), field(2), field(4), field(6));
        self.width = self.width.max(left + width);
        self.height = self.height.max(top + height);
        let covers = left == 0 && top == 0 && width >= self.width && height >= self.height;
        self.alpha = transparent || !covers;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SCREEN: &[u8] = b"GIF89a\x05\0\x03\0\x80\0\0\0\0\0\xFF\xFF\xFF";
    const FRAME: &[u8] = b"\x2C\0\0\0\0\x05\0\x03\0\0\x02\x01\0\0";

    #[test]
    fn frames_are_counted() {
        for frames in [0, 1, 2, 5] {
            let bytes = [SCREEN, &FRAME.repeat(frames), b"\x3B"].concat();
            let header = read(&bytes).expect("a screen");
            assert_eq!((header.width, header.height, header.frames), (5, 3, frames as u32));
            assert!(!header.alpha);
        }
    }

    #[test]
    fn delays_and_repeats_are_told() {
        let control = b"\x21\xF9\x04\0\x07\x01\0\0";
        let repeats = |count: u8| [b"\x21\xFF\x0BNETSCAPE2.0\x03\x01".as_slice(), &[count, 0, 0]].concat();
        for (count, plays) in [(0, 0), (1, 2), (4, 5)] {
            let bytes = [SCREEN, &repeats(count), control, FRAME, FRAME].concat();
            let mut delays = Vec::new();
            let header = super::read_times(&bytes, &mut |micros| delays.push(micros)).expect("a screen");
            assert_eq!((header.plays, header.micros, delays), (plays, 2_630_000, vec![2_630_000, 0]));
        }
        assert_eq!(read(&[SCREEN, FRAME, FRAME].concat()).map(|h| h.plays), Some(1));
    }

    #[test]
    fn a_transparent_or_small_first_frame_has_alpha() {
        let control = b"\x21\xF9\x04\x01\0\0\x01\0";
        let small = b"\x2C\x01\0\0\0\x04\0\x03\0\0\x02\x01\0\0";
        assert!(read(&[SCREEN, control, FRAME].concat()).is_some_and(|h| h.alpha));
        assert!(read(&[SCREEN, small].concat()).is_some_and(|h| h.alpha));
    }

    #[test]
    fn the_canvas_holds_the_whole_first_frame() {
        let beyond = b"\x2C\x04\0\x01\0\x03\0\x09\0\0\x02\x01\0\0";
        assert!(read(&[SCREEN, beyond, FRAME].concat()).is_some_and(|h| (h.width, h.height) == (7, 10) && h.alpha));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(tail in proptest::collection::vec(any::<u8>(), 0..200)) {
            read(&[SCREEN, &tail].concat());
            read(&tail);
            collect(&[SCREEN, &tail].concat(), &mut Metadata::default());
        }
    }
}
