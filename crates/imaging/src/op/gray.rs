//! Colour to grey by luminance: weighted in linear light (IEC 61966-2-1), as libvips' and sharp's `greyscale` do,
//! so that a grey tells how bright the colour was. Alpha stays.

use super::Operation;
use super::channels::first_channel;
use super::light::LINEAR;
use crate::bitmap::{Bitmap, Layout};
use crate::color::curve;
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use std::sync::LazyLock;

/// Has no settings.
#[derive(Clone, Copy, Debug)]
pub struct Gray;

/// Steps of linear light; 12 bits keep dark greys apart.
const STEPS: usize = 1 << 12;

struct Curves {
    /// sRGB value → linear light in 16 bits.
    linear: [u32; 256],
    /// Linear light in 12 bits → sRGB value.
    encoded: Box<[u8]>,
}

static CURVES: LazyLock<Curves> = LazyLock::new(|| {
    let encoded = (0..=STEPS).map(|step| (curve::of_light(step as f64 / STEPS as f64) * 255.0).round() as u8).collect();
    Curves { linear: LINEAR.map(u32::from), encoded }
});

impl Curves {
    fn luminance(&self, r: u8, g: u8, b: u8) -> u8 {
        // 0.2126, 0.7152, 0.0722 of 2^16 (ITU-R BT.709).
        let sum = 13_933 * u64::from(self.linear[usize::from(r)])
            + 46_871 * u64::from(self.linear[usize::from(g)])
            + 4_732 * u64::from(self.linear[usize::from(b)]);
        // The weights make 2^16, the light 65535: at most STEPS after rounding.
        let step = (sum * STEPS as u64 / 65535 + (1 << 15)) >> 16;
        self.encoded[(step as usize).min(STEPS)]
    }
}

/// How bright a colour is, as a grey of the same brightness.
pub(super) fn luminance(r: u8, g: u8, b: u8) -> u8 {
    CURVES.luminance(r, g, b)
}

impl Operation for Gray {
    fn name(&self) -> &'static str {
        "gray"
    }

    fn apply(&self, mut bitmap: Bitmap, _watch: &Watch, _scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let curves = &*CURVES;
        match bitmap.layout() {
            Layout::Gray => Ok(bitmap),
            Layout::Rgb => {
                for pixel in bitmap.pixels_mut().as_chunks_mut::<3>().0 {
                    pixel[0] = curves.luminance(pixel[0], pixel[1], pixel[2]);
                }
                Ok(first_channel(bitmap))
            }
            Layout::Rgba => {
                for pixel in bitmap.pixels_mut().as_chunks_mut::<4>().0 {
                    let value = curves.luminance(pixel[0], pixel[1], pixel[2]);
                    *pixel = [value, value, value, pixel[3]];
                }
                Ok(bitmap)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_stays_and_colours_keep_their_brightness() {
        for value in 0..=255 {
            let luminance = CURVES.luminance(value, value, value);
            assert!(luminance.abs_diff(value) <= 1, "{value} became {luminance}");
        }
        // Computed by the formulas of IEC 61966-2-1.
        let result = Gray.apply(
            Bitmap::new(3, 1, Layout::Rgb, vec![255, 0, 0, 0, 255, 0, 0, 0, 255]),
            &Watch::new(),
            &mut Scratch::new(0),
        );
        assert_eq!(result.expect("gray").pixels(), [127, 220, 76]);
    }

    #[test]
    fn alpha_stays() {
        let result =
            Gray.apply(Bitmap::new(1, 1, Layout::Rgba, vec![255, 0, 0, 40]), &Watch::new(), &mut Scratch::new(0));
        assert_eq!(result.expect("gray").pixels(), [127, 127, 127, 40]);
    }
}
