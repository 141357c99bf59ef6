//! What an original is, from its header alone: the limits are held here, before any pixel exists.
//!
//! It decompresses nothing (of a packed drawing its beginning) and allocates next to nothing. A probe that succeeds does not promise that decoding will.

mod other;

use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::Limits;
use crate::metadata::{gif, jpeg, png, webp};
use crate::motion::Motion;
use crate::orientation::Orientation;

/// What the header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The kind, by the first bytes.
    pub format: SourceFormat,
    /// Pixels per row as stored, before orientation.
    pub width: u32,
    /// Rows as stored, before orientation.
    pub height: u32,
    /// How the picture has to be turned to stand upright.
    pub orientation: Orientation,
    /// Whether pixels may be transparent.
    pub has_alpha: bool,
    /// Whether the picture has no colour.
    pub gray: bool,
    /// Bits per sample as stored, 1 to 16.
    pub depth: u8,
    /// Frames of an animation, or pictures in the file; 1 for a still picture.
    pub frames: u32,
    /// How an animation moves; `None` for a still picture.
    pub motion: Option<Motion>,
    /// Whether a colour profile is embedded.
    pub has_icc: bool,
    /// Whether the stored pixels are lossy.
    pub lossy: bool,
    /// Whether EXIF, XMP or texts are embedded.
    pub has_metadata: bool,
}

impl Probe {
    /// Width and height after orientation.
    pub fn upright_size(&self) -> (u32, u32) {
        self.orientation.turned(self.width, self.height)
    }

    /// Width × height.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Holds the size against the limits.
    ///
    /// # Errors
    /// [`Error::Malformed`] for an empty side, [`Error::TooLarge`] beyond a limit.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), Error> {
        if self.width == 0 || self.height == 0 {
            return Err(Error::Malformed(format!("{} with an empty side", self.format.as_str())));
        }
        let within = |what, value: u64, limit: u64| {
            if value > limit { Err(Error::TooLarge { what, value, limit }) } else { Ok(()) }
        };
        within("longer side of the original", self.width.max(self.height).into(), limits.source_side.into())?;
        within("pixels of the original", self.pixels(), limits.source_pixels)
    }
}

/// Reads the header of an original.
///
/// # Errors
/// [`Error::Unsupported`] for what is no picture, or a kind that is not read; [`Error::Malformed`] when the header is
/// damaged; [`Error::TooLarge`] when the size that it tells exceeds a limit.
pub fn probe(bytes: &[u8], limits: &Limits) -> Result<Probe, Error> {
    let Some(format) = SourceFormat::sniff(bytes) else {
        let what = if bytes.is_empty() { "the original is empty" } else { "the original is not a picture" };
        return Err(Error::Unsupported(what.into()));
    };
    let found = match format {
        SourceFormat::Jpeg => probe_jpeg(bytes)?,
        SourceFormat::Png => probe_png(bytes),
        SourceFormat::Webp => probe_webp(bytes),
        SourceFormat::Gif => probe_gif(bytes),
        SourceFormat::Avif => Some(crate::decode::avif::probe(bytes, limits)?),
        SourceFormat::Jxl => other::jxl(bytes),
        SourceFormat::Tiff => other::tiff(bytes)?,
        SourceFormat::Bmp => other::bmp(bytes),
        SourceFormat::Ico => other::ico(bytes),
        SourceFormat::Svg => other::svg(bytes),
        SourceFormat::Heic => Some(crate::decode::heic::probe(bytes)?),
    };
    let found = found.ok_or_else(|| Error::Malformed(format!("{} without a complete header", format.as_str())))?;
    found.check(limits)?;
    Ok(found)
}

pub(crate) fn probe_jpeg(bytes: &[u8]) -> Result<Option<Probe>, Error> {
    let Some(header) = jpeg::read(bytes) else { return Ok(None) };
    header.check_supported()?;
    Ok(Some(Probe {
        format: SourceFormat::Jpeg,
        width: header.width.into(),
        height: header.height.into(),
        orientation: header.orientation,
        has_alpha: false,
        gray: header.components == 1,
        depth: header.precision,
        frames: 1,
        motion: None,
        has_icc: header.has_icc(),
        lossy: true,
        has_metadata: header.has_metadata,
    }))
}

fn probe_png(bytes: &[u8]) -> Option<Probe> {
    let header = png::read(bytes)?;
    Some(Probe {
        format: SourceFormat::Png,
        width: header.width,
        height: header.height,
        orientation: header.orientation,
        has_alpha: header.has_alpha(),
        gray: header.is_gray(),
        depth: header.depth,
        frames: header.frames.max(1),
        motion: Motion::of(header.frames, header.hidden_default, header.plays, header.micros),
        has_icc: header.iccp.is_some(),
        lossy: false,
        has_metadata: header.has_metadata,
    })
}

fn probe_webp(bytes: &[u8]) -> Option<Probe> {
    let header = webp::read(bytes)?;
    Some(Probe {
        format: SourceFormat::Webp,
        width: header.width,
        height: header.height,
        orientation: header.orientation,
        has_alpha: header.alpha,
        gray: false,
        depth: 8,
        frames: header.frames.max(1),
        motion: Motion::of(header.frames, false, header.plays, header.micros),
        has_icc: header.icc.is_some(),
        lossy: header.lossy,
        has_metadata: header.has_metadata,
    })
}

fn probe_gif(bytes: &[u8]) -> Option<Probe> {
    let header = gif::read(bytes)?;
    Some(Probe {
        format: SourceFormat::Gif,
        width: header.width,
        height: header.height,
        orientation: Orientation::Upright,
        has_alpha: header.alpha,
        gray: false,
        depth: 8,
        frames: header.frames.max(1),
        motion: Motion::of(header.frames, false, header.plays, header.micros),
        has_icc: false,
        lossy: false,
        has_metadata: false,
    })
}
