//! `border`: a frame of one colour round the picture, which grows by it on each side. Where the picture has an outline
//! the frame lies between that and the outer one.

use super::Operation;
use super::channels::widen;
use super::outline::Outline;
use super::place::{canvas_layout, paint};
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use cache_key::transform::Colour;

/// What lies under the picture stays what it was: the frame shines through nowhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Border {
    /// Pixels.
    pub width: u32,
    /// May be translucent.
    pub colour: Colour,
    /// The picture's own; the frame's colour is outside of it.
    pub inner: Option<Outline>,
}

impl Operation for Border {
    fn name(&self) -> &'static str {
        "border"
    }

    fn apply(&self, bitmap: Bitmap, watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let layout = canvas_layout(bitmap.layout(), self.colour);
        let bitmap = widen(bitmap, layout, scratch);
        let size = (bitmap.width(), bitmap.height());
        let (width, height) = (size.0 + 2 * self.width, size.1 + 2 * self.width);
        let channels = layout.channels();
        let stride = width as usize * channels;
        let mut canvas = scratch.take(stride * height as usize);
        paint(&mut canvas, layout, self.colour);

        let (left, run) = (self.width as usize * channels, size.0 as usize * channels);
        let rows = canvas.chunks_exact_mut(stride).skip(self.width as usize);
        for (y, (row, source)) in (0..).zip(rows.zip(bitmap.pixels().chunks_exact(run))) {
            let row = &mut row[left..left + run];
            let Some(inner) = self.inner else {
                row.copy_from_slice(source);
                continue;
            };
            watch.check()?;
            let pixels = row.chunks_exact_mut(channels).zip(source.chunks_exact(channels));
            for (x, (pixel, source)) in (0..).zip(pixels) {
                lay(pixel, source, inner.coverage((x, y), size), layout);
            }
        }
        scratch.give(bitmap.into_pixels());
        Ok(Bitmap::new(width, height, layout, canvas))
    }
}

/// Goes from the frame's pixel to the picture's by `coverage`; with alpha, in premultiplied values.
fn lay(pixel: &mut [u8], source: &[u8], coverage: f64, layout: Layout) {
    if coverage >= 1.0 {
        pixel.copy_from_slice(source);
        return;
    }
    if coverage <= 0.0 {
        return;
    }
    let (under, over) = match (layout, &*pixel, source) {
        (Layout::Rgba, [.., under], [.., over]) => (f64::from(*under), f64::from(*over)),
        _ => (255.0, 255.0),
    };
    let alpha = over * coverage + under * (1.0 - coverage);
    let colours = if layout == Layout::Rgba { 3 } else { source.len() };
    for (value, &source) in pixel.iter_mut().zip(source).take(colours) {
        let mixed = f64::from(source) * over * coverage + f64::from(*value) * under * (1.0 - coverage);
        // Without any alpha there is no colour; a cast of a float saturates.
        *value = if alpha > 0.0 { (mixed / alpha).round() as u8 } else { 0 };
    }
    if let (Layout::Rgba, Some(last)) = (layout, pixel.last_mut()) {
        *last = alpha.round() as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Colour = Colour { r: 255, g: 0, b: 0, a: 255 };

    fn framed(bitmap: Bitmap, colour: Colour, inner: Option<Outline>) -> Bitmap {
        let mut scratch = Scratch::new(1 << 20);
        scratch.give(vec![99; 4096]);
        Border { width: 2, colour, inner }.apply(bitmap, &Watch::new(), &mut scratch).expect("framed")
    }

    #[test]
    fn the_picture_grows_and_stays() {
        let result = framed(Bitmap::new(1, 2, Layout::Gray, vec![7, 8]), Colour::BLACK, None);
        assert_eq!((result.width(), result.height(), result.layout()), (5, 6, Layout::Gray));
        assert_eq!((result.pixels()[2 * 5 + 2], result.pixels()[3 * 5 + 2]), (7, 8));
        assert_eq!(result.pixels().iter().filter(|&&value| value == 0).count(), 28);
        assert_eq!(framed(Bitmap::new(1, 1, Layout::Gray, vec![7]), RED, None).layout(), Layout::Rgb);
        let clear = framed(Bitmap::new(1, 1, Layout::Rgba, vec![1, 2, 3, 0]), RED, None);
        assert_eq!(clear.pixels()[12 * 4..13 * 4], [1, 2, 3, 0], "the frame does not show through");
    }

    #[test]
    fn the_frame_follows_the_outline() {
        let white = Bitmap::new(20, 20, Layout::Rgb, vec![255; 1200]);
        let result = framed(white, RED, Some(Outline::Ellipse(10.0, 10.0)));
        let at = |x: usize, y: usize| &result.pixels()[(y * 24 + x) * 3..][..3];
        assert_eq!((at(2, 2), at(12, 12)), ([255, 0, 0].as_slice(), [255; 3].as_slice()));
        assert!(result.pixels().as_chunks::<3>().0.iter().any(|p| (1..255).contains(&p[1])), "smooth edges");
    }
}
