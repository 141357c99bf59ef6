//! Colour times alpha and back: wherever neighbouring pixels mix, those that nobody sees must not shine through.
//! Works on bitmaps with alpha in place; does nothing to the others.

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use fast_image_resize::MulDiv;
use fast_image_resize::images::TypedImage;
use fast_image_resize::pixels::U8x4;

/// Straight → premultiplied.
pub(crate) fn premultiply(bitmap: &mut Bitmap) -> Result<(), Error> {
    in_place(bitmap, |image| MulDiv::new().multiply_alpha_inplace_typed(image).map_err(|error| error.to_string()))
}

/// Premultiplied → straight. Where alpha is 0 colour becomes 0.
pub(crate) fn unpremultiply(bitmap: &mut Bitmap) -> Result<(), Error> {
    in_place(bitmap, |image| MulDiv::new().divide_alpha_inplace_typed(image).map_err(|error| error.to_string()))
}

/// Whether no pixel lets anything through. Stops at the first that does.
pub(crate) fn is_opaque(bitmap: &Bitmap) -> bool {
    match bitmap.layout() {
        Layout::Gray | Layout::Rgb => true,
        Layout::Rgba => all_opaque(bitmap.pixels()),
    }
}

/// The same for pixels of four channels, whole rows of them or not.
pub(crate) fn all_opaque(pixels: &[u8]) -> bool {
    // In blocks, so that the compiler can look at many at once.
    let opaque = |block: &[u8]| block.as_chunks::<4>().0.iter().fold(u8::MAX, |all, pixel| all & pixel[3]) == u8::MAX;
    pixels.chunks(4096).all(opaque)
}

/// Straight → premultiplied, for whole rows of `width` pixels of four channels.
pub(crate) fn premultiply_rows(rows: &mut [u8], width: u32) -> Result<(), Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("alpha: {error}"));
    let height = (rows.len() / 4) as u32 / width.max(1);
    let mut image = TypedImage::<U8x4>::from_buffer(width, height, rows).map_err(|error| failed(&error))?;
    MulDiv::new().multiply_alpha_inplace_typed(&mut image).map_err(|error| failed(&error))
}

fn in_place(
    bitmap: &mut Bitmap,
    change: impl Fn(&mut TypedImage<'_, U8x4>) -> Result<(), String>,
) -> Result<(), Error> {
    if bitmap.layout() != Layout::Rgba {
        return Ok(());
    }
    let (width, height) = (bitmap.width(), bitmap.height());
    let mut image = TypedImage::from_buffer(width, height, bitmap.pixels_mut())
        .map_err(|error| Error::Internal(format!("alpha: {error}")))?;
    change(&mut image).map_err(|error| Error::Internal(format!("alpha: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let pixels = vec![200, 100, 50, 255, 200, 100, 50, 128, 9, 9, 9, 0];
        let mut bitmap = Bitmap::new(3, 1, Layout::Rgba, pixels);
        premultiply(&mut bitmap).expect("premultiplied");
        assert_eq!(bitmap.pixels(), [200, 100, 50, 255, 100, 50, 25, 128, 0, 0, 0, 0]);
        unpremultiply(&mut bitmap).expect("divided");
        assert_eq!(bitmap.pixels()[8..], [0, 0, 0, 0]);
        assert!(bitmap.pixels()[4..7].iter().zip([200, 100, 50]).all(|(a, b)| a.abs_diff(b) <= 1));
    }

    #[test]
    fn opaque_is_told_apart() {
        let mut pixels = vec![255; 4 * 3000];
        assert!(is_opaque(&Bitmap::new(3000, 1, Layout::Rgba, pixels.clone())));
        pixels[4 * 2999 + 3] = 254;
        assert!(!is_opaque(&Bitmap::new(3000, 1, Layout::Rgba, pixels)));
    }
}
