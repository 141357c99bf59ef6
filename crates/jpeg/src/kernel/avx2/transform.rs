//! Inverse DCTs on 16-bit lanes: two blocks of 8 × 8, or four of 4 × 4, at once.
//! The arithmetic is `scalar`'s, step by step: products by pairs (`madd`), sums that wrap alike, packs that saturate.

#![expect(unsafe_code, reason = "vector loads and stores")]

use crate::kernel::{BATCH, Block, Place};
use std::arch::x86_64::*;

/// Two 16-bit factors for `madd`: the first for the even elements.
#[inline]
#[target_feature(enable = "avx2")]
fn factors(first: i16, second: i16) -> __m256i {
    _mm256_set1_epi32(i32::from(second) << 16 | i32::from(first as u16))
}

/// Low and high halves of interleaved pairs, as 32-bit sums of products.
type Wide = [__m256i; 2];

#[inline]
#[target_feature(enable = "avx2")]
fn pairs(a: __m256i, b: __m256i) -> Wide {
    [_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn madd(pairs: Wide, first: i16, second: i16) -> Wide {
    let by = factors(first, second);
    [_mm256_madd_epi16(pairs[0], by), _mm256_madd_epi16(pairs[1], by)]
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: Wide, b: Wide) -> Wide {
    [_mm256_add_epi32(a[0], b[0]), _mm256_add_epi32(a[1], b[1])]
}

#[inline]
#[target_feature(enable = "avx2")]
fn sub(a: Wide, b: Wide) -> Wide {
    [_mm256_sub_epi32(a[0], b[0]), _mm256_sub_epi32(a[1], b[1])]
}

/// 16 bits to 32 with 13 bits of fraction.
#[inline]
#[target_feature(enable = "avx2")]
fn widen(a: __m256i) -> Wide {
    let zero = _mm256_setzero_si256();
    [_mm256_srai_epi32::<3>(_mm256_unpacklo_epi16(zero, a)), _mm256_srai_epi32::<3>(_mm256_unpackhi_epi16(zero, a))]
}

/// Rounds, takes away `SHIFT` bits, saturates to 16.
#[inline]
#[target_feature(enable = "avx2")]
fn narrow<const SHIFT: i32>(a: Wide) -> __m256i {
    let round = _mm256_set1_epi32(1 << (SHIFT - 1));
    let [low, high] = add(a, [round, round]);
    _mm256_packs_epi32(_mm256_srai_epi32::<SHIFT>(low), _mm256_srai_epi32::<SHIFT>(high))
}

/// One pass over eight vectors.
#[inline]
#[target_feature(enable = "avx2")]
fn pass8<const SHIFT: i32>(v: [__m256i; 8]) -> [__m256i; 8] {
    let p26 = pairs(v[2], v[6]);
    let even3 = madd(p26, 4433 + 6270, 4433);
    let even2 = madd(p26, 4433, 4433 - 15137);
    let even0 = widen(_mm256_add_epi16(v[0], v[4]));
    let even1 = widen(_mm256_sub_epi16(v[0], v[4]));
    let even = [add(even0, even3), add(even1, even2), sub(even1, even2), sub(even0, even3)];

    let p34 = pairs(_mm256_add_epi16(v[7], v[3]), _mm256_add_epi16(v[5], v[1]));
    let z3 = madd(p34, 9633 - 16069, 9633);
    let z4 = madd(p34, 9633, 9633 - 3196);
    let (p71, p53) = (pairs(v[7], v[1]), pairs(v[5], v[3]));
    let odd = [
        add(madd(p71, -7373, 12299 - 7373), z4),
        add(madd(p53, -20995, 25172 - 20995), z3),
        add(madd(p53, 16819 - 20995, -20995), z4),
        add(madd(p71, 2446 - 7373, -7373), z3),
    ];
    [
        narrow::<SHIFT>(add(even[0], odd[0])),
        narrow::<SHIFT>(add(even[1], odd[1])),
        narrow::<SHIFT>(add(even[2], odd[2])),
        narrow::<SHIFT>(add(even[3], odd[3])),
        narrow::<SHIFT>(sub(even[3], odd[3])),
        narrow::<SHIFT>(sub(even[2], odd[2])),
        narrow::<SHIFT>(sub(even[1], odd[1])),
        narrow::<SHIFT>(sub(even[0], odd[0])),
    ]
}

/// Rows become columns, in each half by itself.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose8(v: [__m256i; 8]) -> [__m256i; 8] {
    let [a0, a1] = pairs(v[0], v[1]);
    let [a2, a3] = pairs(v[2], v[3]);
    let [a4, a5] = pairs(v[4], v[5]);
    let [a6, a7] = pairs(v[6], v[7]);
    let (b0, b1) = (_mm256_unpacklo_epi32(a0, a2), _mm256_unpackhi_epi32(a0, a2));
    let (b2, b3) = (_mm256_unpacklo_epi32(a4, a6), _mm256_unpackhi_epi32(a4, a6));
    let (b4, b5) = (_mm256_unpacklo_epi32(a1, a3), _mm256_unpackhi_epi32(a1, a3));
    let (b6, b7) = (_mm256_unpacklo_epi32(a5, a7), _mm256_unpackhi_epi32(a5, a7));
    [
        _mm256_unpacklo_epi64(b0, b2),
        _mm256_unpackhi_epi64(b0, b2),
        _mm256_unpacklo_epi64(b1, b3),
        _mm256_unpackhi_epi64(b1, b3),
        _mm256_unpacklo_epi64(b4, b6),
        _mm256_unpackhi_epi64(b4, b6),
        _mm256_unpacklo_epi64(b5, b7),
        _mm256_unpackhi_epi64(b5, b7),
    ]
}

/// Columns of 16-bit values → pairs of rows of bytes, level-shifted and clamped.
#[inline]
#[target_feature(enable = "avx2")]
fn rows8(v: [__m256i; 8]) -> [__m256i; 4] {
    let a0 = _mm256_packs_epi16(v[0], v[2]);
    let a1 = _mm256_packs_epi16(v[1], v[3]);
    let a2 = _mm256_packs_epi16(v[4], v[6]);
    let a3 = _mm256_packs_epi16(v[5], v[7]);
    let (b0, b1) = (_mm256_unpacklo_epi8(a0, a1), _mm256_unpackhi_epi8(a0, a1));
    let (b2, b3) = (_mm256_unpacklo_epi8(a2, a3), _mm256_unpackhi_epi8(a2, a3));
    let (c0, c1) = (_mm256_unpacklo_epi16(b0, b1), _mm256_unpackhi_epi16(b0, b1));
    let (c2, c3) = (_mm256_unpacklo_epi16(b2, b3), _mm256_unpackhi_epi16(b2, b3));
    let level = _mm256_set1_epi8(-128);
    [
        _mm256_xor_si256(_mm256_unpacklo_epi32(c0, c2), level),
        _mm256_xor_si256(_mm256_unpackhi_epi32(c0, c2), level),
        _mm256_xor_si256(_mm256_unpacklo_epi32(c1, c3), level),
        _mm256_xor_si256(_mm256_unpackhi_epi32(c1, c3), level),
    ]
}

/// Checks that `rows` rows of `width` bytes at `place` are inside a buffer of `len`.
#[inline]
fn assert_inside(place: Place, rows: usize, width: usize, len: usize) {
    assert!(place.offset + (rows - 1) * place.stride + width <= len, "a block lies inside its strip");
}

#[target_feature(enable = "avx2")]
fn idct8_avx2(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    let mut rows = [_mm256_setzero_si256(); 8];
    for (y, row) in rows.iter_mut().enumerate() {
        // SAFETY: a block has 64 values; eight from 8 y on are read, and y < 8.
        *row =
            unsafe { _mm256_loadu2_m128i(blocks[1].as_ptr().add(8 * y).cast(), blocks[0].as_ptr().add(8 * y).cast()) };
    }
    let columns = pass8::<18>(transpose8(pass8::<11>(rows)));
    let pairs = rows8(columns);
    for (half, &place) in places.iter().take(2).enumerate() {
        assert_inside(place, 8, 8, buffer.len());
        for (i, &pair) in pairs.iter().enumerate() {
            let bytes = if half == 0 { _mm256_castsi256_si128(pair) } else { _mm256_extracti128_si256::<1>(pair) };
            // SAFETY: rows 2 i and 2 i + 1, eight bytes each, are inside the buffer, as asserted above.
            unsafe {
                let at = buffer.as_mut_ptr().add(place.offset + 2 * i * place.stride);
                _mm_storel_epi64(at.cast(), bytes);
                _mm_storeh_pd(at.add(place.stride).cast(), _mm_castsi128_pd(bytes));
            }
        }
    }
}

/// At most two blocks of 8 × 8.
pub(in crate::kernel) fn idct8(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    // SAFETY: only `Kernels::detect` hands this function out, after it has found AVX2.
    unsafe { idct8_avx2(blocks, places, buffer) }
}

/// One pass over four vectors.
#[inline]
#[target_feature(enable = "avx2")]
fn pass4<const SHIFT: i32>(v: [__m256i; 4]) -> [__m256i; 4] {
    let even0 = widen(_mm256_add_epi16(v[0], v[2]));
    let even1 = widen(_mm256_sub_epi16(v[0], v[2]));
    let p13 = pairs(v[1], v[3]);
    let odd0 = madd(p13, 4433 + 6270, 4433);
    let odd1 = madd(p13, 4433, 4433 - 15137);
    [
        narrow::<SHIFT>(add(even0, odd0)),
        narrow::<SHIFT>(add(even1, odd1)),
        narrow::<SHIFT>(sub(even1, odd1)),
        narrow::<SHIFT>(sub(even0, odd0)),
    ]
}

/// Each vector holds a row of four blocks; afterwards, a column.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose4(v: [__m256i; 4]) -> [__m256i; 4] {
    let [a0, b0] = pairs(v[0], v[1]);
    let [a1, b1] = pairs(v[2], v[3]);
    let (a01, a23) = (_mm256_unpacklo_epi32(a0, a1), _mm256_unpackhi_epi32(a0, a1));
    let (b01, b23) = (_mm256_unpacklo_epi32(b0, b1), _mm256_unpackhi_epi32(b0, b1));
    [
        _mm256_unpacklo_epi64(a01, b01),
        _mm256_unpackhi_epi64(a01, b01),
        _mm256_unpacklo_epi64(a23, b23),
        _mm256_unpackhi_epi64(a23, b23),
    ]
}

#[target_feature(enable = "avx2")]
fn idct4_avx2(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    // SAFETY: a block has 64 values; the first 16 are read.
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| unsafe { _mm256_loadu_si256(blocks[i].as_ptr().cast()) });
    // Rows 0 and 2, then 1 and 3, of two blocks each.
    let (ab02, ab13) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
    let (cd02, cd13) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
    let rows = [
        _mm256_permute2x128_si256::<0x20>(ab02, cd02),
        _mm256_permute2x128_si256::<0x20>(ab13, cd13),
        _mm256_permute2x128_si256::<0x31>(ab02, cd02),
        _mm256_permute2x128_si256::<0x31>(ab13, cd13),
    ];
    let v = pass4::<18>(transpose4(pass4::<11>(rows)));
    let (low, high) = (_mm256_packs_epi16(v[0], v[1]), _mm256_packs_epi16(v[2], v[3]));
    let (even, odd) = (_mm256_unpacklo_epi8(low, high), _mm256_unpackhi_epi8(low, high));
    let level = _mm256_set1_epi8(-128);
    // Four rows of four bytes for each block: the first and third, the second and fourth.
    let ac = _mm256_xor_si256(_mm256_unpacklo_epi8(even, odd), level);
    let bd = _mm256_xor_si256(_mm256_unpackhi_epi8(even, odd), level);
    let mut bytes = [[0u8; 16]; BATCH];
    let quads = [
        _mm256_castsi256_si128(ac),
        _mm256_castsi256_si128(bd),
        _mm256_extracti128_si256::<1>(ac),
        _mm256_extracti128_si256::<1>(bd),
    ];
    for (bytes, quad) in bytes.iter_mut().zip(quads) {
        // SAFETY: sixteen bytes are written to an array of as many.
        unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), quad) };
    }
    for (bytes, place) in bytes.iter().zip(places) {
        for (y, row) in bytes.chunks_exact(4).enumerate() {
            let at = place.offset + y * place.stride;
            buffer[at..at + 4].copy_from_slice(row);
        }
    }
}

/// At most four blocks of 4 × 4.
pub(in crate::kernel) fn idct4(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    // SAFETY: only `Kernels::detect` hands this function out, after it has found AVX2.
    unsafe { idct4_avx2(blocks, places, buffer) }
}
