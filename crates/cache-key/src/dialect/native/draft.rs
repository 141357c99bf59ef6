//! What a query has said so far. Parameters that only mean something together wait here until all have been read.

use crate::delivery::{Delivery, Seal};
use crate::transform::{Colour, Gravity, Text, Transform};
use std::num::NonZeroU32;

/// A transform in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) transform: Transform,
    pub(super) watermark_tile: bool,
    pub(super) text: Option<String>,
    pub(super) text_font: Option<String>,
    pub(super) text_size: Option<NonZeroU32>,
    pub(super) text_colour: Option<Colour>,
    pub(super) text_gravity: Gravity,
    pub(super) delivery: Delivery,
    pub(super) seal: Seal,
}

impl Draft {
    /// Puts the parts together: the transform is whole and in its normal form then.
    pub(super) fn finish(&mut self) {
        if let Some(mark) = &mut self.transform.watermark {
            mark.tile = self.watermark_tile;
        }
        if let Some(content) = self.text.take() {
            self.transform.text = Some(Text {
                content,
                font: self.text_font.take(),
                size: self.text_size,
                colour: self.text_colour,
                gravity: self.text_gravity,
            });
        }
        self.transform.normalise();
    }
}
