//! Animated WebP (RFC 9649, 2.7): our own container round frames that libwebp encodes as still pictures.
//!
//! Each frame is the smallest rectangle that changes. It replaces what is there, or, where that is smaller, is laid over
//! it with nothing where nothing changes (with loss: in whole squares, and where the change would not be seen). libwebp's own assembler encodes every frame at least twice to choose between
//! a key frame and the change, and holds frames back for it: see docs/decisions/0027-animations.md.

use super::Reel;
use super::delta::{Rect, alike};
use super::pace::Pace;
use crate::bitmap::{Bitmap, Layout};
use crate::encode::{Settings, webp};
use crate::error::Error;
use crate::limits::Watch;
use crate::metadata::webp::{pixel_chunks, put_chunk};
use crate::op::channels::widen;
use crate::op::premultiply::is_opaque;
use crate::scratch::Scratch;

const FLAG_ANIMATION: u8 = 0x02;
const FLAG_ALPHA: u8 = 0x10;
/// Of a frame: it replaces instead of being laid over.
const REPLACES: u8 = 0x02;
/// A frame's duration has 24 bits, in milliseconds.
const LONGEST: u64 = 0xFF_FFFF;

pub(super) struct WebpReel {
    settings: Settings,
    size: (u32, u32),
    plays: u32,
    pace: Pace,
    /// The pixels that were stored so far, as they were before they were compressed: what is left out because it looks
    /// alike is compared with these again, so that small changes do not add up.
    shown: Option<Bitmap>,
    alpha: bool,
    /// `ANMF` chunks.
    frames: Vec<u8>,
}

impl WebpReel {
    pub(super) fn new(settings: Settings, size: (u32, u32), plays: u32) -> Self {
        Self { settings, size, plays, pace: Pace::new(1000), shown: None, alpha: false, frames: Vec::new() }
    }

    /// Channels may be so far off what they should be, where a frame is lossy anyway.
    fn tolerance(&self) -> u8 {
        if self.settings.lossless { 0 } else { (100 - self.settings.quality.min(100)) / 8 }
    }

    /// The frame's place, its pixels, and whether they replace what is there. `shown` becomes what is seen then.
    fn part(&self, shown: &mut Bitmap, frame: &Bitmap, scratch: &mut Scratch) -> (Rect, Bitmap, bool) {
        let tolerance = self.tolerance();
        let changed = Rect::bounding(shown, frame, |a, b| !alike(a, b, tolerance));
        // Places are stored halved.
        let part = changed.unwrap_or(Rect::DOT).even();
        if self.settings.lossless {
            let covers = part.covers(shown, frame);
            let pixels = if covers { part.cut_changes(shown, frame, scratch) } else { part.cut(frame, scratch) };
            part.copy(frame, shown);
            return (part, pixels, !covers);
        }
        // With loss, alpha has to be stored beside the colours: squares that coders work in cost least.
        if let Some(blocks) = part.changing(shown, frame, tolerance) {
            blocks.iter().for_each(|block| block.copy(frame, shown));
            return (part, part.cut_blocks(frame, &blocks, scratch), false);
        }
        part.copy(frame, shown);
        (part, part.cut(frame, scratch), true)
    }
}

impl Reel for WebpReel {
    fn add(&mut self, frame: Bitmap, micros: u64, watch: &Watch, scratch: &mut Scratch) -> Result<(), Error> {
        let frame = widen(frame, Layout::Rgba, scratch);
        let (place, pixels, replaces) = match self.shown.take() {
            None => {
                let all = Rect::all(&frame);
                let pixels = all.cut(&frame, scratch);
                self.shown = Some(frame);
                (all, pixels, true)
            }
            Some(mut shown) => {
                let part = self.part(&mut shown, &frame, scratch);
                scratch.give(frame.into_pixels());
                self.shown = Some(shown);
                part
            }
        };
        self.alpha |= !is_opaque(&pixels);
        let still = webp::encode(&pixels, &self.settings, watch)?;
        scratch.give(pixels.into_pixels());
        let mut body = Vec::with_capacity(still.len() + 16);
        let mut put24 = |value: usize| body.extend(value.to_le_bytes().iter().take(3));
        put24(place.left / 2);
        put24(place.top / 2);
        put24(place.width - 1);
        put24(place.height - 1);
        put24(usize::try_from(self.pace.next(micros).min(LONGEST)).unwrap_or(0));
        body.push(if replaces { REPLACES } else { 0 });
        for (kind, chunk) in pixel_chunks(&still) {
            put_chunk(&mut body, kind, chunk);
        }
        put_chunk(&mut self.frames, b"ANMF", &body);
        Ok(())
    }

    fn finish(self: Box<Self>, watch: &Watch, scratch: &mut Scratch) -> Result<Vec<u8>, Error> {
        watch.check()?;
        if let Some(shown) = self.shown {
            scratch.give(shown.into_pixels());
        }
        let [w0, w1, w2, _] = (self.size.0 - 1).to_le_bytes();
        let [h0, h1, h2, _] = (self.size.1 - 1).to_le_bytes();
        let flags = FLAG_ANIMATION | if self.alpha { FLAG_ALPHA } else { 0 };
        let mut file = Vec::with_capacity(self.frames.len() + 44);
        file.extend(b"RIFF\0\0\0\0WEBP");
        put_chunk(&mut file, b"VP8X", &[flags, 0, 0, 0, w0, w1, w2, h0, h1, h2]);
        let [low, high] = u16::try_from(self.plays).unwrap_or(0).to_le_bytes();
        put_chunk(&mut file, b"ANIM", &[0, 0, 0, 0, low, high]);
        file.extend(self.frames);
        let length = u32::try_from(file.len() - 8).map_err(|_| Error::Internal("webp: more than 4 GiB".into()))?;
        file[4..8].copy_from_slice(&length.to_le_bytes());
        Ok(file)
    }
}
