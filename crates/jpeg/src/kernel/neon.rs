//! Kernels for 64-bit ARM with NEON. `transform` holds the inverse DCTs, `line` what works on lines.
//! Invariant: nothing here is called before [`available`] has said yes; pixels equal `scalar`'s.

mod line;
mod transform;

pub(super) use line::{across, both, ycc_to_rgb};
pub(super) use transform::{idct4, idct8};

/// Whether this machine has what these kernels use: all with an operating system do.
pub(super) fn available() -> bool {
    std::arch::is_aarch64_feature_detected!("neon")
}
