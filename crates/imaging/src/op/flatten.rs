//! A colour laid under the picture (Porter and Duff's "over", in sRGB values, as browsers do).

use super::Operation;
use super::channels::drop_alpha;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use cache_key::transform::Colour;

/// Pictures without alpha hide it wholly and are left as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flatten {
    /// May itself be translucent; then the result keeps its alpha channel.
    pub background: Colour,
}

impl Operation for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn apply(&self, mut bitmap: Bitmap, _watch: &Watch, _scratch: &mut Scratch) -> Result<Bitmap, Error> {
        if bitmap.layout() != Layout::Rgba {
            return Ok(bitmap);
        }
        let Colour { r, g, b, a } = self.background;
        if a == u8::MAX {
            for pixel in bitmap.pixels_mut().as_chunks_mut::<4>().0 {
                let alpha = pixel[3];
                *pixel = [blend(pixel[0], r, alpha), blend(pixel[1], g, alpha), blend(pixel[2], b, alpha), u8::MAX];
            }
            return Ok(drop_alpha(bitmap));
        }
        for pixel in bitmap.pixels_mut().as_chunks_mut::<4>().0 {
            *pixel = over(*pixel, [r, g, b, a]);
        }
        Ok(bitmap)
    }
}

/// `value × alpha + under × (1 − alpha)`, rounded.
fn blend(value: u8, under: u8, alpha: u8) -> u8 {
    let sum = u32::from(value) * u32::from(alpha) + u32::from(under) * u32::from(u8::MAX - alpha);
    ((sum + 127) / 255) as u8
}

/// Both straight, and so is the result.
fn over(top: [u8; 4], under: [u8; 4]) -> [u8; 4] {
    // In units of 1/255².
    let above = u32::from(top[3]) * 255;
    let below = u32::from(under[3]) * u32::from(u8::MAX - top[3]);
    let alpha = above + below;
    if alpha == 0 {
        return [0; 4];
    }
    let mix = |i: usize| ((u32::from(top[i]) * above + u32::from(under[i]) * below + alpha / 2) / alpha) as u8;
    [mix(0), mix(1), mix(2), ((alpha + 127) / 255) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flattened(background: Colour, pixels: Vec<u8>) -> Bitmap {
        let bitmap = Bitmap::new(pixels.len() as u32 / 4, 1, Layout::Rgba, pixels);
        Flatten { background }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("flattened")
    }

    #[test]
    fn an_opaque_ground_ends_alpha() {
        let ground = Colour { r: 0, g: 100, b: 255, a: 255 };
        let result = flattened(ground, vec![255, 0, 0, 255, 255, 0, 0, 0, 255, 0, 0, 128]);
        assert_eq!(result.layout(), Layout::Rgb);
        assert_eq!(result.pixels(), [255, 0, 0, 0, 100, 255, 128, 50, 127]);
    }

    #[test]
    fn a_translucent_ground_adds_up() {
        let ground = Colour { r: 0, g: 0, b: 200, a: 128 };
        let result = flattened(ground, vec![9, 9, 9, 0, 200, 0, 0, 255, 200, 0, 0, 128]);
        assert_eq!(result.layout(), Layout::Rgba);
        assert_eq!(result.pixels()[..8], [0, 0, 200, 128, 200, 0, 0, 255]);
        assert_eq!(result.pixels()[8..], [134, 0, 66, 192]);
    }
}
