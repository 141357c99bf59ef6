//! What one frame changes of the one before it.

use crate::bitmap::{Bitmap, Layout};
use crate::scratch::Scratch;

/// A part of a frame, in pixels; no side is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

type Pixel = [u8; 4];
const CHANNELS: usize = Layout::Rgba.channels();

/// Whether two pixels look the same: what is transparent has no colour.
pub(super) fn same(a: Pixel, b: Pixel) -> bool {
    a == b || (a[3] == 0 && b[3] == 0)
}

impl Rect {
    pub(super) fn all(frame: &Bitmap) -> Self {
        Self { left: 0, top: 0, width: frame.width() as usize, height: frame.height() as usize }
    }

    /// One pixel, for frames that change nothing: they are frames all the same.
    pub(super) const DOT: Self = Self { left: 0, top: 0, width: 1, height: 1 };

    /// The smallest one that holds every pixel for which `differs` of the two frames' pixels holds. Both are RGBA and of
    /// one size.
    pub(super) fn bounding(before: &Bitmap, after: &Bitmap, differs: impl Fn(Pixel, Pixel) -> bool) -> Option<Self> {
        let width = after.width() as usize;
        let stride = width * CHANNELS;
        let (mut top, mut bottom, mut left, mut right) = (None, 0, width, 0);
        let rows = before.pixels().chunks_exact(stride).zip(after.pixels().chunks_exact(stride));
        for (y, (a, b)) in rows.enumerate() {
            // Whole rows are compared at once: most of them are equal.
            if a == b {
                continue;
            }
            let (a, b) = (a.as_chunks::<CHANNELS>().0, b.as_chunks::<CHANNELS>().0);
            let pairs = || a.iter().zip(b).map(|(&a, &b)| differs(a, b));
            let Some(first) = pairs().position(|differs| differs) else { continue };
            let last = pairs().rposition(|differs| differs).unwrap_or(first);
            (left, right) = (left.min(first), right.max(last));
            top.get_or_insert(y);
            bottom = y;
        }
        let top = top?;
        Some(Self { left, top, width: right + 1 - left, height: bottom + 1 - top })
    }

    /// The smallest one that holds both.
    pub(super) fn union(self, other: Self) -> Self {
        let (left, top) = (self.left.min(other.left), self.top.min(other.top));
        let right = (self.left + self.width).max(other.left + other.width);
        let bottom = (self.top + self.height).max(other.top + other.height);
        Self { left, top, width: right - left, height: bottom - top }
    }

    /// With its left and upper edge on even coordinates.
    pub(super) fn even(self) -> Self {
        let (left, top) = (self.left & !1, self.top & !1);
        Self { left, top, width: self.width + self.left - left, height: self.height + self.top - top }
    }

    /// This part of the rows of an RGBA frame.
    fn rows<'a>(&self, frame: &'a Bitmap) -> impl Iterator<Item = &'a [Pixel]> + use<'a> {
        let Self { left, top, width, height } = *self;
        let rows = frame.pixels().chunks_exact(frame.width() as usize * CHANNELS).skip(top).take(height);
        rows.map(move |row| row.as_chunks::<CHANNELS>().0.get(left..left + width).unwrap_or_default())
    }

    /// This part of a frame, alone.
    pub(super) fn cut(&self, frame: &Bitmap, scratch: &mut Scratch) -> Bitmap {
        let mut pixels = scratch.take(self.width * self.height * CHANNELS);
        for (to, row) in pixels.chunks_exact_mut(self.width * CHANNELS).zip(self.rows(frame)) {
            to.copy_from_slice(row.as_flattened());
        }
        self.bitmap(pixels)
    }

    /// The same, with nothing (transparent black) where `before` shows the same already.
    pub(super) fn cut_changes(&self, before: &Bitmap, after: &Bitmap, scratch: &mut Scratch) -> Bitmap {
        let mut pixels = scratch.take(self.width * self.height * CHANNELS);
        let rows = self.rows(before).zip(self.rows(after));
        for (to, (before, after)) in pixels.chunks_exact_mut(self.width * CHANNELS).zip(rows) {
            for ((to, &a), &b) in to.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(before).zip(after) {
                *to = if same(a, b) { [0; CHANNELS] } else { b };
            }
        }
        self.bitmap(pixels)
    }

    /// Whether every changed pixel of this part is opaque now: then the rest may be left out and the part be laid over.
    pub(super) fn covers(&self, before: &Bitmap, after: &Bitmap) -> bool {
        let mut rows = self.rows(before).zip(self.rows(after));
        rows.all(|(before, after)| before.iter().zip(after).all(|(&a, &b)| b[3] == u8::MAX || same(a, b)))
    }

    /// Makes this part of a frame transparent.
    pub(super) fn clear(&self, frame: &mut Bitmap) {
        let stride = frame.width() as usize * CHANNELS;
        for row in frame.pixels_mut().chunks_exact_mut(stride).skip(self.top).take(self.height) {
            let part = row.get_mut(self.left * CHANNELS..(self.left + self.width) * CHANNELS);
            part.unwrap_or_default().fill(0);
        }
    }

    fn bitmap(&self, pixels: Vec<u8>) -> Bitmap {
        let side = |length: usize| u32::try_from(length).expect("a part is no larger than the frame");
        Bitmap::new(side(self.width), side(self.height), Layout::Rgba, pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(marks: &[(usize, Pixel)]) -> Bitmap {
        let mut pixels = [9, 9, 9, 255].repeat(5 * 4);
        for &(at, pixel) in marks {
            pixels[at * 4..at * 4 + 4].copy_from_slice(&pixel);
        }
        Bitmap::new(5, 4, Layout::Rgba, pixels)
    }

    #[test]
    fn the_smallest_rectangle_is_found() {
        let (before, after) = (frame(&[]), frame(&[(6, [1, 1, 1, 255]), (13, [2, 2, 2, 0])]));
        let found = Rect::bounding(&before, &after, |a, b| !same(a, b)).expect("they differ");
        assert_eq!(found, Rect { left: 1, top: 1, width: 3, height: 2 });
        assert_eq!(found.even(), Rect { left: 0, top: 0, width: 4, height: 3 });
        assert_eq!(Rect::bounding(&before, &before, |a, b| !same(a, b)), None);
        let clear = |red| frame(&[(0, [red, 0, 0, 0])]);
        assert_eq!(Rect::bounding(&clear(1), &clear(2), |a, b| !same(a, b)), None, "nobody sees these colours");
        assert!(!found.covers(&before, &after));
        assert!(found.covers(&before, &frame(&[(6, [1, 1, 1, 255])])));
    }

    #[test]
    fn what_did_not_change_is_left_out() {
        let scratch = &mut Scratch::new(1 << 10);
        scratch.give(vec![77; 64]);
        let (before, after) = (frame(&[]), frame(&[(6, [1, 1, 1, 255]), (8, [2, 2, 2, 255])]));
        let part = Rect { left: 1, top: 1, width: 3, height: 1 };
        assert_eq!(part.cut_changes(&before, &after, scratch).pixels(), [1, 1, 1, 255, 0, 0, 0, 0, 2, 2, 2, 255]);
        assert_eq!(part.cut(&after, scratch).pixels(), [1, 1, 1, 255, 9, 9, 9, 255, 2, 2, 2, 255]);
        let mut cleared = after;
        part.clear(&mut cleared);
        assert_eq!(cleared.pixels()[24..36], [0; 12]);
        assert_eq!(cleared.pixels()[20..24], [9, 9, 9, 255]);
    }
}
