//! Small pictures laid over a larger one: marks and text end here as premultiplied pixels and a place.
//!
//! Owns the arithmetic of placing and blending. Knows neither the URL's grammar nor where layers come from.
//! Invariant: a layer may stick out on any side; what sticks out is not drawn, and never an error.

pub mod mark;
pub(crate) mod position;

use crate::bitmap::{Bitmap, Layout};
use crate::op::channels::widen;
use crate::scratch::Scratch;

/// Pixels to be laid over others: red, green, blue, alpha; colours already multiplied by alpha.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Vec<u8>,
}

impl Layer {
    /// Makes it more transparent: `opacity` 0–1.
    pub(crate) fn fade(&mut self, opacity: f64) {
        let share = (opacity.clamp(0.0, 1.0) * 256.0).round() as u32;
        for value in &mut self.pixels {
            *value = ((u32::from(*value) * share + 128) >> 8) as u8;
        }
    }

    /// Whether all its colours are grey, so that a grey picture stays one under it.
    pub(crate) fn is_gray(&self) -> bool {
        self.pixels.as_chunks::<4>().0.iter().all(|p| p[0] == p[1] && p[1] == p[2])
    }

    /// Lays it over `bitmap` (Porter and Duff's "over", in sRGB values, as browsers do), its corner at `at`.
    pub(crate) fn over(&self, bitmap: Bitmap, at: (i64, i64), scratch: &mut Scratch) -> Bitmap {
        self.draw(bitmap, &[at.0], |y| y - at.1, scratch)
    }

    /// Lays it over the whole of `bitmap`, again and again, `gap` pixels between; one of them has its corner at `at`.
    pub(crate) fn tile(&self, bitmap: Bitmap, at: (i64, i64), gap: (u32, u32), scratch: &mut Scratch) -> Bitmap {
        let period = (i64::from(self.width) + i64::from(gap.0), i64::from(self.height) + i64::from(gap.1));
        let first = at.0.rem_euclid(period.0) - period.0;
        let starts: Vec<i64> =
            (0..).map(|count| first + count * period.0).take_while(|x| *x < i64::from(bitmap.width())).collect();
        self.draw(bitmap, &starts, |y| (y - at.1).rem_euclid(period.1), scratch)
    }

    /// `row` tells which of the layer's rows belongs to a row of the picture; one that it does not have is none.
    fn draw(&self, bitmap: Bitmap, starts: &[i64], row: impl Fn(i64) -> i64, scratch: &mut Scratch) -> Bitmap {
        let mut bitmap = match bitmap.layout() {
            Layout::Gray if !self.is_gray() => widen(bitmap, Layout::Rgb, scratch),
            _ => bitmap,
        };
        let (layout, width) = (bitmap.layout(), i64::from(bitmap.width()));
        let stride = bitmap.width() as usize * layout.channels();
        let own_stride = self.width as usize * 4;
        for (y, under) in bitmap.pixels_mut().chunks_exact_mut(stride).enumerate() {
            let Ok(own) = usize::try_from(row(y as i64)) else { continue };
            let Some(pixels) = self.pixels.chunks_exact(own_stride).nth(own) else { continue };
            for &start in starts {
                // The columns of the layer that lie inside the picture.
                let from = (-start).clamp(0, i64::from(self.width));
                let to = (width - start).clamp(from, i64::from(self.width));
                let seen = &pixels[from as usize * 4..to as usize * 4];
                let under = &mut under[(start + from).clamp(0, width) as usize * layout.channels()..];
                blend_row(under, layout, seen);
            }
        }
        bitmap
    }
}

/// Lays premultiplied pixels over the beginning of a row of as many pixels or more.
pub(crate) fn blend_row(under: &mut [u8], layout: Layout, over: &[u8]) {
    let over = over.as_chunks::<4>().0;
    match layout {
        Layout::Gray => under.iter_mut().zip(over).for_each(|(value, top)| *value = mix(top[0], top[3], *value)),
        Layout::Rgb => {
            for (pixel, top) in under.as_chunks_mut::<3>().0.iter_mut().zip(over) {
                if top[3] != 0 {
                    *pixel = std::array::from_fn(|i| mix(top[i], top[3], pixel[i]));
                }
            }
        }
        Layout::Rgba => {
            for (pixel, top) in under.as_chunks_mut::<4>().0.iter_mut().zip(over) {
                if top[3] != 0 {
                    *pixel = mix_with_alpha(*top, *pixel);
                }
            }
        }
    }
}

/// `top + under × (1 − alpha)`, rounded. Resampling may leave `top` a little above `alpha`: it is held to that.
fn mix(top: u8, alpha: u8, under: u8) -> u8 {
    let sum = u32::from(top.min(alpha)) * 255 + u32::from(under) * u32::from(u8::MAX - alpha);
    ((sum + 127) / 255) as u8
}

/// Premultiplied over straight; the result is straight.
fn mix_with_alpha(top: [u8; 4], under: [u8; 4]) -> [u8; 4] {
    let below = u32::from(under[3]) * u32::from(u8::MAX - top[3]);
    // In units of 1/255²; not 0, since the top's is not.
    let alpha = u32::from(top[3]) * 255 + below;
    let colour = |i: usize| {
        let sum = u32::from(top[i].min(top[3])) * 255 * 255 + u32::from(under[i]) * below;
        ((sum + alpha / 2) / alpha) as u8
    };
    [colour(0), colour(1), colour(2), ((alpha + 127) / 255) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF_RED: [u8; 4] = [128, 0, 0, 128];

    fn layer(width: u32, height: u32, pixel: [u8; 4]) -> Layer {
        Layer { width, height, pixels: pixel.repeat((width * height) as usize) }
    }

    fn ground(layout: Layout, pixel: &[u8]) -> Bitmap {
        Bitmap::new(4, 2, layout, pixel.repeat(8))
    }

    #[test]
    fn what_is_seen_is_the_sum() {
        let scratch = &mut Scratch::new(0);
        let one = layer(1, 1, HALF_RED);
        let rgb = one.over(ground(Layout::Rgb, &[0, 200, 0]), (1, 0), scratch);
        assert_eq!(rgb.pixels()[..9], [0, 200, 0, 128, 100, 0, 0, 200, 0]);
        let clear = one.over(ground(Layout::Rgba, &[0, 200, 0, 0]), (0, 0), scratch);
        assert_eq!(clear.pixels()[..8], [255, 0, 0, 128, 0, 200, 0, 0], "what nobody sees does not tint");
        let half = one.over(ground(Layout::Rgba, &[0, 0, 255, 128]), (0, 0), scratch);
        assert_eq!(half.pixels()[..4], [170, 0, 85, 192]);
    }

    #[test]
    fn grey_stays_grey_where_it_can() {
        let scratch = &mut Scratch::new(0);
        let gray = layer(1, 1, [255; 4]).over(ground(Layout::Gray, &[7]), (3, 1), scratch);
        assert_eq!((gray.layout(), gray.pixels()), (Layout::Gray, [7, 7, 7, 7, 7, 7, 7, 255].as_slice()));
        assert_eq!(layer(1, 1, HALF_RED).over(ground(Layout::Gray, &[7]), (9, 9), scratch).layout(), Layout::Rgb);
    }

    #[test]
    fn what_sticks_out_is_not_drawn() {
        let scratch = &mut Scratch::new(0);
        let white = layer(3, 3, [255; 4]);
        for (at, lit) in [((-2, -2), 1), ((3, 1), 1), ((-3, 0), 0), ((4, 0), 0), ((0, 2), 0), ((0, -9), 0), ((1, 0), 6)]
        {
            let result = white.over(ground(Layout::Gray, &[0]), at, scratch);
            assert_eq!(result.pixels().iter().filter(|value| **value == 255).count(), lit, "{at:?}");
        }
        let far = white.over(ground(Layout::Gray, &[0]), (i64::from(i32::MIN), i64::from(i32::MAX)), scratch);
        assert_eq!(far, ground(Layout::Gray, &[0]));
    }

    #[test]
    fn tiles_meet_the_anchor() {
        let scratch = &mut Scratch::new(0);
        let white = layer(1, 1, [255; 4]);
        let tiled = white.tile(ground(Layout::Gray, &[0]), (3, 1), (1, 0), scratch);
        assert_eq!(tiled.pixels(), [0, 255, 0, 255, 0, 255, 0, 255]);
        let sparse = white.tile(ground(Layout::Gray, &[0]), (-6, 1), (2, 9), scratch);
        assert_eq!(sparse.pixels(), [0, 0, 0, 0, 255, 0, 0, 255]);
    }

    #[test]
    fn fading_keeps_full_opacity_exact() {
        let mut one = layer(1, 1, HALF_RED);
        one.fade(1.0);
        assert_eq!(one, layer(1, 1, HALF_RED));
        one.fade(0.5);
        assert_eq!(one.pixels, [64, 0, 0, 64]);
    }
}
