//! The outline that a pass gives its canvas: `radius` or `mask`, with a `border` round what they leave.

use crate::op::outline::Outline;
use cache_key::transform::{Colour, Mask, Radius, Shape};

/// In device pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Frame {
    /// Width and colour; no width, no border.
    pub(super) border: Option<(u32, Colour)>,
    /// Of the whole, border included.
    pub(super) outline: Option<Outline>,
    /// By how much the border widens each side.
    pub(super) width: u32,
}

impl Frame {
    /// Round a canvas of `size`; lengths are multiplied by `dpr`.
    pub(super) fn new(shape: &Shape, size: (u32, u32), dpr: f64) -> Self {
        let scaled = |px: u32| (f64::from(px) * dpr).round();
        // A cast of a float saturates.
        let border = shape.border.map(|(width, colour)| (scaled(width.get()) as u32, colour));
        let border = border.filter(|(width, _)| *width > 0);
        let width = border.map_or(0, |(width, _)| width);
        let side = |side: u32| f64::from(side) / 2.0 + f64::from(width);
        let (across, down) = (side(size.0), side(size.1));
        let outline = match (shape.mask, shape.radius) {
            (Some(Mask::Circle), _) => Some(Outline::Ellipse(across.min(down), across.min(down))),
            (Some(Mask::Ellipse), _) => Some(Outline::Ellipse(across, down)),
            (None, Some(Radius::Max)) => Some(Outline::Rounded(across.min(down))),
            (None, Some(Radius::Px(px))) => Some(Outline::Rounded(scaled(px.get()).min(across.min(down)))),
            (None, None) => None,
        };
        Self { border, outline, width }
    }

    /// The size of the whole.
    pub(super) fn round(self, (width, height): (u32, u32)) -> (u32, u32) {
        let side = |side: u32| side.saturating_add(self.width).saturating_add(self.width);
        (side(width), side(height))
    }

    /// Whether it makes anything transparent.
    pub(super) fn is_seen_through(self) -> bool {
        self.outline.is_some() || self.border.is_some_and(|(_, colour)| colour.a != u8::MAX)
    }
}
