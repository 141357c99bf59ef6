//! One sRGB colour as a profile's pixels have it.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// `None` for profiles that are not of RGB or cannot be used this way.
pub(crate) fn from_srgb(colour: [u8; 3], icc: &[u8]) -> Option<[u8; 3]> {
    let target = ColorProfile::new_from_slice(icc).ok()?;
    if target.color_space != DataColorSpace::Rgb {
        return None;
    }
    let options = TransformOptions::default();
    let transform = ColorProfile::new_srgb().create_transform_8bit(Layout::Rgb, &target, Layout::Rgb, options).ok()?;
    let mut result = [0; 3];
    transform.transform(&colour, &mut result).ok()?;
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn srgb_red_is_less_than_p3_red() {
        let icc = ColorProfile::new_display_p3().encode().expect("a built-in profile can be written");
        let [r, g, b] = from_srgb([255, 0, 0], &icc).expect("a profile of RGB");
        assert!((225..=240).contains(&r) && (40..=60).contains(&g) && (25..=45).contains(&b), "{r} {g} {b}");
        assert_eq!(from_srgb([1, 2, 3], b"nonsense"), None);
    }
}
