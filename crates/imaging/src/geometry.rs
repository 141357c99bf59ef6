//! Where every pixel goes, worked out before one exists: a pure function from the upright original's size and the
//! transform to a [`Plan`]. It knows no pixels, no metadata and no formats.
//!
//! Rounding is sharp's (`vectors/sharp-live-geometry.json`): scale as a ratio of sides, sides rounded half up.
//! Invariants: no side is ever 0, the window lies inside the original, the picture lies inside its frame.

mod anchor;
pub(crate) mod redact;
mod target;

use crate::error::Error;
use crate::limits::Limits;
use anchor::Anchor;
use cache_key::transform::{Aspect, Crop, Extent, Fit, Gravity, Pad, Transform};
use target::Target;

/// A rectangle of whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Rect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// What the resize reads: a rectangle in pixels of the original whose edges may fall inside pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Window {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

impl From<Rect> for Window {
    fn from(rect: Rect) -> Self {
        Self { x: rect.x.into(), y: rect.y.into(), width: rect.width.into(), height: rect.height.into() }
    }
}

/// What only pixels can tell, for the parameters that ask for it (`trim`, `g=smart`, `g=entropy`, `g=face`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seen {
    /// What `trim` leaves of the upright original.
    pub trimmed: Option<Rect>,
    /// What a cut keeps as near its middle as it can, in fractions of what `crop` leaves.
    pub focus: Option<(f64, f64)>,
}

/// One pass of a transform on a picture of known size, all in upright axes, before `rot` and `flip`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The size of the upright original that this plan is for.
    pub source: (u32, u32),
    /// What `trim` and `crop` leave of it.
    pub region: Rect,
    /// What the resize reads: `region`, less what the fit cuts off.
    pub window: Window,
    /// The size that the resize makes of it.
    pub size: (u32, u32),
    /// `fit=pad`: the smallest canvas on which the picture is placed by `gravity`.
    pub frame: Option<(u32, u32)>,
    /// `extend`: the canvas grows to this shape.
    pub extend: Option<Aspect>,
    /// Where the picture sits in `frame`.
    pub gravity: Gravity,
    /// Device pixels per CSS pixel, for offsets in pixels.
    pub dpr: f64,
    /// Pixels round the frame, device pixels.
    pub pad: Pad,
}

impl Plan {
    /// Whether pixels stay as they are: nothing cut off, nothing scaled.
    pub fn keeps_pixels(&self) -> bool {
        self.size == self.source && self.region.width == self.source.0 && self.region.height == self.source.1
    }

    /// The size that the whole original would have at this scale, rounded up: what a decoder has to deliver at least.
    pub fn scaled_source(&self) -> (f64, f64) {
        (
            f64::from(self.source.0) * f64::from(self.size.0) / self.window.width,
            f64::from(self.source.1) * f64::from(self.size.1) / self.window.height,
        )
    }

    /// The canvas for a picture of `picture`'s size (which `rot` may have changed), and where on it the picture's
    /// top left corner lies. `swap`: `rot` exchanged the axes of the frame.
    pub fn canvas(&self, picture: (u32, u32), swap: bool) -> Rect {
        let frame = match self.frame {
            Some((w, h)) if swap => (h.max(picture.0), w.max(picture.1)),
            Some((w, h)) => (w.max(picture.0), h.max(picture.1)),
            None => picture,
        };
        let frame = self.extend.map_or(frame, |aspect| target::smallest_round(frame, aspect));
        let anchor = Anchor { gravity: self.gravity, dpr: self.dpr };
        let (x, y) = anchor.place(picture, frame);
        Rect {
            x: x.saturating_add(self.pad.left),
            y: y.saturating_add(self.pad.top),
            width: frame.0.saturating_add(self.pad.left).saturating_add(self.pad.right),
            height: frame.1.saturating_add(self.pad.top).saturating_add(self.pad.bottom),
        }
    }
}

/// Plans one pass over an upright picture of `source` pixels.
///
/// # Errors
/// [`Error::Impossible`] when the crop lies outside the picture or a client hint is unresolved (`w=auto`).
pub fn plan(source: (u32, u32), transform: &Transform, seen: Seen) -> Result<Plan, Error> {
    let whole = seen.trimmed.unwrap_or(Rect { x: 0, y: 0, width: source.0, height: source.1 });
    let region = match transform.crop {
        Some(crop) => resolve_crop(whole, crop)?,
        None => whole,
    };
    let dpr = transform.size.dpr.map_or(1.0, cache_key::Decimal::to_f64);
    let within = (region.width, region.height);
    let target = Target::resolve(within, transform, dpr)?;
    let (scaled, size) = target.fit(within, transform.fit, transform.size.enlarge);

    let anchor = Anchor { gravity: transform.gravity, dpr };
    let (left, top) = anchor.cut(scaled, size, seen.focus);
    let (x, width) = window_side(region.x, region.width, scaled.0, left, size.0);
    let (y, height) = window_side(region.y, region.height, scaled.1, top, size.1);
    Ok(Plan {
        source,
        region,
        window: Window { x, y, width, height },
        size,
        frame: target.frame(size).filter(|_| transform.fit == Fit::Pad),
        extend: transform.extend,
        gravity: transform.gravity,
        dpr,
        pad: transform.pad.map_or(Pad::default(), |pad| scale_pad(pad, dpr)),
    })
}

/// Refuses a result beyond the limits.
///
/// # Errors
/// [`Error::TooLarge`].
pub fn check_output(size: (u32, u32), limits: &Limits) -> Result<(), Error> {
    let side = size.0.max(size.1);
    if side > limits.output_side {
        return Err(Error::TooLarge {
            what: "longer side of the result",
            value: side.into(),
            limit: limits.output_side.into(),
        });
    }
    let pixels = u64::from(size.0) * u64::from(size.1);
    if pixels > limits.output_pixels {
        return Err(Error::TooLarge { what: "pixels of the result", value: pixels, limit: limits.output_pixels });
    }
    Ok(())
}

/// A crop in what `trim` left.
fn resolve_crop(within: Rect, crop: Crop) -> Result<Rect, Error> {
    let x = offset(crop.x, within.width);
    let y = offset(crop.y, within.height);
    if x >= within.width || y >= within.height {
        return Err(Error::Impossible(format!(
            "the crop begins at {x},{y}, outside the picture of {} × {} pixels",
            within.width, within.height
        )));
    }
    Ok(Rect {
        x: within.x + x,
        y: within.y + y,
        width: offset(crop.width, within.width).clamp(1, within.width - x),
        height: offset(crop.height, within.height).clamp(1, within.height - y),
    })
}

fn offset(extent: Extent, side: u32) -> u32 {
    match extent {
        Extent::Px(px) => px,
        Extent::Fraction(fraction) => (fraction.to_f64() * f64::from(side)).round() as u32,
    }
}

/// One axis of the window: the part of the region that `kept` of `scaled` pixels, beginning at `from`, come from.
fn window_side(start: u32, length: u32, scaled: u64, from: u64, kept: u32) -> (f64, f64) {
    let step = f64::from(length) / scaled as f64;
    let begin = from as f64 * step;
    let extent = if u64::from(kept) == scaled { f64::from(length) } else { f64::from(kept) * step };
    (f64::from(start) + begin, extent.min(f64::from(length) - begin))
}

fn scale_pad(pad: Pad, dpr: f64) -> Pad {
    let scale = |px: u32| (f64::from(px) * dpr).round() as u32;
    Pad { top: scale(pad.top), right: scale(pad.right), bottom: scale(pad.bottom), left: scale(pad.left) }
}

#[cfg(test)]
mod tests;
