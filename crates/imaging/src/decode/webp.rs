//! WebP by image-webp: lossy, lossless, with alpha; of an animation the first frame on its canvas.
//!
//! A truncated file is refused: the decoder gives nothing of it.

pub(super) mod frames;

use super::{Decoded, File, malformed, size_of};
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::metadata::webp::{self, WebpHeader};
use crate::scratch::Scratch;
use image_webp::{DecodingError, WebPDecoder};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Bytes per pixel, bitmap and decoder together: the decoder holds planes (1.5) for lossy pixels, 5 for their alpha, 4
/// for lossless pixels without alpha, and 8 more for the canvas and the frame of an animation.
fn bytes_per_pixel(header: &WebpHeader<'_>) -> u64 {
    let still = if header.lossy && header.alpha { 11 } else { 7 };
    if header.animated { still + 8 } else { still }
}

pub(super) fn decode(file: File<'_>, scratch: &mut Scratch) -> Result<Decoded, Error> {
    let File { bytes, probe, limits, watch } = file;
    let header = webp::read(bytes).ok_or_else(|| malformed(SourceFormat::Webp, &"no header"))?;
    file.check_memory(bytes_per_pixel(&header))?;
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(told)?;
    decoder.set_memory_limit(usize::try_from(limits.memory).unwrap_or(usize::MAX));
    if decoder.dimensions() != (probe.width, probe.height) {
        return Err(malformed(SourceFormat::Webp, &"two headers that disagree"));
    }
    let layout = if decoder.has_alpha() { Layout::Rgba } else { Layout::Rgb };
    if decoder.is_animated() {
        decoder.set_background_color([0; 4]).map_err(told)?;
    }
    watch.check()?;
    let mut pixels = scratch.take(size_of(probe.width, probe.height, layout));
    if decoder.is_animated() {
        pixels.fill(0);
    }
    let pixels = read(&mut decoder, pixels, scratch)?;
    watch.check()?;
    let icc = header.icc.filter(|icc| color::differs_from_srgb(icc, layout)).map(<[u8]>::to_vec);
    let bitmap = Bitmap::new(probe.width, probe.height, layout, pixels);
    Ok(Decoded::whole(bitmap, icc, header.orientation))
}

/// Decodes into `pixels`.
fn read(
    decoder: &mut WebPDecoder<Cursor<&[u8]>>,
    mut pixels: Vec<u8>,
    scratch: &mut Scratch,
) -> Result<Vec<u8>, Error> {
    // image-webp 0.2.4 panics on an animation whose lossy frame is of another size than its container says. The decoder
    // ends here and the buffer is discarded, so nothing half-done is seen again.
    let outcome = catch_unwind(AssertUnwindSafe(|| decoder.read_image(&mut pixels)));
    match outcome {
        Ok(Ok(())) => Ok(pixels),
        Ok(Err(error)) => {
            scratch.give(pixels);
            Err(told(error))
        }
        Err(_panic) => Err(malformed(SourceFormat::Webp, &"it contradicts itself")),
    }
}

fn told(error: DecodingError) -> Error {
    match error {
        DecodingError::UnsupportedFeature(what) => Error::Unsupported(format!("WebP: {what}")),
        DecodingError::IoError(_) => malformed(SourceFormat::Webp, &"it ends too early"),
        other => malformed(SourceFormat::Webp, &other),
    }
}
