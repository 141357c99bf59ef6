//! From interleaved pixels to the planes of AV1: BT.601 in full range (what the container's `nclx` says), or GBR.
//!
//! The arithmetic is fixed-point with 16 fractional bits; a sample never differs by more than 1 from the exact formula.
//! Ten bits are no other pixels: they keep the fractions that eight would round away, and nothing is dithered.

use crate::bitmap::{Bitmap, Layout};

/// Which planes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subsampling {
    /// Luma alone.
    Monochrome,
    /// YCbCr 4:2:0; chroma lies in the middle of its four pixels.
    Half,
    /// YCbCr 4:4:4.
    Full,
    /// G, B, R: reversible.
    Identity,
}

/// A sample of a plane: its depth, and what one bit of eight is worth in it.
pub(super) trait Sample: Copy + Eq {
    /// Bits of depth.
    const BITS: u32;
    /// The matrix of BT.601 times (2^BITS − 1) / 255, with 16 fractional bits.
    const MATRIX: Matrix;
    /// From a value that is within the depth.
    fn of(value: i32) -> Self;
}

/// Kr 0.299 and Kb 0.114 in fixed point. The rows of the differences sum to 0, so that grays stay neutral.
pub(super) struct Matrix {
    luma: [i32; 3],
    blue: [i32; 3],
    red: [i32; 3],
}

impl Sample for u8 {
    const BITS: u32 = 8;
    const MATRIX: Matrix =
        Matrix { luma: [19_595, 38_470, 7_471], blue: [-11_058, -21_710, 32_768], red: [32_768, -27_439, -5_329] };
    fn of(value: i32) -> Self {
        value as u8
    }
}

/// Ten bits of sixteen.
impl Sample for u16 {
    const BITS: u32 = 10;
    const MATRIX: Matrix = Matrix {
        luma: [78_611, 154_332, 29_972],
        blue: [-44_362, -87_095, 131_457],
        red: [131_457, -110_078, -21_379],
    };
    fn of(value: i32) -> Self {
        value as u16
    }
}

/// Planes without gaps between rows. `chroma` holds two planes, empty when there is none.
pub(super) struct Planes<S> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) subsampling: Subsampling,
    pub(super) luma: Vec<S>,
    pub(super) chroma: [Vec<S>; 2],
}

impl<S: Sample> Planes<S> {
    /// The colour of a picture. Gray pictures become [`Subsampling::Monochrome`] whatever is asked. `Identity` is for
    /// eight bits, where it is exact.
    pub(super) fn of_color(bitmap: &Bitmap, subsampling: Subsampling) -> Self {
        let (width, height) = (bitmap.width(), bitmap.height());
        let none = || [Vec::new(), Vec::new()];
        let (luma, chroma, subsampling) = match (bitmap.layout(), subsampling) {
            (Layout::Gray, _) => (bitmap.pixels().iter().map(same).collect(), none(), Subsampling::Monochrome),
            (Layout::Rgb, s) => split::<S, 3>(bitmap, s),
            (Layout::Rgba, s) => split::<S, 4>(bitmap, s),
        };
        Self { width, height, subsampling, luma, chroma }
    }

    /// The alpha channel, or nothing when there is none or it is opaque everywhere.
    pub(super) fn of_alpha(bitmap: &Bitmap) -> Option<Self> {
        if bitmap.layout() != Layout::Rgba {
            return None;
        }
        let pixels = bitmap.pixels().as_chunks::<4>().0;
        if pixels.iter().all(|p| p[3] == 255) {
            return None;
        }
        let (width, height) = (bitmap.width(), bitmap.height());
        let luma = pixels.iter().map(|p| same(&p[3])).collect();
        Some(Self { width, height, subsampling: Subsampling::Monochrome, luma, chroma: [Vec::new(), Vec::new()] })
    }

    /// Columns and rows of a chroma plane.
    pub(super) fn chroma_size(&self) -> (u32, u32) {
        match self.subsampling {
            Subsampling::Monochrome | Subsampling::Half => (self.width.div_ceil(2), self.height.div_ceil(2)),
            Subsampling::Full | Subsampling::Identity => (self.width, self.height),
        }
    }
}

/// What libaom is given where there is no colour.
pub(super) fn neutral<S: Sample>() -> S {
    S::of(1 << (S::BITS - 1))
}

/// A value of eight bits in the depth of the samples.
fn same<S: Sample>(&value: &u8) -> S {
    let most = (1 << S::BITS) - 1;
    S::of((i32::from(value) * most + 127) / 255)
}

fn split<S: Sample, const N: usize>(bitmap: &Bitmap, subsampling: Subsampling) -> (Vec<S>, [Vec<S>; 2], Subsampling) {
    let pixels = bitmap.pixels().as_chunks::<N>().0;
    let luma = || pixels.iter().map(|p| luma(p[0].into(), p[1].into(), p[2].into())).collect();
    let (y, chroma) = match subsampling {
        Subsampling::Identity => (
            pixels.iter().map(|p| same(&p[1])).collect(),
            [pixels.iter().map(|p| same(&p[2])).collect(), pixels.iter().map(|p| same(&p[0])).collect()],
        ),
        Subsampling::Full => {
            let blue = pixels.iter().map(|p| blue_difference::<S, 16>(p[0].into(), p[1].into(), p[2].into()));
            let red = pixels.iter().map(|p| red_difference::<S, 16>(p[0].into(), p[1].into(), p[2].into()));
            (luma(), [blue.collect(), red.collect()])
        }
        Subsampling::Half => (luma(), halved(bitmap.width() as usize, pixels)),
        Subsampling::Monochrome => (luma(), [Vec::new(), Vec::new()]),
    };
    (y, chroma, subsampling)
}

/// Chroma of the mean of 2 × 2 pixels; the last column and row of an odd side count twice.
fn halved<S: Sample, const N: usize>(width: usize, pixels: &[[u8; N]]) -> [Vec<S>; 2] {
    let rows: Vec<&[[u8; N]]> = pixels.chunks_exact(width).collect();
    let size = width.div_ceil(2) * rows.len().div_ceil(2);
    let mut planes = [Vec::with_capacity(size), Vec::with_capacity(size)];
    for pair in rows.chunks(2) {
        let (upper, lower) = (pair[0], pair[pair.len() - 1]);
        for (a, b) in upper.chunks(2).zip(lower.chunks(2)) {
            let (a1, b1) = (a[a.len() - 1], b[b.len() - 1]);
            let sum = |c: usize| i32::from(a[0][c]) + i32::from(a1[c]) + i32::from(b[0][c]) + i32::from(b1[c]);
            let (red, green, blue) = (sum(0), sum(1), sum(2));
            planes[0].push(blue_difference::<S, 18>(red, green, blue));
            planes[1].push(red_difference::<S, 18>(red, green, blue));
        }
    }
    planes
}

fn luma<S: Sample>(red: i32, green: i32, blue: i32) -> S {
    S::of(weighed::<16>(S::MATRIX.luma, red, green, blue))
}

/// `SHIFT` is 16 for one pixel, 18 for the sum of four.
fn blue_difference<S: Sample, const SHIFT: u32>(red: i32, green: i32, blue: i32) -> S {
    difference(weighed::<SHIFT>(S::MATRIX.blue, red, green, blue))
}

fn red_difference<S: Sample, const SHIFT: u32>(red: i32, green: i32, blue: i32) -> S {
    difference(weighed::<SHIFT>(S::MATRIX.red, red, green, blue))
}

/// At most 154,332 × 1,020 and the like: within 31 bits.
fn weighed<const SHIFT: u32>([r, g, b]: [i32; 3], red: i32, green: i32, blue: i32) -> i32 {
    (r * red + g * green + b * blue + (1 << (SHIFT - 1))) >> SHIFT
}

fn difference<S: Sample>(value: i32) -> S {
    S::of((value + (1 << (S::BITS - 1))).clamp(0, (1 << S::BITS) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_and_grays_have_the_samples_of_bt_601() {
        assert_eq!([luma::<u8>(255, 0, 0), luma(0, 255, 0), luma(0, 0, 255)], [76, 150, 29]);
        assert_eq!((blue_difference::<u8, 16>(0, 0, 255), red_difference::<u8, 16>(255, 0, 0)), (255, 255));
        // 0.5 in the exact formula.
        assert_eq!((blue_difference::<u8, 16>(255, 255, 0), red_difference::<u8, 16>(0, 255, 255)), (1, 1));
        for v in 0..=255 {
            assert_eq!(i32::from(luma::<u8>(v, v, v)), v);
            assert_eq!((blue_difference::<u8, 16>(v, v, v), red_difference::<u8, 16>(v, v, v)), (128, 128));
            assert_eq!(
                (blue_difference::<u8, 18>(4 * v, 4 * v, 4 * v), red_difference::<u8, 18>(4 * v, 4 * v, 4 * v)),
                (128, 128)
            );
        }
    }

    #[test]
    fn ten_bits_keep_what_eight_round_away() {
        assert_eq!([luma::<u16>(255, 0, 0), luma(0, 255, 0), luma(0, 0, 255)], [306, 601, 117]);
        assert_eq!((blue_difference::<u16, 16>(0, 0, 255), red_difference::<u16, 16>(255, 0, 0)), (1_023, 1_023));
        for v in 0..=255_u8 {
            let (wide, exact) = (i32::from(v), (f64::from(v) * 1_023.0 / 255.0).round() as u16);
            assert_eq!((luma::<u16>(wide, wide, wide), same::<u16>(&v)), (exact, exact));
            assert_eq!(blue_difference::<u16, 16>(wide, wide, wide), 512);
            assert_eq!(red_difference::<u16, 18>(4 * wide, 4 * wide, 4 * wide), 512);
        }
        // All white, the largest sums there are.
        let white = Bitmap::new(2, 2, Layout::Rgb, vec![255; 12]);
        let planes = Planes::<u16>::of_color(&white, Subsampling::Half);
        assert_eq!((planes.luma, planes.chroma), (vec![1_023; 4], [vec![512], vec![512]]));
    }

    #[test]
    fn odd_sides_have_a_chroma_sample_for_their_last_column_and_row() {
        let bitmap = Bitmap::new(3, 1, Layout::Rgb, vec![255, 0, 0, 255, 0, 0, 0, 0, 255]);
        let planes = Planes::<u8>::of_color(&bitmap, Subsampling::Half);
        assert_eq!(planes.chroma_size(), (2, 1));
        assert_eq!(planes.chroma, [vec![85, 255], vec![255, 107]]);
    }

    #[test]
    fn opaque_alpha_is_no_alpha() {
        let opaque = Bitmap::new(1, 2, Layout::Rgba, vec![1, 2, 3, 255, 4, 5, 6, 255]);
        assert!(Planes::<u8>::of_alpha(&opaque).is_none());
        let clear = Bitmap::new(1, 2, Layout::Rgba, vec![1, 2, 3, 255, 4, 5, 6, 254]);
        assert_eq!(Planes::<u8>::of_alpha(&clear).map(|p| p.luma), Some(vec![255, 254]));
    }
}
