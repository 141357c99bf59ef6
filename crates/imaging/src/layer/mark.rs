//! A mark: a picture from the config, decoded once at start, laid over many pictures.
//!
//! It comes from whoever runs the server, and is read by the same decoders and under the same checks as any original.

use super::Layer;
use crate::bitmap::{Bitmap, Layout};
use crate::decode::{Decoded, decode};
use crate::error::Error;
use crate::limits::{Limits, Watch};
use crate::op::channels::widen;
use crate::op::premultiply::premultiply;
use crate::pipeline::{self, Start};
use crate::probe::probe;
use crate::scratch::Scratch;
use crate::setup::Setup;
use cache_key::{OriginalVersion, Transform};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x4;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions};

/// Longest side of a mark, pixels: it stays in memory, and is scaled for each picture.
pub const MAX_MARK_SIDE: u32 = 4_096;

/// A mark, upright, in sRGB, premultiplied.
#[derive(Clone, Debug)]
pub struct Mark {
    picture: Bitmap,
    version: OriginalVersion,
}

impl Mark {
    /// Reads a file of any format that originals may have; of an animation, the first frame.
    ///
    /// # Errors
    /// Those of [`probe`] and [`decode`]; [`Error::TooLarge`] beyond [`MAX_MARK_SIDE`].
    pub fn read(file: &[u8]) -> Result<Self, Error> {
        let limits = Limits { source_side: MAX_MARK_SIDE, ..Limits::default() };
        let (scratch, transform) = (&mut Scratch::new(0), Transform::default());
        let source = probe(file, &limits)?;
        let turn = pipeline::upright(&transform, source.orientation);
        let size = (source.width, source.height);
        let setup = Setup::from(limits);
        let passes = pipeline::plan(turn.size(size), &transform, &setup)?;
        let want = passes.first().map(|pass| pass.want(size, turn)).unwrap_or_default();
        let Decoded { bitmap, delivered, icc, .. } =
            decode(file, &source, &want, &setup.limits, &Watch::new(), scratch)?;
        let operations = pipeline::operations(&passes, Start { delivered, turn, profile: icc });
        let bitmap = pipeline::run(&operations, bitmap, &Watch::new(), scratch)?;
        let mut picture = widen(bitmap, Layout::Rgba, scratch);
        premultiply(&mut picture)?;
        Ok(Self { picture, version: OriginalVersion::from_content(file) })
    }

    /// Width and height, pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.picture.width(), self.picture.height())
    }

    /// The file's content.
    pub fn version(&self) -> &OriginalVersion {
        &self.version
    }

    /// The mark in another size, not 0.
    pub(crate) fn scaled(&self, (width, height): (u32, u32), scratch: &mut Scratch) -> Result<Layer, Error> {
        if (width, height) == self.size() {
            return Ok(Layer { width, height, pixels: self.picture.pixels().to_vec() });
        }
        let failed = |error: &dyn std::fmt::Display| Error::Internal(format!("mark: {error}"));
        let mut pixels = scratch.take(width as usize * height as usize * 4);
        let (own_width, own_height) = self.size();
        let source = TypedImageRef::<U8x4>::from_buffer(own_width, own_height, self.picture.pixels())
            .map_err(|error| failed(&error))?;
        let mut target = TypedImage::<U8x4>::from_buffer(width, height, &mut pixels).map_err(|error| failed(&error))?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false);
        scratch.resizer().resize_typed(&source, &mut target, &options).map_err(|error| failed(&error))?;
        Ok(Layer { width, height, pixels })
    }
}
