//! `usm`: the classic unsharp mask of painting programs and imgix, each channel by itself: what the picture differs from
//! its blurred self, times an amount, is added where it is not below a threshold. Unlike `sharpen` it is not bounded.

use super::Operation;
use super::blur::Blur;
use super::premultiply::{premultiply, unpremultiply};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;

/// `usm=sigma,amount,threshold`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unsharp {
    /// Of the mask's Gaussian, pixels, > 0.
    pub sigma: f32,
    /// How much of the difference is added.
    pub amount: f32,
    /// Differences below this many levels are left alone.
    pub threshold: u8,
}

impl Operation for Unsharp {
    fn name(&self) -> &'static str {
        "unsharp"
    }

    fn apply(&self, mut bitmap: Bitmap, watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        premultiply(&mut bitmap)?;
        let mut copy = scratch.take(bitmap.pixels().len());
        copy.copy_from_slice(bitmap.pixels());
        let mut soft = Bitmap::new(bitmap.width(), bitmap.height(), bitmap.layout(), copy);
        Blur { sigma: self.sigma }.convolve(&mut soft, watch)?;
        // Indexed by the difference + 255.
        let added: [i16; 511] = std::array::from_fn(|i| {
            let difference = i as i16 - 255;
            let counts = difference.unsigned_abs() >= self.threshold.into();
            if counts { (f32::from(difference) * self.amount).round() as i16 } else { 0 }
        });
        let sharper = |sharp: u8, soft: u8, most: u8| {
            let added = added[usize::from(sharp) + 255 - usize::from(soft)];
            (i16::from(sharp) + added).clamp(0, most.into()) as u8
        };
        if bitmap.layout() == Layout::Rgba {
            let pixels = bitmap.pixels_mut().as_chunks_mut::<4>().0.iter_mut();
            for (pixel, soft) in pixels.zip(soft.pixels().as_chunks::<4>().0) {
                // Premultiplied: no colour exceeds its alpha, which stays.
                for channel in 0..3 {
                    pixel[channel] = sharper(pixel[channel], soft[channel], pixel[3]);
                }
            }
        } else {
            for (value, &soft) in bitmap.pixels_mut().iter_mut().zip(soft.pixels()) {
                *value = sharper(*value, soft, u8::MAX);
            }
        }
        scratch.give(soft.into_pixels());
        unpremultiply(&mut bitmap)?;
        Ok(bitmap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sharpened(low: u8, high: u8, unsharp: Unsharp) -> Vec<u8> {
        let pixels = (0..40).map(|i| if i < 20 { low } else { high }).collect();
        let bitmap = Bitmap::new(40, 1, Layout::Gray, pixels);
        unsharp.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("sharpened").into_pixels()
    }

    #[test]
    fn edges_overshoot_by_the_amount() {
        let once = sharpened(100, 140, Unsharp { sigma: 2.0, amount: 1.0, threshold: 0 });
        let twice = sharpened(100, 140, Unsharp { sigma: 2.0, amount: 2.0, threshold: 0 });
        assert_eq!((once[0], once[39]), (100, 140), "flat parts stay");
        assert!(once[19] < 90 && once[20] > 150, "{once:?}");
        assert_eq!(i16::from(twice[20]) - 140, 2 * (i16::from(once[20]) - 140));
    }

    #[test]
    fn small_differences_are_left_alone() {
        let kept = sharpened(100, 110, Unsharp { sigma: 2.0, amount: 5.0, threshold: 6 });
        assert!(kept.iter().all(|value| [100, 110].contains(value)), "{kept:?}");
    }
}
