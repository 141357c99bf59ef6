//! Pictures of at most 256 colours: an exact palette where there is one, else the best one found, with the picture
//! laid over it. It knows no file format; GIF and PNG write what it makes, and an animation may share one palette.
//!
//! Colours are compared premultiplied and weighted by what the eye sees ([`Point`]); wholly transparent pixels are one
//! colour, `[0; 4]`, and stay exactly where they are.

mod exact;
mod histogram;
mod map;
mod split;

pub(crate) use histogram::Histogram;

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;

/// The most colours that an index of one byte can tell apart.
pub(crate) const MOST: usize = 256;

/// How transparency is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alpha {
    /// Every level (PNG's `tRNS`).
    Levels,
    /// A pixel is there or not (GIF): half and above is there.
    Bit,
}

/// What is asked of a palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// 1 to 256 colours, transparency among them.
    pub(crate) colours: usize,
    /// 1–100: below 100, fewer colours where the mean error stays within `0.12 × (100 − quality)` of 255.
    pub(crate) quality: u8,
    /// How transparency is kept.
    pub(crate) alpha: Alpha,
}

/// Straight RGBA colours; `[0; 4]`, where there is one, comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Palette {
    /// 1 to 256 of them.
    pub(crate) colours: Vec<[u8; 4]>,
}

/// A picture as indices into a palette, one byte a pixel, rows without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Indexed {
    /// The colours.
    pub(crate) palette: Palette,
    /// Each below the number of colours.
    pub(crate) indices: Vec<u8>,
}

impl Palette {
    /// Where wholly transparent pixels point to.
    pub(crate) fn transparent(&self) -> Option<u8> {
        (self.colours.first() == Some(&[0; 4])).then_some(0)
    }

    /// The index of each pixel: the nearest colour, with the error spread over the neighbours.
    ///
    /// # Errors
    /// What [`Watch::check`] returns.
    pub(crate) fn lay(&self, bitmap: &Bitmap, alpha: Alpha, watch: &Watch) -> Result<Vec<u8>, Error> {
        map::lay(self, bitmap, alpha, watch)
    }
}

/// The picture without any loss, if its colours fit. With [`Alpha::Bit`] a half transparent pixel has no place.
pub(crate) fn exact(bitmap: &Bitmap, alpha: Alpha) -> Option<Indexed> {
    exact::index(bitmap, alpha)
}

/// The picture in as few colours as are wished: exactly, where they are enough.
///
/// # Errors
/// What [`Watch::check`] returns.
pub(crate) fn quantise(bitmap: &Bitmap, wish: Wish, watch: &Watch) -> Result<Indexed, Error> {
    if wish.quality >= 100
        && let Some(indexed) = exact(bitmap, wish.alpha)
        && indexed.palette.colours.len() <= wish.colours
    {
        return Ok(indexed);
    }
    let mut histogram = Histogram::new(wish.alpha);
    histogram.add(bitmap, watch)?;
    let palette = histogram.palette(wish, watch)?;
    let indices = palette.lay(bitmap, wish.alpha, watch)?;
    Ok(Indexed { palette, indices })
}

/// A colour as the eye weighs it, premultiplied: differences are Euclidean.
type Point = [f32; 4];

/// The share of each channel in what is seen; alpha counts like the whole of them.
const WEIGHTS: Point = [0.73, 1.0, 0.62, 1.3];

fn point([red, green, blue, alpha]: [u8; 4]) -> Point {
    let cover = f32::from(alpha) / 255.0;
    [
        f32::from(red) * cover * WEIGHTS[0],
        f32::from(green) * cover * WEIGHTS[1],
        f32::from(blue) * cover * WEIGHTS[2],
        f32::from(alpha) * WEIGHTS[3],
    ]
}

/// The colour of a point: the inverse of [`point`], rounded.
fn colour(point: Point) -> [u8; 4] {
    let alpha = (point[3] / WEIGHTS[3]).round().clamp(0.0, 255.0);
    if alpha < 1.0 {
        return [0; 4];
    }
    let channel = |at: usize| (point[at] / WEIGHTS[at] * 255.0 / alpha).round().clamp(0.0, 255.0) as u8;
    [channel(0), channel(1), channel(2), alpha as u8]
}

/// Calls `each` with every pixel as RGBA, rows of `width` at a time, asking the watch now and then.
fn pixels(bitmap: &Bitmap, alpha: Alpha, watch: &Watch, mut each: impl FnMut([u8; 4])) -> Result<(), Error> {
    const CHECK: usize = 1 << 18;
    let channels = bitmap.layout().channels();
    for chunk in bitmap.pixels().chunks(CHECK * channels) {
        watch.check()?;
        chunk.chunks_exact(channels).for_each(|pixel| each(rgba(pixel, bitmap.layout(), alpha)));
    }
    Ok(())
}

/// One pixel as the palette sees it.
fn rgba(pixel: &[u8], layout: Layout, alpha: Alpha) -> [u8; 4] {
    match (layout, pixel) {
        (Layout::Gray, &[value, ..]) => [value, value, value, 255],
        (Layout::Rgb, &[red, green, blue, ..]) => [red, green, blue, 255],
        (Layout::Rgba, &[red, green, blue, cover, ..]) => match (alpha, cover) {
            (_, 0) => [0; 4],
            (Alpha::Levels, cover) => [red, green, blue, cover],
            (Alpha::Bit, 128..) => [red, green, blue, 255],
            (Alpha::Bit, _) => [0; 4],
        },
        _ => [0; 4],
    }
}

#[cfg(test)]
mod tests;
