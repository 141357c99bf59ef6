//! The same picture with more channels or fewer. Colours do not change; what is added is what was implied.

use crate::bitmap::{Bitmap, Layout};
use crate::scratch::Scratch;

/// The picture without its alpha channel: for pictures in which that says nothing. Others are left as they are.
pub(crate) fn drop_alpha(bitmap: Bitmap) -> Bitmap {
    if bitmap.layout() != Layout::Rgba {
        return bitmap;
    }
    keep_first(bitmap, Layout::Rgb)
}

/// The first channel of a picture whose colours are known to be equal.
pub(crate) fn first_channel(bitmap: Bitmap) -> Bitmap {
    keep_first(bitmap, Layout::Gray)
}

/// The leading channels of each pixel, moved together in place: reading runs ahead of writing.
fn keep_first(bitmap: Bitmap, layout: Layout) -> Bitmap {
    let (width, height) = (bitmap.width(), bitmap.height());
    let (from, to) = (bitmap.layout().channels(), layout.channels());
    let mut pixels = bitmap.into_pixels();
    let count = pixels.len() / from;
    for i in 0..count {
        pixels.copy_within(i * from..i * from + to, i * to);
    }
    pixels.truncate(count * to);
    Bitmap::new(width, height, layout, pixels)
}

/// The picture with the channels of `layout`, which has at least those that it has now: grey is spread over the
/// colours, alpha is opaque.
pub(crate) fn widen(bitmap: Bitmap, layout: Layout, scratch: &mut Scratch) -> Bitmap {
    if bitmap.layout() == layout {
        return bitmap;
    }
    let (width, height) = (bitmap.width(), bitmap.height());
    let mut wide = scratch.take(width as usize * height as usize * layout.channels());
    match (bitmap.layout(), layout) {
        (Layout::Gray, Layout::Rgb) => {
            for (pixel, &value) in wide.as_chunks_mut::<3>().0.iter_mut().zip(bitmap.pixels()) {
                *pixel = [value; 3];
            }
        }
        (Layout::Gray, Layout::Rgba) => {
            for (pixel, &value) in wide.as_chunks_mut::<4>().0.iter_mut().zip(bitmap.pixels()) {
                *pixel = [value, value, value, u8::MAX];
            }
        }
        (Layout::Rgb, Layout::Rgba) => {
            for (pixel, &[r, g, b]) in wide.as_chunks_mut::<4>().0.iter_mut().zip(bitmap.pixels().as_chunks::<3>().0) {
                *pixel = [r, g, b, u8::MAX];
            }
        }
        // Fewer channels than before: the caller asked for a loss.
        (from, to) => unreachable!("{from:?} is not widened to {to:?}"),
    }
    scratch.give(bitmap.into_pixels());
    Bitmap::new(width, height, layout, wide)
}

/// Whether every pixel is grey.
pub(crate) fn is_gray(bitmap: &Bitmap) -> bool {
    match bitmap.layout() {
        Layout::Gray => true,
        Layout::Rgb => bitmap.pixels().as_chunks::<3>().0.iter().all(|p| p[0] == p[1] && p[1] == p[2]),
        Layout::Rgba => bitmap.pixels().as_chunks::<4>().0.iter().all(|p| p[0] == p[1] && p[1] == p[2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_come_and_go() {
        let scratch = &mut Scratch::new(0);
        let gray = Bitmap::new(2, 1, Layout::Gray, vec![1, 2]);
        let rgb = widen(gray.clone(), Layout::Rgb, scratch);
        assert_eq!(rgb.pixels(), [1, 1, 1, 2, 2, 2]);
        let rgba = widen(rgb.clone(), Layout::Rgba, scratch);
        assert_eq!(rgba.pixels(), [1, 1, 1, 255, 2, 2, 2, 255]);
        assert_eq!(rgba, widen(gray.clone(), Layout::Rgba, scratch));
        assert!(is_gray(&rgba));
        assert_eq!(drop_alpha(rgba), rgb);
        assert_eq!(first_channel(rgb), gray);
        assert!(!is_gray(&Bitmap::new(1, 1, Layout::Rgb, vec![1, 1, 2])));
    }
}
