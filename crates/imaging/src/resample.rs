//! Lanczos3 on rows as they come, so that no picture needs to be whole in memory: sums for the few rows of the result
//! that are under way, and the result. It knows no file format and no transform.
//!
//! The order is `fast_image_resize`'s: first down, to bytes, then across, with the same 16-bit weights; so are the
//! pixels, on every machine. Invariants: every source row is looked at once; rows that nobody needs cost nothing.

mod axis;
mod kernel;

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::op::channels::drop_alpha;
use crate::op::premultiply::{all_opaque, premultiply_rows, unpremultiply};
use crate::op::resize::Resize;
use crate::scratch::Scratch;
use axis::Axis;
use cache_key::transform::Resample;
use kernel::{Kernels, Part};

/// Bytes behind each line, so that vectors may be read whole.
const SLACK: usize = 64;
/// Lines that go across together.
const TOGETHER: usize = 2;

/// A resize under way.
#[derive(Debug)]
pub(crate) struct Stream {
    resize: Resize,
    layout: Layout,
    /// Bytes of a source row.
    stride: usize,
    down: Axis,
    across: Axis,
    /// Bytes of a source row that are used: from, and how many.
    used: (usize, usize),
    kernels: Kernels,
    /// A line for each row of the result that is under way at once, in the kernels' own order.
    sums: Vec<i32>,
    /// How many those are.
    lanes: usize,
    /// Lines that are summed up and wait to go across.
    lines: Vec<u8>,
    waiting: usize,
    /// The next source row.
    next: u32,
    /// Rows of the result that are summed up.
    done: u32,
    /// Whether any source row was not opaque.
    transparent: bool,
    pixels: Vec<u8>,
}

impl Stream {
    /// Whether a resize is better done on rows than on a whole bitmap: it is by Lanczos3, makes pixels fewer, and mixes
    /// them.
    pub(crate) fn suits(resize: &Resize) -> bool {
        let window = resize.window;
        resize.resample == Resample::default()
            && resize.bounds.is_none()
            && f64::from(resize.width) <= window.width
            && f64::from(resize.height) <= window.height
            && (f64::from(resize.width) < window.width || f64::from(resize.height) < window.height)
    }

    /// Begins; the source has `width` × `height` pixels, in which the window of `resize` lies.
    pub(crate) fn new(resize: Resize, layout: Layout, (width, height): (u32, u32), scratch: &mut Scratch) -> Self {
        let window = resize.window;
        let down = Axis::lanczos3(height, window.y, window.height, resize.height);
        let across = Axis::lanczos3(width, window.x, window.width, resize.width);
        let channels = layout.channels();
        let columns = across.used();
        let used = (columns.start as usize * channels, columns.len() * channels);
        let lanes = down.overlap();
        let line = used.1 + SLACK;
        Self {
            resize,
            layout,
            stride: width as usize * channels,
            used,
            kernels: Kernels::detect(),
            sums: vec![0; lanes * used.1],
            lanes,
            lines: scratch.take(TOGETHER * line),
            waiting: 0,
            next: 0,
            done: 0,
            transparent: false,
            pixels: scratch.take(resize.width as usize * resize.height as usize * channels),
            down,
            across,
        }
    }

    /// Bytes that a stream needs beside the rows that it is given, its result included.
    pub(crate) fn memory(resize: &Resize, layout: Layout, (width, height): (u32, u32)) -> u64 {
        // Each source row is looked at by the rows of the result within reach, and those that rounding adds.
        let ratio = (resize.window.height / f64::from(resize.height)).max(1.0);
        let lanes = (((6.0 * ratio + 2.0) / ratio).ceil() as u64 + 1).min(resize.height.into());
        let channels = layout.channels() as u64;
        let taps = |input: u32, length: f64, output: u32| {
            let taps = (6.0 * (length / f64::from(output)).max(1.0)).ceil() as u64 + 8;
            2 * taps.min(u64::from(input) + 8) * u64::from(output)
        };
        let weights =
            taps(height, resize.window.height, resize.height) + taps(width, resize.window.width, resize.width);
        let line = u64::from(width) * channels + SLACK as u64;
        line * (4 * lanes + TOGETHER as u64) + weights + u64::from(resize.width) * u64::from(resize.height) * channels
    }

    /// The source rows that are looked at: others need not be given, only passed over by [`Self::pass`].
    pub(crate) fn rows(&self) -> std::ops::Range<u32> {
        self.down.used()
    }

    /// Passes over rows that nobody looks at.
    pub(crate) fn pass(&mut self, rows: u32) {
        self.next += rows;
    }

    /// Takes the next rows, any number of them. They are premultiplied in place where they have alpha.
    ///
    /// # Errors
    /// [`Error::Internal`], never in fact.
    pub(crate) fn push(&mut self, rows: &mut [u8]) -> Result<(), Error> {
        if self.layout == Layout::Rgba && !all_opaque(rows) {
            self.transparent = true;
            let width = (self.stride / self.layout.channels()) as u32;
            premultiply_rows(rows, width)?;
        }
        self.push_opaque(rows);
        Ok(())
    }

    /// The same for rows without alpha, or multiplied by it already.
    pub(crate) fn push_opaque(&mut self, rows: &[u8]) {
        let from = self.next;
        self.next += (rows.len() / self.stride) as u32;
        for y in self.done..self.resize.height {
            if self.down.span(y).start >= self.next {
                break;
            }
            self.sum(y, from, rows);
        }
    }

    /// Adds to row `y` of the result what it needs of `rows`, which begin with source row `from`.
    fn sum(&mut self, y: u32, from: u32, rows: &[u8]) {
        let span = self.down.span(y);
        let (first, end) = (span.start.max(from), span.end.min(self.next));
        if first >= end {
            return;
        }
        let begin = (first - from) as usize * self.stride + self.used.0;
        let part = Part {
            rows: &rows[begin..(end - from - 1) as usize * self.stride + self.used.0 + self.used.1],
            stride: self.stride,
            weights: &self.down.weights(y as usize)[(first - span.start) as usize..(end - span.start) as usize],
            precision: self.down.precision(),
            begins: first == span.start,
            ends: end == span.end,
        };
        let sums = &mut self.sums[y as usize % self.lanes * self.used.1..][..self.used.1];
        let line = &mut self.lines[self.waiting * (self.used.1 + SLACK)..][..self.used.1];
        (self.kernels.down)(&part, sums, line);
        if part.ends {
            self.done = y + 1;
            self.waiting += 1;
            if self.waiting == TOGETHER {
                self.go_across();
            }
        }
    }

    /// Makes rows of the result of the lines that wait.
    fn go_across(&mut self) {
        let channels = self.layout.channels();
        let row = self.resize.width as usize * channels;
        let first = self.done as usize - self.waiting;
        let (a, b) = self.lines.split_at(self.used.1 + SLACK);
        let mut rows = self.pixels[first * row..].chunks_exact_mut(row).take(self.waiting);
        // Where only one line is left, its twin's result goes nowhere.
        let mut aside = Vec::new();
        let into_a = rows.next().unwrap_or_default();
        let into_b = rows.next().unwrap_or_else(|| {
            aside.resize(row, 0);
            &mut aside
        });
        let from = self.across.used().start;
        (self.kernels.across)(&self.across, from, [a, b], [into_a, into_b], channels);
        self.waiting = 0;
    }

    /// The result. Rows that were never given count as 0.
    ///
    /// # Errors
    /// [`Error::Internal`], never in fact.
    pub(crate) fn finish(mut self, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        if self.waiting > 0 {
            self.go_across();
        }
        let row = self.resize.width as usize * self.layout.channels();
        self.pixels[self.done as usize * row..].fill(0);
        scratch.give(self.lines);
        let mut bitmap = Bitmap::new(self.resize.width, self.resize.height, self.layout, self.pixels);
        if self.transparent {
            unpremultiply(&mut bitmap)?;
            return Ok(bitmap);
        }
        Ok(drop_alpha(bitmap))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Window;
    use crate::limits::Watch;
    use crate::op::Operation;
    use proptest::prelude::*;

    fn noise(mut seed: u32, len: usize) -> Vec<u8> {
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    fn streamed(bitmap: &Bitmap, resize: Resize, at_once: usize, kernels: Kernels) -> Bitmap {
        let scratch = &mut Scratch::new(1 << 20);
        let mut stream = Stream::new(resize, bitmap.layout(), (bitmap.width(), bitmap.height()), scratch);
        stream.kernels = kernels;
        let stride = bitmap.width() as usize * bitmap.layout().channels();
        let rows = stream.rows();
        stream.pass(rows.start);
        let needed = &bitmap.pixels()[rows.start as usize * stride..rows.end as usize * stride];
        for part in needed.chunks(at_once * stride) {
            stream.push(&mut part.to_vec()).expect("taken");
        }
        stream.finish(scratch).expect("finished")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// The same pixels as `fast_image_resize` makes of the whole picture.
        #[test]
        fn rows_give_what_the_whole_gives(
            (width, height) in (1u32..150, 1u32..150),
            (left, top, right, bottom) in (0.0f64..0.4, 0.0f64..0.4, 0.0f64..0.4, 0.0f64..0.4),
            (across, down) in (1.0f64..40.0, 1.0f64..40.0),
            (layout, at_once, seed) in (0usize..3, 1usize..40, any::<u32>()),
        ) {
            let layout = [Layout::Gray, Layout::Rgb, Layout::Rgba][layout];
            let (w, h) = (f64::from(width), f64::from(height));
            let window = Window { x: w * left, y: h * top, width: w * (1.0 - left - right), height: h * (1.0 - top - bottom) };
            let size = |length: f64, by: f64| ((length / by).floor() as u32).max(1);
            let resize = Resize { window, width: size(window.width, across), height: size(window.height, down), bounds: None, resample: Resample::default() };
            prop_assume!(Stream::suits(&resize));
            let bitmap = Bitmap::new(width, height, layout, noise(seed, width as usize * height as usize * layout.channels()));
            let ours = streamed(&bitmap, resize, at_once, Kernels::detect());
            prop_assert_eq!(&ours, &streamed(&bitmap, resize, 7, Kernels::SCALAR));
            let whole = resize.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("resized");
            prop_assert_eq!((whole.width(), whole.height(), whole.layout()), (ours.width(), ours.height(), ours.layout()));
            let apart = whole.pixels().iter().zip(ours.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
            // Dividing by a small alpha makes much of little.
            prop_assert!(apart <= Some(1), "{apart:?}");
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_height() {
        let need = |height: u32| {
            let window = Window { x: 0.0, y: 0.0, width: 10_000.0, height: height.into() };
            Stream::memory(
                &Resize { window, width: 100, height: height / 100, bounds: None, resample: Resample::default() },
                Layout::Rgb,
                (10_000, height),
            )
        };
        assert!(need(10_000) < 2 << 20, "{}", need(10_000));
        assert!(need(20_000) < need(10_000) + (1 << 20));
    }

    #[test]
    fn memory_is_foretold() {
        let window = Window { x: 10.5, y: 3.0, width: 1900.0, height: 1200.0 };
        for (width, height) in [(800, 600), (100, 60), (1, 1), (1900, 1199)] {
            let resize = Resize { window, width, height, bounds: None, resample: Resample::default() };
            let stream = Stream::new(resize, Layout::Rgb, (2000, 1300), &mut Scratch::new(0));
            let axes = stream.down.bytes() + stream.across.bytes();
            let held = (stream.sums.len() * 4 + stream.lines.len() + stream.pixels.len() + axes) as u64;
            let told = Stream::memory(&resize, Layout::Rgb, (2000, 1300));
            assert!(held <= told && told < held * 3 / 2 + 4096, "{width} × {height}: {held} of {told}");
        }
    }
}
