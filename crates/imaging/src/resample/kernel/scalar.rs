//! The sums in plain Rust. They define the bytes.

use super::{Part, byte};
use crate::resample::axis::Axis;

/// Sums stand in the line's order.
pub(super) fn down(part: &Part<'_>, sums: &mut [i32], line: &mut [u8]) {
    columns(part, 0, sums, line);
}

/// The columns from `from` on.
#[inline(always)]
pub(super) fn columns(part: &Part<'_>, from: usize, sums: &mut [i32], line: &mut [u8]) {
    let len = line.len();
    let (sums, line) = (&mut sums[from..len], &mut line[from..]);
    if part.begins {
        sums.fill(1 << (part.precision - 1));
    }
    for (row, &weight) in part.rows.chunks(part.stride).zip(part.weights) {
        for (sum, &value) in sums.iter_mut().zip(&row[from..len]) {
            *sum += i32::from(value) * i32::from(weight);
        }
    }
    if part.ends {
        for (byte_out, &sum) in line.iter_mut().zip(&*sums) {
            *byte_out = byte(sum, part.precision);
        }
    }
}

pub(super) fn across(axis: &Axis, first: u32, lines: [&[u8]; 2], out: [&mut [u8]; 2], channels: usize) {
    for (line, out) in lines.into_iter().zip(out) {
        match channels {
            1 => line_across::<1>(axis, first, line, out),
            3 => line_across::<3>(axis, first, line, out),
            _ => line_across::<4>(axis, first, line, out),
        }
    }
}

#[inline(always)]
pub(super) fn line_across<const N: usize>(axis: &Axis, first: u32, line: &[u8], out: &mut [u8]) {
    let (line, out) = (line.as_chunks::<N>().0, out.as_chunks_mut::<N>().0);
    for (at, pixel) in out.iter_mut().enumerate() {
        let span = axis.span(at as u32);
        let mut sums = [1i32 << (axis.precision() - 1); N];
        for (source, &weight) in
            line[(span.start - first) as usize..(span.end - first) as usize].iter().zip(axis.weights(at))
        {
            for (sum, &value) in sums.iter_mut().zip(source) {
                *sum += i32::from(value) * i32::from(weight);
            }
        }
        *pixel = sums.map(|sum| byte(sum, axis.precision()));
    }
}
