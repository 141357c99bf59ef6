//! The arithmetic on samples: inverse transforms, upsampling, colour. The only place with `unsafe`, in the vector
//! files. Invariant: every kernel gives exactly the pixels of `scalar`, on every machine.

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
/// Dequantised coefficients: of 8 × 8 in natural order; of 4 × 4 and 2 × 2 the first 16 and 4, rows without gaps.
pub(crate) type Block = [i16; 64];

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
        Self::SCALAR
    }
}
