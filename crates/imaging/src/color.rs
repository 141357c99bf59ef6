//! Colour profiles by moxcms: which ones matter, and the way from them to sRGB.
//!
//! A profile that cannot be read, does not fit its pixels or equals sRGB is no profile: the picture is still served.

mod cmyk;
pub(crate) mod curve;
mod describe;
mod from_srgb;
pub(crate) mod tone;

pub(crate) use cmyk::cmyk_to_srgb;
pub(crate) use describe::{profile_of_cicp, profile_of_gamma};
pub(crate) use from_srgb::from_srgb;

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use moxcms::{CmsError, ColorProfile, DataColorSpace, TransformOptions, Xyzd};

/// Pixels per call of a transform, so that its second buffer stays in the cache.
const CHUNK: usize = 4096;
/// A profile whose result stays within this of what was stored, everywhere, is sRGB for our purposes.
const SAME: u8 = 2;
/// Colorants (D50, Y = 1) further apart than this are other primaries without any doubt.
const OTHER_PRIMARIES: f64 = 0.02;

/// Converts pixels to sRGB by the profile that they were stored with. Alpha stays; a gray bitmap stays gray.
///
/// # Errors
/// [`Error::Malformed`] when the profile cannot be used for these pixels; the bitmap is then unchanged.
pub fn to_srgb(bitmap: &mut Bitmap, icc: &[u8]) -> Result<(), Error> {
    convert(bitmap, icc).map_err(|_| Error::Malformed("colour profile that cannot be used".into()))
}

/// Converts pixels to Display P3, from the profile that they were stored with, or from sRGB without one. Gray stays
/// gray: it is the same in both.
///
/// # Errors
/// As [`to_srgb`].
pub fn to_p3(bitmap: &mut Bitmap, icc: Option<&[u8]>) -> Result<(), Error> {
    let source = match icc {
        Some(icc) => ColorProfile::new_from_slice(icc),
        None => Ok(ColorProfile::new_srgb()),
    };
    let target = ColorProfile::new_display_p3();
    let done = source.and_then(|source| {
        // A conversion from P3 to itself would only round.
        if is_near(&source, &target, bitmap.layout()) { Ok(()) } else { between(bitmap, &source, &target) }
    });
    done.map_err(|_| Error::Malformed("colour profile that cannot be used".into()))
}

/// The profile of Display P3, as it is embedded.
pub fn p3_profile() -> Option<Vec<u8>> {
    written(&ColorProfile::new_display_p3())
}

/// The bytes of a profile of our own making.
fn written(profile: &ColorProfile) -> Option<Vec<u8>> {
    let mut bytes = profile.encode().ok()?;
    // The moment of writing stands there (ICC.1, 7.2.8), and equal renditions would have other bytes.
    bytes.get_mut(24..36)?.copy_from_slice(&[0x07, 0xE6, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    Some(bytes)
}

fn convert(bitmap: &mut Bitmap, icc: &[u8]) -> Result<(), CmsError> {
    between(bitmap, &ColorProfile::new_from_slice(icc)?, &ColorProfile::new_srgb())
}

fn between(bitmap: &mut Bitmap, source: &ColorProfile, target: &ColorProfile) -> Result<(), CmsError> {
    let channels = bitmap.layout().channels();
    if bitmap.layout() == Layout::Gray || source.color_space == DataColorSpace::Gray {
        let table = gray_table(source)?;
        let colors = channels - usize::from(bitmap.layout() == Layout::Rgba);
        for pixel in bitmap.pixels_mut().chunks_exact_mut(channels) {
            for value in pixel.iter_mut().take(colors) {
                *value = table[usize::from(*value)];
            }
        }
        return Ok(());
    }
    let layout = if channels == 4 { moxcms::Layout::Rgba } else { moxcms::Layout::Rgb };
    let transform = source.create_transform_8bit(layout, target, layout, TransformOptions::default())?;
    let mut line = vec![0; CHUNK * channels];
    for chunk in bitmap.pixels_mut().chunks_mut(CHUNK * channels) {
        let Some(line) = line.get_mut(..chunk.len()) else { continue };
        line.copy_from_slice(chunk);
        transform.transform(line, chunk)?;
    }
    Ok(())
}

/// What each gray value becomes: by a gray profile, or along the neutral axis of an RGB one.
fn gray_table(source: &ColorProfile) -> Result<[u8; 256], CmsError> {
    let srgb = ColorProfile::new_srgb();
    let mut colors = [0; 256 * 3];
    if source.color_space == DataColorSpace::Gray {
        let values: [u8; 256] = std::array::from_fn(|i| i as u8);
        let layouts = (moxcms::Layout::Gray, moxcms::Layout::Rgb);
        let transform = source.create_transform_8bit(layouts.0, &srgb, layouts.1, TransformOptions::default())?;
        transform.transform(&values, &mut colors)?;
    } else {
        let values: [u8; 256 * 3] = std::array::from_fn(|i| (i / 3) as u8);
        let layout = moxcms::Layout::Rgb;
        let transform = source.create_transform_8bit(layout, &srgb, layout, TransformOptions::default())?;
        transform.transform(&values, &mut colors)?;
    }
    // Green: the neutral axis comes out neutral, but for rounding.
    Ok(std::array::from_fn(|i| colors[i * 3 + 1]))
}

/// Whether a profile can be used for such pixels and changes them visibly. Names are not believed: results are compared.
pub(crate) fn differs_from_srgb(icc: &[u8], layout: Layout) -> bool {
    let Ok(source) = ColorProfile::new_from_slice(icc) else { return false };
    if !matches!(source.color_space, DataColorSpace::Gray | DataColorSpace::Rgb) {
        return false;
    }
    if layout != Layout::Gray && source.is_matrix_shaper() && has_other_primaries(&source) {
        return true;
    }
    !is_near(&source, &ColorProfile::new_srgb(), layout)
}

/// Whether such pixels stay what they are from one profile to the other, or cannot be converted.
fn is_near(source: &ColorProfile, target: &ColorProfile, layout: Layout) -> bool {
    let mut samples = sample_colors(layout);
    let before = samples.pixels().to_vec();
    between(&mut samples, source, target).is_err()
        || samples.pixels().iter().zip(&before).all(|(after, before)| after.abs_diff(*before) <= SAME)
}

fn has_other_primaries(source: &ColorProfile) -> bool {
    let srgb = ColorProfile::new_srgb();
    let far = |a: Xyzd, b: Xyzd| {
        [a.x - b.x, a.y - b.y, a.z - b.z].iter().any(|difference| difference.abs() > OTHER_PRIMARIES)
    };
    far(source.red_colorant, srgb.red_colorant)
        || far(source.green_colorant, srgb.green_colorant)
        || far(source.blue_colorant, srgb.blue_colorant)
}

/// A lattice of colours and the gray axis.
fn sample_colors(layout: Layout) -> Bitmap {
    const STEPS: [u8; 5] = [0, 64, 128, 192, 255];
    let mut pixels: Vec<u8> = Vec::new();
    let mut push = |color: [u8; 3]| match layout {
        Layout::Gray => pixels.push(color[0]),
        Layout::Rgb => pixels.extend(color),
        Layout::Rgba => pixels.extend([color[0], color[1], color[2], 255]),
    };
    (0..=255).step_by(5).for_each(|v| push([v; 3]));
    if layout != Layout::Gray {
        for red in STEPS {
            for green in STEPS {
                STEPS.iter().for_each(|&blue| push([red, green, blue]));
            }
        }
    }
    let width = u32::try_from(pixels.len() / layout.channels()).unwrap_or(1);
    Bitmap::new(width, 1, layout, pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(profile: &ColorProfile) -> Vec<u8> {
        profile.encode().expect("a built-in profile can be written")
    }

    /// Found by fuzzing, in the second between two decodes of one file.
    #[test]
    fn profiles_of_our_own_do_not_tell_the_time() {
        let made = [
            describe::profile_of_cicp([9, 13, 0, 1], Layout::Rgb),
            describe::profile_of_gamma(80_000, None, Layout::Rgb),
            describe::profile_of_gamma(80_000, None, Layout::Gray),
            p3_profile(),
        ];
        for profile in made {
            assert_eq!(profile.expect("is written")[24..36], [0x07, 0xE6, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
        }
    }

    #[test]
    fn srgb_under_any_name_is_recognised() {
        let mut profile = ColorProfile::new_srgb();
        profile.description = None;
        let icc = encoded(&profile);
        for layout in [Layout::Gray, Layout::Rgb, Layout::Rgba] {
            assert!(!differs_from_srgb(&icc, layout), "{layout:?}");
        }
    }

    #[test]
    fn other_spaces_are_told_apart() {
        let p3 = encoded(&ColorProfile::new_display_p3());
        let adobe = encoded(&ColorProfile::new_adobe_rgb());
        assert!(differs_from_srgb(&p3, Layout::Rgb));
        assert!(differs_from_srgb(&adobe, Layout::Rgba));
        assert!(differs_from_srgb(&encoded(&ColorProfile::new_gray_with_gamma(1.0)), Layout::Gray));
        assert!(!differs_from_srgb(b"no profile at all", Layout::Rgb));
    }

    #[test]
    fn display_p3_red_leaves_the_gamut_and_alpha_stays() {
        let icc = encoded(&ColorProfile::new_display_p3());
        let mut bitmap = Bitmap::new(2, 1, Layout::Rgba, vec![128, 64, 64, 7, 10, 200, 30, 255]);
        to_srgb(&mut bitmap, &icc).expect("a good profile");
        let p = bitmap.pixels();
        assert!(p[0] > 128 && p[1] < 64, "more saturated in sRGB: {p:?}");
        assert_eq!((p[3], p[7]), (7, 255));
    }

    /// The ICC header's date (ICC.1:2022, 7.2.8) would else be the moment of writing, and no two renditions equal.
    #[test]
    fn our_own_profile_is_the_same_every_day() {
        let profile = p3_profile().expect("a built-in profile can be written");
        assert_eq!(profile[24..36], [0x07, 0xE6, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_linear_gray_becomes_brighter() {
        let icc = encoded(&ColorProfile::new_gray_with_gamma(1.0));
        let mut bitmap = Bitmap::new(3, 1, Layout::Gray, vec![0, 55, 255]);
        to_srgb(&mut bitmap, &icc).expect("a good profile");
        let [black, middle, white] = *bitmap.pixels() else { panic!("three pixels") };
        // sRGB of 55/255: 0.5029.
        assert_eq!((black, white), (0, 255));
        assert!(middle.abs_diff(128) <= 2, "{middle}");
    }

    #[test]
    fn a_broken_profile_leaves_the_pixels() {
        let mut bitmap = Bitmap::new(1, 1, Layout::Rgb, vec![1, 2, 3]);
        assert!(to_srgb(&mut bitmap, b"nonsense").is_err());
        assert_eq!(bitmap.pixels(), [1, 2, 3]);
    }
}
