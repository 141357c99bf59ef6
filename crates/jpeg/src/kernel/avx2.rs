//! Kernels for x86-64 with AVX2. `transform` holds the inverse DCTs, `line` what works on lines.
//! Invariant: nothing here is called before [`available`] has said yes; pixels equal `scalar`'s.

mod line;
mod transform;

pub(super) use line::{across, both, down, ycc_to_rgb};
pub(super) use transform::{idct4, idct8};

/// Whether this machine has what these kernels use.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
}

/// Runs `work` compiled for this machine's better shifts: what is inlined into it profits.
///
/// # Safety
/// [`available`] must have said yes.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
#[expect(unsafe_code, reason = "the caller vouches for the features")]
pub(super) unsafe fn run<T>(work: impl FnOnce() -> T) -> T {
    work()
}
