//! Animations, shown frame by frame: one canvas and one patch in memory, however many frames there are.
//!
//! A format's own part ([`Patches`]) decodes what lies in the file; placing, blending and disposing of it are the same
//! for all and happen here. What is wrong with a later frame ends the animation; what is wrong with the first is an error.

use super::canvas::{Canvas, Patch};
use super::{avif, check_memory, gif, png, webp};
use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::format::SourceFormat;
use crate::limits::{Limits, Watch};
use crate::orientation::Orientation;
use crate::probe::Probe;
use crate::scratch::Scratch;

/// Canvas, patch and what a patch saved of the canvas, four channels each, and the decoder's own.
const BYTES_PER_PIXEL: u64 = 12 + 5;

/// The frames of a file as they are stored, in their order.
pub(super) trait Patches {
    /// The next one; `None` after the last.
    ///
    /// # Errors
    /// As [`super::decode`].
    fn next(&mut self, watch: &Watch, scratch: &mut Scratch) -> Result<Option<Patch>, Error>;

    /// The profile of the frames' colours, as in [`super::Decoded`]. Asked for after the first frame.
    fn icc(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// An animation that is being shown.
pub(crate) struct Frames<'a> {
    patches: Box<dyn Patches + 'a>,
    canvas: Canvas,
    orientation: Orientation,
    shown: u32,
    /// Pixels that may still be decoded.
    budget: u64,
    limits: &'a Limits,
}

impl<'a> Frames<'a> {
    /// Opens the animation of a file whose probe has [`Probe::motion`].
    ///
    /// # Errors
    /// [`Error::Unsupported`], [`Error::Malformed`], [`Error::TooLarge`].
    pub(crate) fn open(
        bytes: &'a [u8],
        probe: &Probe,
        limits: &'a Limits,
        scratch: &mut Scratch,
    ) -> Result<Self, Error> {
        probe.check(limits)?;
        check_memory(probe, BYTES_PER_PIXEL, limits)?;
        let size = (probe.width, probe.height);
        let patches: Box<dyn Patches + 'a> = match probe.format {
            SourceFormat::Gif => Box::new(gif::frames::open(bytes, limits)?),
            SourceFormat::Png => Box::new(png::frames::open(bytes, size)?),
            SourceFormat::Webp => Box::new(webp::frames::open(bytes, size, limits)?),
            SourceFormat::Avif => Box::new(avif::frames::open(bytes, limits)?),
            other => return Err(Error::Unsupported(format!("animated {}", other.as_str()))),
        };
        let canvas = Canvas::new(probe.width, probe.height, scratch);
        Ok(Self { patches, canvas, orientation: probe.orientation, shown: 0, budget: limits.frame_pixels, limits })
    }

    /// Shows the next frame; `false` when there is none.
    ///
    /// # Errors
    /// [`Error::Unsupported`] and [`Error::Malformed`] by the first frame, [`Error::TooLarge`], and what
    /// [`Watch::check`] returns.
    pub(crate) fn advance(&mut self, watch: &Watch, scratch: &mut Scratch) -> Result<bool, Error> {
        watch.check()?;
        let patch = match self.patches.next(watch, scratch) {
            Ok(Some(patch)) => patch,
            Ok(None) if self.shown == 0 => return Err(Error::Malformed("an animation without frames".into())),
            Ok(None) => return Ok(false),
            Err(Error::Malformed(_) | Error::Unsupported(_)) if self.shown > 0 => return Ok(false),
            Err(error) => return Err(error),
        };
        // A patch may be larger than the canvas, which is all that the header tells.
        let pixels = u64::from(patch.bitmap.width()) * u64::from(patch.bitmap.height());
        let Some(left) = self.budget.checked_sub(pixels) else {
            let limit = self.limits.frame_pixels;
            let value = limit.saturating_add(pixels);
            return Err(Error::TooLarge { what: "pixels of all frames of the original", value, limit });
        };
        self.budget = left;
        self.shown += 1;
        self.canvas.show(patch, scratch);
        Ok(true)
    }

    /// What is seen now, RGBA.
    pub(crate) fn seen(&self) -> &Bitmap {
        self.canvas.seen()
    }

    /// Frames shown so far.
    pub(crate) fn shown(&self) -> u32 {
        self.shown
    }

    /// How the frames have to be turned to stand upright.
    pub(crate) fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// The profile of the frames' colours; `None` when they are sRGB already. Known after the first frame.
    pub(crate) fn icc(&mut self) -> Option<Vec<u8>> {
        self.patches.icc()
    }

    /// Ends the show and leaves what is seen now.
    pub(crate) fn into_seen(self, scratch: &mut Scratch) -> Bitmap {
        self.canvas.into_seen(scratch)
    }
}
