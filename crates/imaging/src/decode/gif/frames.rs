//! The frames of a GIF, one after the other. Of a file that is cut, what lies before the cut frame is shown.

use super::{CHANNELS, Frame, Source, color_table, fill, open as start, told, written};
use crate::bitmap::{Bitmap, Layout};
use crate::decode::canvas::{Blend, Dispose, Patch};
use crate::decode::frames::Patches;
use crate::error::Error;
use crate::limits::{Limits, Watch};
use crate::scratch::Scratch;
use gif::{Decoder, DisposalMethod};

pub(in crate::decode) struct GifFrames<'a> {
    bytes: &'a [u8],
    limits: &'a Limits,
    decoder: Decoder<Source<'a>>,
    /// Its header was read when the file was opened.
    first: Option<Frame>,
}

pub(in crate::decode) fn open<'a>(bytes: &'a [u8], limits: &'a Limits) -> Result<GifFrames<'a>, Error> {
    let (decoder, first) = start(bytes, limits)?;
    Ok(GifFrames { bytes, limits, decoder, first: Some(first) })
}

impl Patches for GifFrames<'_> {
    fn next(&mut self, watch: &Watch, scratch: &mut Scratch) -> Result<Option<Patch>, Error> {
        let first = self.first.take();
        let is_first = first.is_some();
        let frame = match first {
            Some(frame) => frame,
            None => match self.decoder.next_frame_info().map_err(|error| told(&error))? {
                Some(info) => Frame::of(info),
                None => return Ok(None),
            },
        };
        frame.check(self.limits)?;
        let dispose = match self.decoder.current_frame_info().map(|info| info.dispose) {
            Some(DisposalMethod::Background) => Dispose::Clear,
            Some(DisposalMethod::Previous) => Dispose::Restore,
            _ => Dispose::Keep,
        };
        let place = |bitmap| {
            let [left, top] = [frame.left, frame.top].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
            Patch { left, top, bitmap, blend: Blend::Over, dispose }
        };
        if frame.width == 0 || frame.height == 0 {
            return Ok(Some(place(Bitmap::new(1, 1, Layout::Rgba, vec![0; CHANNELS]))));
        }
        let colors = color_table(self.decoder.palette().map_err(|error| told(&error))?, frame.transparent);
        watch.check()?;
        let mut indices = scratch.take(frame.width * frame.height);
        let count = match fill(&mut self.decoder, &mut indices) {
            Ok(true) => Ok(Some(indices.len())),
            Ok(false) if is_first => written(self.bytes, self.limits, &mut indices, scratch).map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(error),
        };
        let patch = count.map(|count| {
            count.map(|count| {
                let mut pixels = scratch.take(frame.width * frame.height * CHANNELS);
                pixels.fill(0);
                let rows = indices.get(..count).unwrap_or_default().chunks(frame.width).zip(frame.rows());
                rows.for_each(|(row, y)| frame.paint_alone(row, y, &colors, &mut pixels));
                let [width, height] = [frame.width, frame.height].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
                place(Bitmap::new(width, height, Layout::Rgba, pixels))
            })
        });
        scratch.give(indices);
        patch
    }
}
