//! The sums for 64-bit ARM with NEON: 16 columns at once, or the channels of a pixel. Invariant: nothing here is called
//! before [`available`] has said yes; bytes equal `scalar`'s, since sums of whole numbers do not depend on their order.

#![expect(unsafe_code, reason = "vector loads and stores")]

use super::{Part, scalar};
use crate::resample::SLACK;
use crate::resample::axis::{Axis, GROUP};
use std::arch::aarch64::*;

/// Columns of a block.
const BLOCK: usize = 16;

/// Whether this machine has what these kernels use: all with an operating system do.
pub(super) fn available() -> bool {
    std::arch::is_aarch64_feature_detected!("neon")
}

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8], at: usize) -> uint8x16_t {
    let bytes = &bytes[at..at + BLOCK];
    // SAFETY: the slice has sixteen bytes.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

/// Sixteen bytes as 16-bit values, four by four.
#[inline]
#[target_feature(enable = "neon")]
fn fours(bytes: uint8x16_t) -> [int16x4_t; 4] {
    let low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(bytes)));
    let high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(bytes)));
    [vget_low_s16(low), vget_high_s16(low), vget_low_s16(high), vget_high_s16(high)]
}

#[target_feature(enable = "neon")]
fn down_neon(part: &Part<'_>, sums: &mut [i32], line: &mut [u8]) {
    let blocks = line.len() / BLOCK;
    let half = vdupq_n_s32(1 << (part.precision - 1));
    let shift = vdupq_n_s32(-(part.precision as i32));
    for block in 0..blocks {
        let at = block * BLOCK;
        let kept = sums[at..at + BLOCK].as_chunks_mut::<4>().0;
        let mut sum = [half; 4];
        if !part.begins {
            for (sum, kept) in sum.iter_mut().zip(&*kept) {
                // SAFETY: the array has four sums.
                *sum = unsafe { vld1q_s32(kept.as_ptr()) };
            }
        }
        for (row, &weight) in part.weights.iter().enumerate() {
            let values = fours(load(part.rows, row * part.stride + at));
            for (sum, values) in sum.iter_mut().zip(values) {
                *sum = vmlal_n_s16(*sum, values, weight);
            }
        }
        if part.ends {
            let [a, b, c, d] = sum.map(|sum| vqmovn_s32(vshlq_s32(sum, shift)));
            let bytes = vcombine_u8(vqmovun_s16(vcombine_s16(a, b)), vqmovun_s16(vcombine_s16(c, d)));
            let out = &mut line[at..at + BLOCK];
            // SAFETY: the slice has sixteen bytes.
            unsafe { vst1q_u8(out.as_mut_ptr(), bytes) };
        } else {
            for (kept, sum) in kept.iter_mut().zip(sum) {
                // SAFETY: the array has room for four sums.
                unsafe { vst1q_s32(kept.as_mut_ptr(), sum) };
            }
        }
    }
    scalar::columns(part, blocks * BLOCK, sums, line);
}

pub(super) fn down(part: &Part<'_>, sums: &mut [i32], line: &mut [u8]) {
    // SAFETY: only `Kernels::detect` hands this function out, after it has found NEON.
    unsafe { down_neon(part, sums, line) }
}

/// For `tbl`: a group of pixels, each with four channels; what is missing is 0.
const fn pixels(channels: usize) -> [u8; 16] {
    let mut mask = [0x80; 16];
    let mut at = 0;
    while at < 16 {
        if at % 4 < channels {
            mask[at] = (at / 4 * channels + at % 4) as u8;
        }
        at += 1;
    }
    mask
}

/// A line of three or four channels.
#[target_feature(enable = "neon")]
fn across_neon<const N: usize>(axis: &Axis, first: u32, line: &[u8], out: &mut [u8]) {
    let half = vdupq_n_s32(1 << (axis.precision() - 1));
    let shift = vdupq_n_s32(-(axis.precision() as i32));
    let mask = load(const { &pixels(N) }, 0);
    for (at, pixel) in out.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        let span = axis.span(at as u32);
        let groups = span.len().div_ceil(GROUP);
        let weights = axis.weights(at)[..groups * GROUP].as_chunks::<GROUP>().0;
        let start = (span.start - first) as usize * N;
        let mut sum = half;
        for (group, weights) in weights.iter().enumerate() {
            // A group is up to 16 bytes; behind the lines there is room for one.
            let values = fours(vqtbl1q_u8(load(line, start + group * GROUP * N), mask));
            for (values, &weight) in values.into_iter().zip(weights) {
                sum = vmlal_n_s16(sum, values, weight);
            }
        }
        let words = vqmovn_s32(vshlq_s32(sum, shift));
        let mut bytes = [0; 8];
        // SAFETY: eight bytes are written to an array of as many.
        unsafe { vst1_u8(bytes.as_mut_ptr(), vqmovun_s16(vcombine_s16(words, words))) };
        pixel.copy_from_slice(&bytes[..N]);
    }
}

pub(super) fn across(axis: &Axis, first: u32, lines: [&[u8]; 2], out: [&mut [u8]; 2], channels: usize) {
    const { assert!(SLACK >= 4 * GROUP + 16, "a group and a load fit behind a line") };
    for (line, out) in lines.into_iter().zip(out) {
        // SAFETY: only `Kernels::detect` hands this function out, after it has found NEON.
        unsafe {
            match channels {
                // The compiler makes vectors of it.
                1 => scalar::line_across::<1>(axis, first, line, out),
                3 => across_neon::<3>(axis, first, line, out),
                _ => across_neon::<4>(axis, first, line, out),
            }
        }
    }
}
