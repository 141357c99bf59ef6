//! The sums of a resize: down over several rows, across within a line. Invariant: every kernel gives exactly the bytes
//! of `scalar`, on every machine; what the sums look like in between is a kernel's own affair.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use super::axis::Axis;

/// Part of the sum of one line, over rows that came together.
pub(super) struct Part<'a> {
    /// The rows' bytes; the first begins with the first that is used, and the last is whole.
    pub(super) rows: &'a [u8],
    /// From row to row.
    pub(super) stride: usize,
    /// One for each row.
    pub(super) weights: &'a [i16],
    /// Bits of fraction of a weight.
    pub(super) precision: u32,
    /// Nothing has been summed up yet: whatever `sums` holds is of an earlier line.
    pub(super) begins: bool,
    /// Nothing follows: the line is wanted.
    pub(super) ends: bool,
}

/// Two lines, which have [`super::SLACK`] behind them, to two rows of the result, by the axis and the channels. The lines
/// begin with the axis's source pixel that is given.
pub(super) type Across = fn(&Axis, u32, [&[u8]; 2], [&mut [u8]; 2], usize);

/// The kernels that this machine runs best.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernels {
    /// Adds a part to the sums, or, if it ends them, writes the line, which is as long.
    pub(super) down: fn(&Part<'_>, &mut [i32], &mut [u8]),
    /// Lines to rows of the result.
    pub(super) across: Across,
}

impl Kernels {
    /// What runs everywhere.
    pub(super) const SCALAR: Self = Self { down: scalar::down, across: scalar::across };

    /// The best for this machine.
    pub(super) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if avx2::available() {
            return Self { down: avx2::down, across: avx2::across };
        }
        #[cfg(target_arch = "aarch64")]
        if neon::available() {
            return Self { down: neon::down, across: neon::across };
        }
        Self::SCALAR
    }
}

/// A sum with the fraction taken away, as a byte.
#[inline(always)]
fn byte(sum: i32, precision: u32) -> u8 {
    (sum >> precision).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resample::SLACK;

    fn noise(seed: &mut u32, len: usize) -> Vec<u8> {
        let mut next = || {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*seed >> 24) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn vectors_sum_down_as_scalars_do() {
        let (best, mut seed) = (Kernels::detect(), 7);
        for len in [1, 31, 32, 33, 100, 640] {
            for count in [1, 2, 3, 8, 17] {
                let stride = len + 5;
                let rows = noise(&mut seed, (2 * count - 1) * stride + len);
                let weights: Vec<i16> = noise(&mut seed, 2 * count).iter().map(|&b| (i16::from(b) - 100) * 9).collect();
                let sum = |kernels: Kernels| {
                    let (mut sums, mut line) = (vec![9; len], vec![0; len]);
                    let (first, second) = weights.split_at(count);
                    let part = Part {
                        rows: &rows[..(count - 1) * stride + len],
                        stride,
                        weights: first,
                        precision: 12,
                        begins: true,
                        ends: false,
                    };
                    (kernels.down)(&part, &mut sums, &mut line);
                    let part =
                        Part { rows: &rows[count * stride..], weights: second, begins: false, ends: true, ..part };
                    (kernels.down)(&part, &mut sums, &mut line);
                    line
                };
                assert_eq!(sum(best), sum(Kernels::SCALAR), "{len} {count}");
            }
        }
    }

    #[test]
    fn vectors_sum_across_as_scalars_do() {
        let (best, mut seed) = (Kernels::detect(), 11);
        for (width, output) in [(1, 1), (5, 2), (64, 63), (500, 7), (333, 100)] {
            let axis = Axis::lanczos3(width + 3, 1.5, f64::from(width), output);
            for channels in [1, 3, 4] {
                let lines = [0; 2].map(|_| noise(&mut seed, (width as usize + 3) * channels + SLACK));
                let sum = |kernels: Kernels| {
                    let (mut a, mut b) = (vec![0; output as usize * channels], vec![0; output as usize * channels]);
                    (kernels.across)(&axis, 0, [&lines[0], &lines[1]], [&mut a, &mut b], channels);
                    (a, b)
                };
                assert_eq!(sum(best), sum(Kernels::SCALAR), "{width} {channels}");
            }
        }
    }
}
