//! The blocks of a GIF file (GIF89a specification) up to its second picture, without decompressing.

use super::le16;

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
    /// Counted up to 2: whether there is more than one is what matters.
    pub(crate) frames: u32,
}

const SCREEN: usize = 6;
/// Signature and logical screen together; the global colour table follows.
pub(crate) const SCREEN_END: usize = 13;
/// In the flags of the screen and of a frame; the lowest three bits then tell the table's size.
pub(crate) const HAS_TABLE: u8 = 0x80;
const EXTENSION: u8 = 0x21;
const IMAGE: u8 = 0x2C;
const GRAPHIC_CONTROL: u8 = 0xF9;

/// Walks the blocks. `None` without a logical screen.
pub(crate) fn read(bytes: &[u8]) -> Option<GifHeader> {
    let flags = *bytes.get(SCREEN + 4)?;
    let mut header = GifHeader {
        width: le16(bytes, SCREEN)?.into(),
        height: le16(bytes, SCREEN + 2)?.into(),
        palette: flags & HAS_TABLE != 0,
        ..Default::default()
    };
    let mut at = SCREEN_END + color_table(flags);
    let mut transparent = false;
    while let Some(&block) = bytes.get(at) {
        at = match block {
            EXTENSION => {
                if bytes.get(at + 1) == Some(&GRAPHIC_CONTROL) && header.frames == 0 {
                    transparent = bytes.get(at + 3).is_some_and(|flags| flags & 1 != 0);
                }
                skip_sub_blocks(bytes, at + 2)
            }
            IMAGE => {
                header.frames += 1;
                if header.frames > 1 {
                    break;
                }
                let flags = bytes.get(at + 9).copied().unwrap_or_default();
                header.palette |= flags & HAS_TABLE != 0;
                header.first_frame(bytes.get(at + 1..).unwrap_or_default(), transparent);
                skip_sub_blocks(bytes, at + 11 + color_table(flags))
            }
            _ => break,
        };
    }
    Some(header)
}

/// Bytes of the colour table that these flags announce.
fn color_table(flags: u8) -> usize {
    if flags & HAS_TABLE == 0 { 0 } else { 3 << ((flags & 7) + 1) }
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
    use super::read;
    use proptest::prelude::*;

    const SCREEN: &[u8] = b"GIF89a\x05\0\x03\0\x80\0\0\0\0\0\xFF\xFF\xFF";
    const FRAME: &[u8] = b"\x2C\0\0\0\0\x05\0\x03\0\0\x02\x01\0\0";

    #[test]
    fn frames_are_counted_to_two() {
        for (frames, expected) in [(0, 0), (1, 1), (2, 2), (5, 2)] {
            let bytes = [SCREEN, &FRAME.repeat(frames), b"\x3B"].concat();
            let header = read(&bytes).expect("a screen");
            assert_eq!((header.width, header.height, header.frames), (5, 3, expected));
            assert!(!header.alpha);
        }
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
        }
    }
}
