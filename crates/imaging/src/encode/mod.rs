//! From pixels to the bytes of a format; one file or folder each. It decides nothing: which codec and how is said by
//! [`Settings`], and a picture that a format cannot hold was given another format before (see `output`).

pub(crate) mod animation;
pub mod avif;
mod gif;
mod jpeg;
pub(crate) mod palette;
mod png;
mod webp;

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::limits::Watch;
use crate::op::Operation;
use crate::op::flatten::Flatten;
use crate::scratch::Scratch;
use avif::AvifOptions;
use cache_key::transform::{Chroma, Codec, Colour};

/// How one picture is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The format.
    pub codec: Codec,
    /// The encoder's dial, 1–100. PNG and GIF lose colours below 100, and nothing (GIF: nothing but colours beyond 256)
    /// at 100.
    pub quality: u8,
    /// 0–10: more is slower and smaller. `None` is the format's own default.
    pub effort: Option<u8>,
    /// Every sample survives, where the format can do that.
    pub lossless: bool,
    /// JPEG only: several passes from coarse to fine.
    pub progressive: bool,
    /// Of lossy formats.
    pub chroma: Chroma,
    /// Laid under transparent pixels by formats without alpha.
    pub background: Colour,
    /// AVIF only: who encodes.
    pub engine: avif::Engine,
}

impl Settings {
    /// A format at a dial, with loss, and what URLs mean that say no more; transparency is laid on white.
    pub const fn new(codec: Codec, quality: u8) -> Self {
        let background = Colour { r: u8::MAX, g: u8::MAX, b: u8::MAX, a: u8::MAX };
        let (chroma, engine) = (Chroma::Auto, avif::Engine::Libaom);
        Self { codec, quality, effort: None, lossless: false, progressive: false, chroma, background, engine }
    }

    /// What of them AVIF knows.
    pub(crate) fn avif(&self) -> AvifOptions {
        let Self { engine, quality, effort, chroma, lossless, .. } = *self;
        AvifOptions { engine, quality, effort, chroma, lossless }
    }

    /// With the effort that a result of this size gets where none is asked. Only AVIF's follows the size.
    pub(crate) fn for_size(self, width: u32, height: u32) -> Self {
        match self.codec {
            Codec::Avif => {
                let effort = avif::effort(self.engine, width, height, self.effort, self.lossless);
                Self { effort: Some(effort), ..self }
            }
            _ => self,
        }
    }
}

/// Encodes a picture and gives its memory back. JPEG has no alpha: there the picture is laid on the background.
///
/// # Errors
/// [`Error::Deadline`] and [`Error::Cancelled`] by `watch`, [`Error::TooLarge`] for a side beyond the format,
/// [`Error::NotImplemented`] for a format that is not written yet, [`Error::Internal`] when an encoder fails.
pub fn encode(bitmap: Bitmap, settings: &Settings, watch: &Watch, scratch: &mut Scratch) -> Result<Vec<u8>, Error> {
    let bitmap = prepare(bitmap, settings, watch, scratch)?;
    let bytes = write(&bitmap, settings, watch);
    scratch.give(bitmap.into_pixels());
    bytes
}

/// Makes a picture one that the format can hold as it is: JPEG has no alpha.
///
/// # Errors
/// Those of the operation.
pub(crate) fn prepare(
    bitmap: Bitmap,
    settings: &Settings,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Bitmap, Error> {
    if settings.codec != Codec::Jpeg || bitmap.layout() != Layout::Rgba {
        return Ok(bitmap);
    }
    // An own transparency of the background has nothing below it either.
    let background = Colour { a: u8::MAX, ..settings.background };
    Flatten { background }.apply(bitmap, watch, scratch)
}

/// Encodes a prepared picture, perhaps one of several times.
///
/// # Errors
/// As [`encode`].
pub(crate) fn write(bitmap: &Bitmap, settings: &Settings, watch: &Watch) -> Result<Vec<u8>, Error> {
    watch.check()?;
    let longer = bitmap.width().max(bitmap.height());
    let limit = longest_side(settings.codec);
    if longer > limit {
        return Err(Error::TooLarge {
            what: "longer side that the format can hold",
            value: longer.into(),
            limit: limit.into(),
        });
    }
    match settings.codec {
        Codec::Jpeg => jpeg::encode(bitmap, settings, watch),
        Codec::Png => png::encode(bitmap, settings, watch),
        Codec::Webp => webp::encode(bitmap, settings, watch),
        Codec::Avif => avif::encode(bitmap, &settings.avif(), watch),
        Codec::Gif => gif::encode(bitmap, settings, watch),
        Codec::Jxl => Err(Error::NotImplemented("f")),
    }
}

/// The longest side that a format can state, pixels.
pub const fn longest_side(codec: Codec) -> u32 {
    match codec {
        // RFC 9649, section 2.5: 14 bits.
        Codec::Webp => 16_383,
        // libjpeg's own limit, a little below the format's 16 bits (ITU-T T.81, B.2.2).
        Codec::Jpeg => 65_500,
        Codec::Avif => avif::MAX_SIDE,
        Codec::Gif => 65_535,
        // PNG, 11.2.1: 31 bits.
        Codec::Png => 0x7FFF_FFFF,
        Codec::Jxl => 0x4000_0000,
    }
}

/// The media type of a format's files (IANA).
pub const fn media_type(codec: Codec) -> &'static str {
    match codec {
        Codec::Avif => "image/avif",
        Codec::Webp => "image/webp",
        Codec::Jxl => "image/jxl",
        Codec::Jpeg => "image/jpeg",
        Codec::Png => "image/png",
        Codec::Gif => "image/gif",
    }
}

/// What the names of a format's files end in, without the point.
pub const fn extension(codec: Codec) -> &'static str {
    match codec {
        Codec::Avif => "avif",
        Codec::Webp => "webp",
        Codec::Jxl => "jxl",
        Codec::Jpeg => "jpg",
        Codec::Png => "png",
        Codec::Gif => "gif",
    }
}

#[cfg(test)]
mod tests;
