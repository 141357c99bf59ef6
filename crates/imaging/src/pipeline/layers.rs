//! What a pass lays over its canvas: a mark, then text. Under the border, and inside of the outline.

use crate::error::Error;
use crate::op::Operation;
use crate::op::watermark::Watermark;
use crate::op::write::Write;
use crate::setup::Setup;
use cache_key::Transform;

/// With the marks and fonts that the names in the transform stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    watermark: Option<Watermark>,
    text: Option<Write>,
}

impl Layers {
    /// # Errors
    /// [`Error::NotConfigured`].
    pub(super) fn of(transform: &Transform, setup: &Setup) -> Result<Self, Error> {
        Ok(Self { watermark: Watermark::of(transform, setup)?, text: Write::of(transform, setup)? })
    }

    pub(super) fn push(&self, list: &mut Vec<Box<dyn Operation>>) {
        if let Some(watermark) = &self.watermark {
            list.push(Box::new(watermark.clone()));
        }
        if let Some(text) = &self.text {
            list.push(Box::new(text.clone()));
        }
    }

    /// Nanoseconds for each pixel of the result.
    pub(super) fn price(&self) -> u64 {
        u64::from(self.watermark.is_some()) * 30 + u64::from(self.text.is_some()) * 20
    }
}
