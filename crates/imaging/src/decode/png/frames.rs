//! The frames of an animated PNG, one after the other. A default image that is not a frame is stepped over.

use super::{Rows, Source, chunks, malformed, open as start, profile, size_of, told};
use crate::bitmap::Bitmap;
use crate::decode::canvas::{Blend, Dispose, Patch};
use crate::decode::frames::Patches;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::Watch;
use crate::metadata::png::PngHeader;
use crate::scratch::Scratch;
use png::{BlendOp, DisposeOp, FrameControl};

pub(in crate::decode) struct PngFrames<'a> {
    header: PngHeader<'a>,
    reader: Source<'a>,
    /// Frames that were not read yet.
    left: u32,
    /// The reader stands before the pixels of the next frame.
    ready: bool,
    icc: Option<Vec<u8>>,
}

pub(in crate::decode) fn open(bytes: &[u8], size: (u32, u32)) -> Result<PngFrames<'_>, Error> {
    let header = chunks::read(bytes).ok_or_else(|| malformed(SourceFormat::Png, &"no header"))?;
    let reader = start(bytes).map_err(told)?;
    if reader.info().size() != size {
        return Err(malformed(SourceFormat::Png, &"two headers that disagree"));
    }
    let ready = reader.info().frame_control.is_some();
    Ok(PngFrames { left: header.frames, header, reader, ready, icc: None })
}

impl Patches for PngFrames<'_> {
    fn next(&mut self, watch: &Watch, scratch: &mut Scratch) -> Result<Option<Patch>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        if !std::mem::take(&mut self.ready) {
            self.reader.next_frame_info().map_err(told)?;
        }
        let Some(&control) = self.reader.info().frame_control.as_ref() else {
            return Err(malformed(SourceFormat::Png, &"a frame that is not described"));
        };
        let FrameControl { width, height, x_offset, y_offset, .. } = control;
        let (canvas_width, canvas_height) = self.reader.info().size();
        let inside = |start: u32, length: u32, canvas| start.checked_add(length).is_some_and(|end| end <= canvas);
        if width == 0
            || height == 0
            || !inside(x_offset, width, canvas_width)
            || !inside(y_offset, height, canvas_height)
        {
            return Err(malformed(SourceFormat::Png, &"a frame outside of the picture"));
        }
        let rows = Rows::of(&self.reader, width, self.header.cicp)?;
        let mut pixels = scratch.take(size_of(width, height, rows.layout));
        if let Err(error) = rows.read_all(&mut self.reader, &mut pixels, watch) {
            scratch.give(pixels);
            return Err(error);
        }
        self.icc = profile(&self.header, rows.layout);
        Ok(Some(Patch {
            left: x_offset,
            top: y_offset,
            bitmap: Bitmap::new(width, height, rows.layout, pixels),
            blend: match control.blend_op {
                BlendOp::Source => Blend::Replace,
                BlendOp::Over => Blend::Over,
            },
            dispose: match control.dispose_op {
                DisposeOp::None => Dispose::Keep,
                DisposeOp::Background => Dispose::Clear,
                DisposeOp::Previous => Dispose::Restore,
            },
        }))
    }

    fn icc(&mut self) -> Option<Vec<u8>> {
        self.icc.take()
    }
}
