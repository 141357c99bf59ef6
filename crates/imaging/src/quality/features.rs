//! What of a picture tells how hard it is to encode: a few numbers in one pass over a part of its rows.
//!
//! It knows no encoder; `fit` and `model` say what the numbers mean.

use crate::bitmap::Bitmap;

/// How many there are, the constant among them.
pub const COUNT: usize = 8;

/// The numbers: 1; logarithms of the mean gradient, of the mean curvature (what noise raises), of the mean gradient of
/// the colours, and of the number of pixels; the share of flat places; the mean and the deviation of the luminance.
pub type Features = [f64; COUNT];

/// Rows are looked at in pairs, one pair of this many rows.
const EVERY: usize = 4;
/// A place with less change than this, of 255, is flat.
const FLAT: i32 = 3;

/// Looks at a picture. Transparency is not looked at.
pub fn of(bitmap: &Bitmap) -> Features {
    let (width, channels) = (bitmap.width() as usize, bitmap.layout().channels());
    let rows: Vec<&[u8]> = bitmap.pixels().chunks_exact(width * channels).collect();
    let mut sums = Sums::default();
    for two in rows.windows(2).step_by(EVERY) {
        let [upper, lower] = two else { continue };
        sums.rows(&tones(upper, channels), &tones(lower, channels));
    }
    if sums.places == 0 {
        let only: Vec<[i32; 3]> = rows.iter().flat_map(|row| tones(row, channels)).collect();
        sums.rows(&only, &only);
    }
    sums.features(f64::from(bitmap.width()) * f64::from(bitmap.height()))
}

/// Luminance and two differences of colour, each about 0–255 or −255–255.
fn tones(row: &[u8], channels: usize) -> Vec<[i32; 3]> {
    let tone = |pixel: &[u8]| match *pixel {
        [red, green, blue, ..] => {
            let (red, green, blue) = (i32::from(red), i32::from(green), i32::from(blue));
            let luma = (77 * red + 150 * green + 29 * blue) >> 8;
            [luma, blue - luma, red - luma]
        }
        [gray, ..] => [i32::from(gray), 0, 0],
        [] => [0; 3],
    };
    row.chunks_exact(channels).map(tone).collect()
}

#[derive(Default)]
struct Sums {
    places: u64,
    gradient: u64,
    curvature: u64,
    colour: u64,
    flat: u64,
    luma: u64,
    square: u64,
}

impl Sums {
    fn rows(&mut self, upper: &[[i32; 3]], lower: &[[i32; 3]]) {
        for (above, below) in upper.windows(3).zip(lower.windows(3)) {
            let ([left, here, right], [_, under, _]) = (above, below) else { continue };
            let across = (right[0] - here[0]).abs();
            let down = (under[0] - here[0]).abs();
            self.places += 1;
            self.gradient += u64::from((across + down).unsigned_abs());
            self.curvature += u64::from((left[0] + right[0] - 2 * here[0]).unsigned_abs());
            let colour = |at: usize| (right[at] - here[at]).abs() + (under[at] - here[at]).abs();
            self.colour += u64::from((colour(1) + colour(2)).unsigned_abs());
            self.flat += u64::from(across + down < FLAT);
            let luma = u64::from(here[0].unsigned_abs());
            self.luma += luma;
            self.square += luma * luma;
        }
    }

    fn features(&self, pixels: f64) -> Features {
        let mean = |sum: u64| sum as f64 / self.places.max(1) as f64;
        let luma = mean(self.luma);
        let deviation = (mean(self.square) - luma * luma).max(0.0).sqrt();
        let log = |value: f64| (1.0 + value).ln();
        let gradient = log(mean(self.gradient));
        [
            1.0,
            gradient,
            log(mean(self.curvature)),
            log(mean(self.colour)),
            pixels.ln() / 10.0,
            mean(self.flat),
            luma / 255.0,
            deviation / 128.0,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::bitmap::{Bitmap, Layout};

    #[test]
    fn a_flat_picture_has_no_gradient() {
        let features = of(&Bitmap::new(16, 16, Layout::Rgb, [10, 200, 30].repeat(256)));
        assert_eq!(features[1..4], [0.0; 3]);
        assert_eq!(features[5], 1.0);
    }

    #[test]
    fn noise_raises_curvature_and_colour_is_seen() {
        let gray: Vec<u8> = (0..64 * 64_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let smooth: Vec<u8> = (0..64 * 64_u32).map(|at| (at % 64 * 4) as u8).collect();
        let noisy = of(&Bitmap::new(64, 64, Layout::Gray, gray.clone()));
        let even = of(&Bitmap::new(64, 64, Layout::Gray, smooth));
        assert!(noisy[2] > even[2] + 3.0, "{noisy:?} {even:?}");
        let red = of(&Bitmap::new(64, 64, Layout::Rgb, gray.iter().flat_map(|&v| [v, 128, 128]).collect()));
        assert!(red[3] > noisy[3] + 2.0, "{red:?}");
    }

    #[test]
    fn the_smallest_pictures_have_features() {
        for (width, height) in [(1, 1), (2, 1), (1, 5), (3, 1), (5, 2)] {
            let picture = Bitmap::new(width, height, Layout::Rgba, vec![9; (width * height * 4) as usize]);
            assert!(of(&picture).iter().all(|value| value.is_finite()), "{width} × {height}");
        }
    }
}
