//! A small copy of a picture for everything that is told of its looks: each of its pixels is the mean of the pixels that
//! it stands for, colours weighted by their alpha.

use crate::bitmap::{Bitmap, Layout};

/// Pixels as red, green, blue and straight alpha, 0–255, row after row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Small {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<[f64; 4]>,
}

/// The copy with sides of at most `most` pixels, its shape kept; never larger than the picture.
pub(super) fn within(bitmap: &Bitmap, most: u32) -> Small {
    let longer = bitmap.width().max(bitmap.height());
    let side = |side: u32| {
        if longer <= most {
            side
        } else {
            ((f64::from(side) * f64::from(most) / f64::from(longer)).round() as u32).max(1)
        }
    };
    exactly(bitmap, side(bitmap.width()), side(bitmap.height()))
}

/// The copy of exactly this size, whatever becomes of the shape. Enlarging repeats pixels.
pub(super) fn exactly(bitmap: &Bitmap, width: u32, height: u32) -> Small {
    let channels = bitmap.layout().channels();
    let stride = bitmap.width() as usize * channels;
    let (columns, rows) = (spans(bitmap.width(), width), spans(bitmap.height(), height));
    let mut pixels = Vec::with_capacity(columns.len() * rows.len());
    for &(top, bottom) in &rows {
        for &(left, right) in &columns {
            let mut sum = [0.0; 4];
            for line in bitmap.pixels().chunks_exact(stride).take(bottom).skip(top) {
                let line = line.get(left * channels..right * channels).unwrap_or_default();
                line.chunks_exact(channels).for_each(|pixel| add(&mut sum, pixel, bitmap.layout()));
            }
            let [red, green, blue, alpha] = sum;
            let places = ((bottom - top) * (right - left)) as f64;
            let colour = |value: f64| if alpha > 0.0 { value / alpha } else { 0.0 };
            pixels.push([colour(red), colour(green), colour(blue), alpha / places]);
        }
    }
    Small { width: columns.len(), height: rows.len(), pixels }
}

fn add(sum: &mut [f64; 4], pixel: &[u8], layout: Layout) {
    let [red, green, blue, alpha] = match (layout, pixel) {
        (Layout::Gray, &[gray, ..]) => [gray, gray, gray, u8::MAX],
        (_, &[red, green, blue, alpha]) => [red, green, blue, alpha],
        (_, &[red, green, blue, ..]) => [red, green, blue, u8::MAX],
        _ => [0; 4],
    }
    .map(f64::from);
    for (sum, value) in sum.iter_mut().zip([red * alpha, green * alpha, blue * alpha, alpha]) {
        *sum += value;
    }
}

/// Which pixels each of `to` pixels stands for, at least one each.
fn spans(from: u32, to: u32) -> Vec<(usize, usize)> {
    let edge = |at: u32| (u64::from(at) * u64::from(from) / u64::from(to.max(1))) as usize;
    (0..to.max(1)).map(|at| (edge(at), edge(at + 1).max(edge(at) + 1).min(from as usize))).collect()
}

impl Small {
    /// Luminance of each pixel over black, 0–255.
    pub(super) fn luma(&self) -> Vec<f64> {
        let luma = |&[red, green, blue, alpha]: &[f64; 4]| (0.299 * red + 0.587 * green + 0.114 * blue) * alpha / 255.0;
        self.pixels.iter().map(luma).collect()
    }

    /// Rounded to bytes, opaque pixels alone where there are any.
    pub(super) fn opaque(&self) -> Vec<u8> {
        let bytes = |&[red, green, blue, _]: &[f64; 4]| [red, green, blue].map(|value| value.round() as u8);
        let there: Vec<u8> = self.pixels.iter().filter(|pixel| pixel[3] >= 128.0).flat_map(bytes).collect();
        if there.is_empty() { self.pixels.iter().flat_map(bytes).collect() } else { there }
    }
}

#[cfg(test)]
mod tests {
    use super::{exactly, within};
    use crate::bitmap::{Bitmap, Layout};

    #[test]
    fn transparent_pixels_have_no_colour() {
        let bitmap = Bitmap::new(2, 1, Layout::Rgba, vec![200, 100, 50, 255, 0, 0, 0, 0]);
        assert_eq!(exactly(&bitmap, 1, 1).pixels, [[200.0, 100.0, 50.0, 127.5]]);
    }

    #[test]
    fn the_shape_is_kept_and_nothing_enlarged() {
        let bitmap = Bitmap::new(300, 7, Layout::Gray, vec![9; 2100]);
        let small = within(&bitmap, 100);
        assert_eq!((small.width, small.height, small.pixels.len()), (100, 2, 200));
        assert!(small.pixels.iter().all(|pixel| *pixel == [9.0, 9.0, 9.0, 255.0]));
        let same = within(&Bitmap::new(3, 2, Layout::Gray, vec![9; 6]), 100);
        assert_eq!((same.width, same.height), (3, 2));
        assert_eq!(exactly(&Bitmap::new(1, 1, Layout::Gray, vec![3]), 9, 8).pixels.len(), 72);
    }
}
