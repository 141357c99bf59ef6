//! `sat`: CSS' `saturate()` (Filter Effects Module Level 1, section 10).

use super::matrix::{Matrix, Mixing};

/// −100 is grey, 0 nothing, 100 twice as saturated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saturate {
    /// −100–100.
    pub percent: i16,
}

impl Mixing for Saturate {
    const KEEPS_GREY: bool = true;
    const NAME: &'static str = "saturate";

    fn matrix(&self) -> Matrix {
        let s = 1.0 + f32::from(self.percent) / 100.0;
        [
            [0.213 + 0.787 * s, 0.715 - 0.715 * s, 0.072 - 0.072 * s],
            [0.213 - 0.213 * s, 0.715 + 0.285 * s, 0.072 - 0.072 * s],
            [0.213 - 0.213 * s, 0.715 - 0.715 * s, 0.072 + 0.928 * s],
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

    fn saturated(percent: i16, pixel: [u8; 3]) -> Vec<u8> {
        let bitmap = Bitmap::new(1, 1, Layout::Rgb, pixel.to_vec());
        Saturate { percent }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("saturated").into_pixels()
    }

    #[test]
    fn greys_stay_and_none_is_grey() {
        assert_eq!(saturated(70, [90, 90, 90]), [90, 90, 90]);
        // 0.213 × 200 + 0.715 × 100 + 0.072 × 50.
        assert_eq!(saturated(-100, [200, 100, 50]), [118, 118, 118]);
        assert_eq!(saturated(50, [200, 100, 50]), [241, 91, 16]);
        assert_eq!(saturated(0, [3, 200, 50]), [3, 200, 50]);
    }
}
