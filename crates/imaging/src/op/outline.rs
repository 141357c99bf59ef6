//! `radius` and `mask`: the picture cut to an outline, with smooth edges: a pixel on the edge is as opaque as the part
//! of it that lies inside.

use super::Operation;
use super::channels::widen;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;

/// A shape in the middle of a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outline {
    /// The whole picture with round corners of this radius, pixels; at most half the shorter side counts.
    Rounded(f64),
    /// An ellipse with these half axes, pixels.
    Ellipse(f64, f64),
}

impl Outline {
    /// The outline that lies `width` pixels inside this one.
    #[must_use]
    pub fn inset(self, width: f64) -> Self {
        match self {
            Self::Rounded(radius) => Self::Rounded((radius - width).max(0.0)),
            Self::Ellipse(across, down) => Self::Ellipse((across - width).max(0.0), (down - width).max(0.0)),
        }
    }

    /// How much of the pixel at (`x`, `y`) of a picture of `size` lies inside, 0–1.
    pub(super) fn coverage(self, (x, y): (u32, u32), size: (u32, u32)) -> f64 {
        let (half_width, half_height) = (f64::from(size.0) / 2.0, f64::from(size.1) / 2.0);
        // From the middle of the picture, in the lower right quarter.
        let dx = (f64::from(x) + 0.5 - half_width).abs();
        let dy = (f64::from(y) + 0.5 - half_height).abs();
        match self {
            Self::Rounded(radius) => {
                let radius = radius.min(half_width).min(half_height);
                let (past_x, past_y) = (dx - (half_width - radius), dy - (half_height - radius));
                if past_x <= 0.0 || past_y <= 0.0 {
                    return 1.0;
                }
                (radius - past_x.hypot(past_y) + 0.5).clamp(0.0, 1.0)
            }
            Self::Ellipse(across, down) if across > 0.0 && down > 0.0 => {
                // The distance to the edge to first order: the implicit function by the length of its gradient.
                let (u, v) = (dx / across, dy / down);
                let length = u.hypot(v);
                let gradient = (u / across).hypot(v / down);
                if gradient <= f64::EPSILON {
                    return 1.0;
                }
                ((1.0 - length) * length / gradient + 0.5).clamp(0.0, 1.0)
            }
            Self::Ellipse(..) => 0.0,
        }
    }

    /// Whether a row of a picture of this height lies inside from end to end.
    fn keeps_row(self, y: u32, height: u32) -> bool {
        match self {
            Self::Rounded(radius) => {
                let middle = f64::from(y) + 0.5;
                middle >= radius && f64::from(height) - middle >= radius
            }
            Self::Ellipse(..) => false,
        }
    }
}

/// What lies outside becomes transparent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// What is kept.
    pub outline: Outline,
}

impl Operation for Cut {
    fn name(&self) -> &'static str {
        "outline"
    }

    fn apply(&self, bitmap: Bitmap, watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let mut bitmap = widen(bitmap, Layout::Rgba, scratch);
        let size = (bitmap.width(), bitmap.height());
        let stride = size.0 as usize * 4;
        for (y, row) in (0..).zip(bitmap.pixels_mut().chunks_exact_mut(stride)) {
            if self.outline.keeps_row(y, size.1) {
                continue;
            }
            watch.check()?;
            for (x, pixel) in (0..).zip(row.as_chunks_mut::<4>().0) {
                let coverage = self.outline.coverage((x, y), size);
                if coverage <= 0.0 {
                    *pixel = [0; 4];
                } else if coverage < 1.0 {
                    pixel[3] = (f64::from(pixel[3]) * coverage).round() as u8;
                }
            }
        }
        Ok(bitmap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alphas(outline: Outline, width: u32, height: u32) -> Vec<u8> {
        let bitmap = Bitmap::new(width, height, Layout::Gray, vec![9; (width * height) as usize]);
        let cut = Cut { outline }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("cut");
        cut.pixels().as_chunks::<4>().0.iter().map(|pixel| pixel[3]).collect()
    }

    /// The area of what is kept, pixels.
    fn area(outline: Outline, width: u32, height: u32) -> f64 {
        alphas(outline, width, height).iter().map(|&alpha| f64::from(alpha) / 255.0).sum()
    }

    #[test]
    fn areas_are_those_of_the_shapes() {
        let pi = std::f64::consts::PI;
        let rounded = 100.0 * 60.0 - (4.0 - pi) * 20.0 * 20.0;
        assert!((area(Outline::Rounded(20.0), 100, 60) - rounded).abs() < 3.0);
        assert!((area(Outline::Rounded(999.0), 60, 60) - pi * 900.0).abs() < 3.0, "no more than a circle");
        assert!((area(Outline::Ellipse(50.0, 30.0), 100, 60) - pi * 1500.0).abs() < 8.0);
        assert_eq!(area(Outline::Ellipse(0.0, 0.0), 10, 10), 0.0);
        assert_eq!(area(Outline::Rounded(0.0), 10, 10), 100.0);
    }

    #[test]
    fn all_four_corners_are_alike() {
        for outline in [Outline::Rounded(7.3), Outline::Ellipse(10.0, 7.5), Outline::Ellipse(5.0, 5.0)] {
            let (width, height) = (21, 16);
            let alphas = alphas(outline, width, height);
            let at = |x: u32, y: u32| alphas[(y * width + x) as usize];
            for y in 0..height {
                for x in 0..width {
                    assert_eq!(at(x, y), at(width - 1 - x, y));
                    assert_eq!(at(x, y), at(x, height - 1 - y));
                }
            }
        }
    }
}
