//! A picture put on a larger canvas of one colour.

use super::Operation;
use super::channels::widen;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::geometry::Rect;
use crate::limits::Watch;
use crate::scratch::Scratch;
use cache_key::transform::Colour;

/// What lies round the picture. The picture itself is not blended: `flatten` came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The canvas's size, and where the picture's top left corner lies on it.
    pub canvas: Rect,
    /// The canvas's colour; `None`: nothing where the picture has alpha, white where it has none.
    pub colour: Option<Colour>,
}

impl Place {
    fn fill(&self, layout: Layout) -> Colour {
        let a = if layout == Layout::Rgba { 0 } else { u8::MAX };
        self.colour.unwrap_or(Colour { r: u8::MAX, g: u8::MAX, b: u8::MAX, a })
    }
}

impl Operation for Place {
    fn name(&self) -> &'static str {
        "place"
    }

    fn apply(&self, bitmap: Bitmap, _watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error> {
        let Rect { x, y, width, height } = self.canvas;
        if (width, height) == (bitmap.width(), bitmap.height()) {
            return Ok(bitmap);
        }
        let fits = |at: u32, side: u32, canvas: u32| at.checked_add(side).is_some_and(|end| end <= canvas);
        if !fits(x, bitmap.width(), width) || !fits(y, bitmap.height(), height) {
            return Err(Error::Internal(format!("place: the picture sticks out of {:?}", self.canvas)));
        }
        let fill = self.fill(bitmap.layout());
        let layout = canvas_layout(bitmap.layout(), fill);
        let bitmap = widen(bitmap, layout, scratch);

        let channels = layout.channels();
        let stride = width as usize * channels;
        let mut canvas = scratch.take(stride * height as usize);
        paint(&mut canvas, layout, fill);
        let (left, run) = (x as usize * channels, bitmap.width() as usize * channels);
        let rows = canvas.chunks_exact_mut(stride).skip(y as usize);
        for (row, source) in rows.zip(bitmap.pixels().chunks_exact(run)) {
            row[left..left + run].copy_from_slice(source);
        }
        scratch.give(bitmap.into_pixels());
        Ok(Bitmap::new(width, height, layout, canvas))
    }
}

/// The fewest channels that hold both.
pub(super) fn canvas_layout(picture: Layout, fill: Colour) -> Layout {
    match picture {
        _ if fill.a != u8::MAX => Layout::Rgba,
        Layout::Gray if fill.r != fill.g || fill.g != fill.b => Layout::Rgb,
        layout => layout,
    }
}

pub(super) fn paint(canvas: &mut [u8], layout: Layout, Colour { r, g, b, a }: Colour) {
    match layout {
        Layout::Gray => canvas.fill(r),
        Layout::Rgb => canvas.as_chunks_mut::<3>().0.fill([r, g, b]),
        Layout::Rgba => canvas.as_chunks_mut::<4>().0.fill([r, g, b, a]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Colour = Colour { r: 255, g: 0, b: 0, a: 255 };

    fn placed(layout: Layout, colour: Option<Colour>) -> Bitmap {
        let bitmap = Bitmap::new(1, 1, layout, vec![7; layout.channels()]);
        let canvas = Rect { x: 1, y: 0, width: 2, height: 2 };
        // A used buffer, so that pixels left unwritten would show.
        let mut scratch = Scratch::new(1 << 10);
        scratch.give(vec![99; 64]);
        Place { canvas, colour }.apply(bitmap, &Watch::new(), &mut scratch).expect("placed")
    }

    #[test]
    fn the_ground_decides_the_channels() {
        assert_eq!(placed(Layout::Gray, None), Bitmap::new(2, 2, Layout::Gray, vec![255, 7, 255, 255]));
        let red = placed(Layout::Gray, Some(RED));
        assert_eq!(red, Bitmap::new(2, 2, Layout::Rgb, vec![255, 0, 0, 7, 7, 7, 255, 0, 0, 255, 0, 0]));
        let clear = placed(Layout::Rgba, None);
        assert_eq!(clear.pixels()[..8], [255, 255, 255, 0, 7, 7, 7, 7]);
        assert_eq!(placed(Layout::Rgb, Some(Colour { a: 1, ..RED })).layout(), Layout::Rgba);
    }

    #[test]
    fn a_picture_that_sticks_out_is_an_error() {
        let canvas = Rect { x: 2, y: 0, width: 2, height: 2 };
        let bitmap = Bitmap::new(1, 1, Layout::Gray, vec![7]);
        assert!(Place { canvas, colour: None }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).is_err());
    }
}
