//! The frames of a sequence, one after the other: each sample gives one frame, and later ones build on earlier ones, so
//! all are decoded, colours and alpha side by side.

use super::av1::{Frame, Stream};
use super::plan::{Canvas, Plan};
use super::sequence;
use super::{
    Colors, Reader, Target, check_memory, divide_by_alpha, layout, paint_alpha_tile, paint_tile, plan, profile,
};
use crate::bitmap::Bitmap;
use crate::decode::canvas::{Blend, Dispose, Patch};
use crate::decode::frames::Patches;
use crate::error::Error;
use crate::limits::{Limits, Watch};
use crate::scratch::Scratch;
use std::ops::Range;

pub(in crate::decode) struct AvifFrames<'a> {
    file: &'a [u8],
    plan: Plan<'a>,
    color: Track,
    alpha: Option<Track>,
    colors: Option<Colors>,
}

/// Samples that are still to come, and the decoder that knows those before.
struct Track {
    samples: std::vec::IntoIter<Range<usize>>,
    stream: Stream,
}

pub(in crate::decode) fn open<'a>(file: &'a [u8], limits: &Limits) -> Result<AvifFrames<'a>, Error> {
    let damaged = || Error::Malformed("AVIF: a sequence without its tables".into());
    let plan = plan(file, limits)?;
    check_memory(&plan, layout(&plan), limits)?;
    let moov = Reader(file).find(b"moov").ok_or_else(damaged)?;
    let (color, alpha) = sequence::samples(file, moov, limits.frames).ok_or_else(damaged)?;
    let track = |canvas: &Canvas<'_>, samples: Vec<Range<usize>>| {
        let pixels = u64::from(canvas.width) * u64::from(canvas.height);
        let stream = Stream::open(u32::try_from(pixels).unwrap_or(u32::MAX))?;
        Ok(Track { samples: samples.into_iter(), stream })
    };
    let alpha = match (&plan.alpha, alpha) {
        (Some(canvas), Some(samples)) => Some(track(canvas, samples)?),
        (Some(_), None) => return Err(damaged()),
        (None, _) => None,
    };
    let color = track(&plan.color, color)?;
    Ok(AvifFrames { file, plan, color, alpha, colors: None })
}

impl Track {
    /// `None` after the last sample.
    fn frame(&mut self, file: &[u8], size: (u32, u32)) -> Result<Option<Frame>, Error> {
        let Some(range) = self.samples.next() else { return Ok(None) };
        let data = file.get(range).filter(|data| !data.is_empty());
        let data = data.ok_or_else(|| Error::Malformed("AVIF: the file ends before its pictures do".into()))?;
        let frame = self.stream.frame(data)?;
        if (frame.width(), frame.height()) != size {
            return Err(Error::Malformed("AVIF: a frame of another size than stated".into()));
        }
        Ok(Some(frame))
    }
}

impl AvifFrames<'_> {
    fn paint(&mut self, target: &mut Target, watch: &Watch) -> Result<bool, Error> {
        let size = (self.plan.color.width, self.plan.color.height);
        let Some(frame) = self.color.frame(self.file, size)? else { return Ok(false) };
        watch.check()?;
        let colors = paint_tile(&self.plan, &frame, target, 0, 0)?;
        self.colors.get_or_insert(colors);
        if let Some(alpha) = &mut self.alpha {
            let Some(frame) = alpha.frame(self.file, size)? else { return Ok(false) };
            paint_alpha_tile(&frame, target, 0, 0);
        }
        if self.plan.premultiplied {
            divide_by_alpha(&mut target.pixels);
        }
        Ok(true)
    }
}

impl Patches for AvifFrames<'_> {
    fn next(&mut self, watch: &Watch, scratch: &mut Scratch) -> Result<Option<Patch>, Error> {
        let layout = layout(&self.plan);
        let (width, height) = self.plan.size();
        let mut target = Target::of(&self.plan, layout, scratch);
        let painted = self.paint(&mut target, watch);
        if !matches!(painted, Ok(true)) {
            scratch.give(target.pixels);
            return painted.map(|_| None);
        }
        let bitmap = Bitmap::new(width, height, layout, target.pixels);
        Ok(Some(Patch { left: 0, top: 0, bitmap, blend: Blend::Replace, dispose: Dispose::Keep }))
    }

    fn icc(&mut self) -> Option<Vec<u8>> {
        profile(&self.plan, self.colors?, layout(&self.plan))
    }
}
