//! Inverse transforms to 4 × 4 and 2 × 2: the exact inverse DCT of that size on the lowest frequencies, an ideal
//! low-pass (libjpeg 7's definition; libjpeg-turbo mixes higher ones in). Coefficients beyond them are not looked at.

use super::scalar::{descale, sample};
use super::{BATCH, Block, Place};

/// Four values, with 13 bits of fraction added and `SHIFT` taken away.
#[inline(always)]
fn pass<const SHIFT: u32>(input: [i16; 4]) -> [i16; 4] {
    let even0 = i32::from(input[0].wrapping_add(input[2])) << 13;
    let even1 = i32::from(input[0].wrapping_sub(input[2])) << 13;
    let (one, three) = (i32::from(input[1]), i32::from(input[3]));
    let z1 = (one + three) * 4433;
    let (odd0, odd1) = (z1 + one * 6270, z1 - three * 15137);
    [
        descale::<SHIFT>(even0.wrapping_add(odd0)),
        descale::<SHIFT>(even1.wrapping_add(odd1)),
        descale::<SHIFT>(even1.wrapping_sub(odd1)),
        descale::<SHIFT>(even0.wrapping_sub(odd0)),
    ]
}

/// 4 × 4: columns first, 2 bits of fraction between the passes.
pub(super) fn idct4(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    for (block, place) in blocks.iter().zip(places) {
        let mut work = [[0i16; 4]; 4];
        for x in 0..4 {
            let column = pass::<11>(std::array::from_fn(|y| block[4 * y + x]));
            for y in 0..4 {
                work[y][x] = column[y];
            }
        }
        for (y, row) in work.into_iter().enumerate() {
            let at = place.offset + y * place.stride;
            buffer[at..at + 4].copy_from_slice(&pass::<18>(row).map(sample));
        }
    }
}

/// 2 × 2: sums and differences.
pub(super) fn idct2(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    for (block, place) in blocks.iter().zip(places) {
        let [c00, c01, c10, c11] = [block[0], block[1], block[2], block[3]].map(i32::from);
        let (left, right) = (c00 + c01, c00 - c01);
        let (down_left, down_right) = (c10 + c11, c10 - c11);
        let to = |value: i32| (((value + 4) >> 3) + 128).clamp(0, 255) as u8;
        let at = place.offset;
        buffer[at..at + 2].copy_from_slice(&[to(left + down_left), to(right + down_right)]);
        let at = at + place.stride;
        buffer[at..at + 2].copy_from_slice(&[to(left - down_left), to(right - down_right)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exact inverse DCT of `n` points, scaled so that the DC of an 8 × 8 block keeps its meaning.
    fn exact(block: &Block, n: usize) -> Vec<f64> {
        let basis = |k: usize, at: usize| {
            let scale = if k == 0 { 1.0 } else { 2.0f64.sqrt() };
            scale * ((2 * at + 1) as f64 * k as f64 * std::f64::consts::PI / (2 * n) as f64).cos()
        };
        (0..n * n)
            .map(|at| {
                let sum: f64 =
                    (0..n * n).map(|i| f64::from(block[i]) * basis(i / n, at / n) * basis(i % n, at % n)).sum();
                sum / 8.0 + 128.0
            })
            .collect()
    }

    #[test]
    fn reduced_transforms_are_within_one_of_the_exact_ones() {
        let mut seed = 7u32;
        for _ in 0..2000 {
            let mut blocks = [[0i16; super::super::BLOCK]; BATCH];
            for value in &mut blocks[0][..16] {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *value = (seed >> 8 & 255) as i16 - 128;
            }
            for (n, transform) in [(4, idct4 as super::super::Transform), (2, idct2)] {
                let mut out = vec![0u8; n * n];
                transform(&blocks, &[Place { offset: 0, stride: n }], &mut out);
                for (&got, wanted) in out.iter().zip(exact(&blocks[0], n)) {
                    assert!((f64::from(got) - wanted.clamp(0.0, 255.0)).abs() < 1.0, "{n}: {got} {wanted}");
                }
            }
        }
    }
}
