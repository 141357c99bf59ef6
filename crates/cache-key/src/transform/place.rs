//! Which part of the picture is taken, how it is turned, and where it sits.

use super::effects::Colour;
use crate::number::Decimal;

/// A region, before resizing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Crop {
    /// From the left edge.
    pub x: Extent,
    /// From the top edge.
    pub y: Extent,
    /// Width; more than there is means up to the edge.
    pub width: Extent,
    /// Height; more than there is means up to the edge.
    pub height: Extent,
}

/// A length in an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Extent {
    /// Pixels of the upright original.
    Px(u32),
    /// A fraction of the side, 0 < f ≤ 1 (written with a point).
    Fraction(Decimal),
}

/// Where to look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Gravity {
    /// The middle.
    #[default]
    Centre,
    /// A side or corner, moved inwards by the offsets (pixels; negative: outwards, clipped).
    Compass(Compass, i32, i32),
    /// `fp:x:y`: a point in fractions of the sides, each 0–1, that stays as near the middle as the crop allows.
    Focal(Decimal, Decimal),
    /// `smart`: what stands out.
    Smart,
    /// `entropy`: where most detail is.
    Entropy,
    /// `face`.
    Face,
}

/// Compass points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Compass {
    Centre,
    North,
    NorthEast,
    East,
    SouthEast,
    South,
    SouthWest,
    West,
    NorthWest,
}

/// `trim[=tolerance[,colour]]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Trim {
    /// Largest difference of a channel that still counts as the edge's colour, 0–255. Default 10.
    pub tolerance: u8,
    /// The edge's colour; `None` takes the top-left pixel's.
    pub colour: Option<Colour>,
}

/// Pixels per side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Pad {
    pub top: u32,
    pub right: u32,
    pub bottom: u32,
    pub left: u32,
}

/// `orient`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Orient {
    /// Upright by the metadata's orientation.
    #[default]
    Auto,
    /// As the pixels lie.
    None,
}

/// `flip`, applied after `rot`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flip {
    /// Left and right change places.
    pub horizontal: bool,
    /// Top and bottom change places.
    pub vertical: bool,
}
