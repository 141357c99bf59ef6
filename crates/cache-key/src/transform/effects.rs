//! Changes of colour, texture and outline.

use super::place::Crop;
use crate::number::Decimal;
use std::num::NonZeroU32;

/// sRGB with alpha, 8 bits each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Colour {
    pub r: u8,
    pub g: u8,
    pub b: u8,
    pub a: u8,
}

/// Changes of colour and texture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Effects {
    /// `bg`: laid under the picture, and the colour of padding.
    pub background: Option<Colour>,
    /// `blur`: Gaussian sigma in pixels of the rendition, 0.3–250.
    pub blur: Option<Decimal>,
    /// `sharpen`: Gaussian sigma of the mask, 0.3–10.
    pub sharpen: Option<Decimal>,
    /// `usm=sigma,amount,threshold`.
    pub unsharp: Option<Unsharp>,
    /// `pixelate`: side of a block in pixels, 2–1024.
    pub pixelate: Option<NonZeroU32>,
    /// `bri`, −100–100.
    pub brightness: i16,
    /// `con`, −100–100.
    pub contrast: i16,
    /// `sat`, −100–100.
    pub saturation: i16,
    /// `gam`: gamma 0.1–10; `None` is 1.
    pub gamma: Option<Decimal>,
    /// `hue`: degrees, 0–359.
    pub hue: u16,
    /// `gray`.
    pub gray: bool,
    /// `invert`.
    pub invert: bool,
    /// `tint`.
    pub tint: Option<Colour>,
    /// `duotone=dark,light`.
    pub duotone: Option<(Colour, Colour)>,
    /// `sepia`, 0–100.
    pub sepia: u8,
}

/// `usm`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unsharp {
    /// Gaussian sigma, 0.3–10.
    pub sigma: Decimal,
    /// How much of the difference is added, 0.1–10.
    pub amount: Decimal,
    /// Differences below this are left alone, 0–255.
    pub threshold: u8,
}

/// Changes of outline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    /// `radius`.
    pub radius: Option<Radius>,
    /// `border=w,colour`.
    pub border: Option<(NonZeroU32, Colour)>,
    /// `mask`.
    pub mask: Option<Mask>,
    /// `redact=x,y,w,h[;…]`: regions made unreadable.
    pub redact: Vec<Crop>,
}

/// Rounded corners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Radius {
    /// Pixels.
    Px(NonZeroU32),
    /// Half the shorter side.
    Max,
}

/// An outline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mask {
    /// The largest circle in the middle.
    Circle,
    /// The largest ellipse.
    Ellipse,
}
