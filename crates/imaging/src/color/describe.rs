//! Profiles for colours that are described by numbers instead: PNG's gamma and primaries, code points of H.273.

use crate::bitmap::Layout;
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, MatrixCoefficients,
    TransferCharacteristics, XyY, curve_from_gamma,
};

/// What PNG writes for 1 / 2.2, which everybody means as sRGB.
const GAMMA_OF_SRGB: u32 = 45_455;
const GAMMA_TOLERANCE: u32 = 500;
/// White, red, green, blue of sRGB, × 100000.
const SRGB_CHROMATICITIES: [u32; 8] = [31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000];
const CHROMATICITY_TOLERANCE: u32 = 300;
const UNIT: f32 = 100_000.0;
/// Gammas outside of these (× 100000) are a mistake.
const SANE_GAMMA: std::ops::RangeInclusive<u32> = 10_000..=1_000_000;

/// A profile of `gAMA` and `cHRM` (PNG third edition, 11.3.2); `None` when it would be sRGB or makes no sense.
pub(crate) fn profile_of_gamma(gamma: u32, chromaticities: Option<[u32; 8]>, layout: Layout) -> Option<Vec<u8>> {
    if !SANE_GAMMA.contains(&gamma) {
        return None;
    }
    let chromaticities = chromaticities.filter(|&given| is_sane(given) && !is_srgb(given));
    let common = gamma.abs_diff(GAMMA_OF_SRGB) <= GAMMA_TOLERANCE;
    if common && (chromaticities.is_none() || layout == Layout::Gray) {
        return None;
    }
    let exponent = UNIT / gamma as f32;
    if layout == Layout::Gray {
        return super::written(&ColorProfile::new_gray_with_gamma(exponent));
    }
    let mut profile = ColorProfile::new_srgb();
    profile.cicp = None;
    if !common {
        let curve = Some(curve_from_gamma(exponent));
        (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
    }
    if let Some(given) = chromaticities {
        let [white_x, white_y, red_x, red_y, green_x, green_y, blue_x, blue_y] = given.map(|v| v as f32 / UNIT);
        let primaries = ColorPrimaries {
            red: Chromaticity { x: red_x, y: red_y },
            green: Chromaticity { x: green_x, y: green_y },
            blue: Chromaticity { x: blue_x, y: blue_y },
        };
        profile.update_rgb_colorimetry(XyY::new(white_x.into(), white_y.into(), 1.0), primaries);
    }
    super::written(&profile)
}

fn is_srgb(given: [u32; 8]) -> bool {
    given.iter().zip(SRGB_CHROMATICITIES).all(|(a, b)| a.abs_diff(b) <= CHROMATICITY_TOLERANCE)
}

/// Chromaticities lie in the unit triangle, have some y, and the primaries are not on one line.
fn is_sane(given: [u32; 8]) -> bool {
    let inside = given.chunks_exact(2).all(|xy| xy[0] <= 100_000 && (1..=100_000).contains(&xy[1]));
    let [_, _, rx, ry, gx, gy, bx, by] = given.map(i64::from);
    inside && ((gx - rx) * (by - ry) - (bx - rx) * (gy - ry)).unsigned_abs() > 10_000_000
}

/// A profile of code points: primaries and transfer. `None` for sRGB, for gray, and for the HDR transfers (PQ, HLG),
/// whose values no profile brings to a display of ordinary range.
pub(crate) fn profile_of_cicp([primaries, transfer, matrix, full_range]: [u8; 4], layout: Layout) -> Option<Vec<u8>> {
    const BT709: u8 = 1;
    const SRGB: u8 = 13;
    const HDR: [u8; 2] = [16, 18];
    let is_srgb = primaries == BT709 && transfer == SRGB;
    if is_srgb || layout == Layout::Gray || HDR.contains(&transfer) || matrix != 0 || full_range != 1 {
        return None;
    }
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
        transfer_characteristics: TransferCharacteristics::try_from(transfer).ok()?,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    let usable = profile.is_matrix_shaper();
    super::written(&profile).filter(|icc| usable && super::differs_from_srgb(icc, layout))
}
