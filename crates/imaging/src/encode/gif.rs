//! GIF of one frame: at most 256 colours, exact where the picture has no more; a pixel is opaque or transparent.
//! Animations are written elsewhere, over the same palettes.

use super::Settings;
use super::palette::{Alpha, Indexed, MOST, Wish, quantise};
use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::limits::Watch;
use gif::{Encoder, Frame};
use std::borrow::Cow;

/// Encodes a picture; both sides are at most 65,535 (the caller looked). Below 100, `quality` allows fewer colours.
pub(super) fn encode(bitmap: &Bitmap, settings: &Settings, watch: &Watch) -> Result<Vec<u8>, Error> {
    let too_large = |_| Error::Internal("gif: a side beyond the format".into());
    let width = u16::try_from(bitmap.width()).map_err(too_large)?;
    let height = u16::try_from(bitmap.height()).map_err(too_large)?;
    let quality = if settings.lossless { 100 } else { settings.quality };
    let Indexed { palette, indices } = quantise(bitmap, Wish { colours: MOST, quality, alpha: Alpha::Bit }, watch)?;
    watch.check()?;
    let colours: Vec<u8> = palette.colours.iter().flat_map(|colour| [colour[0], colour[1], colour[2]]).collect();
    let frame =
        Frame { width, height, transparent: palette.transparent(), buffer: Cow::Owned(indices), ..Frame::default() };
    let failed = |error: gif::EncodingError| Error::Internal(format!("gif: {error}"));
    let mut encoder = Encoder::new(Vec::new(), width, height, &colours).map_err(failed)?;
    encoder.write_frame(&frame).map_err(failed)?;
    watch.check()?;
    encoder.into_inner().map_err(|error| Error::Internal(format!("gif: {error}")))
}
