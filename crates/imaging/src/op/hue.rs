//! `hue`: CSS' `hue-rotate()` (Filter Effects Module Level 1, section 10).

use super::matrix::{Matrix, Mixing};

/// Brightness stays about what it is; greys stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hue {
    /// Along red, yellow, green.
    pub degrees: u16,
}

impl Mixing for Hue {
    const KEEPS_GREY: bool = true;
    const NAME: &'static str = "hue";

    fn matrix(&self) -> Matrix {
        let (sin, cos) = f32::from(self.degrees).to_radians().sin_cos();
        [
            [0.213 + cos * 0.787 - sin * 0.213, 0.715 - cos * 0.715 - sin * 0.715, 0.072 - cos * 0.072 + sin * 0.928],
            [0.213 - cos * 0.213 + sin * 0.143, 0.715 + cos * 0.285 + sin * 0.140, 0.072 - cos * 0.072 - sin * 0.283],
            [0.213 - cos * 0.213 - sin * 0.787, 0.715 - cos * 0.715 + sin * 0.715, 0.072 + cos * 0.928 + sin * 0.072],
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitmap::{Bitmap, Layout};
    use crate::limits::Watch;
    use crate::op::Operation;
    use crate::scratch::Scratch;

    fn turned(degrees: u16, pixel: [u8; 3]) -> Vec<u8> {
        let bitmap = Bitmap::new(1, 1, Layout::Rgb, pixel.to_vec());
        Hue { degrees }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("turned").into_pixels()
    }

    #[test]
    fn is_what_browsers_show() {
        // By the specification's formula at 180 degrees: red is 2 × 0.213 − 1 of itself, clipped.
        assert_eq!(turned(180, [255, 0, 0]), [0, 109, 109]);
        assert_eq!(turned(90, [120, 120, 120]), [120, 120, 120]);
        assert_eq!(turned(120, [200, 40, 40]), [0, 111, 0]);
    }
}
