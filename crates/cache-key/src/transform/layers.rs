//! What is laid over the picture. Marks and fonts are names from the config, never addresses.

use super::effects::Colour;
use super::place::Gravity;
use crate::number::Decimal;
use std::num::NonZeroU32;

/// `wm=name[:gravity[:x:y[:scale[:opacity]]]]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watermark {
    /// A name from the config.
    pub name: String,
    /// Where.
    pub gravity: Gravity,
    /// Width of the mark as a share of the picture's, 0–1; `None` keeps the mark's own size.
    pub scale: Option<Decimal>,
    /// 0–1; `None` is 1.
    pub opacity: Option<Decimal>,
    /// `wm-tile`.
    pub tile: bool,
}

/// `text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text {
    /// What is written.
    pub content: String,
    /// `text-font`: a name from the config.
    pub font: Option<String>,
    /// `text-size`: pixels, 4–1024.
    pub size: Option<NonZeroU32>,
    /// `text-color`.
    pub colour: Option<Colour>,
    /// `text-g`.
    pub gravity: Gravity,
}
