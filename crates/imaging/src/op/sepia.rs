//! `sepia`: CSS' `sepia()` (Filter Effects Module Level 1, section 10).

use super::matrix::{Matrix, Mixing};

/// 100 is all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sepia {
    /// 0–100.
    pub percent: u8,
}

impl Mixing for Sepia {
    const KEEPS_GREY: bool = false;
    const NAME: &'static str = "sepia";

    fn matrix(&self) -> Matrix {
        let kept = 1.0 - f32::from(self.percent) / 100.0;
        [
            [0.393 + 0.607 * kept, 0.769 - 0.769 * kept, 0.189 - 0.189 * kept],
            [0.349 - 0.349 * kept, 0.686 + 0.314 * kept, 0.168 - 0.168 * kept],
            [0.272 - 0.272 * kept, 0.534 - 0.534 * kept, 0.131 + 0.869 * kept],
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

    fn browned(percent: u8, layout: Layout, pixel: &[u8]) -> Vec<u8> {
        let bitmap = Bitmap::new(1, 1, layout, pixel.to_vec());
        Sepia { percent }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("browned").into_pixels()
    }

    #[test]
    fn is_what_browsers_show() {
        // 100 × (0.393 + 0.769 + 0.189), and so on.
        assert_eq!(browned(100, Layout::Gray, &[100]), [135, 120, 94]);
        assert_eq!(browned(100, Layout::Rgba, &[200, 0, 0, 9]), [79, 70, 54, 9]);
        assert_eq!(browned(50, Layout::Rgb, &[100, 100, 100]), [118, 110, 97]);
    }
}
