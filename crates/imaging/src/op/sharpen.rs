//! Unsharp masking of the brightness alone, with the response that users of libvips and sharp know: small
//! differences are added once, those above 2 of 100 twice, and no more than 10 upwards and 20 downwards, so that
//! edges get no halo. Hues do not shift: each colour gets the same amount.

use super::Operation;
use super::blur::Blur;
use super::premultiply::{premultiply, unpremultiply};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;

/// `sharpen`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sharpen {
    /// Of the mask's Gaussian, pixels, > 0.
    pub sigma: f32,
}

/// Levels of 8 bits in one unit of lightness, 0–100.
const LEVELS: f32 = 2.55;
/// Slope of the response in flat parts (libvips' `m1`).
const FLAT: f32 = 1.0;
/// Slope at edges (`m2`).
const JAGGED: f32 = 2.0;
/// Difference of lightness where edges begin (`x1`).
const EDGE: f32 = 2.0;
/// Most brightening, in lightness (`y2`).
const BRIGHTEN: f32 = 10.0;
/// Most darkening, in lightness (`y3`).
const DARKEN: f32 = 20.0;

impl Operation for Sharpen {
    fn name(&self) -> &'static str {
        "sharpen"
    }

    fn apply(&self, mut bitmap: Bitmap, watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        premultiply(&mut bitmap)?;
        let sharp = luma(&bitmap, scratch);
        let mut soft = sharp.clone();
        Blur { sigma: self.sigma }.convolve(&mut soft, watch)?;

        // Indexed by the difference + 255.
        let response: [i16; 511] = std::array::from_fn(|i| response(i as i16 - 255));
        let amounts = sharp
            .pixels()
            .iter()
            .zip(soft.pixels())
            .map(|(&sharp, &soft)| response[usize::from(sharp) + 255 - usize::from(soft)]);
        match bitmap.layout() {
            Layout::Gray => {
                for (value, amount) in bitmap.pixels_mut().iter_mut().zip(amounts) {
                    *value = raised(*value, amount, u8::MAX);
                }
            }
            Layout::Rgb => {
                for (pixel, amount) in bitmap.pixels_mut().as_chunks_mut::<3>().0.iter_mut().zip(amounts) {
                    *pixel = pixel.map(|value| raised(value, amount, u8::MAX));
                }
            }
            Layout::Rgba => {
                for ([r, g, b, a], amount) in bitmap.pixels_mut().as_chunks_mut::<4>().0.iter_mut().zip(amounts) {
                    // Premultiplied: no colour exceeds its alpha.
                    (*r, *g, *b) = (raised(*r, amount, *a), raised(*g, amount, *a), raised(*b, amount, *a));
                }
            }
        }
        scratch.give(sharp.into_pixels());
        unpremultiply(&mut bitmap)?;
        Ok(bitmap)
    }
}

/// What is added for a difference between the picture and its blurred self, both in levels.
fn response(difference: i16) -> i16 {
    let difference = f32::from(difference) / LEVELS;
    let size = difference.abs();
    let amount = if size <= EDGE { size * FLAT } else { EDGE * FLAT + (size - EDGE) * JAGGED };
    let amount = if difference < 0.0 { -amount.min(DARKEN) } else { amount.min(BRIGHTEN) };
    (amount * LEVELS).round() as i16
}

fn raised(value: u8, amount: i16, most: u8) -> u8 {
    // Clamped to 0–255 first.
    (i16::from(value) + amount).clamp(0, most.into()) as u8
}

/// ITU-R BT.601 luma, the brightness of encoded values.
fn luma(bitmap: &Bitmap, scratch: &mut Scratch) -> Bitmap {
    let mut plane = scratch.take(bitmap.width() as usize * bitmap.height() as usize);
    let weigh = |r: u8, g: u8, b: u8| {
        ((19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b) + (1 << 15)) >> 16) as u8
    };
    match bitmap.layout() {
        Layout::Gray => plane.copy_from_slice(bitmap.pixels()),
        Layout::Rgb => {
            for (luma, &[r, g, b]) in plane.iter_mut().zip(bitmap.pixels().as_chunks::<3>().0) {
                *luma = weigh(r, g, b);
            }
        }
        Layout::Rgba => {
            for (luma, &[r, g, b, _]) in plane.iter_mut().zip(bitmap.pixels().as_chunks::<4>().0) {
                *luma = weigh(r, g, b);
            }
        }
    }
    Bitmap::new(bitmap.width(), bitmap.height(), Layout::Gray, plane)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(layout: Layout) -> Bitmap {
        let pixels = (0..20 * 4).flat_map(|i| vec![if i % 20 < 10 { 100 } else { 140 }; layout.channels()]).collect();
        Bitmap::new(20, 4, layout, pixels)
    }

    #[test]
    fn edges_become_steeper_within_bounds() {
        let result =
            Sharpen { sigma: 1.0 }.apply(step(Layout::Gray), &Watch::new(), &mut Scratch::new(0)).expect("sharpened");
        let row = &result.pixels()[..20];
        assert_eq!((row[0], row[19]), (100, 140), "flat parts stay");
        assert!(row[9] < 95 && row[9] >= 100 - 51, "darkened by at most 20 of 100: {row:?}");
        assert!(row[10] > 145 && row[10] <= 140 + 26, "brightened by at most 10 of 100: {row:?}");
    }

    #[test]
    fn an_even_picture_stays() {
        let even = Bitmap::new(9, 9, Layout::Rgb, [10, 200, 90].repeat(81));
        assert_eq!(
            Sharpen { sigma: 3.0 }.apply(even.clone(), &Watch::new(), &mut Scratch::new(0)).expect("sharpened"),
            even
        );
    }

    #[test]
    fn colours_get_the_same_amount() {
        let mut picture = step(Layout::Rgb);
        for pixel in picture.pixels_mut().as_chunks_mut::<3>().0 {
            pixel[0] += 50;
        }
        let result = Sharpen { sigma: 1.0 }.apply(picture, &Watch::new(), &mut Scratch::new(0)).expect("sharpened");
        assert!(result.pixels().as_chunks::<3>().0.iter().all(|pixel| pixel[0] - pixel[1] == 50));
    }

    #[test]
    fn the_response_is_libvips() {
        assert_eq!([response(0), response(5), response(-5), response(10)], [0, 5, -5, 15]);
        assert_eq!([response(255), response(-255)], [26, -51]);
    }
}
