//! HEIC by `heic-decoder`: no unsafe code, no C. One picture or a grid of them, with alpha, 8 to 12 bits brought to 8.
//!
//! That crate copies the bytes of each item as often as it is named, so what the file names is held against its own
//! length first, by our own reader of the container. It decodes on this thread alone and cannot be interrupted.

use super::avif::named_bytes;
use super::{Decoded, File, malformed};
use crate::bitmap::{Bitmap, Layout};
use crate::color;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::orientation::Orientation;
use crate::probe::Probe;
use heic_decoder::{ColorInfo, DecodedImage, HeifError};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Samples of 4 bytes in up to four planes, once in tiles and once put together, and the colours made of them.
const BYTES_PER_PIXEL: u64 = 36;
/// How often a file may name its own bytes.
const AGAIN: u64 = 4;

/// What the container and the parameter sets say. Turning is part of the decoding here: the size is the upright one.
pub(crate) fn probe(bytes: &[u8]) -> Result<Probe, Error> {
    let named = named_bytes(bytes).ok_or_else(|| malformed(SourceFormat::Heic, &"a container that makes no sense"))?;
    let limit = (bytes.len() as u64).saturating_mul(AGAIN);
    if named > limit {
        return Err(Error::TooLarge { what: "bytes that the original names", value: named, limit });
    }
    let info = guarded(|| heic_decoder::probe(bytes))?;
    let metadata = guarded(|| heic_decoder::read_metadata(bytes))?;
    let side = |pixels: usize| u32::try_from(pixels).unwrap_or(u32::MAX);
    Ok(Probe {
        format: SourceFormat::Heic,
        width: side(info.width),
        height: side(info.height),
        orientation: Orientation::Upright,
        has_alpha: info.alpha_bit_depth.is_some(),
        gray: info.chroma_format_idc == 0 && info.alpha_bit_depth.is_none(),
        depth: info.bit_depth_luma.min(16) as u8,
        frames: 1,
        motion: None,
        has_icc: metadata.icc_profile.is_some(),
        lossy: true,
        has_metadata: metadata.exif.is_some() || metadata.xmp.is_some(),
    })
}

pub(super) fn decode(file: File<'_>) -> Result<Decoded, Error> {
    file.check_memory(BYTES_PER_PIXEL)?;
    let File { bytes, probe: found, watch, .. } = file;
    // Again: a caller may have probed other bytes.
    if probe(bytes)?.pixels() != found.pixels() {
        return Err(malformed(SourceFormat::Heic, &"two headers that disagree"));
    }
    let image = alone(|| guarded(|| heic_decoder::decode(bytes)))?;
    watch.check()?;
    if (image.width, image.height) != (found.width as usize, found.height as usize) {
        return Err(malformed(SourceFormat::Heic, &"a picture of another size than its header"));
    }
    let (layout, pixels) = pixels(&image)?;
    watch.check()?;
    let bitmap = Bitmap::new(found.width, found.height, layout, pixels);
    Ok(Decoded::whole(bitmap, profile(&image, layout), Orientation::Upright))
}

thread_local! {
    /// A pool of this thread alone. A thread can have one in its life.
    static POOL: OnceCell<Option<ThreadPool>> = const { OnceCell::new() };
}

/// Keeps work that would spread over all cores on this thread.
fn alone<T: Send>(work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
    POOL.with(|pool| {
        let pool = pool.get_or_init(|| ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().ok());
        match pool {
            Some(pool) => pool.install(work),
            None => Err(Error::Internal("heic: no pool of one thread".into())),
        }
    })
}

fn pixels(image: &DecodedImage) -> Result<(Layout, Vec<u8>), Error> {
    if image.alpha.is_some() {
        let rgba = guarded(|| image.to_rgba8())?;
        let mut pixels = rgba.data;
        if rgba.premultiplied {
            for pixel in pixels.as_chunks_mut::<4>().0 {
                let alpha = u32::from(pixel[3]);
                let divide =
                    |value: u8| (u32::from(value) * 255 + alpha / 2).checked_div(alpha).unwrap_or(0).min(255) as u8;
                *pixel = [divide(pixel[0]), divide(pixel[1]), divide(pixel[2]), pixel[3]];
            }
        }
        return Ok((Layout::Rgba, pixels));
    }
    let rgb = guarded(|| image.to_rgb8())?.data;
    if image.chroma_format_idc == 0 {
        return Ok((Layout::Gray, rgb.as_chunks::<3>().0.iter().map(|pixel| pixel[0]).collect()));
    }
    Ok((Layout::Rgb, rgb))
}

/// The embedded profile, else what the colour codes say.
fn profile(image: &DecodedImage, layout: Layout) -> Option<Vec<u8>> {
    if let Some(icc) = &image.metadata.icc_profile {
        return color::differs_from_srgb(icc, layout).then(|| icc.clone());
    }
    let ColorInfo { color_primaries, transfer_characteristics, .. } = image.color_info?;
    let code = |value: u16| u8::try_from(value).unwrap_or(2);
    color::profile_of_cicp([code(color_primaries), code(transfer_characteristics), 0, 1], layout)
}

/// The crate's errors in our words; should it panic, the file is at fault and nothing of the decoder stays.
fn guarded<T>(work: impl FnOnce() -> Result<T, HeifError>) -> Result<T, Error> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(HeifError::Unsupported(what))) => Err(Error::Unsupported(format!("HEIC: {what}"))),
        Ok(Err(error)) => Err(malformed(SourceFormat::Heic, &error)),
        Err(_panic) => Err(malformed(SourceFormat::Heic, &"it contradicts itself")),
    }
}
