//! Perceptual hashes: 64 bits that stay close (by the number of bits that differ) when a picture is scaled, recoded or a
//! little changed in tone.

use super::small::exactly;
use crate::bitmap::Bitmap;
use std::f64::consts::PI;

/// dHash: which of two neighbours is darker, in 9 × 8 pixels. The first bit is the top left one.
pub(super) fn difference(bitmap: &Bitmap) -> u64 {
    let luma = exactly(bitmap, 9, 8).luma();
    let bits = luma.chunks_exact(9).flat_map(|row| row.windows(2).map(|two| two[0] < two[1]));
    bits.fold(0, |hash, bit| hash << 1 | u64::from(bit))
}

/// pHash: which of the lowest 8 × 8 terms of a cosine transform of 32 × 32 pixels, but for the mean, are above the middle.
pub(super) fn frequency(bitmap: &Bitmap) -> u64 {
    const SIDE: usize = 32;
    const TERMS: usize = 8;
    let luma = exactly(bitmap, SIDE as u32, SIDE as u32).luma();
    let cosine = |at: usize, term: usize| (PI / SIDE as f64 * term as f64 * (at as f64 + 0.5)).cos();
    let mut terms = [0.0; TERMS * TERMS];
    for (index, term) in terms.iter_mut().enumerate() {
        for (y, row) in luma.chunks_exact(SIDE).enumerate() {
            let across: f64 = row.iter().enumerate().map(|(x, value)| value * cosine(x, index % TERMS)).sum();
            *term += across * cosine(y, index / TERMS);
        }
    }
    let mut sorted = terms;
    let (_, changing) = sorted.split_first_mut().expect("there are 64 terms");
    changing.sort_by(f64::total_cmp);
    let middle = changing[changing.len() / 2];
    // Rounding noise of a flat picture is no likeness.
    terms.iter().enumerate().fold(0, |hash, (at, term)| hash << 1 | u64::from(at > 0 && *term > middle + 1e-6))
}

#[cfg(test)]
mod tests {
    use super::{difference, frequency};
    use crate::bitmap::{Bitmap, Layout};

    fn picture(side: u32, brighter: u32) -> Bitmap {
        let value = |x: u32, y: u32| {
            let (x, y) = (x * 64 / side, y * 64 / side);
            (x * 2 + if (x / 16 + y / 16) % 2 == 0 { 60 } else { 0 } + y / 2 + brighter).min(255) as u8
        };
        let pixels = (0..side).flat_map(|y| (0..side).map(move |x| value(x, y))).collect();
        Bitmap::new(side, side, Layout::Gray, pixels)
    }

    #[test]
    fn scale_and_brightness_change_few_bits() {
        let (one, two) = (picture(64, 0), picture(192, 9));
        assert!((difference(&one) ^ difference(&two)).count_ones() <= 3);
        assert!((frequency(&one) ^ frequency(&two)).count_ones() <= 6);
    }

    #[test]
    fn a_mirror_image_is_another_picture() {
        let one = picture(64, 0);
        let pixels = one.pixels().chunks_exact(64).flat_map(|row| row.iter().rev().copied()).collect();
        let mirrored = Bitmap::new(64, 64, Layout::Gray, pixels);
        assert!((difference(&one) ^ difference(&mirrored)).count_ones() > 20);
        assert!((frequency(&one) ^ frequency(&mirrored)).count_ones() > 12);
    }

    #[test]
    fn a_flat_picture_has_no_bits() {
        let flat = Bitmap::new(10, 10, Layout::Rgb, vec![77; 300]);
        assert_eq!((difference(&flat), frequency(&flat)), (0, 0));
    }
}
