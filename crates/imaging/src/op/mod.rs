//! The operations on pixels. One operation, one file, one skeleton: a struct of its settings that implements
//! [`Operation`]. None knows where in the pipeline it stands, nor the URL.

pub mod blur;
pub mod border;
pub mod brightness;
pub(crate) mod channels;
pub mod contrast;
pub mod curve;
pub mod duotone;
pub mod flatten;
pub mod gamma;
pub mod gray;
pub mod hue;
pub mod invert;
mod light;
mod matrix;
pub mod orient;
pub mod outline;
pub mod pixelate;
pub mod place;
pub(crate) mod premultiply;
pub mod redact;
pub mod resize;
pub mod rotate;
pub mod saturate;
pub mod sepia;
pub mod sharpen;
pub mod tint;
pub mod to_p3;
pub mod to_srgb;
mod tones;
pub mod unsharp;
pub mod watermark;
pub mod write;

use crate::bitmap::Bitmap;
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use std::fmt;

/// One change of a picture.
pub trait Operation: fmt::Debug {
    /// The name in logs.
    fn name(&self) -> &'static str;

    /// Takes a picture and gives the changed one. What takes long asks `watch` now and then. Buffers that are no longer needed go back to `scratch`.
    ///
    /// # Errors
    /// What `watch` says; [`Error::Impossible`] where this picture cannot be changed so, [`Error::Internal`] where a library failed.
    fn apply(&self, bitmap: Bitmap, watch: &Watch, scratch: &mut Scratch) -> Result<Bitmap, Error>;
}
