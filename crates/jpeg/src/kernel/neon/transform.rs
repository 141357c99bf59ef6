//! Inverse DCTs: a block of 8 × 8 by itself, two blocks of 4 × 4 at once.
//! The arithmetic is `scalar`'s: products of 16 bits in 32, sums that wrap, shifts that round, narrowing that saturates.
//! Factors that `scalar` applies one after the other are joined, which changes nothing modulo 2^32.

#![expect(unsafe_code, reason = "vector loads and stores")]

use crate::kernel::{BATCH, Block, Place};
use std::arch::aarch64::*;

/// Low and high halves of eight values, as 32 bits.
type Wide = [int32x4_t; 2];

/// `a` times `first` and `b` times `second`.
#[inline]
#[target_feature(enable = "neon")]
fn products(a: int16x8_t, first: i16, b: int16x8_t, second: i16) -> Wide {
    let low = vmlal_n_s16(vmull_n_s16(vget_low_s16(a), first), vget_low_s16(b), second);
    let high = vmlal_n_s16(vmull_n_s16(vget_high_s16(a), first), vget_high_s16(b), second);
    [low, high]
}

#[inline]
#[target_feature(enable = "neon")]
fn add(a: Wide, b: Wide) -> Wide {
    [vaddq_s32(a[0], b[0]), vaddq_s32(a[1], b[1])]
}

#[inline]
#[target_feature(enable = "neon")]
fn sub(a: Wide, b: Wide) -> Wide {
    [vsubq_s32(a[0], b[0]), vsubq_s32(a[1], b[1])]
}

/// 16 bits to 32 with 13 bits of fraction.
#[inline]
#[target_feature(enable = "neon")]
fn widen(a: int16x8_t) -> Wide {
    [vshll_n_s16::<13>(vget_low_s16(a)), vshll_n_s16::<13>(vget_high_s16(a))]
}

/// Rounds, takes away `SHIFT` bits, saturates to 16. The rounding wraps as `scalar`'s does: `vrshr` would not.
#[inline]
#[target_feature(enable = "neon")]
fn narrow<const SHIFT: i32>(a: Wide) -> int16x8_t {
    let round = vdupq_n_s32(1 << (SHIFT - 1));
    let [low, high] = add(a, [round, round]);
    vcombine_s16(vqmovn_s32(vshrq_n_s32::<SHIFT>(low)), vqmovn_s32(vshrq_n_s32::<SHIFT>(high)))
}

/// One pass over eight vectors.
#[inline]
#[target_feature(enable = "neon")]
fn pass8<const SHIFT: i32>(v: [int16x8_t; 8]) -> [int16x8_t; 8] {
    let even3 = products(v[2], 4433 + 6270, v[6], 4433);
    let even2 = products(v[2], 4433, v[6], 4433 - 15137);
    let even0 = widen(vaddq_s16(v[0], v[4]));
    let even1 = widen(vsubq_s16(v[0], v[4]));
    let even = [add(even0, even3), add(even1, even2), sub(even1, even2), sub(even0, even3)];

    let (z3, z4) = (vaddq_s16(v[7], v[3]), vaddq_s16(v[5], v[1]));
    let (z3, z4) = (products(z3, 9633 - 16069, z4, 9633), products(z3, 9633, z4, 9633 - 3196));
    let odd = [
        add(products(v[7], -7373, v[1], 12299 - 7373), z4),
        add(products(v[5], -20995, v[3], 25172 - 20995), z3),
        add(products(v[5], 16819 - 20995, v[3], -20995), z4),
        add(products(v[7], 2446 - 7373, v[1], -7373), z3),
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

/// Two by two: the values of even place of both vectors, then those of odd place.
#[inline]
#[target_feature(enable = "neon")]
fn pairs16(a: int16x8_t, b: int16x8_t) -> [int32x4_t; 2] {
    [vreinterpretq_s32_s16(vtrn1q_s16(a, b)), vreinterpretq_s32_s16(vtrn2q_s16(a, b))]
}

/// Likewise, by pairs.
#[inline]
#[target_feature(enable = "neon")]
fn pairs32(a: int32x4_t, b: int32x4_t) -> [int64x2_t; 2] {
    [vreinterpretq_s64_s32(vtrn1q_s32(a, b)), vreinterpretq_s64_s32(vtrn2q_s32(a, b))]
}

/// Rows become columns.
#[inline]
#[target_feature(enable = "neon")]
fn transpose8(v: [int16x8_t; 8]) -> [int16x8_t; 8] {
    let ([a0, a1], [a2, a3]) = (pairs16(v[0], v[1]), pairs16(v[2], v[3]));
    let ([a4, a5], [a6, a7]) = (pairs16(v[4], v[5]), pairs16(v[6], v[7]));
    // By column of the first half: those of rows 0 to 3, those of rows 4 to 7.
    let ([b0, b2], [b1, b3]) = (pairs32(a0, a2), pairs32(a1, a3));
    let ([c0, c2], [c1, c3]) = (pairs32(a4, a6), pairs32(a5, a7));
    [
        vreinterpretq_s16_s64(vtrn1q_s64(b0, c0)),
        vreinterpretq_s16_s64(vtrn1q_s64(b1, c1)),
        vreinterpretq_s16_s64(vtrn1q_s64(b2, c2)),
        vreinterpretq_s16_s64(vtrn1q_s64(b3, c3)),
        vreinterpretq_s16_s64(vtrn2q_s64(b0, c0)),
        vreinterpretq_s16_s64(vtrn2q_s64(b1, c1)),
        vreinterpretq_s16_s64(vtrn2q_s64(b2, c2)),
        vreinterpretq_s16_s64(vtrn2q_s64(b3, c3)),
    ]
}

/// Level-shifted and clamped.
#[inline]
#[target_feature(enable = "neon")]
fn samples(v: int16x8_t) -> uint8x8_t {
    vqmovun_s16(vqaddq_s16(v, vdupq_n_s16(128)))
}

#[target_feature(enable = "neon")]
fn idct8_neon(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    for (block, place) in blocks.iter().zip(places) {
        let mut rows = [vdupq_n_s16(0); 8];
        for (y, row) in rows.iter_mut().enumerate() {
            let values = &block[8 * y..8 * y + 8];
            // SAFETY: the slice has eight values.
            *row = unsafe { vld1q_s16(values.as_ptr()) };
        }
        let rows = transpose8(pass8::<18>(transpose8(pass8::<11>(rows))));
        for (y, row) in rows.into_iter().enumerate() {
            let at = place.offset + y * place.stride;
            let out = &mut buffer[at..at + 8];
            // SAFETY: the slice has eight bytes.
            unsafe { vst1_u8(out.as_mut_ptr(), samples(row)) };
        }
    }
}

/// At most two blocks of 8 × 8.
pub(in crate::kernel) fn idct8(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    // SAFETY: only `Kernels::detect` hands this function out, after it has found NEON.
    unsafe { idct8_neon(blocks, places, buffer) }
}

/// One pass over four vectors.
#[inline]
#[target_feature(enable = "neon")]
fn pass4<const SHIFT: i32>(v: [int16x8_t; 4]) -> [int16x8_t; 4] {
    let even0 = widen(vaddq_s16(v[0], v[2]));
    let even1 = widen(vsubq_s16(v[0], v[2]));
    let odd0 = products(v[1], 4433 + 6270, v[3], 4433);
    let odd1 = products(v[1], 4433, v[3], 4433 - 15137);
    [
        narrow::<SHIFT>(add(even0, odd0)),
        narrow::<SHIFT>(add(even1, odd1)),
        narrow::<SHIFT>(sub(even1, odd1)),
        narrow::<SHIFT>(sub(even0, odd0)),
    ]
}

/// Each vector holds a row of two blocks; afterwards, a column.
#[inline]
#[target_feature(enable = "neon")]
fn transpose4(v: [int16x8_t; 4]) -> [int16x8_t; 4] {
    let ([a0, a1], [b0, b1]) = (pairs16(v[0], v[1]), pairs16(v[2], v[3]));
    let ([c0, c2], [c1, c3]) = (pairs32(a0, b0), pairs32(a1, b1));
    [c0, c1, c2, c3].map(|column| vreinterpretq_s16_s64(column))
}

#[target_feature(enable = "neon")]
fn idct4_neon(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    for (blocks, places) in blocks.as_chunks::<2>().0.iter().zip(places.chunks(2)) {
        let halves = |block: &Block| {
            let (first, second) = (&block[..8], &block[8..16]);
            // SAFETY: the slices have eight values each.
            unsafe { (vld1q_s16(first.as_ptr()), vld1q_s16(second.as_ptr())) }
        };
        let ((a01, a23), (b01, b23)) = (halves(&blocks[0]), halves(&blocks[1]));
        let rows = [
            vcombine_s16(vget_low_s16(a01), vget_low_s16(b01)),
            vcombine_s16(vget_high_s16(a01), vget_high_s16(b01)),
            vcombine_s16(vget_low_s16(a23), vget_low_s16(b23)),
            vcombine_s16(vget_high_s16(a23), vget_high_s16(b23)),
        ];
        let rows = transpose4(pass4::<18>(transpose4(pass4::<11>(rows))));
        for (y, row) in rows.into_iter().enumerate() {
            let mut bytes = [0; 8];
            // SAFETY: eight bytes are written to an array of as many.
            unsafe { vst1_u8(bytes.as_mut_ptr(), samples(row)) };
            for (place, bytes) in places.iter().zip(bytes.as_chunks::<4>().0) {
                let at = place.offset + y * place.stride;
                buffer[at..at + 4].copy_from_slice(bytes);
            }
        }
    }
}

/// At most four blocks of 4 × 4.
pub(in crate::kernel) fn idct4(blocks: &[Block; BATCH], places: &[Place], buffer: &mut [u8]) {
    // SAFETY: only `Kernels::detect` hands this function out, after it has found NEON.
    unsafe { idct4_neon(blocks, places, buffer) }
}
