//! The box that a picture is fitted into, and how it meets it. Knows nothing of originals: the engine does the
//! arithmetic.

use crate::number::Decimal;
use std::num::NonZeroU32;

/// The box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// `w`.
    pub width: Option<Length>,
    /// `h`.
    pub height: Option<Length>,
    /// `dpr` 0.1–8: multiplies `w`, `h`, `pad`, `border`, `radius`, `text-size`, a mark's own size and offsets in pixels. `None` is 1.
    pub dpr: Option<Decimal>,
    /// `ar`: gives the side of the box that `w` or `h` leaves open.
    pub aspect: Option<Aspect>,
    /// `min-w`: smallest width of the result.
    pub min_width: Option<NonZeroU32>,
    /// `min-h`: smallest height of the result.
    pub min_height: Option<NonZeroU32>,
    /// `enlarge`: whether the result may have more pixels than the original.
    pub enlarge: bool,
}

/// One side of the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// CSS pixels; times `dpr` gives the rendition's pixels.
    Px(NonZeroU32),
    /// From the client's hints, snapped to the route's breakpoints.
    Auto,
}

/// How pixels become fewer or more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Resample {
    /// `kernel`.
    pub kernel: Kernel,
    /// `linear`: colours are mixed as light, not as sRGB values.
    pub linear: bool,
}

/// What weighs the pixels that become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// The nearest pixel alone.
    Nearest,
    /// All pixels that the new one covers, alike.
    Box,
    /// A triangle.
    Linear,
    /// Catmull and Rom's cubic.
    CatmullRom,
    /// Mitchell and Netravali's cubic, B = C = 1/3.
    Mitchell,
    /// Windowed sinc with two lobes.
    Lanczos2,
    /// Windowed sinc with three lobes.
    #[default]
    Lanczos3,
}

/// A ratio in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Aspect {
    /// Parts of width.
    pub width: NonZeroU32,
    /// Parts of height.
    pub height: NonZeroU32,
}

/// How the picture meets the box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Inside the box, aspect kept, never larger than the original (also with `enlarge`).
    #[default]
    ScaleDown,
    /// Inside the box, aspect kept; larger than the original only with `enlarge`.
    Contain,
    /// Fills the box, aspect kept, what sticks out is cropped by gravity.
    Cover,
    /// `Cover`, but never enlarges: where the original is smaller than the box, the box shrinks.
    Crop,
    /// Only crops to the box's aspect ratio, without scaling.
    AspectCrop,
    /// `Contain`, then the background to the size of the box.
    Pad,
    /// Both sides stretched to the box.
    Fill,
    /// The smallest picture that covers the box, aspect kept, nothing cropped; only the aliases `outside` and `min`
    /// name it. Larger than the original only with `enlarge`.
    Outside,
}

impl Aspect {
    /// In lowest terms.
    #[must_use]
    pub fn reduced(self) -> Self {
        let (mut a, mut b) = (self.width.get(), self.height.get());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let by = |side: NonZeroU32| NonZeroU32::new(side.get() / a).unwrap_or(NonZeroU32::MIN);
        Self { width: by(self.width), height: by(self.height) }
    }
}
