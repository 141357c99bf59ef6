//! One MCU row of every plane, and the row above it: takes blocks, gives lines of output.
//! Knows no entropy coding. Invariant: a line is given when all that its filters look at is there, each exactly once,
//! in order.

use crate::frame::Colour;
use crate::kernel::{BATCH, BLOCK, Block, Kernels, Place};
use crate::plan::{Plan, Plane, SLACK, Upsample};

/// Blocks that wait for their transform.
#[derive(Debug)]
struct Batch {
    blocks: [Block; BATCH],
    places: [Place; BATCH],
    len: usize,
}

impl Batch {
    const EMPTY: Self = Self { blocks: [[0; BLOCK]; BATCH], places: [Place { offset: 0, stride: 0 }; BATCH], len: 0 };
}

/// Where lines go.
pub(crate) enum Output<'o> {
    /// What is left of the whole picture's buffer.
    Whole(&'o mut [u8]),
    /// To somebody who takes a few at a time.
    Bands {
        /// Room for what a row of MCUs adds, and one line.
        band: &'o mut [u8],
        take: &'o mut dyn FnMut(&[u8]),
    },
}

impl Output<'_> {
    /// Lines that others have made.
    pub(crate) fn lines(&mut self, lines: &[u8]) {
        match self {
            Self::Whole(rest) => {
                let (out, left) = std::mem::take(rest).split_at_mut(lines.len());
                out.copy_from_slice(lines);
                *rest = left;
            }
            Self::Bands { take, .. } => take(lines),
        }
    }

    /// MCU row `row` of the strip is complete.
    pub(crate) fn take(&mut self, row: u32, strip: &mut Strip<'_>) {
        match self {
            Self::Whole(rest) => *rest = strip.finish_row(row, std::mem::take(rest)),
            Self::Bands { band, take } => {
                let left = strip.finish_row(row, band).len();
                let (lines, _) = band.split_at(band.len() - left);
                if !lines.is_empty() {
                    take(lines);
                }
            }
        }
    }
}

/// The strip.
#[derive(Debug)]
pub(crate) struct Strip<'a> {
    plan: &'a Plan,
    kernels: Kernels,
    colour: Colour,
    samples: &'a mut [u8],
    /// A line for each component.
    lines: &'a mut [u8],
    /// For blocks of 8, 4 and 2 samples.
    batches: [Batch; 3],
    /// The next line of the scaled picture.
    next: u32,
}

/// Where the batch of a size lives, and how many blocks it takes.
const fn batch_of(size: u32) -> (usize, usize) {
    match size {
        8 => (0, 2),
        4 => (1, BATCH),
        _ => (2, BATCH),
    }
}

impl<'a> Strip<'a> {
    /// Bytes of samples and of lines that a plan needs.
    pub(crate) fn len(plan: &Plan) -> usize {
        plan.strip + plan.planes.len() * plan.line_len()
    }

    /// `memory` has at least [`Self::len`] bytes, of any content.
    pub(crate) fn new(plan: &'a Plan, kernels: Kernels, colour: Colour, memory: &'a mut [u8]) -> Self {
        let (samples, lines) = memory.split_at_mut(plan.strip);
        let batches = [Batch::EMPTY, Batch::EMPTY, Batch::EMPTY];
        Self { plan, kernels, colour, samples, lines, batches, next: plan.region.y }
    }

    /// The same, with the lines before `line` left to somebody else.
    pub(crate) fn going_on_at(self, line: u32) -> Self {
        Self { next: line, ..self }
    }

    /// Where block (`x`, `y`) of this MCU row goes; `y` counts from the row's top.
    #[inline(always)]
    fn place(plane: &Plane, x: u32, y: u32) -> Place {
        // The first row is the one above.
        let row = (y * plane.size) as usize + 1;
        Place { offset: plane.base + row * plane.stride + (x * plane.size) as usize, stride: plane.stride }
    }

    /// A zeroed block to fill with coefficients, for [`Self::push`].
    #[inline(always)]
    pub(crate) fn slot(&mut self, plane: &Plane) -> &mut Block {
        let batch = &mut self.batches[batch_of(plane.size).0];
        &mut batch.blocks[batch.len & (BATCH - 1)]
    }

    /// The slot's block is complete and goes to (`x`, `y`).
    #[inline(always)]
    pub(crate) fn push(&mut self, plane: &Plane, x: u32, y: u32) {
        let (index, capacity) = batch_of(plane.size);
        let batch = &mut self.batches[index];
        batch.places[batch.len & (BATCH - 1)] = Self::place(plane, x, y);
        batch.len += 1;
        if batch.len == capacity {
            self.flush(index);
        }
    }

    fn flush(&mut self, index: usize) {
        let batch = &mut self.batches[index];
        let transform = [self.kernels.idct8, self.kernels.idct4, self.kernels.idct2][index];
        transform(&batch.blocks, &batch.places[..batch.len], self.samples);
        // What lies beyond a reduced block is never looked at.
        let used = [64, 16, 4][index];
        for block in &mut batch.blocks[..batch.len] {
            block[..used].fill(0);
        }
        batch.len = 0;
    }

    /// A block that is flat: its dequantised DC alone.
    #[inline(always)]
    pub(crate) fn flat(&mut self, plane: &Plane, x: u32, y: u32, dc: i16) {
        let value = (((i32::from(dc) + 4) >> 3) + 128).clamp(0, 255) as u8;
        let Place { offset, stride } = Self::place(plane, x, y);
        let size = plane.size as usize;
        match size {
            1 => self.samples[offset] = value,
            8 => {
                for row in 0..8 {
                    let at = offset + row * stride;
                    self.samples[at..at + 8].copy_from_slice(&[value; 8]);
                }
            }
            _ => {
                for row in 0..size {
                    let at = offset + row * stride;
                    self.samples[at..at + size].fill(value);
                }
            }
        }
    }

    /// MCU row `row` is complete: writes the lines that it makes possible to the front of `out`, and gives the rest.
    fn finish_row<'o>(&mut self, row: u32, mut out: &'o mut [u8]) -> &'o mut [u8] {
        for index in 0..3 {
            self.flush(index);
        }
        let until = self.plan.until(row);
        let length = self.plan.region.width as usize * crate::plan::Layout::of(self.colour).channels();
        while self.next < until {
            if out.len() < length {
                break;
            }
            let (line, rest) = out.split_at_mut(length);
            self.line(row, self.next, line);
            out = rest;
            self.next += 1;
        }
        for plane in &self.plan.planes {
            let last = plane.base + plane.rows() as usize * plane.stride;
            self.samples.copy_within(last..last + plane.stride, plane.base);
        }
        out
    }

    /// Writes line `y`.
    fn line(&mut self, row: u32, y: u32, out: &mut [u8]) {
        let region = self.plan.region;
        let (x, width) = (region.x as usize, region.width as usize);
        let (samples, kernels) = (&*self.samples, &self.kernels);
        let mut channels: [&[u8]; 4] = [&[]; 4];
        let buffers = self.lines.chunks_exact_mut(self.plan.line_len());
        for ((plane, buffer), channel) in self.plan.planes.iter().zip(buffers).zip(&mut channels) {
            let at = |r: u32| {
                let index = (r + 1).saturating_sub(row * plane.rows()) as usize;
                let start = plane.base + index * plane.stride;
                &samples[start..start + plane.stride]
            };
            *channel = match plane.upsample {
                Upsample::None => &at(y)[x..x + width],
                Upsample::Nearest { of_x, to_x, of_y, to_y } => {
                    let line = at((u64::from(y) * u64::from(of_y) / u64::from(to_y)) as u32);
                    nearest(line, region.x, of_x, to_x, &mut buffer[..width]);
                    &buffer[..width]
                }
                Upsample::Down => {
                    let (near, far) = pair(plane, y);
                    let round = if y.is_multiple_of(2) { 1 } else { 2 };
                    let part = x..x + width;
                    (kernels.down)(&at(near)[part.clone()], &at(far)[part], round, &mut buffer[..width]);
                    &buffer[..width]
                }
                Upsample::Across | Upsample::Both => {
                    // One sample more on either side where there is one, cut off again below.
                    let (from, to) = ((x / 2).saturating_sub(1), ((x + width - 1) / 2 + 2).min(plane.width as usize));
                    let doubled = &mut buffer[..2 * (to - from)];
                    if plane.upsample == Upsample::Across {
                        (kernels.across)(&at(y)[from..to], doubled);
                    } else {
                        let (near, far) = pair(plane, y);
                        (kernels.both)(&at(near)[from..to], &at(far)[from..to], doubled);
                    }
                    &buffer[x - 2 * from..][..width]
                }
            };
        }
        convert(self.colour, kernels, channels, out);
    }
}

/// The rows between which line `y` lies: the nearer one and the other.
fn pair(plane: &Plane, y: u32) -> (u32, u32) {
    let near = y / 2;
    let far = if y.is_multiple_of(2) { near.saturating_sub(1) } else { near + 1 };
    (near.min(plane.height - 1), far.min(plane.height - 1))
}

fn nearest(line: &[u8], x: u32, of: u32, to: u32, out: &mut [u8]) {
    for (out, at) in out.iter_mut().zip(u64::from(x)..) {
        *out = line[(at * u64::from(of) / u64::from(to)) as usize];
    }
}

/// Interleaves a line's components in the output's colours.
fn convert(colour: Colour, kernels: &Kernels, [a, b, c, d]: [&[u8]; 4], out: &mut [u8]) {
    match colour {
        Colour::Gray => out.copy_from_slice(a),
        Colour::YCbCr => (kernels.ycc_to_rgb)(a, b, c, out),
        Colour::Rgb => {
            for (((pixel, &a), &b), &c) in out.chunks_exact_mut(3).zip(a).zip(b).zip(c) {
                pixel.copy_from_slice(&[a, b, c]);
            }
        }
        Colour::Cmyk => {
            for ((((pixel, &a), &b), &c), &d) in out.chunks_exact_mut(4).zip(a).zip(b).zip(c).zip(d) {
                pixel.copy_from_slice(&[a, b, c, d]);
            }
        }
        Colour::Ycck => {
            let mut rgb = [0u8; 3 * SLACK];
            let parts = a.chunks(SLACK).zip(b.chunks(SLACK)).zip(c.chunks(SLACK)).zip(d.chunks(SLACK));
            for (out, (((y, cb), cr), k)) in out.chunks_mut(4 * SLACK).zip(parts) {
                (kernels.ycc_to_rgb)(y, cb, cr, &mut rgb[..3 * y.len()]);
                for ((pixel, rgb), &k) in out.chunks_exact_mut(4).zip(rgb.chunks_exact(3)).zip(k) {
                    pixel.copy_from_slice(&[255 - rgb[0], 255 - rgb[1], 255 - rgb[2], k]);
                }
            }
        }
    }
}
