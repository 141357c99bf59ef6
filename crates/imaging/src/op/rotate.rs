//! Turns by any angle, bilinear; the result is the box round the turned picture, with nothing in the corners.
//! Quarter turns are not its business: they lose no pixel, and are `orient`'s.

use super::Operation;
use super::channels::widen;
use super::premultiply::{premultiply, unpremultiply};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;

/// `rot`, for what a quarter turn leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotate {
    /// Clockwise.
    pub degrees: f64,
}

impl Rotate {
    /// The size of the box round a turned picture.
    pub fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (w, h) = (f64::from(width), f64::from(height));
        // A hair less than the bound, lest a side gain a pixel by the error of the sine.
        let side = |length: f64| ((length - 1e-6).ceil() as u32).max(1);
        (side(w * cos.abs() + h * sin.abs()), side(w * sin.abs() + h * cos.abs()))
    }
}

impl Operation for Rotate {
    fn name(&self) -> &'static str {
        "rotate"
    }

    fn apply(&self, bitmap: Bitmap, watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let (width, height) = self.size((bitmap.width(), bitmap.height()));
        let mut source = widen(bitmap, Layout::Rgba, scratch);
        premultiply(&mut source)?;
        let mut pixels = scratch.take(width as usize * height as usize * 4);
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (middle_x, middle_y) = (f64::from(width) / 2.0, f64::from(height) / 2.0);
        let (from_x, from_y) = (f64::from(source.width()) / 2.0, f64::from(source.height()) / 2.0);
        let rows = pixels.chunks_exact_mut(width as usize * 4);
        for (y, row) in rows.enumerate() {
            if y % 64 == 0 {
                watch.check()?;
            }
            let dy = y as f64 + 0.5 - middle_y;
            for (x, pixel) in row.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let dx = x as f64 + 0.5 - middle_x;
                // The inverse turn, from middle to middle; the half is the middle of a pixel.
                let at = (dx * cos + dy * sin + from_x - 0.5, dy * cos - dx * sin + from_y - 0.5);
                *pixel = bilinear(&source, at);
            }
        }
        scratch.give(source.into_pixels());
        let mut result = Bitmap::new(width, height, Layout::Rgba, pixels);
        unpremultiply(&mut result)?;
        Ok(result)
    }
}

/// The premultiplied colour between four pixels; outside there is nothing.
fn bilinear(source: &Bitmap, (x, y): (f64, f64)) -> [u8; 4] {
    let (left, top) = (x.floor(), y.floor());
    let (across, down) = ((x - left) as f32, (y - top) as f32);
    let (left, top) = (left as i64, top as i64);
    let (width, height) = (i64::from(source.width()), i64::from(source.height()));
    if left < -1 || top < -1 || left >= width || top >= height {
        return [0; 4];
    }
    let (pixels, _) = source.pixels().as_chunks::<4>();
    let mut sum = [0.0f32; 4];
    for (dx, dy, weight) in [
        (0, 0, (1.0 - across) * (1.0 - down)),
        (1, 0, across * (1.0 - down)),
        (0, 1, (1.0 - across) * down),
        (1, 1, across * down),
    ] {
        let (x, y) = (left + dx, top + dy);
        if x >= 0 && y >= 0 && x < width && y < height {
            // Inside, so it is no more than the number of pixels.
            for (sum, &value) in sum.iter_mut().zip(&pixels[(y * width + x) as usize]) {
                *sum += f32::from(value) * weight;
            }
        }
    }
    sum.map(|value| (value + 0.5) as u8)
}

#[cfg(test)]
mod tests {
    use super::super::orient::Turn;
    use super::*;

    #[test]
    fn a_quarter_by_interpolation_is_a_quarter_turn() {
        let bitmap = Bitmap::new(5, 3, Layout::Gray, (0..15).map(|i| i * 16).collect());
        let scratch = &mut Scratch::new(0);
        let turned = Rotate { degrees: 90.0 }.apply(bitmap.clone(), &Watch::new(), scratch).expect("rotated");
        let exact =
            widen(Turn::quarters(1).apply(bitmap, &Watch::new(), scratch).expect("turned"), Layout::Rgba, scratch);
        assert_eq!((turned.width(), turned.height()), (3, 5));
        assert!(turned.pixels().iter().zip(exact.pixels()).all(|(a, b)| a.abs_diff(*b) <= 1));
    }

    #[test]
    fn corners_are_empty_and_the_middle_stays() {
        let bitmap = Bitmap::new(40, 20, Layout::Rgb, [200, 100, 50].repeat(800));
        let turned = Rotate { degrees: 30.0 }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("rotated");
        assert_eq!((turned.width(), turned.height()), (45, 38));
        let (pixels, _) = turned.pixels().as_chunks::<4>();
        assert_eq!(pixels[0], [0; 4]);
        assert_eq!(pixels[19 * 45 + 22], [200, 100, 50, 255]);
    }
}
