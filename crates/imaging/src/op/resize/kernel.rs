//! The kernels by name, as the resampler knows them.

use cache_key::transform::Kernel;
use fast_image_resize::{Filter, FilterType, ResizeAlg};
use std::f64::consts::PI;

/// How far a kernel looks in each direction, in pixels of the smaller side; the most of all.
pub(crate) const REACH: f64 = 3.0;

pub(super) fn algorithm(kernel: Kernel) -> ResizeAlg {
    let filter = match kernel {
        Kernel::Nearest => return ResizeAlg::Nearest,
        Kernel::Box => FilterType::Box,
        Kernel::Linear => FilterType::Bilinear,
        Kernel::CatmullRom => FilterType::CatmullRom,
        Kernel::Mitchell => FilterType::Mitchell,
        Kernel::Lanczos2 => {
            FilterType::Custom(Filter::new("lanczos2", lanczos2, 2.0).expect("2 is finite and above 0"))
        }
        Kernel::Lanczos3 => FilterType::Lanczos3,
    };
    ResizeAlg::Convolution(filter)
}

/// sinc(x) · sinc(x/2) for |x| < 2.
fn lanczos2(x: f64) -> f64 {
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
    if x.abs() < 2.0 { sinc(x) * sinc(x / 2.0) } else { 0.0 }
}
