//! The frames of an animated WebP (RFC 9649, 2.7.1.3), one after the other: each is given to the decoder as a still
//! picture of its own, so that placing and blending are ours, and exact.

use super::{malformed, read, told};
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::decode::canvas::{Blend, Dispose, Patch};
use crate::decode::frames::Patches;
use crate::decode::size_of;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::metadata::webp::{self, AnimationFrame};
use crate::scratch::Scratch;
use image_webp::WebPDecoder;
use std::io::Cursor;

pub(in crate::decode) struct WebpFrames<'a> {
    frames: Box<dyn Iterator<Item = AnimationFrame<'a>> + 'a>,
    canvas: (u32, u32),
    limits: &'a Limits,
    icc: Option<&'a [u8]>,
    /// The file of the frame in hand.
    file: Vec<u8>,
}

pub(in crate::decode) fn open<'a>(
    bytes: &'a [u8],
    canvas: (u32, u32),
    limits: &'a Limits,
) -> Result<WebpFrames<'a>, Error> {
    let header = webp::read(bytes).ok_or_else(|| malformed(SourceFormat::Webp, &"no header"))?;
    Ok(WebpFrames { frames: Box::new(webp::frames(bytes)), canvas, limits, icc: header.icc, file: Vec::new() })
}

impl Patches for WebpFrames<'_> {
    fn next(&mut self, watch: &Watch, scratch: &mut Scratch) -> Result<Option<Patch>, Error> {
        let Some(frame) = self.frames.next() else { return Ok(None) };
        let AnimationFrame { left, top, width, height, .. } = frame;
        if left + width > self.canvas.0 || top + height > self.canvas.1 {
            return Err(malformed(SourceFormat::Webp, &"a frame outside of the picture"));
        }
        frame.write_still(&mut self.file);
        watch.check()?;
        let mut decoder = WebPDecoder::new(Cursor::new(self.file.as_slice())).map_err(told)?;
        decoder.set_memory_limit(usize::try_from(self.limits.memory).unwrap_or(usize::MAX));
        if decoder.is_animated() || decoder.dimensions() != (width, height) {
            return Err(malformed(SourceFormat::Webp, &"two headers that disagree"));
        }
        let layout = if decoder.has_alpha() { Layout::Rgba } else { Layout::Rgb };
        let pixels = read(&mut decoder, scratch.take(size_of(width, height, layout)), scratch)?;
        Ok(Some(Patch {
            left,
            top,
            bitmap: Bitmap::new(width, height, layout, pixels),
            blend: if frame.blends { Blend::Over } else { Blend::Replace },
            dispose: if frame.clears { Dispose::Clear } else { Dispose::Keep },
        }))
    }

    fn icc(&mut self) -> Option<Vec<u8>> {
        self.icc.filter(|icc| color::differs_from_srgb(icc, Layout::Rgba)).map(<[u8]>::to_vec)
    }
}
