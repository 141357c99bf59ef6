//! `redact`: regions made black and opaque for good. It is done first, on the pixels as they were decoded, before
//! anything mixes a pixel with its neighbours: nothing of a region reaches the result, not even as an average.

use super::Operation;
use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::geometry::Rect;
use crate::limits::Watch;
use crate::scratch::Scratch;

/// Blocks in pixels of the bitmap; what sticks out of it is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redact {
    /// Rounded outward by whoever worked them out.
    pub blocks: Vec<Rect>,
}

impl Operation for Redact {
    fn name(&self) -> &'static str {
        "redact"
    }

    fn apply(&self, mut bitmap: Bitmap, _watch: &Watch, _scratch: &mut Scratch) -> Result<Bitmap, Error> {
        self.black_out(&mut bitmap);
        Ok(bitmap)
    }
}

impl Redact {
    /// The same in place. Doing it twice is doing it once.
    pub(crate) fn black_out(&self, bitmap: &mut Bitmap) {
        let (width, height) = (bitmap.width(), bitmap.height());
        let layout = bitmap.layout();
        let channels = layout.channels();
        let stride = width as usize * channels;
        for block in &self.blocks {
            let (left, right) = (block.x.min(width), block.x.saturating_add(block.width).min(width));
            let (top, bottom) = (block.y.min(height), block.y.saturating_add(block.height).min(height));
            let columns = left as usize * channels..right as usize * channels;
            let rows = bitmap.pixels_mut().chunks_exact_mut(stride);
            for row in rows.skip(top as usize).take((bottom - top) as usize) {
                match layout {
                    Layout::Gray | Layout::Rgb => row[columns.clone()].fill(0),
                    Layout::Rgba => row[columns.clone()].as_chunks_mut::<4>().0.fill([0, 0, 0, u8::MAX]),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(layout: Layout, blocks: Vec<Rect>) -> Vec<u8> {
        let bitmap = Bitmap::new(4, 2, layout, vec![9; 8 * layout.channels()]);
        Redact { blocks }.apply(bitmap, &Watch::new(), &mut Scratch::new(0)).expect("redacted").into_pixels()
    }

    #[test]
    fn blocks_are_black_and_opaque() {
        let block = Rect { x: 1, y: 1, width: 2, height: 9 };
        assert_eq!(redacted(Layout::Gray, vec![block]), [9, 9, 9, 9, 9, 0, 0, 9]);
        assert_eq!(redacted(Layout::Rgba, vec![block])[20..28], [0, 0, 0, 255, 0, 0, 0, 255]);
        let outside = Rect { x: 40, y: 0, width: u32::MAX, height: 1 };
        let corner = Rect { x: 3, y: 0, width: u32::MAX, height: 1 };
        assert_eq!(redacted(Layout::Gray, vec![outside, corner]), [9, 9, 9, 0, 9, 9, 9, 9]);
    }
}
