//! The original's colours to Display P3, by its profile or from sRGB. After the resize, where pixels are few.

use super::Operation;
use crate::bitmap::Bitmap;
use crate::color;
use crate::error::Error;
use crate::limits::Watch;
use crate::scratch::Scratch;
use std::fmt;

/// `icc=p3`.
#[derive(Clone, PartialEq, Eq)]
pub struct ToP3 {
    /// The profile of the bitmap's colours (ICC.1); sRGB without one.
    pub profile: Option<Vec<u8>>,
}

impl fmt::Debug for ToP3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToP3({} bytes)", self.profile.as_ref().map_or(0, Vec::len))
    }
}

impl Operation for ToP3 {
    fn name(&self) -> &'static str {
        "to-p3"
    }

    fn apply(&self, mut bitmap: Bitmap, _watch: &Watch, _scratch: &mut Scratch) -> Result<Bitmap, Error> {
        color::to_p3(&mut bitmap, self.profile.as_deref())?;
        Ok(bitmap)
    }
}
