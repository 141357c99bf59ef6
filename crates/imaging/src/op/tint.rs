//! `tint`: shades of one colour, as sharp's `tint`: the lightness is the picture's, the chroma that of the colour in
//! CIELAB, full at middle grey and less towards black and white, which stay. The colour's alpha is its strength.

use super::Operation;
use super::tones::{Tones, tone};
use crate::bitmap::Bitmap;
use crate::color::curve;
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use cache_key::transform::Colour;

/// The colour's own lightness says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tint {
    /// Whose hue and chroma are taken.
    pub colour: Colour,
}

impl Tint {
    fn tones(self) -> Tones {
        let Colour { r, g, b, a: strength } = self.colour;
        let [_, a, b] = lab([r, g, b]);
        std::array::from_fn(|value| {
            let [lightness, ..] = lab([value as u8; 3]);
            let weight = 1.0 - 4.0 * (lightness / 100.0 - 0.5).powi(2);
            let [r, g, b] = srgb([lightness, a * weight, b * weight]);
            [r, g, b, strength]
        })
    }
}

impl Operation for Tint {
    fn name(&self) -> &'static str {
        "tint"
    }

    fn apply(&self, bitmap: Bitmap, _watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        Ok(tone(bitmap, &self.tones(), scratch))
    }
}

/// Linear sRGB to CIE XYZ (IEC 61966-2-1), rows divided by the white of D65: (1, 1, 1) is white.
const TO_XYZ: [[f64; 3]; 3] = [
    [0.412_390_8 / WHITE[0], 0.357_584_3 / WHITE[0], 0.180_480_8 / WHITE[0]],
    [0.212_639_0, 0.715_168_7, 0.072_192_3],
    [0.019_330_8 / WHITE[2], 0.119_194_8 / WHITE[2], 0.950_532_2 / WHITE[2]],
];
const WHITE: [f64; 3] = [0.950_455_9, 1.0, 1.089_057_8];
/// And back.
const FROM_XYZ: [[f64; 3]; 3] = [
    [3.240_969_9 * WHITE[0], -1.537_383_2, -0.498_610_8 * WHITE[2]],
    [-0.969_243_6 * WHITE[0], 1.875_967_5, 0.041_555_1 * WHITE[2]],
    [0.055_630_1 * WHITE[0], -0.203_976_9, 1.056_971_5 * WHITE[2]],
];

fn times(matrix: &[[f64; 3]; 3], [x, y, z]: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * x + row[1] * y + row[2] * z)
}

/// CIELAB (CIE 15:2004, 8.2.1) with the white of D65.
fn lab(rgb: [u8; 3]) -> [f64; 3] {
    let light = rgb.map(|value| curve::to_light(f64::from(value) / 255.0));
    let [x, y, z] = times(&TO_XYZ, light)
        .map(|t| if t > (6.0f64 / 29.0).powi(3) { t.cbrt() } else { t * (29.0f64 / 6.0).powi(2) / 3.0 + 4.0 / 29.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Back to sRGB, clipped.
fn srgb([lightness, a, b]: [f64; 3]) -> [u8; 3] {
    let y = (lightness + 16.0) / 116.0;
    let xyz = [y + a / 500.0, y, y - b / 200.0]
        .map(|t| if t > 6.0 / 29.0 { t.powi(3) } else { 3.0 * (6.0f64 / 29.0).powi(2) * (t - 4.0 / 29.0) });
    // A cast of a float saturates.
    times(&FROM_XYZ, xyz).map(|light| (curve::of_light(light) * 255.0).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitmap::Layout;

    #[test]
    fn lab_and_back() {
        // Published values of sRGB's red under D65.
        let red = lab([255, 0, 0]);
        assert!(red.iter().zip([53.24, 80.09, 67.20]).all(|(a, b)| (a - b).abs() < 0.05), "{red:?}");
        for colour in [[0; 3], [255; 3], [12, 200, 99], [255, 0, 255]] {
            assert_eq!(srgb(lab(colour)), colour);
        }
    }

    #[test]
    fn black_and_white_stay_and_grey_is_coloured() {
        let tint = Tint { colour: Colour::opaque(0xff_0000) };
        let bitmap = Bitmap::new(3, 1, Layout::Gray, vec![0, 128, 255]);
        let result = tint.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("tinted");
        let (ends, middle) = (result.pixels(), &result.pixels()[3..6]);
        assert_eq!((&ends[..3], &ends[6..]), ([0; 3].as_slice(), [255; 3].as_slice()));
        assert!(middle[0] > 200 && middle[1] < 60, "{middle:?}");
    }
}
