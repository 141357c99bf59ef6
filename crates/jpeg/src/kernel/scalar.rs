//! Kernels in plain Rust: the accurate inverse DCT of Loeffler, Ligtenberg and Moschytz (libjpeg's "islow"), triangle
//! upsampling, colour. They define the pixels. Invariant: 16-bit steps wrap or saturate exactly where vectors do.

use super::{BATCH, Block, Place};

// Fixed point with 13 bits.
const F_0_298: i32 = 2446;
const F_0_390: i32 = 3196;
const F_0_541: i32 = 4433;
const F_0_765: i32 = 6270;
const F_0_899: i32 = 7373;
const F_1_175: i32 = 9633;
const F_1_501: i32 = 12299;
const F_1_847: i32 = 15137;
const F_1_961: i32 = 16069;
const F_2_053: i32 = 16819;
const F_2_562: i32 = 20995;
const F_3_072: i32 = 25172;

/// One pass over eight values, rounded down by `SHIFT` bits and saturated to 16 bits.
#[inline(always)]
fn pass<const SHIFT: u32>(input: [i16; 8]) -> [i16; 8] {
    let wide = |i: usize| i32::from(input[i]);
    let z1 = (wide(2) + wide(6)) * F_0_541;
    let (even2, even3) = (z1 - wide(6) * F_1_847, z1 + wide(2) * F_0_765);
    let even0 = i32::from(input[0].wrapping_add(input[4])) << 13;
    let even1 = i32::from(input[0].wrapping_sub(input[4])) << 13;
    let even = [even0 + even3, even1 + even2, even1 - even2, even0 - even3];

    let z3 = i32::from(input[7].wrapping_add(input[3]));
    let z4 = i32::from(input[5].wrapping_add(input[1]));
    let z5 = (z3 + z4) * F_1_175;
    let (z3, z4) = (z5 - z3 * F_1_961, z5 - z4 * F_0_390);
    let (z1, z2) = (-(wide(7) + wide(1)) * F_0_899, -(wide(5) + wide(3)) * F_2_562);
    let odd = [
        wide(1) * F_1_501 + z1 + z4,
        wide(3) * F_3_072 + z2 + z3,
        wide(5) * F_2_053 + z2 + z4,
        wide(7) * F_0_298 + z1 + z3,
    ];

    let mut out = [0; 8];
    for i in 0..4 {
        out[i] = descale::<SHIFT>(even[i].wrapping_add(odd[i]));
        out[7 - i] = descale::<SHIFT>(even[i].wrapping_sub(odd[i]));
    }
    out
}

#[inline(always)]
pub(super) fn descale<const SHIFT: u32>(value: i32) -> i16 {
    let rounded = value.wrapping_add(1 << (SHIFT - 1)) >> SHIFT;
    rounded.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

/// To a sample: the level shift and the clamp.
#[inline(always)]
pub(super) fn sample(value: i16) -> u8 {
    (i32::from(value) + 128).clamp(0, 255) as u8
}

/// 8 × 8: columns first, 2 bits of fraction between the passes.
pub(super) fn idct8(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    for (block, place) in blocks.iter().zip(places) {
        let mut work = [[0i16; 8]; 8];
        for x in 0..8 {
            let column = pass::<11>(std::array::from_fn(|y| block[8 * y + x]));
            for y in 0..8 {
                work[y][x] = column[y];
            }
        }
        for (y, row) in work.into_iter().enumerate() {
            let at = place.offset + y * place.stride;
            buffer[at..at + 8].copy_from_slice(&pass::<18>(row).map(sample));
        }
    }
}

/// Twice as wide: three parts of the nearer sample, one of the farther; rounding alternates (libjpeg's h2v1).
pub(super) fn across(line: &[u8], out: &mut [u8]) {
    for (i, pair) in out.chunks_exact_mut(2).enumerate().take(line.len()) {
        let here = u16::from(line[i]);
        let before = u16::from(line[i.saturating_sub(1)]);
        let after = u16::from(line[(i + 1).min(line.len() - 1)]);
        pair[0] = ((3 * here + before + 1) >> 2) as u8;
        pair[1] = ((3 * here + after + 2) >> 2) as u8;
    }
}

/// A line between two.
pub(super) fn down(near: &[u8], far: &[u8], round: u16, out: &mut [u8]) {
    for ((out, &near), &far) in out.iter_mut().zip(near).zip(far) {
        *out = ((3 * u16::from(near) + u16::from(far) + round) >> 2) as u8;
    }
}

/// Twice as wide, from two lines (libjpeg's h2v2).
pub(super) fn both(near: &[u8], far: &[u8], out: &mut [u8]) {
    let sum = |i: usize| 3 * u16::from(near[i]) + u16::from(far[i]);
    let last = near.len().min(far.len()).saturating_sub(1);
    for (i, pair) in out.chunks_exact_mut(2).enumerate().take(last + 1) {
        let here = sum(i);
        pair[0] = ((3 * here + sum(i.saturating_sub(1)) + 8) >> 4) as u8;
        pair[1] = ((3 * here + sum((i + 1).min(last)) + 7) >> 4) as u8;
    }
}

/// The first and the last sample's outer half, for kernels whose vectors need both neighbours.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) fn ends(out: &mut [u8], line: &[u8], far: Option<&[u8]>) {
    let len = line.len();
    let mut pairs = [0; 4];
    match far {
        None => across(&line[..2], &mut pairs),
        Some(far) => both(&line[..2], &far[..2], &mut pairs),
    }
    out[..2].copy_from_slice(&pairs[..2]);
    match far {
        None => across(&line[len - 2..], &mut pairs),
        Some(far) => both(&line[len - 2..], &far[len - 2..len], &mut pairs),
    }
    out[2 * len - 2..2 * len].copy_from_slice(&pairs[2..]);
}

/// JFIF's conversion with 16 bits of fraction, rounded.
pub(super) fn ycc_to_rgb(y: &[u8], cb: &[u8], cr: &[u8], out: &mut [u8]) {
    for (((pixel, &y), &cb), &cr) in out.chunks_exact_mut(3).zip(y).zip(cb).zip(cr) {
        let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
        let clamp = |value: i32| value.clamp(0, 255) as u8;
        pixel[0] = clamp(y + ((91881 * cr + 32768) >> 16));
        pixel[1] = clamp(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
        pixel[2] = clamp(y + ((116_130 * cb + 32768) >> 16));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(block: &Block) -> [f64; 64] {
        let basis = |k: usize, n: usize| {
            let scale = if k == 0 { (0.5f64).sqrt() } else { 1.0 };
            scale * ((2 * n + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos() / 2.0
        };
        std::array::from_fn(|at| {
            let (y, x) = (at / 8, at % 8);
            (0..64).map(|i| f64::from(block[i]) * basis(i / 8, y) * basis(i % 8, x)).sum::<f64>() + 128.0
        })
    }

    #[test]
    fn the_transform_is_within_one_of_the_exact_one() {
        let mut seed = 1u32;
        for _ in 0..2000 {
            let mut blocks = [[0i16; super::super::BLOCK]; BATCH];
            for value in &mut blocks[0] {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *value = if seed >> 29 == 0 { (seed >> 8 & 255) as i16 - 128 } else { 0 };
            }
            let mut out = [0u8; 64];
            idct8(&blocks, &[Place { offset: 0, stride: 8 }], &mut out);
            for (&got, wanted) in out.iter().zip(exact(&blocks[0])) {
                assert!((f64::from(got) - wanted.clamp(0.0, 255.0)).abs() < 1.0, "{got} {wanted}");
            }
        }
    }

    #[test]
    fn extreme_coefficients_do_not_overflow() {
        for value in [i16::MIN, i16::MAX, -1] {
            let mut out = [0u8; 64];
            idct8(&[[value; super::super::BLOCK]; BATCH], &[Place { offset: 0, stride: 8 }], &mut out);
        }
    }

    #[test]
    fn flat_lines_stay_flat() {
        let mut out = [0; 10];
        across(&[77; 5], &mut out);
        assert_eq!(out, [77; 10]);
        both(&[77; 5], &[77; 5], &mut out);
        assert_eq!(out, [77; 10]);
    }

    #[test]
    fn primaries_come_out_as_jfif_says() {
        let mut out = [0; 6];
        ycc_to_rgb(&[76, 29], &[85, 255], &[255, 107], &mut out);
        assert_eq!(out, [254, 0, 0, 0, 0, 254]);
    }
}
