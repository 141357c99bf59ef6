//! The original's colours to sRGB, by its profile. After the resize, where pixels are few.

use super::Operation;
use crate::bitmap::Bitmap;
use crate::color;
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use std::fmt;

/// Needed only where the decoder says that the colours are not sRGB already.
#[derive(Clone, PartialEq, Eq)]
pub struct ToSrgb {
    /// The profile of the bitmap's colours (ICC.1).
    pub profile: Vec<u8>,
}

impl fmt::Debug for ToSrgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToSrgb({} bytes)", self.profile.len())
    }
}

impl Operation for ToSrgb {
    fn name(&self) -> &'static str {
        "to-srgb"
    }

    fn apply(&self, mut bitmap: Bitmap, _watch: &Watch, _scratch: &mut Scratch) -> Result<Bitmap, Error> {
        color::to_srgb(&mut bitmap, &self.profile)?;
        Ok(bitmap)
    }
}
