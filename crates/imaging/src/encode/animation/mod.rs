//! Animations, written frame by frame: what a frame changes is all that is stored of it, and two frames at most are in
//! memory beside the growing file.
//!
//! Every frame that comes in goes out, also one that changes nothing: counts and times are kept. Which format, and how,
//! was said before (see `crate::animation`).

mod avif;
mod delta;
mod gif;
mod pace;
mod png;
mod webp;

use super::Settings;
use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use cache_key::transform::Codec;

/// A file that is being written.
pub(crate) trait Reel {
    /// Takes the next frame, which is seen for `micros`. All frames have the same size. Gives its memory back.
    ///
    /// # Errors
    /// What [`Watch::check`] returns, and [`Error::Internal`] when an encoder fails.
    fn add(&mut self, frame: Bitmap, micros: u64, watch: &Watch, scratch: &mut Scratch) -> Result<(), Error>;

    /// The whole file. There was at least one frame.
    ///
    /// # Errors
    /// As [`Reel::add`].
    fn finish(self: Box<Self>, watch: &Watch, scratch: &mut Scratch) -> Result<Vec<u8>, Error>;
}

/// Begins a file of frames of `size` that plays so often (0: for ever).
///
/// # Errors
/// [`Error::NotImplemented`] for formats without animations, [`Error::TooLarge`] for a side beyond the format.
pub(crate) fn start(settings: Settings, size: (u32, u32), plays: u32) -> Result<Box<dyn Reel>, Error> {
    let (longer, limit) = (size.0.max(size.1), super::longest_side(settings.codec));
    if longer > limit {
        let (value, limit) = (longer.into(), limit.into());
        return Err(Error::TooLarge { what: "longer side that the format can hold", value, limit });
    }
    Ok(match settings.codec {
        Codec::Webp => Box::new(webp::WebpReel::new(settings, size, plays)),
        Codec::Gif => Box::new(gif::GifReel::new(settings, size, plays)?),
        Codec::Png => Box::new(png::PngReel::new(settings, size, plays)),
        Codec::Avif => Box::new(avif::AvifReel::new(settings, size, plays)?),
        Codec::Jpeg | Codec::Jxl => return Err(Error::NotImplemented("anim")),
    })
}

#[cfg(test)]
mod tests;
