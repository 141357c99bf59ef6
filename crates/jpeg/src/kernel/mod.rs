//! The arithmetic on samples: inverse transforms, upsampling, colour. The only place with `unsafe`, in the vector
//! files. Invariant: every kernel gives exactly the pixels of `scalar`, on every machine.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "aarch64")]
mod neon;
mod reduced;
mod scalar;

/// Where a block goes: its first sample in the buffer, and from row to row.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) offset: usize,
    pub(crate) stride: usize,
}

/// Blocks that are transformed together.
pub(crate) const BATCH: usize = 4;
/// Dequantised coefficients: of 8 × 8 in natural order; of 4 × 4 and 2 × 2 the first 16 and 4, rows without gaps. What
/// is written behind the 64th is looked at by nobody.
pub(crate) type Block = [i16; BLOCK];
/// A whole number of vectors.
pub(crate) const BLOCK: usize = 80;

/// Transforms the first so many blocks into a buffer.
pub(crate) type Transform = fn(&[Block; BATCH], &[Place], &mut [u8]);

/// Turns lines of three components into a line of three channels.
pub(crate) type Convert = fn(&[u8], &[u8], &[u8], &mut [u8]);

/// The kernels that this machine runs best.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernels {
    /// 8 × 8, at most 2 blocks at once.
    pub(crate) idct8: Transform,
    /// 4 × 4.
    pub(crate) idct4: Transform,
    /// 2 × 2.
    pub(crate) idct2: Transform,
    /// Twice as wide: `out` is twice as long as the line.
    pub(crate) across: fn(&[u8], &mut [u8]),
    /// One line between two: the near one, the far one, and the rounding (1 or 2).
    pub(crate) down: fn(&[u8], &[u8], u16, &mut [u8]),
    /// Both: the near line, the far one.
    pub(crate) both: fn(&[u8], &[u8], &mut [u8]),
    /// Y, Cb, Cr → interleaved RGB.
    pub(crate) ycc_to_rgb: Convert,
}

impl Kernels {
    /// What runs everywhere.
    pub(crate) const SCALAR: Self = Self {
        idct8: scalar::idct8,
        idct4: reduced::idct4,
        idct2: reduced::idct2,
        across: scalar::across,
        down: scalar::down,
        both: scalar::both,
        ycc_to_rgb: scalar::ycc_to_rgb,
    };

    /// The best for this machine.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if avx2::available() {
            return Self {
                idct8: avx2::idct8,
                idct4: avx2::idct4,
                across: avx2::across,
                down: avx2::down,
                both: avx2::both,
                ycc_to_rgb: avx2::ycc_to_rgb,
                ..Self::SCALAR
            };
        }
        #[cfg(target_arch = "aarch64")]
        if neon::available() {
            return Self {
                idct8: neon::idct8,
                idct4: neon::idct4,
                across: neon::across,
                both: neon::both,
                ycc_to_rgb: neon::ycc_to_rgb,
                ..Self::SCALAR
            };
        }
        Self::SCALAR
    }
}

/// Runs `work` compiled for this machine, as far as it is inlined: entropy decoding is mostly shifts by variable
/// counts, which newer machines do better.
#[inline]
pub(crate) fn tuned<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_arch = "x86_64")]
    if avx2::available() {
        #[expect(unsafe_code, reason = "compiled for features that were found")]
        // SAFETY: the features were found on the line before.
        return unsafe { avx2::run(work) };
    }
    work()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes without a pattern.
    fn noise(seed: &mut u32, len: usize) -> Vec<u8> {
        let mut next = || {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*seed >> 24) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    #[test]
    fn vectors_transform_blocks_as_scalars_do() {
        let (best, mut seed) = (Kernels::detect(), 3);
        for round in 0..3000usize {
            let mut blocks = [[0i16; BLOCK]; BATCH];
            for block in &mut blocks {
                for value in block.iter_mut() {
                    let bytes = noise(&mut seed, 3);
                    let wide = i16::from_le_bytes([bytes[0], bytes[1]]);
                    // Sane values, extreme ones, and sparse blocks.
                    *value = match round % 4 {
                        0 => wide,
                        1 => wide >> 5,
                        2 if bytes[2] > 20 => 0,
                        _ => wide >> 7,
                    };
                }
            }
            let place = |i: usize| Place { offset: 3 + i * 9, stride: 40 };
            let (mut ours, mut expected) = (noise(&mut seed, 330), vec![0; 330]);
            expected.copy_from_slice(&ours);
            let pairs = [(best.idct8, scalar::idct8 as Transform, 2), (best.idct4, reduced::idct4, BATCH)];
            for (vector, scalar, most) in pairs {
                let places: Vec<Place> = (0..1 + round % most).map(place).collect();
                vector(&blocks, &places, &mut ours);
                scalar(&blocks, &places, &mut expected);
                assert_eq!(ours, expected, "{round}");
            }
        }
    }

    #[test]
    fn vectors_work_on_lines_as_scalars_do() {
        let (best, mut seed) = (Kernels::detect(), 5);
        for len in (1..100).chain([1000, 1023]) {
            let [y, cb, cr] = [0; 3].map(|_| noise(&mut seed, len));
            let (mut ours, mut expected) = (vec![0; 3 * len], vec![0; 3 * len]);
            (best.ycc_to_rgb)(&y, &cb, &cr, &mut ours);
            scalar::ycc_to_rgb(&y, &cb, &cr, &mut expected);
            assert_eq!(ours, expected, "colour {len}");
            (best.across)(&y, &mut ours[..2 * len]);
            scalar::across(&y, &mut expected[..2 * len]);
            assert_eq!(ours, expected, "across {len}");
            (best.both)(&y, &cb, &mut ours[..2 * len]);
            scalar::both(&y, &cb, &mut expected[..2 * len]);
            assert_eq!(ours, expected, "both {len}");
            (best.down)(&y, &cb, 1, &mut ours[..len]);
            scalar::down(&y, &cb, 1, &mut expected[..len]);
            assert_eq!(ours, expected, "down {len}");
        }
    }

    #[test]
    fn every_colour_is_converted_as_scalars_do() {
        let best = Kernels::detect();
        let y: Vec<u8> = (0..=255).collect();
        for cb in (0..=255).step_by(3) {
            for cr in 0..=255 {
                let (mut ours, mut expected) = ([0; 768], [0; 768]);
                (best.ycc_to_rgb)(&y, &[cb; 256], &[cr; 256], &mut ours);
                scalar::ycc_to_rgb(&y, &[cb; 256], &[cr; 256], &mut expected);
                assert!(ours == expected, "{cb} {cr}");
            }
        }
    }
}
