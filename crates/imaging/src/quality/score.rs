//! How close a picture comes to another: SSIMULACRA2, by `fast-ssim2`. 100 is the same picture; 90 cannot be told from
//! it, 70 is good, 50 is visibly worse.
//!
//! The score is a number about pixels: it knows no encoder. Transparency counts as what is seen over mid-grey.

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use fast_ssim2::{PixelDescriptor, PixelSlice, Ssimulacra2Reference};

/// Laid under transparent pixels before they are looked at.
const GREY: u32 = 128;

/// A picture that others are held against: half of the work is done once.
pub struct Reference {
    prepared: Ssimulacra2Reference,
}

impl Reference {
    /// Prepares a picture.
    ///
    /// # Errors
    /// [`Error::Internal`] when it has more than 268 million pixels: the limits on results are far below.
    pub fn new(picture: &Bitmap) -> Result<Self, Error> {
        let pixels = opaque(picture);
        let prepared = Ssimulacra2Reference::new(&view(picture, &pixels)?).map_err(failed)?;
        Ok(Self { prepared })
    }

    /// The score of another picture of the same size.
    ///
    /// # Errors
    /// [`Error::Internal`] when the sizes differ.
    pub fn score(&self, other: &Bitmap) -> Result<f64, Error> {
        let pixels = opaque(other);
        self.prepared.compare(&view(other, &pixels)?).map_err(failed)
    }
}

fn view<'a>(picture: &Bitmap, pixels: &'a [u8]) -> Result<PixelSlice<'a>, Error> {
    let stride = picture.width() as usize * 3;
    PixelSlice::new(pixels, picture.width(), picture.height(), stride, PixelDescriptor::RGB8_SRGB).map_err(failed)
}

/// Red, green, blue.
fn opaque(picture: &Bitmap) -> std::borrow::Cow<'_, [u8]> {
    match picture.layout() {
        Layout::Rgb => picture.pixels().into(),
        Layout::Gray => picture.pixels().iter().flat_map(|&value| [value; 3]).collect::<Vec<_>>().into(),
        Layout::Rgba => picture.pixels().as_chunks::<4>().0.iter().flat_map(over_grey).collect::<Vec<_>>().into(),
    }
}

fn over_grey(&[red, green, blue, alpha]: &[u8; 4]) -> [u8; 3] {
    let alpha = u32::from(alpha);
    [red, green, blue].map(|value| ((u32::from(value) * alpha + GREY * (255 - alpha) + 127) / 255) as u8)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("score: {error}"))
}
