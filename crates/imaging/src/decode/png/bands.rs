//! PNG a few rows at a time: straight into the resize or the crop, so that neither needs the whole picture.
//! It knows rows, not what is in them. Invariant: what a truncated file lacks is zero, as in the whole picture.

use super::{Rows, Source};
use crate::bitmap::{Bitmap, Layout};
use crate::decode::{Delivered, Need, Want, check_held};
use crate::error::Error;
use crate::limits::{Limits, Watch};
use crate::op::resize::Resize;
use crate::probe::Probe;
use crate::resample::Stream;
use crate::scratch::Scratch;

/// The decoder's window and buffers.
const INFLATER: u64 = 256 << 10;
/// Rows that are read together.
const BAND: u32 = 16;

/// What reading a file will need; `None` if it must be whole in memory.
pub(in crate::decode) fn need(bytes: &[u8], probe: &Probe, layout: Layout, want: &Want) -> Option<Need> {
    // PNG, 11.2.1: the last byte of IHDR's data is the interlace method.
    if *bytes.get(28)? != 0 {
        return None;
    }
    let size = (probe.width, probe.height);
    let band = u64::from(BAND.min(size.1)) * u64::from(size.0) * layout.channels() as u64;
    let fixed = INFLATER + band;
    let nanoseconds = probe.pixels() * if probe.depth > 8 { 18 } else { 10 };
    if let Some(resize) = want.resize.filter(Stream::suits) {
        let memory = fixed + Stream::memory(&resize, layout, size);
        return Some(Need { memory, size: (resize.width, resize.height), resized: true, nanoseconds });
    }
    let (_, _, width, height) = want.region.unwrap_or((0, 0, size.0, size.1));
    let memory = fixed + u64::from(width) * u64::from(height) * layout.channels() as u64;
    Some(Need { memory, size: (width, height), resized: false, nanoseconds })
}

/// A few rows at a time, so that neither the resize nor a crop needs the whole picture.
pub(super) struct Bands {
    rows: Rows,
    height: u32,
    /// The next row.
    next: u32,
    /// The file ended early: what follows is zero.
    ended: bool,
    pub(super) band: Vec<u8>,
}

impl Bands {
    pub(super) fn new(rows: Rows, height: u32, scratch: &mut Scratch) -> Self {
        let band = scratch.take(rows.stride * BAND.min(height) as usize);
        Self { rows, height, next: 0, ended: false, band }
    }

    /// The next rows, as they are stored, and which is the first of them.
    fn read(&mut self, reader: &mut Source<'_>, watch: &Watch) -> Result<(u32, &mut [u8]), Error> {
        watch.check()?;
        let (first, count) = (self.next, BAND.min(self.height - self.next));
        self.next += count;
        let lines = &mut self.band[..self.rows.stride * count as usize];
        if self.ended {
            lines.fill(0);
        } else {
            self.ended = !self.rows.read(reader, first, lines)?;
        }
        Ok((first, lines))
    }

    pub(super) fn resize(
        &mut self,
        reader: &mut Source<'_>,
        resize: Resize,
        size: (u32, u32),
        limits: &Limits,
        watch: &Watch,
        scratch: &mut Scratch,
    ) -> Result<(Bitmap, Delivered), Error> {
        check_held(self.band.len() as u64 + Stream::memory(&resize, self.rows.layout, size), limits)?;
        let mut stream = Stream::new(resize, self.rows.layout, size, scratch);
        let (needed, stride) = (stream.rows(), self.rows.stride);
        while self.next < needed.end {
            let (first, lines) = self.read(reader, watch)?;
            let count = (lines.len() / stride) as u32;
            if first + count <= needed.start {
                stream.pass(count);
            } else {
                stream.push(lines)?;
            }
        }
        Ok((stream.finish(scratch)?, Delivered::Resized))
    }

    pub(super) fn crop(
        &mut self,
        reader: &mut Source<'_>,
        region: Option<(u32, u32, u32, u32)>,
        whole: (u32, u32),
        limits: &Limits,
        watch: &Watch,
        scratch: &mut Scratch,
    ) -> Result<(Bitmap, Delivered), Error> {
        let (x, y, width, height) = region.unwrap_or((0, 0, whole.0, whole.1));
        let (x, y) = (x.min(whole.0 - 1), y.min(whole.1 - 1));
        let (width, height) = (width.clamp(1, whole.0 - x), height.clamp(1, whole.1 - y));
        let channels = self.rows.layout.channels();
        let (from, length) = (x as usize * channels, width as usize * channels);
        let held = u64::from(width) * u64::from(height) * channels as u64 + self.band.len() as u64;
        check_held(held, limits)?;
        let mut pixels = scratch.take(length * height as usize);
        let stride = self.rows.stride;
        while self.next < y + height {
            let (first, lines) = self.read(reader, watch)?;
            for (row, line) in (first..y + height).zip(lines.chunks_exact(stride)) {
                if let Some(at) = row.checked_sub(y) {
                    pixels[at as usize * length..][..length].copy_from_slice(&line[from..from + length]);
                }
            }
        }
        Ok((Bitmap::new(width, height, self.rows.layout, pixels), Delivered::Part { x, y, whole }))
    }
}
