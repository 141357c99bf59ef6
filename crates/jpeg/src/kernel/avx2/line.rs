//! Upsampling and colour on lines, 16 or 32 samples at a time. A line's end is done by a last vector that overlaps
//! the one before; lines shorter than a vector go to `scalar`.

#![expect(unsafe_code, reason = "vector loads and stores")]

use crate::kernel::scalar;
use std::arch::x86_64::*;

/// Sixteen samples from `at` on, as 16 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn load(line: &[u8], at: usize) -> __m256i {
    let bytes = &line[at..at + 16];
    // SAFETY: the slice has sixteen bytes.
    _mm256_cvtepu8_epi16(unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) })
}

/// 32 bytes to `at`.
#[inline]
#[target_feature(enable = "avx2")]
fn store(out: &mut [u8], at: usize, value: __m256i) {
    let bytes = &mut out[at..at + 32];
    // SAFETY: the slice has 32 bytes.
    unsafe { _mm256_storeu_si256(bytes.as_mut_ptr().cast(), value) };
}

#[inline]
#[target_feature(enable = "avx2")]
fn triple(a: __m256i) -> __m256i {
    _mm256_add_epi16(a, _mm256_add_epi16(a, a))
}

/// Samples that have both neighbours, in vectors of 16: where each begins.
fn starts(len: usize) -> impl Iterator<Item = usize> {
    let last = len - 17;
    (1..last).step_by(16).chain([last])
}

#[target_feature(enable = "avx2")]
fn across_avx2(line: &[u8], out: &mut [u8]) {
    let (one, two) = (_mm256_set1_epi16(1), _mm256_set1_epi16(2));
    for at in starts(line.len()) {
        let here = triple(load(line, at));
        let left = _mm256_add_epi16(_mm256_add_epi16(here, load(line, at - 1)), one);
        let right = _mm256_add_epi16(_mm256_add_epi16(here, load(line, at + 1)), two);
        let (left, right) = (_mm256_srli_epi16::<2>(left), _mm256_srli_epi16::<2>(right));
        store(out, 2 * at, _mm256_or_si256(left, _mm256_slli_epi16::<8>(right)));
    }
    scalar::ends(out, line, None);
}

/// Twice as wide.
pub(in crate::kernel) fn across(line: &[u8], out: &mut [u8]) {
    if line.len() < 18 {
        return scalar::across(line, out);
    }
    // SAFETY: only `Kernels::detect` hands this function out, after it has found AVX2.
    unsafe { across_avx2(line, out) }
}

#[target_feature(enable = "avx2")]
fn both_avx2(near: &[u8], far: &[u8], out: &mut [u8]) {
    let (seven, eight) = (_mm256_set1_epi16(7), _mm256_set1_epi16(8));
    for at in starts(near.len()) {
        let [before, here, after] = [at - 1, at, at + 1].map(|at| {
            let (near, far) = (load(near, at), load(far, at));
            _mm256_add_epi16(triple(near), far)
        });
        let here = triple(here);
        let left = _mm256_srli_epi16::<4>(_mm256_add_epi16(_mm256_add_epi16(here, before), eight));
        let right = _mm256_srli_epi16::<4>(_mm256_add_epi16(_mm256_add_epi16(here, after), seven));
        store(out, 2 * at, _mm256_or_si256(left, _mm256_slli_epi16::<8>(right)));
    }
    scalar::ends(out, near, Some(far));
}

/// Twice as wide, from two lines.
pub(in crate::kernel) fn both(near: &[u8], far: &[u8], out: &mut [u8]) {
    if near.len() < 18 || near.len() != far.len() {
        return scalar::both(near, far, out);
    }
    // SAFETY: only `Kernels::detect` hands this function out, after it has found AVX2.
    unsafe { both_avx2(near, far, out) }
}

#[target_feature(enable = "avx2")]
fn down_avx2(near: &[u8], far: &[u8], round: u16, out: &mut [u8]) {
    // The compiler makes vectors of it.
    scalar::down(near, far, round, out);
}

/// A line between two.
pub(in crate::kernel) fn down(near: &[u8], far: &[u8], round: u16, out: &mut [u8]) {
    // SAFETY: only `Kernels::detect` hands this function out, after it has found AVX2.
    unsafe { down_avx2(near, far, round, out) }
}

/// 16-bit Y, Cb − 128, Cr − 128 → 16-bit R, G, B, not yet clamped. JFIF's factors less a whole number, so that they
/// fit 16 bits: 1.402 − 1, 1.772 − 2, 1 − 0.71414.
#[inline]
#[target_feature(enable = "avx2")]
fn convert(y: __m256i, cb: __m256i, cr: __m256i) -> [__m256i; 3] {
    let one = _mm256_set1_epi16(1);
    let part = |value: __m256i, factor: i16| {
        let product = _mm256_mulhi_epi16(_mm256_add_epi16(value, value), _mm256_set1_epi16(factor));
        _mm256_srai_epi16::<1>(_mm256_add_epi16(product, one))
    };
    let red = _mm256_add_epi16(_mm256_add_epi16(y, cr), part(cr, 26345));
    let blue = _mm256_add_epi16(_mm256_add_epi16(y, _mm256_add_epi16(cb, cb)), part(cb, -14942));
    let factors = _mm256_set1_epi32((18734 << 16) | i32::from(-22554i16 as u16));
    let round = _mm256_set1_epi32(1 << 15);
    let sum = |pairs: __m256i| _mm256_srai_epi32::<16>(_mm256_add_epi32(_mm256_madd_epi16(pairs, factors), round));
    let green = _mm256_packs_epi32(sum(_mm256_unpacklo_epi16(cb, cr)), sum(_mm256_unpackhi_epi16(cb, cr)));
    let green = _mm256_add_epi16(y, _mm256_sub_epi16(green, cr));
    [red, green, blue]
}

/// For `pshufb`: which byte of a channel goes to each byte of output vector `part`; 0x80 where another channel's does.
const fn spread(channel: usize, part: usize) -> [u8; 32] {
    let mut mask = [0x80; 32];
    let mut i = 0;
    while i < 16 {
        let at = part * 16 + i;
        if at % 3 == channel {
            mask[i] = (at / 3) as u8;
            mask[i + 16] = mask[i];
        }
        i += 1;
    }
    mask
}

/// By output vector, then channel.
const SPREAD: [[[u8; 32]; 3]; 3] = [
    [spread(0, 0), spread(1, 0), spread(2, 0)],
    [spread(0, 1), spread(1, 1), spread(2, 1)],
    [spread(0, 2), spread(1, 2), spread(2, 2)],
];

#[inline]
#[target_feature(enable = "avx2")]
fn mask(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: the array has 32 bytes.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Three channels of 32 bytes → 96 bytes of pixels.
#[inline]
#[target_feature(enable = "avx2")]
fn interleave([red, green, blue]: [__m256i; 3]) -> [__m256i; 3] {
    let [a, b, c] = [0, 1, 2].map(|part| {
        let [r, g, b] = &SPREAD[part];
        let (r, g) = (_mm256_shuffle_epi8(red, mask(r)), _mm256_shuffle_epi8(green, mask(g)));
        _mm256_or_si256(_mm256_or_si256(r, g), _mm256_shuffle_epi8(blue, mask(b)))
    });
    [
        _mm256_permute2x128_si256::<0x20>(a, b),
        _mm256_permute2x128_si256::<0x30>(c, a),
        _mm256_permute2x128_si256::<0x31>(b, c),
    ]
}

#[target_feature(enable = "avx2")]
fn ycc_to_rgb_avx2(y: &[u8], cb: &[u8], cr: &[u8], out: &mut [u8]) {
    let (zero, level) = (_mm256_setzero_si256(), _mm256_set1_epi16(128));
    let load = |line: &[u8], at: usize| {
        let bytes = &line[at..at + 32];
        // SAFETY: the slice has 32 bytes.
        let all = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
        [_mm256_unpacklo_epi8(all, zero), _mm256_unpackhi_epi8(all, zero)]
    };
    let last = y.len() - 32;
    for at in (0..last).step_by(32).chain([last]) {
        let (y, cb, cr) = (load(y, at), load(cb, at), load(cr, at));
        let [low, high] =
            [0, 1].map(|half| convert(y[half], _mm256_sub_epi16(cb[half], level), _mm256_sub_epi16(cr[half], level)));
        let channels = [0, 1, 2].map(|channel| _mm256_packus_epi16(low[channel], high[channel]));
        for (i, pixels) in interleave(channels).into_iter().enumerate() {
            store(out, 3 * at + 32 * i, pixels);
        }
    }
}

/// Y, Cb, Cr → interleaved RGB.
pub(in crate::kernel) fn ycc_to_rgb(y: &[u8], cb: &[u8], cr: &[u8], out: &mut [u8]) {
    if y.len() < 32 {
        return scalar::ycc_to_rgb(y, cb, cr, out);
    }
    // SAFETY: only `Kernels::detect` hands this function out, after it has found AVX2.
    unsafe { ycc_to_rgb_avx2(y, cb, cr, out) }
}
