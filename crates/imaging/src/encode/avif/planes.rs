//! From interleaved pixels to the planes of AV1: BT.601 in full range (what the container's `nclx` says), or GBR.
//!
//! The arithmetic is fixed-point with 16 fractional bits; a sample never differs by more than 1 from the exact formula.

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

/// Planes without gaps between rows. `chroma` holds two planes, empty when there is none.
pub(super) struct Planes {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) subsampling: Subsampling,
    pub(super) luma: Vec<u8>,
    pub(super) chroma: [Vec<u8>; 2],
}

impl Planes {
    /// The colour of a picture. Gray pictures become [`Subsampling::Monochrome`] whatever is asked.
    pub(super) fn of_color(bitmap: &Bitmap, subsampling: Subsampling) -> Self {
        let (width, height) = (bitmap.width(), bitmap.height());
        let none = || [Vec::new(), Vec::new()];
        let (luma, chroma, subsampling) = match (bitmap.layout(), subsampling) {
            (Layout::Gray, _) => (bitmap.pixels().to_vec(), none(), Subsampling::Monochrome),
            (Layout::Rgb, s) => split::<3>(bitmap, s),
            (Layout::Rgba, s) => split::<4>(bitmap, s),
        };
        Self { width, height, subsampling, luma, chroma }
    }

    /// The alpha channel, or nothing when there is none or it is opaque everywhere.
    pub(super) fn of_alpha(bitmap: &Bitmap) -> Option<Self> {
        if bitmap.layout() != Layout::Rgba {
            return None;
        }
        let luma: Vec<u8> = bitmap.pixels().as_chunks::<4>().0.iter().map(|p| p[3]).collect();
        if luma.iter().all(|&a| a == 255) {
            return None;
        }
        let (width, height) = (bitmap.width(), bitmap.height());
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

fn split<const N: usize>(bitmap: &Bitmap, subsampling: Subsampling) -> (Vec<u8>, [Vec<u8>; 2], Subsampling) {
    let pixels = bitmap.pixels().as_chunks::<N>().0;
    let luma = || pixels.iter().map(|p| luma(p[0].into(), p[1].into(), p[2].into())).collect();
    let (y, chroma) = match subsampling {
        Subsampling::Identity => (
            pixels.iter().map(|p| p[1]).collect(),
            [pixels.iter().map(|p| p[2]).collect(), pixels.iter().map(|p| p[0]).collect()],
        ),
        Subsampling::Full => {
            let blue = pixels.iter().map(|p| blue_difference::<16>(p[0].into(), p[1].into(), p[2].into()));
            let red = pixels.iter().map(|p| red_difference::<16>(p[0].into(), p[1].into(), p[2].into()));
            (luma(), [blue.collect(), red.collect()])
        }
        Subsampling::Half => (luma(), halved(bitmap.width() as usize, pixels)),
        Subsampling::Monochrome => (luma(), [Vec::new(), Vec::new()]),
    };
    (y, chroma, subsampling)
}

/// Chroma of the mean of 2 × 2 pixels; the last column and row of an odd side count twice.
fn halved<const N: usize>(width: usize, pixels: &[[u8; N]]) -> [Vec<u8>; 2] {
    let rows: Vec<&[[u8; N]]> = pixels.chunks_exact(width).collect();
    let size = width.div_ceil(2) * rows.len().div_ceil(2);
    let mut planes = [Vec::with_capacity(size), Vec::with_capacity(size)];
    for pair in rows.chunks(2) {
        let (upper, lower) = (pair[0], pair[pair.len() - 1]);
        for (a, b) in upper.chunks(2).zip(lower.chunks(2)) {
            let (a1, b1) = (a[a.len() - 1], b[b.len() - 1]);
            let sum = |c: usize| i32::from(a[0][c]) + i32::from(a1[c]) + i32::from(b[0][c]) + i32::from(b1[c]);
            let (red, green, blue) = (sum(0), sum(1), sum(2));
            planes[0].push(blue_difference::<18>(red, green, blue));
            planes[1].push(red_difference::<18>(red, green, blue));
        }
    }
    planes
}

// BT.601: Kr 0.299, Kb 0.114, scaled by 2^16; each row of the matrix sums to 65,536 or 0.
fn luma(red: i32, green: i32, blue: i32) -> u8 {
    ((19_595 * red + 38_470 * green + 7_471 * blue + 32_768) >> 16) as u8
}

/// `SHIFT` is 16 for one pixel, 18 for the sum of four.
fn blue_difference<const SHIFT: u32>(red: i32, green: i32, blue: i32) -> u8 {
    let half = 1 << (SHIFT - 1);
    (((-11_058 * red - 21_710 * green + 32_768 * blue + half) >> SHIFT) + 128).clamp(0, 255) as u8
}

fn red_difference<const SHIFT: u32>(red: i32, green: i32, blue: i32) -> u8 {
    let half = 1 << (SHIFT - 1);
    (((32_768 * red - 27_439 * green - 5_329 * blue + half) >> SHIFT) + 128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_and_grays_have_the_samples_of_bt_601() {
        assert_eq!([luma(255, 0, 0), luma(0, 255, 0), luma(0, 0, 255)], [76, 150, 29]);
        assert_eq!((blue_difference::<16>(0, 0, 255), red_difference::<16>(255, 0, 0)), (255, 255));
        // 0.5 in the exact formula.
        assert_eq!((blue_difference::<16>(255, 255, 0), red_difference::<16>(0, 255, 255)), (1, 1));
        for v in 0..=255 {
            assert_eq!(i32::from(luma(v, v, v)), v);
            assert_eq!((blue_difference::<16>(v, v, v), red_difference::<16>(v, v, v)), (128, 128));
            assert_eq!(
                (blue_difference::<18>(4 * v, 4 * v, 4 * v), red_difference::<18>(4 * v, 4 * v, 4 * v)),
                (128, 128)
            );
        }
    }

    #[test]
    fn odd_sides_have_a_chroma_sample_for_their_last_column_and_row() {
        let bitmap = Bitmap::new(3, 1, Layout::Rgb, vec![255, 0, 0, 255, 0, 0, 0, 0, 255]);
        let planes = Planes::of_color(&bitmap, Subsampling::Half);
        assert_eq!(planes.chroma_size(), (2, 1));
        assert_eq!(planes.chroma, [vec![85, 255], vec![255, 107]]);
    }

    #[test]
    fn opaque_alpha_is_no_alpha() {
        let opaque = Bitmap::new(1, 2, Layout::Rgba, vec![1, 2, 3, 255, 4, 5, 6, 255]);
        assert!(Planes::of_alpha(&opaque).is_none());
        let clear = Bitmap::new(1, 2, Layout::Rgba, vec![1, 2, 3, 255, 4, 5, 6, 254]);
        assert_eq!(Planes::of_alpha(&clear).map(|p| p.luma), Some(vec![255, 254]));
    }
}
