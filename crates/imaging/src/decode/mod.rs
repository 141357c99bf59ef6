//! Original bytes to pixels: one file per format behind one function.
//!
//! It holds the limits again (decoded bytes and the decoder's own needs) before it allocates, takes its buffers from
//! [`Scratch`], and promises that every byte of the bitmap was written for this picture. It does not turn, resize or
//! convert to sRGB: the orientation and the profile are handed on.

pub(crate) mod avif;
mod bmp;
mod canvas;
mod file;
pub(crate) mod frames;
mod gif;
#[cfg_attr(not(feature = "heic"), path = "heic_refused.rs")]
pub(crate) mod heic;
mod ico;
mod jpeg;
mod jxl;
mod png;
mod svg;
pub(crate) mod tiff;
mod webp;

use crate::bitmap::{Bitmap, Layout};
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::op::resize::Resize;
use crate::orientation::Orientation;
use crate::probe::Probe;
use crate::scratch::Scratch;
use file::{File, check_held, check_memory};
use frames::Frames;

/// What the operations that follow will use; a decoder that can stop early does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Want {
    /// The smallest decoded width, in stored orientation, that still serves. 0: as small as it gets.
    pub min_width: u32,
    /// The smallest decoded height, in stored orientation, that still serves.
    pub min_height: u32,
    /// Left, top, width, height of the stored pixels that will be used. A hint: more may be decoded.
    pub region: Option<(u32, u32, u32, u32)>,
    /// What is done to the pixels first, its window in stored pixels. A decoder whose rows come in their order may do
    /// it while it reads: it then says [`Delivered::Resized`].
    pub resize: Option<Resize>,
}

impl Want {
    /// All pixels as they are stored.
    pub const EVERYTHING: Self = Self { min_width: u32::MAX, min_height: u32::MAX, region: None, resize: None };
}

/// What of the stored picture a bitmap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// The pixels from (`x`, `y`) on of the picture, which a decoder may have scaled to `whole`.
    Part {
        /// Pixels from the left of `whole`.
        x: u32,
        /// Pixels from the top of `whole`.
        y: u32,
        /// Width and height of the picture that it is a part of.
        whole: (u32, u32),
    },
    /// What [`Want::resize`] makes of it.
    Resized,
}

impl Delivered {
    /// All of it.
    pub fn whole(bitmap: &Bitmap) -> Self {
        Self::Part { x: 0, y: 0, whole: (bitmap.width(), bitmap.height()) }
    }
}

/// The pixels of the first frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// As stored: not turned, not converted to sRGB.
    pub bitmap: Bitmap,
    /// What of the picture it is.
    pub delivered: Delivered,
    /// The profile of the bitmap's colours; `None` when they are sRGB already, or no usable profile is known.
    pub icc: Option<Vec<u8>>,
    /// How the bitmap has to be turned to stand upright.
    pub orientation: Orientation,
}

impl Decoded {
    /// All pixels of the picture.
    pub fn whole(bitmap: Bitmap, icc: Option<Vec<u8>>, orientation: Orientation) -> Self {
        Self { delivered: Delivered::whole(&bitmap), bitmap, icc, orientation }
    }
}

/// What decoding will need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// Bytes held at the worst moment, the bitmap's included.
    pub(crate) memory: u64,
    /// Of the bitmap, pixels.
    pub(crate) size: (u32, u32),
    /// Whether it is [`Delivered::Resized`].
    pub(crate) resized: bool,
    /// Of one core.
    pub(crate) nanoseconds: u64,
}

/// What [`decode`] will need where a format's decoder knows it better than by the pixels of the whole picture.
pub(crate) fn need(bytes: &[u8], probe: &Probe, layout: Layout, want: &Want, limits: &Limits) -> Option<Need> {
    match probe.format {
        SourceFormat::Jpeg => jpeg::need(bytes, want, limits),
        SourceFormat::Png => png::need(bytes, probe, layout, want),
        _ => None,
    }
}

/// Decodes the first frame.
///
/// # Errors
/// [`Error::Unsupported`], [`Error::Malformed`], [`Error::TooLarge`] by the file; [`Error::Deadline`] and
/// [`Error::Cancelled`] by `watch`.
pub fn decode(
    bytes: &[u8],
    probe: &Probe,
    want: &Want,
    limits: &Limits,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Decoded, Error> {
    watch.check()?;
    probe.check(limits)?;
    let file = File { bytes, probe, limits, watch };
    match probe.format {
        SourceFormat::Jpeg => jpeg::decode(file, want, scratch),
        SourceFormat::Png => png::decode(file, want, scratch),
        SourceFormat::Webp => webp::decode(file, scratch),
        SourceFormat::Gif => gif::decode(file, scratch),
        SourceFormat::Avif => avif::decode(bytes, limits, watch, scratch),
        SourceFormat::Jxl => jxl::decode(file, scratch),
        SourceFormat::Tiff => tiff::decode(file, scratch),
        SourceFormat::Bmp => bmp::decode(file, scratch),
        SourceFormat::Ico => ico::decode(file, scratch),
        SourceFormat::Svg => svg::decode(file, want, scratch),
        SourceFormat::Heic => heic::decode(file),
    }
}

/// Decodes frame `number` of an animation, counted from 0: what is seen then, on the whole canvas.
///
/// # Errors
/// As [`decode`]; [`Error::Impossible`] when the animation ends before it.
pub fn decode_frame(
    bytes: &[u8],
    probe: &Probe,
    number: u32,
    limits: &Limits,
    watch: &Watch,
    scratch: &mut Scratch,
) -> Result<Decoded, Error> {
    let mut frames = Frames::open(bytes, probe, limits, scratch)?;
    while frames.shown() <= number {
        if !frames.advance(watch, scratch)? {
            return Err(no_frame(number, frames.shown()));
        }
    }
    let (icc, orientation) = (frames.icc(), frames.orientation());
    Ok(Decoded::whole(frames.into_seen(scratch), icc, orientation))
}

/// What is said of a frame beyond the end.
pub(crate) fn no_frame(number: u32, frames: u32) -> Error {
    Error::Impossible(format!("frame {number} is asked for, counted from 0, and the original has {frames}"))
}

/// Bytes of a bitmap. The limits were checked, so it fits.
fn size_of(width: u32, height: u32, layout: Layout) -> usize {
    width as usize * height as usize * layout.channels()
}

fn malformed(format: SourceFormat, why: &dyn std::fmt::Display) -> Error {
    Error::Malformed(format!("{}: {why}", format.as_str()))
}

#[cfg(test)]
mod tests;
