//! `duotone`: dark parts in one colour, light parts in another, and the straight way between them in sRGB values. The
//! brightness is that of `gray`. A colour's alpha is its strength: 0 leaves the picture.

use super::Operation;
use super::tones::{Tones, tone};
use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use cache_key::transform::Colour;

/// Black becomes `dark`, white `light`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duotone {
    /// Of black.
    pub dark: Colour,
    /// Of white.
    pub light: Colour,
}

impl Duotone {
    fn tones(self) -> Tones {
        let between =
            |dark: u8, light: u8, at: u32| ((u32::from(dark) * (255 - at) + u32::from(light) * at + 127) / 255) as u8;
        std::array::from_fn(|at| {
            let at = at as u32;
            let Self { dark, light } = self;
            [
                between(dark.r, light.r, at),
                between(dark.g, light.g, at),
                between(dark.b, light.b, at),
                between(dark.a, light.a, at),
            ]
        })
    }
}

impl Operation for Duotone {
    fn name(&self) -> &'static str {
        "duotone"
    }

    fn apply(&self, bitmap: Bitmap, _watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        Ok(tone(bitmap, &self.tones(), scratch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitmap::Layout;

    fn toned(dark: Colour, light: Colour) -> Vec<u8> {
        let bitmap = Bitmap::new(3, 1, Layout::Gray, vec![0, 51, 255]);
        Duotone { dark, light }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("toned").into_pixels()
    }

    #[test]
    fn ends_are_the_two_colours() {
        let (dark, light) = (Colour::opaque(0x00_0064), Colour::opaque(0xff_ff00));
        assert_eq!(toned(dark, light), [0, 0, 100, 51, 51, 80, 255, 255, 0]);
        let none = Colour { a: 0, ..light };
        assert_eq!(toned(none, none), [0, 0, 0, 51, 51, 51, 255, 255, 255]);
    }
}
