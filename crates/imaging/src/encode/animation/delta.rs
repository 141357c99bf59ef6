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

/// Whether they look alike: equal transparency, and channels that are at most `tolerance` apart.
pub(super) fn alike(a: Pixel, b: Pixel, tolerance: u8) -> bool {
    same(a, b) || (a[3] == b[3] && (0..3).all(|channel| a[channel].abs_diff(b[channel]) <= tolerance))
}

/// Side of the squares that are left out whole: those that a lossy coder works in.
const BLOCK: usize = 8;

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

    /// The squares of this part, the last ones of a row or column being smaller.
    fn blocks(self) -> impl Iterator<Item = Self> {
        let Self { left, top, width, height } = self;
        (0..height).step_by(BLOCK).flat_map(move |y| {
            (0..width).step_by(BLOCK).map(move |x| Self {
                left: left + x,
                top: top + y,
                width: BLOCK.min(width - x),
                height: BLOCK.min(height - y),
            })
        })
    }

    fn pairs<'a>(&self, before: &'a Bitmap, after: &'a Bitmap) -> impl Iterator<Item = (Pixel, Pixel)> + use<'a> {
        let rows = self.rows(before).zip(self.rows(after));
        rows.flat_map(|(before, after)| before.iter().copied().zip(after.iter().copied()))
    }

    /// The squares that change, where leaving out the others pays: where they are many, and what changes is opaque, so
    /// that it can be laid over.
    pub(super) fn changing(self, before: &Bitmap, after: &Bitmap, tolerance: u8) -> Option<Vec<Self>> {
        let mut total = 0;
        let changes = |block: &Self| {
            total += 1;
            block.pairs(before, after).any(|(a, b)| !alike(a, b, tolerance))
        };
        let changing: Vec<Self> = self.blocks().filter(changes).collect();
        let opaque = |block: &Self| block.pairs(before, after).all(|(_, now)| now[3] == u8::MAX);
        (changing.len() * 8 <= total * 7 && changing.iter().all(opaque)).then_some(changing)
    }

    /// This part of a frame with only these of its squares, the rest transparent.
    pub(super) fn cut_blocks(&self, frame: &Bitmap, blocks: &[Self], scratch: &mut Scratch) -> Bitmap {
        let mut pixels = scratch.take(self.width * self.height * CHANNELS);
        pixels.fill(0);
        let mut part = self.bitmap(pixels);
        for block in blocks {
            block.moved(self).fill(&mut part, block.rows(frame));
        }
        part
    }

    /// Makes this part of a frame the same as that of another.
    pub(super) fn copy(&self, from: &Bitmap, to: &mut Bitmap) {
        self.fill(to, self.rows(from));
    }

    /// Where it lies in `part`, which holds it.
    fn moved(self, part: &Self) -> Self {
        Self { left: self.left - part.left, top: self.top - part.top, ..self }
    }

    fn fill<'a>(&self, frame: &mut Bitmap, rows: impl Iterator<Item = &'a [Pixel]>) {
        let stride = frame.width() as usize * CHANNELS;
        for (to, row) in frame.pixels_mut().chunks_exact_mut(stride).skip(self.top).zip(rows) {
            let to = to.as_chunks_mut::<CHANNELS>().0.get_mut(self.left..self.left + self.width);
            to.unwrap_or_default().copy_from_slice(row);
        }
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
    fn squares_that_look_alike_are_left_out() {
        let scratch = &mut Scratch::new(1 << 12);
        let plain = |value: u8| Bitmap::new(20, 9, Layout::Rgba, [value, value, value, 255].repeat(180));
        let (before, mut after) = (plain(100), plain(102));
        after.pixels_mut()[4..8].copy_from_slice(&[0, 0, 0, 255]);
        let all = Rect::all(&after);
        let first = Rect { left: 0, top: 0, width: 8, height: 8 };
        assert_eq!(all.changing(&before, &after, 2), Some(vec![first]));
        assert_eq!(all.changing(&before, &after, 1), None, "all of it changes");
        let cut = all.cut_blocks(&after, &[first], scratch);
        assert_eq!(cut.pixels()[..8], [102, 102, 102, 255, 0, 0, 0, 255]);
        assert_eq!(cut.pixels()[8 * 4..9 * 4], [0; 4]);
        let mut shown = before.clone();
        first.copy(&after, &mut shown);
        assert!(shown.pixels()[4..8] == [0, 0, 0, 255] && shown.pixels()[8 * 4] == 100);
        after.pixels_mut()[7] = 128;
        assert_eq!(all.changing(&before, &after, 2), None, "half of a pixel cannot be laid over");
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
