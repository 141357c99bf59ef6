//! The sums for x86-64 with AVX2: two taps of a weight at a time (`madd`), 32 columns or two lines at once.
//! Invariant: nothing here is called before [`available`] has said yes; bytes equal `scalar`'s, since sums of whole
//! numbers do not depend on their order.

#![expect(unsafe_code, reason = "vector loads and stores")]

use super::{Part, scalar};
use crate::resample::SLACK;
use crate::resample::axis::{Axis, GROUP};
use std::arch::x86_64::*;

/// Columns of a block.
const BLOCK: usize = 32;

/// Whether this machine has what these kernels use.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx2")
}

/// A pair of weights, for `madd` with a pair of values.
#[inline]
#[target_feature(enable = "avx2")]
fn pair(first: i16, second: i16) -> __m256i {
    _mm256_set1_epi32(i32::from(second) << 16 | i32::from(first as u16))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(bytes: &[u8], at: usize) -> __m256i {
    let bytes = &bytes[at..at + BLOCK];
    // SAFETY: the slice has 32 bytes.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Adds two rows' bytes, weighted, to four vectors of sums: those of bytes 0–3 and 16–19, 4–7 and 20–23, and so on.
#[inline]
#[target_feature(enable = "avx2")]
fn add(sums: [__m256i; 4], a: __m256i, b: __m256i, weights: __m256i) -> [__m256i; 4] {
    let zero = _mm256_setzero_si256();
    let (low, high) = (_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b));
    let values = [
        _mm256_unpacklo_epi8(low, zero),
        _mm256_unpackhi_epi8(low, zero),
        _mm256_unpacklo_epi8(high, zero),
        _mm256_unpackhi_epi8(high, zero),
    ];
    std::array::from_fn(|i| _mm256_add_epi32(sums[i], _mm256_madd_epi16(values[i], weights)))
}

#[target_feature(enable = "avx2")]
fn down_avx2(part: &Part<'_>, sums: &mut [i32], line: &mut [u8]) {
    let blocks = line.len() / BLOCK;
    let half = _mm256_set1_epi32(1 << (part.precision - 1));
    let shift = _mm_cvtsi32_si128(part.precision as i32);
    let zero = _mm256_setzero_si256();
    for block in 0..blocks {
        let at = block * BLOCK;
        let kept: &mut [i32; BLOCK] = (&mut sums[at..at + BLOCK]).try_into().expect("a block of sums");
        let place = kept.as_mut_ptr().cast::<__m256i>();
        let mut sum = if part.begins {
            [half; 4]
        } else {
            // SAFETY: a block of sums is four vectors.
            std::array::from_fn(|i| unsafe { _mm256_loadu_si256(place.add(i)) })
        };
        let mut weights = part.weights.chunks_exact(2);
        let mut row = at;
        for two in &mut weights {
            let (a, b) = (load(part.rows, row), load(part.rows, row + part.stride));
            sum = add(sum, a, b, pair(two[0], two[1]));
            row += 2 * part.stride;
        }
        if let &[last] = weights.remainder() {
            sum = add(sum, load(part.rows, row), zero, pair(last, 0));
        }
        if part.ends {
            let [a, b, c, d] = sum.map(|sum| _mm256_sra_epi32(sum, shift));
            let bytes = _mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
            let out = &mut line[at..at + BLOCK];
            // SAFETY: the slice has 32 bytes.
            unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), bytes) };
        } else {
            for (i, sum) in sum.into_iter().enumerate() {
                // SAFETY: a block of sums is four vectors.
                unsafe { _mm256_storeu_si256(place.add(i), sum) };
            }
        }
    }
    scalar::columns(part, blocks * BLOCK, sums, line);
}

pub(super) fn down(part: &Part<'_>, sums: &mut [i32], line: &mut [u8]) {
    // SAFETY: only `Kernels::detect` hands this function out, after it has found AVX2.
    unsafe { down_avx2(part, sums, line) }
}

/// For `pshufb`: pixels `first` and `first + 1` of a group, channel by channel, as pairs of 16 bits.
const fn pixels(channels: usize, first: usize) -> [u8; 16] {
    let mut mask = [0x80; 16];
    let mut channel = 0;
    while channel < channels {
        mask[4 * channel] = (first * channels + channel) as u8;
        mask[4 * channel + 2] = ((first + 1) * channels + channel) as u8;
        channel += 1;
    }
    mask
}

/// Both lines of three or four channels.
#[target_feature(enable = "avx2")]
fn across_avx2<const N: usize>(axis: &Axis, first: u32, lines: [&[u8]; 2], out: [&mut [u8]; 2]) {
    let masks = const { [pixels(N, 0), pixels(N, 2)] };
    let half = _mm256_set1_epi32(1 << (axis.precision() - 1));
    let shift = _mm_cvtsi32_si128(axis.precision() as i32);
    // SAFETY: the arrays have 16 bytes.
    let masks = masks.map(|mask| _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(mask.as_ptr().cast()) }));
    let [out_a, out_b] = out;
    let pixels = out_a.as_chunks_mut::<N>().0.iter_mut().zip(out_b.as_chunks_mut::<N>().0);
    for (at, (pixel_a, pixel_b)) in pixels.enumerate() {
        let span = axis.span(at as u32);
        let groups = span.len().div_ceil(GROUP);
        let weights = &axis.weights(at)[..groups * GROUP];
        let start = (span.start - first) as usize * N;
        // A group is up to 16 bytes; behind the lines there is room for one.
        let end = start + groups * GROUP * N + 16;
        let (a, b) = (&lines[0][start..end], &lines[1][start..end]);
        let mut sum = half;
        for (group, weights) in weights.chunks_exact(GROUP).enumerate() {
            let at = group * GROUP * N;
            // SAFETY: the slices go on for 16 bytes behind the beginning of every group.
            let (a, b) =
                unsafe { (_mm_loadu_si128(a.as_ptr().add(at).cast()), _mm_loadu_si128(b.as_ptr().add(at).cast())) };
            let both = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(a), b);
            let (one, two) = (_mm256_shuffle_epi8(both, masks[0]), _mm256_shuffle_epi8(both, masks[1]));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(one, pair(weights[0], weights[1])));
            sum = _mm256_add_epi32(sum, _mm256_madd_epi16(two, pair(weights[2], weights[3])));
        }
        let sum = _mm256_sra_epi32(sum, shift);
        let words = _mm256_packs_epi32(sum, sum);
        let bytes = _mm256_packus_epi16(words, words);
        let a = _mm_cvtsi128_si32(_mm256_castsi256_si128(bytes)).to_le_bytes();
        let b = _mm_cvtsi128_si32(_mm256_extracti128_si256::<1>(bytes)).to_le_bytes();
        pixel_a.copy_from_slice(&a[..N]);
        pixel_b.copy_from_slice(&b[..N]);
    }
}

#[target_feature(enable = "avx2")]
fn gray_avx2(axis: &Axis, first: u32, line: &[u8], out: &mut [u8]) {
    // The compiler makes vectors of it.
    scalar::line_across::<1>(axis, first, line, out);
}

pub(super) fn across(axis: &Axis, first: u32, lines: [&[u8]; 2], out: [&mut [u8]; 2], channels: usize) {
    const { assert!(SLACK >= 4 * GROUP + 16, "a group and a load fit behind a line") };
    // SAFETY: only `Kernels::detect` hands this function out, after it has found AVX2.
    unsafe {
        match channels {
            1 => {
                for (line, out) in lines.into_iter().zip(out) {
                    gray_avx2(axis, first, line, out);
                }
            }
            3 => across_avx2::<3>(axis, first, lines, out),
            _ => across_avx2::<4>(axis, first, lines, out),
        }
    }
}
