//! Coverage: how much of each pixel the glyphs' outlines cover, exactly (signed areas summed up along each row).
//!
//! Invariant: what lies outside of the mask is cut off before anything is allocated for it.

use super::shape::{Faces, Glyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{GlyphId, MetadataProvider};

/// Coverage of a rectangle of pixels, 0–255.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mask {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) values: Vec<u8>,
}

/// Most pieces that one curve is cut into: at the largest sizes still shorter than two pixels' error would show.
const MAX_PIECES: f32 = 64.0;

impl Mask {
    pub(crate) fn new(width: usize, height: usize) -> Self {
        Self { width, height, values: vec![0; width * height] }
    }

    /// Adds a glyph whose line begins at `(x, baseline)`; overlapping glyphs become one. Returns how many pixels were
    /// looked at.
    pub(crate) fn draw(&mut self, faces: &Faces<'_>, glyph: Glyph, (x, baseline): (f32, f32)) -> usize {
        let Some(font) = faces.font(glyph.face) else { return 0 };
        let Some(outline) = font.outline_glyphs().get(GlyphId::new(glyph.id)) else { return 0 };
        let mut pen = Pen::new(x + glyph.x, baseline - glyph.y);
        // A glyph that is damaged is drawn as far as it goes.
        let settings = DrawSettings::unhinted(Size::new(faces.size), LocationRef::default());
        let _ = outline.draw(settings, &mut pen);
        pen.close();
        self.fill(&pen.lines)
    }

    fn fill(&mut self, lines: &[[(f32, f32); 2]]) -> usize {
        let points = || lines.iter().flatten();
        let low = |of: fn(&(f32, f32)) -> f32| points().map(of).fold(f32::INFINITY, f32::min);
        let high = |of: fn(&(f32, f32)) -> f32| points().map(of).fold(f32::NEG_INFINITY, f32::max);
        // Casts of floats saturate: what lies left of or above the mask begins at 0.
        let clip =
            |from: f32, to: f32, side: usize| ((from.floor() as usize).min(side), (to.ceil() as usize).min(side));
        let (left, right) = clip(low(|p| p.0), high(|p| p.0), self.width);
        let (top, bottom) = clip(low(|p| p.1), high(|p| p.1), self.height);
        if left >= right || top >= bottom {
            return 0;
        }
        let mut sums = Sums::new(right - left, bottom - top);
        for &[from, to] in lines {
            let shift = |(x, y): (f32, f32)| (x - left as f32, y - top as f32);
            sums.add(shift(from), shift(to));
        }
        let rows = self.values.chunks_exact_mut(self.width).skip(top);
        for (row, sums) in rows.zip(sums.cells.chunks_exact(sums.width + 1)) {
            let mut sum = 0.0_f32;
            for (value, cell) in row.iter_mut().skip(left).zip(&sums[..sums.len() - 1]) {
                sum += cell;
                *value = (*value).max((sum.abs().min(1.0) * 255.0).round() as u8);
            }
        }
        sums.cells.len()
    }
}

/// An outline as straight lines, y downwards.
struct Pen {
    origin: (f32, f32),
    start: (f32, f32),
    at: (f32, f32),
    lines: Vec<[(f32, f32); 2]>,
}

impl Pen {
    fn new(x: f32, y: f32) -> Self {
        Self { origin: (x, y), start: (x, y), at: (x, y), lines: Vec::new() }
    }

    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.origin.0 + x, self.origin.1 - y)
    }

    fn line(&mut self, to: (f32, f32)) {
        if to.0.is_finite() && to.1.is_finite() {
            self.lines.push([self.at, to]);
            self.at = to;
        }
    }

    /// A curve of that many pixels' bend as pieces, each off by less than an eighth of a pixel.
    fn curve(&mut self, bend: f32, at: impl Fn(f32) -> (f32, f32)) {
        let pieces = bend.sqrt().ceil().clamp(1.0, MAX_PIECES);
        for piece in 1..=pieces as u32 {
            self.line(at(piece as f32 / pieces));
        }
    }
}

/// How far the middle point lies off the middle of its neighbours, pixels.
fn bend(a: (f32, f32), b: (f32, f32), c: (f32, f32)) -> f32 {
    (a.0 - 2.0 * b.0 + c.0).hypot(a.1 - 2.0 * b.1 + c.1)
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.close();
        self.start = self.place(x, y);
        self.at = self.start;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.line(self.place(x, y));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (a, b, c) = (self.at, self.place(cx, cy), self.place(x, y));
        self.curve(bend(a, b, c), |t| {
            let s = 1.0 - t;
            let mix = |a: f32, b: f32, c: f32| s * s * a + 2.0 * s * t * b + t * t * c;
            (mix(a.0, b.0, c.0), mix(a.1, b.1, c.1))
        });
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        let (a, b, c, d) = (self.at, self.place(cx0, cy0), self.place(cx1, cy1), self.place(x, y));
        self.curve(3.0 * bend(a, b, c).max(bend(b, c, d)), |t| {
            let s = 1.0 - t;
            let mix = |a: f32, b: f32, c: f32, d: f32| {
                s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
            };
            (mix(a.0, b.0, c.0, d.0), mix(a.1, b.1, c.1, d.1))
        });
    }

    fn close(&mut self) {
        if self.at != self.start {
            self.line(self.start);
        }
    }
}

/// Changes of coverage from pixel to pixel, one cell more in each row than it has pixels.
struct Sums {
    width: usize,
    height: usize,
    cells: Vec<f32>,
}

impl Sums {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![0.0; (width + 1) * height] }
    }

    /// Everything to the right of the line gains or loses, by its direction, as much as the line is high.
    fn add(&mut self, from: (f32, f32), to: (f32, f32)) {
        let (sign, from, to) = if from.1 <= to.1 { (1.0, from, to) } else { (-1.0, to, from) };
        if from.1 == to.1 {
            return;
        }
        let slope = (to.0 - from.0) / (to.1 - from.1);
        let first = from.1.floor().max(0.0) as usize;
        let last = (to.1.ceil().max(0.0) as usize).min(self.height);
        let rows = self.cells.chunks_exact_mut(self.width + 1).enumerate();
        for (y, row) in rows.skip(first).take(last.saturating_sub(first)) {
            let (top, bottom) = (from.1.max(y as f32), to.1.min(y as f32 + 1.0));
            let at = |y: f32| (from.0 + (y - from.1) * slope).clamp(0.0, self.width as f32);
            add_to_row(row, at(top), at(bottom), sign * (bottom - top).max(0.0));
        }
    }
}

/// A piece of line within one row, from `x` to another `x`, `height` high: pixel by pixel, each gains what lies to the
/// right of the line in it, and the next one the rest.
fn add_to_row(row: &mut [f32], from: f32, to: f32, height: f32) {
    let (left, right) = if from <= to { (from, to) } else { (to, from) };
    let (first, last) = (left.floor() as usize, right.floor() as usize);
    for pixel in first..=last {
        let (enters, leaves) = ((pixel as f32).max(left), (pixel as f32 + 1.0).min(right));
        let part = if first == last { height } else { height * (leaves - enters) / (right - left) };
        let rest = part * ((enters + leaves) / 2.0 - pixel as f32);
        for (at, value) in [(pixel, part - rest), (pixel + 1, rest)] {
            if let Some(cell) = row.get_mut(at) {
                *cell += value;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A closed outline through these points.
    fn drawn(width: usize, height: usize, outline: &[(f32, f32)]) -> Mask {
        let mut mask = Mask::new(width, height);
        let ends = outline.iter().cycle().skip(1);
        let lines: Vec<_> = outline.iter().zip(ends).map(|(from, to)| [*from, *to]).collect();
        mask.fill(&lines);
        mask
    }

    #[test]
    fn coverage_is_the_area() {
        let square = drawn(4, 3, &[(1.0, 0.5), (2.5, 0.5), (2.5, 2.0), (1.0, 2.0)]);
        assert_eq!(square.values, [0, 128, 64, 0, 0, 255, 128, 0, 0, 0, 0, 0]);
        let turned = drawn(4, 3, &[(1.0, 2.0), (2.5, 2.0), (2.5, 0.5), (1.0, 0.5)]);
        assert_eq!(turned, square, "the direction does not matter");
        let triangle = drawn(4, 2, &[(0.0, 0.0), (4.0, 0.0), (0.0, 2.0)]);
        assert_eq!(triangle.values, [255, 255, 191, 64, 191, 64, 0, 0]);
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let all = drawn(3, 2, &[(-50.0, -50.0), (1e6, -50.0), (1e6, 1e6), (-50.0, 1e6)]);
        assert_eq!(all.values, [255; 6]);
        for away in [(10.0, 0.0), (-10.0, 0.0), (0.0, 10.0), (0.0, -10.0)] {
            let corner = |x: f32, y: f32| (x + away.0, y + away.1);
            let square = drawn(3, 2, &[corner(0.0, 0.0), corner(2.0, 0.0), corner(2.0, 2.0), corner(0.0, 2.0)]);
            assert_eq!(square.values, [0; 6], "{away:?}");
        }
        let half = drawn(3, 1, &[(-1.0, 0.0), (1.5, 0.0), (1.5, 1.0), (-1.0, 1.0)]);
        assert_eq!(half.values, [255, 128, 0]);
    }

    #[test]
    fn overlaps_are_one() {
        let mut mask = drawn(2, 1, &[(0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)]);
        mask.fill(&[[(0.0, 0.0), (0.0, 1.0)], [(1.5, 1.0), (1.5, 0.0)]]);
        assert_eq!(mask.values, [255, 128]);
    }
}
