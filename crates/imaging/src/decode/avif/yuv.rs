//! From planes to 8-bit RGB, gray or alpha: ranges, matrices (ITU-T H.273, 8.3), chroma in between, rounding.
//!
//! High dynamic range goes through a tone map before it is rounded to 8 bits.
//!
//! It works row by row in fixed point with 20 fractional bits: a channel never differs by more than 1 from the exact
//! formula. Subsampled chroma is interpolated linearly, taken to lie in the middle of its pixels.

use super::av1::{Colors, Frame, Row, Sampling};

use crate::color::tone::{self, ToneMap};

const SHIFT: u32 = 20;
/// Of values up to [`tone::MAX`] instead of 255: the same room in 32 bits.
const WIDE_SHIFT: u32 = 16;

/// A linear map from (Y, U, V) samples to three channels of 0–255.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix {
    rows: [[i32; 3]; 3],
    bias: [i32; 3],
}

impl Matrix {
    /// `None` for a matrix that is not implemented (ICtCp and other non-linear ones), or one that cannot be used with
    /// such sampling. 2 ("unspecified") is taken as BT.601, as browsers and libavif do.
    pub(super) fn new(colors: Colors, bits: u32, sampling: Sampling) -> Option<Self> {
        Self::scaled(colors, bits, sampling, f64::from(1 << SHIFT))
    }

    /// The same to channels of 0–[`tone::MAX`].
    pub(super) fn wide(colors: Colors, bits: u32, sampling: Sampling) -> Option<Self> {
        Self::scaled(colors, bits, sampling, f64::from(1 << WIDE_SHIFT) * f64::from(tone::MAX) / 255.0)
    }

    fn scaled(colors: Colors, bits: u32, sampling: Sampling, scale: f64) -> Option<Self> {
        let unit = match colors.matrix {
            0 if sampling == Sampling::Monochrome => weighted(0.299, 0.114),
            0 if sampling != Sampling::Full => return None,
            0 => [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
            1 => weighted(0.2126, 0.0722),
            2 | 5 | 6 => weighted(0.299, 0.114),
            4 => weighted(0.30, 0.11),
            7 => weighted(0.212, 0.087),
            8 => [[1.0, -1.0, 1.0], [1.0, 1.0, 0.0], [1.0, -1.0, -1.0]],
            9 => weighted(0.2627, 0.0593),
            12 => match colors.primaries {
                9 => weighted(0.2627, 0.0593),
                12 => weighted(0.228_975, 0.079_287),
                _ => weighted(0.2126, 0.0722),
            },
            _ => return None,
        };
        let luma = Range::luma(colors.full_range, bits);
        // G, B and R all have luma's range when there is no matrix.
        let chroma = if colors.matrix == 0 { luma } else { Range::chroma(colors.full_range, bits) };
        let fixed = |value: f64| (value * scale).round() as i32;
        // What rounds when the fraction is cut off.
        let half = if scale == f64::from(1 << SHIFT) { 1 << (SHIFT - 1) } else { 1 << (WIDE_SHIFT - 1) };
        let mut matrix = Self { rows: [[0; 3]; 3], bias: [0; 3] };
        for (channel, [y, u, v]) in unit.into_iter().enumerate() {
            let scaled = [y * luma.scale, u * chroma.scale, v * chroma.scale];
            matrix.rows[channel] = scaled.map(fixed);
            let offset = scaled[0] * luma.zero + (scaled[1] + scaled[2]) * chroma.zero;
            matrix.bias[channel] = fixed(-offset) + half;
        }
        Some(matrix)
    }

    fn apply(&self, y: i32, u: i32, v: i32) -> [u8; 3] {
        std::array::from_fn(|c| {
            let [a, b, d] = self.rows[c];
            ((a * y + b * u + d * v + self.bias[c]) >> SHIFT).clamp(0, 255) as u8
        })
    }

    fn apply_wide(&self, y: i32, u: i32, v: i32) -> [u16; 3] {
        std::array::from_fn(|c| {
            let [a, b, d] = self.rows[c];
            ((a * y + b * u + d * v + self.bias[c]) >> WIDE_SHIFT).clamp(0, tone::MAX.into()) as u16
        })
    }
}

/// Rows of the inverse of a luma with these weights of red and blue, for chroma of −0.5 to 0.5.
fn weighted(red: f64, blue: f64) -> [[f64; 3]; 3] {
    let green = 1.0 - red - blue;
    let (to_red, to_blue) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue));
    [[1.0, 0.0, to_red], [1.0, -to_blue * blue / green, -to_red * red / green], [1.0, to_blue, 0.0]]
}

/// Which sample means 0, and how many output steps one sample step is.
#[derive(Clone, Copy, Debug)]
struct Range {
    zero: f64,
    scale: f64,
}

impl Range {
    fn luma(full: bool, bits: u32) -> Self {
        let unit = f64::from(1_u32 << (bits - 8));
        if full {
            Self { zero: 0.0, scale: 255.0 / (256.0 * unit - 1.0) }
        } else {
            Self { zero: 16.0 * unit, scale: 255.0 / (219.0 * unit) }
        }
    }

    fn chroma(full: bool, bits: u32) -> Self {
        let unit = f64::from(1_u32 << (bits - 8));
        let scale = if full { 255.0 / (256.0 * unit - 1.0) } else { 255.0 / (224.0 * unit) };
        Self { zero: 128.0 * unit, scale }
    }
}

/// Luma alone as 8 bits: gray pictures and alpha. One byte per sample.
pub(super) struct Luma(Vec<u8>);

impl Luma {
    pub(super) fn new(full_range: bool, bits: u32) -> Self {
        let range = Range::luma(full_range, bits);
        let of = |sample: u32| ((f64::from(sample) - range.zero) * range.scale).round().clamp(0.0, 255.0) as u8;
        Self((0..1 << bits).map(of).collect())
    }

    /// Gray of high dynamic range.
    pub(super) fn toned(full_range: bool, bits: u32, tone: &ToneMap) -> Self {
        let range = Range::luma(full_range, bits);
        let most = f64::from(tone::MAX);
        let of = |sample: u32| {
            let value = (f64::from(sample) - range.zero) * range.scale * most / 255.0;
            tone.map_gray(value.round().clamp(0.0, most) as u16)
        };
        Self((0..1 << bits).map(of).collect())
    }

    /// Row `y`, one byte per pixel; `out` has the frame's width. Nothing is written when there is no such row.
    pub(super) fn row(&self, frame: &Frame, y: u32, out: &mut [u8]) {
        let of = |sample: usize| self.0.get(sample).copied().unwrap_or(255);
        match frame.row(0, y) {
            Some(Row::Eight(row)) => out.iter_mut().zip(row).for_each(|(o, &s)| *o = of(s.into())),
            Some(Row::More(row)) => out.iter_mut().zip(row).for_each(|(o, &s)| *o = of(s.into())),
            None => {}
        }
    }
}

/// Rows of a colour frame, with the buffers that interpolation needs.
pub(super) struct Colored<'f> {
    frame: &'f Frame,
    matrix: Matrix,
    blended: Vec<i32>,
    chroma: [Vec<i32>; 2],
}

impl<'f> Colored<'f> {
    pub(super) fn new(frame: &'f Frame, matrix: Matrix) -> Self {
        let width = frame.width() as usize;
        Self { frame, matrix, blended: Vec::new(), chroma: [vec![0; width], vec![0; width]] }
    }

    /// Row `y` as RGB; `out` has three bytes for each column of the frame.
    pub(super) fn row(&mut self, y: u32, out: &mut [u8]) {
        self.each(y, out, Matrix::apply);
    }

    /// Row `y` through a tone map. The matrix has to be a [`Matrix::wide`] one.
    pub(super) fn row_toned(&mut self, y: u32, tone: &ToneMap, out: &mut [u8]) {
        self.each(y, out, |matrix, y, u, v| tone.map(matrix.apply_wide(y, u, v)));
    }

    fn each(&mut self, y: u32, out: &mut [u8], color: impl Fn(&Matrix, i32, i32, i32) -> [u8; 3]) {
        self.upsample(0, y);
        self.upsample(1, y);
        let [blue, red] = &self.chroma;
        let matrix = &self.matrix;
        let pixels = out.as_chunks_mut::<3>().0.iter_mut().zip(blue.iter().zip(red));
        match self.frame.row(0, y) {
            Some(Row::Eight(luma)) => {
                pixels.zip(luma).for_each(|((out, (&u, &v)), &y)| *out = color(matrix, y.into(), u, v));
            }
            Some(Row::More(luma)) => {
                pixels.zip(luma).for_each(|((out, (&u, &v)), &y)| *out = color(matrix, y.into(), u, v));
            }
            None => {}
        }
    }

    /// Brings row `y` of a chroma plane to the width of luma.
    fn upsample(&mut self, plane: usize, y: u32) {
        let out = &mut self.chroma[plane];
        let rows = match self.frame.sampling() {
            Sampling::Monochrome => return,
            Sampling::Full => {
                copy(self.frame.row(plane + 1, y), out);
                return;
            }
            Sampling::HalfWidth => [y, y],
            Sampling::Half => {
                // The sample's own row counts three times, the next nearest once.
                let last = self.frame.height().div_ceil(2) - 1;
                let near = y / 2;
                [near, if y.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(last) }]
            }
        };
        blend(self.frame.row(plane + 1, rows[0]), self.frame.row(plane + 1, rows[1]), &mut self.blended);
        widen(&self.blended, out);
    }
}

fn copy(row: Option<Row<'_>>, out: &mut [i32]) {
    match row {
        Some(Row::Eight(row)) => out.iter_mut().zip(row).for_each(|(o, &s)| *o = s.into()),
        Some(Row::More(row)) => out.iter_mut().zip(row).for_each(|(o, &s)| *o = s.into()),
        None => {}
    }
}

/// Three times the near row and once the far one.
fn blend(near: Option<Row<'_>>, far: Option<Row<'_>>, out: &mut Vec<i32>) {
    out.clear();
    match (near, far) {
        (Some(Row::Eight(near)), Some(Row::Eight(far))) => {
            out.extend(near.iter().zip(far).map(|(&n, &f)| 3 * i32::from(n) + i32::from(f)));
        }
        (Some(Row::More(near)), Some(Row::More(far))) => {
            out.extend(near.iter().zip(far).map(|(&n, &f)| 3 * i32::from(n) + i32::from(f)));
        }
        _ => {}
    }
}

/// Doubles the width of a row that is four times too large, and brings it back to its range.
fn widen(row: &[i32], out: &mut [i32]) {
    let Some(&first) = row.first() else { return };
    let last = row.last().copied().unwrap_or(first);
    let before = std::iter::once(&first).chain(row);
    let after = row.iter().skip(1).chain(std::iter::once(&last));
    let pairs = before.zip(row).zip(after);
    for (pixels, ((&before, &here), &after)) in out.chunks_mut(2).zip(pairs) {
        if let Some(left) = pixels.first_mut() {
            *left = (3 * here + before + 8) >> 4;
        }
        if let Some(right) = pixels.get_mut(1) {
            *right = (3 * here + after + 8) >> 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colors(matrix: u8, full_range: bool) -> Colors {
        Colors { primaries: 1, transfer: 13, matrix, full_range }
    }

    fn matrix(code: u8, full: bool, bits: u32) -> Matrix {
        Matrix::new(colors(code, full), bits, Sampling::Full).expect("implemented")
    }

    #[test]
    fn black_white_and_gray_are_neutral_in_every_matrix_range_and_depth() {
        for code in [1, 2, 4, 5, 6, 7, 8, 9, 12] {
            for bits in [8, 10, 12] {
                let unit = 1 << (bits - 8);
                let middle = 128 * unit;
                let full = matrix(code, true, bits);
                assert_eq!(full.apply(0, middle, middle), [0; 3], "{code} {bits}");
                assert_eq!(full.apply(256 * unit - 1, middle, middle), [255; 3], "{code} {bits}");
                let limited = matrix(code, false, bits);
                assert_eq!(limited.apply(16 * unit, middle, middle), [0; 3], "{code} {bits}");
                assert_eq!(limited.apply(235 * unit, middle, middle), [255; 3], "{code} {bits}");
            }
        }
    }

    #[test]
    fn primaries_come_back() {
        // BT.601 full range of pure red, BT.709 limited range of pure blue.
        assert_eq!(matrix(6, true, 8).apply(76, 85, 255), [254, 0, 0]);
        assert_eq!(matrix(1, false, 8).apply(32, 240, 118), [1, 0, 255]);
        assert_eq!(matrix(0, true, 8).apply(10, 20, 30), [30, 10, 20]);
        assert_eq!(matrix(0, true, 12).apply(4095, 0, 2048), [128, 255, 0]);
    }

    #[test]
    fn extreme_samples_do_not_overflow() {
        for code in [0, 1, 6, 8, 9] {
            for full in [false, true] {
                let m = matrix(code, full, 12);
                for [y, u, v] in [[0, 0, 0], [4095, 4095, 4095], [4095, 0, 4095], [0, 4095, 0]] {
                    m.apply(y, u, v);
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        assert_eq!(Matrix::new(colors(14, true), 8, Sampling::Full), None);
        assert_eq!(Matrix::new(colors(0, true), 8, Sampling::Half), None);
    }

    #[test]
    fn luma_is_rounded_from_any_depth() {
        let Luma(ten) = Luma::new(true, 10);
        assert_eq!((ten[0], ten[1], ten[2], ten[3], ten[1023]), (0, 0, 0, 1, 255));
        let Luma(limited) = Luma::new(false, 8);
        assert_eq!((limited[0], limited[16], limited[235], limited[255]), (0, 0, 255, 255));
    }

    #[test]
    fn chroma_is_interpolated_between_its_samples() {
        let mut out = [0; 5];
        widen(&[0, 400, 400], &mut out);
        assert_eq!(out, [0, 25, 75, 100, 100]);
        let mut single = [0; 1];
        widen(&[40], &mut single);
        assert_eq!(single, [10]);
    }
}
