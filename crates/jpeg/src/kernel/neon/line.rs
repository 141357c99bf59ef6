//! Upsampling and colour on lines, 16 samples at a time. A line's end is done by a last vector that overlaps the one
//! before; lines shorter than a vector go to `scalar`.

#![expect(unsafe_code, reason = "vector loads and stores")]

use crate::kernel::scalar;
use std::arch::aarch64::*;

/// Samples of a vector.
const STEP: usize = 16;

#[inline]
#[target_feature(enable = "neon")]
fn load(line: &[u8], at: usize) -> uint8x16_t {
    let bytes = &line[at..at + STEP];
    // SAFETY: the slice has sixteen bytes.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

/// Two vectors to `at`, by turns.
#[inline]
#[target_feature(enable = "neon")]
fn store_pairs(out: &mut [u8], at: usize, left: uint8x16_t, right: uint8x16_t) {
    let bytes = &mut out[at..at + 2 * STEP];
    // SAFETY: the slice has 32 bytes.
    unsafe { vst2q_u8(bytes.as_mut_ptr(), uint8x16x2_t(left, right)) };
}

/// Samples that have both neighbours, in vectors: where each begins.
fn starts(len: usize) -> impl Iterator<Item = usize> {
    let last = len - STEP - 1;
    (1..last).step_by(STEP).chain([last])
}

#[target_feature(enable = "neon")]
fn across_neon(line: &[u8], out: &mut [u8]) {
    let (three, one) = (vdup_n_u8(3), vdupq_n_u16(1));
    let half = |here: uint8x8_t, before: uint8x8_t, after: uint8x8_t| {
        let here = vmull_u8(here, three);
        let left = vshrn_n_u16::<2>(vaddq_u16(vaddw_u8(here, before), one));
        (left, vrshrn_n_u16::<2>(vaddw_u8(here, after)))
    };
    for at in starts(line.len()) {
        let (before, here, after) = (load(line, at - 1), load(line, at), load(line, at + 1));
        let low = half(vget_low_u8(here), vget_low_u8(before), vget_low_u8(after));
        let high = half(vget_high_u8(here), vget_high_u8(before), vget_high_u8(after));
        store_pairs(out, 2 * at, vcombine_u8(low.0, high.0), vcombine_u8(low.1, high.1));
    }
    scalar::ends(out, line, None);
}

/// Twice as wide.
pub(in crate::kernel) fn across(line: &[u8], out: &mut [u8]) {
    if line.len() < STEP + 2 {
        return scalar::across(line, out);
    }
    // SAFETY: only `Kernels::detect` hands this function out, after it has found NEON.
    unsafe { across_neon(line, out) }
}

#[target_feature(enable = "neon")]
fn both_neon(near: &[u8], far: &[u8], out: &mut [u8]) {
    let (three, seven) = (vdup_n_u8(3), vdupq_n_u16(7));
    // Three parts of the near line and one of the far, of eight samples each.
    let sums = |at: usize| {
        let (near, far) = (load(near, at), load(far, at));
        let low = vaddw_u8(vmull_u8(vget_low_u8(near), three), vget_low_u8(far));
        [low, vaddw_u8(vmull_u8(vget_high_u8(near), three), vget_high_u8(far))]
    };
    let half = |here: uint16x8_t, before: uint16x8_t, after: uint16x8_t| {
        let here = vmulq_n_u16(here, 3);
        let left = vrshrn_n_u16::<4>(vaddq_u16(here, before));
        (left, vshrn_n_u16::<4>(vaddq_u16(vaddq_u16(here, after), seven)))
    };
    for at in starts(near.len()) {
        let (before, here, after) = (sums(at - 1), sums(at), sums(at + 1));
        let (low, high) = (half(here[0], before[0], after[0]), half(here[1], before[1], after[1]));
        store_pairs(out, 2 * at, vcombine_u8(low.0, high.0), vcombine_u8(low.1, high.1));
    }
    scalar::ends(out, near, Some(far));
}

/// Twice as wide, from two lines.
pub(in crate::kernel) fn both(near: &[u8], far: &[u8], out: &mut [u8]) {
    if near.len() < STEP + 2 || near.len() != far.len() {
        return scalar::both(near, far, out);
    }
    // SAFETY: only `Kernels::detect` hands this function out, after it has found NEON.
    unsafe { both_neon(near, far, out) }
}

/// Y, Cb, Cr of eight pixels → R, G, B. JFIF's factors less a whole number, so that they fit 16 bits: 1.402 − 1,
/// 1.772 − 2, 1 − 0.71414.
#[inline]
#[target_feature(enable = "neon")]
fn convert(y: uint8x8_t, cb: uint8x8_t, cr: uint8x8_t) -> [uint8x8_t; 3] {
    let centred = |value: uint8x8_t| vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(value)), vdupq_n_s16(128));
    let (y, cb, cr) = (vreinterpretq_s16_u16(vmovl_u8(y)), centred(cb), centred(cr));
    let part = |value: int16x8_t, factor: i16| {
        let low = vrshrn_n_s32::<16>(vmull_n_s16(vget_low_s16(value), factor));
        vcombine_s16(low, vrshrn_n_s32::<16>(vmull_n_s16(vget_high_s16(value), factor)))
    };
    let red = vaddq_s16(vaddq_s16(y, cr), part(cr, 26345));
    let blue = vaddq_s16(vaddq_s16(y, vaddq_s16(cb, cb)), part(cb, -14942));
    let low = vmlal_n_s16(vmull_n_s16(vget_low_s16(cb), -22554), vget_low_s16(cr), 18734);
    let high = vmlal_n_s16(vmull_n_s16(vget_high_s16(cb), -22554), vget_high_s16(cr), 18734);
    let green = vcombine_s16(vrshrn_n_s32::<16>(low), vrshrn_n_s32::<16>(high));
    let green = vaddq_s16(y, vsubq_s16(green, cr));
    [vqmovun_s16(red), vqmovun_s16(green), vqmovun_s16(blue)]
}

#[target_feature(enable = "neon")]
fn ycc_to_rgb_neon(y: &[u8], cb: &[u8], cr: &[u8], out: &mut [u8]) {
    let last = y.len() - STEP;
    for at in (0..last).step_by(STEP).chain([last]) {
        let (y, cb, cr) = (load(y, at), load(cb, at), load(cr, at));
        let low = convert(vget_low_u8(y), vget_low_u8(cb), vget_low_u8(cr));
        let high = convert(vget_high_u8(y), vget_high_u8(cb), vget_high_u8(cr));
        let [red, green, blue] = [0, 1, 2].map(|channel| vcombine_u8(low[channel], high[channel]));
        let pixels = &mut out[3 * at..3 * (at + STEP)];
        // SAFETY: the slice has 48 bytes.
        unsafe { vst3q_u8(pixels.as_mut_ptr(), uint8x16x3_t(red, green, blue)) };
    }
}

/// Y, Cb, Cr → interleaved RGB.
pub(in crate::kernel) fn ycc_to_rgb(y: &[u8], cb: &[u8], cr: &[u8], out: &mut [u8]) {
    if y.len() < STEP {
        return scalar::ycc_to_rgb(y, cb, cr, out);
    }
    // SAFETY: only `Kernels::detect` hands this function out, after it has found NEON.
    unsafe { ycc_to_rgb_neon(y, cb, cr, out) }
}
