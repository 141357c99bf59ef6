//! The box that a request asks for, and the sizes that each `fit` makes of a picture in it. It knows the region's
//! size only, not where the region lies.

use crate::error::Error;
use cache_key::transform::{Aspect, Fit, Length, Transform};
use std::num::NonZeroU32;

/// The box in device pixels; `None` is a side left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    width: Option<u32>,
    height: Option<u32>,
    /// `min-w`, `min-h`: they win over the box and over `enlarge`.
    least: (u32, u32),
}

impl Target {
    /// From `w h dpr ar min-w min-h`. Where both sides are open, `ar` takes the largest box of that shape in `within`.
    pub(super) fn resolve(within: (u32, u32), transform: &Transform, dpr: f64) -> Result<Self, Error> {
        let size = &transform.size;
        let mut width = device_pixels(size.width, dpr)?;
        let mut height = device_pixels(size.height, dpr)?;
        if let Some(aspect) = size.aspect {
            (width, height) = match (width, height) {
                (Some(w), None) => (Some(w), Some(across(w, aspect.height.get(), aspect.width.get()))),
                (None, Some(h)) => (Some(across(h, aspect.width.get(), aspect.height.get())), Some(h)),
                (None, None) => {
                    let (w, h) = largest(within, aspect);
                    (Some(w), Some(h))
                }
                both => both,
            };
        }
        // One pixel is no minimum but what every picture has: the normal form leaves it out.
        let above_one = |least: Option<NonZeroU32>| least.map(NonZeroU32::get).filter(|&least| least > 1).unwrap_or(0);
        let least = (above_one(size.min_width), above_one(size.min_height));
        Ok(Self { width: width.map(|w| w.max(least.0)), height: height.map(|h| h.max(least.1)), least })
    }

    /// What becomes of `within`: its size once scaled, and how much of that is kept.
    pub(super) fn fit(self, within: (u32, u32), fit: Fit, enlarge: bool) -> ((u64, u64), (u32, u32)) {
        match fit {
            Fit::AspectCrop => {
                let kept = match (self.width, self.height) {
                    (Some(w), Some(h)) => largest_of(within, w, h),
                    _ => within,
                };
                ((within.0.into(), within.1.into()), kept)
            }
            Fit::Crop => self.shrunk_into(within).scale(within, Fit::Crop, false),
            Fit::ScaleDown => self.scale(within, Fit::ScaleDown, false),
            fit => self.scale(within, fit, enlarge),
        }
    }

    /// The canvas of `fit=pad` for a picture of `size`: the box, or the picture where the box is open or smaller; none
    /// where there is no box.
    pub(super) fn frame(self, size: (u32, u32)) -> Option<(u32, u32)> {
        self.width.or(self.height)?;
        Some((self.width.map_or(size.0, |w| w.max(size.0)), self.height.map_or(size.1, |h| h.max(size.1))))
    }

    /// The box made small enough for the picture to fill it without enlarging, its shape kept.
    fn shrunk_into(self, within: (u32, u32)) -> Self {
        let (Some(w), Some(h)) = (self.width, self.height) else { return self };
        let ratio = (f64::from(within.0) / f64::from(w)).min(f64::from(within.1) / f64::from(h)).min(1.0);
        let side = |side: u32, least: u32| at_least_one(f64::from(side) * ratio).max(least);
        Self { width: Some(side(w, self.least.0)), height: Some(side(h, self.least.1)), ..self }
    }

    fn scale(self, within: (u32, u32), fit: Fit, enlarge: bool) -> ((u64, u64), (u32, u32)) {
        let (w, h) = (f64::from(within.0), f64::from(within.1));
        // How many pixels of the picture become one, per axis.
        let (mut across, mut down) = match (self.width.map(f64::from), self.height.map(f64::from)) {
            (Some(bw), Some(bh)) => match fit {
                Fit::Fill => (w / bw, h / bh),
                Fit::Cover | Fit::Crop | Fit::Outside => twice((w / bw).min(h / bh)),
                _ => twice((w / bw).max(h / bh)),
            },
            (Some(bw), None) if fit == Fit::Fill => (w / bw, 1.0),
            (None, Some(bh)) if fit == Fit::Fill => (1.0, h / bh),
            (Some(bw), None) => twice(w / bw),
            (None, Some(bh)) => twice(h / bh),
            (None, None) => (1.0, 1.0),
        };
        if !enlarge {
            (across, down) = (across.max(1.0), down.max(1.0));
        }
        (across, down) = self.raise((across, down), (w, h), fit);
        // However thin the picture, one pixel of each axis remains.
        let scaled = (rounded(w / across.min(w)), rounded(h / down.min(h)));
        let kept = match fit {
            Fit::Cover | Fit::Crop => (cut(scaled.0, self.width), cut(scaled.1, self.height)),
            _ => (cut(scaled.0, None), cut(scaled.1, None)),
        };
        (scaled, kept)
    }

    /// Scales up until both sides reach their least lengths.
    fn raise(self, (across, down): (f64, f64), (w, h): (f64, f64), fit: Fit) -> (f64, f64) {
        let least = |side: f64, least: u32| if least == 0 { f64::INFINITY } else { side / f64::from(least) };
        let (most_across, most_down) = (least(w, self.least.0), least(h, self.least.1));
        if fit == Fit::Fill {
            return (across.min(most_across), down.min(most_down));
        }
        let factor = (most_across / across).min(most_down / down).min(1.0);
        (across * factor, down * factor)
    }
}

fn device_pixels(length: Option<Length>, dpr: f64) -> Result<Option<u32>, Error> {
    match length {
        None => Ok(None),
        Some(Length::Px(px)) => Ok(Some(at_least_one(f64::from(px.get()) * dpr))),
        Some(Length::Auto) => Err(Error::Impossible("a side of `auto` needs a client hint or a breakpoint".into())),
    }
}

/// `length × parts / of`, rounded, at least 1.
fn across(length: u32, parts: u32, of: u32) -> u32 {
    at_least_one(f64::from(length) * f64::from(parts) / f64::from(of))
}

/// The largest rectangle of this shape inside `within`.
fn largest(within: (u32, u32), aspect: Aspect) -> (u32, u32) {
    largest_of(within, aspect.width.get(), aspect.height.get())
}

/// The smallest rectangle of this shape round `picture`.
pub(super) fn smallest_round((w, h): (u32, u32), aspect: Aspect) -> (u32, u32) {
    let (wide, high) = (aspect.width.get(), aspect.height.get());
    // Compared as products: exact.
    if u64::from(w) * u64::from(high) >= u64::from(h) * u64::from(wide) {
        (w, across(w, high, wide).max(h))
    } else {
        (across(h, wide, high).max(w), h)
    }
}

fn largest_of((w, h): (u32, u32), wide: u32, high: u32) -> (u32, u32) {
    // Compared as products: exact.
    if u64::from(w) * u64::from(high) > u64::from(h) * u64::from(wide) {
        (across(h, wide, high).min(w), h)
    } else {
        (w, across(w, high, wide).min(h))
    }
}

fn twice(ratio: f64) -> (f64, f64) {
    (ratio, ratio)
}

/// Half up, at least 1; a cast of a float saturates.
fn rounded(side: f64) -> u64 {
    ((side + 0.5).floor() as u64).max(1)
}

fn at_least_one(side: f64) -> u32 {
    ((side + 0.5).floor() as u32).max(1)
}

fn cut(scaled: u64, limit: Option<u32>) -> u32 {
    let scaled = u32::try_from(scaled).unwrap_or(u32::MAX);
    limit.map_or(scaled, |limit| scaled.min(limit))
}
