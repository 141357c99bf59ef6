//! What a client's hints make of a transform: `auto` sides become numbers, and who wants to save data gets less.
//!
//! Knows no header fields. Invariant: the result asks for nothing of the client any more, so that its key is that of the
//! URL which says the same in numbers.

use crate::number::Decimal;
use crate::transform::{Length, Output, Quality, QualityTarget, Transform};
use std::num::NonZeroU32;

/// What was hinted, already brought to few values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hinted {
    /// Pixels of the rendition for `w=auto`; `None` leaves the side open.
    pub width: Option<NonZeroU32>,
    /// Pixels of the rendition for `h=auto`; `None` leaves the side open.
    pub height: Option<NonZeroU32>,
    /// The client wants fewer bytes more than it wants quality.
    pub save_data: bool,
}

/// Which hints a transform asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wants {
    /// There is `w=auto`.
    pub width: bool,
    /// There is `h=auto`.
    pub height: bool,
}

/// Quality for who saves data, where the URL says none: three quarters of what AVIF, WebP and JPEG have otherwise.
const SPARING: [u8; 3] = [45, 60, 60];

impl Transform {
    /// Which hints it asks for, in any of its passes.
    #[must_use]
    pub fn wants(&self) -> Wants {
        let later = self.then.as_deref().map(Self::wants).unwrap_or_default();
        Wants {
            width: self.size.width == Some(Length::Auto) || later.width,
            height: self.size.height == Some(Length::Auto) || later.height,
        }
    }

    /// The same, with `auto` spelt out. Whatever `dpr` says, the result has the pixels that were hinted.
    #[must_use]
    pub fn hinted(&self, hints: Hinted) -> Self {
        let mut transform = self.clone();
        transform.resolve(hints);
        // The pictures of a `srcset` are asked for by clients who hint for themselves.
        if hints.save_data && transform.output.srcset.is_none() {
            spare(&mut transform.output);
        }
        transform.normalised()
    }

    fn resolve(&mut self, hints: Hinted) {
        let dpr = self.size.dpr.map_or(1.0, Decimal::to_f64);
        let resolve = |side: &mut Option<Length>, pixels: Option<NonZeroU32>| {
            if *side == Some(Length::Auto) {
                // A cast of a float saturates.
                let css = |pixels: NonZeroU32| NonZeroU32::new((f64::from(pixels.get()) / dpr).round() as u32);
                *side = pixels.map(|pixels| Length::Px(css(pixels).unwrap_or(NonZeroU32::MIN)));
            }
        };
        resolve(&mut self.size.width, hints.width);
        resolve(&mut self.size.height, hints.height);
        if let Some(then) = &mut self.then {
            then.resolve(hints);
        }
    }
}

/// A dial at three quarters of what it was, a target one step lower.
fn spare(output: &mut Output) {
    let less = |dial: u8| (u16::from(dial) * 3 / 4).max(1) as u8;
    let [avif, webp, jpeg] = SPARING;
    let named = matches!(output.quality, Quality::Default);
    for (own, sparing) in
        [(&mut output.quality_avif, avif), (&mut output.quality_webp, webp), (&mut output.quality_jpeg, jpeg)]
    {
        *own = own.map(less).or(named.then_some(sparing));
    }
    output.quality_jxl = output.quality_jxl.map(less);
    output.quality = match output.quality {
        Quality::Default => Quality::Default,
        Quality::Dial(dial) => Quality::Dial(less(dial)),
        Quality::Auto(QualityTarget::Best) => Quality::Auto(QualityTarget::High),
        Quality::Auto(QualityTarget::High) => Quality::Auto(QualityTarget::Medium),
        Quality::Auto(QualityTarget::Medium | QualityTarget::Low) => Quality::Auto(QualityTarget::Low),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Presets, parse};

    fn transform(query: &str) -> Transform {
        parse(Some(query), &Presets::none()).unwrap().transform
    }

    fn hinted(query: &str, width: u32, height: u32, save_data: bool) -> String {
        let hints = Hinted { width: NonZeroU32::new(width), height: NonZeroU32::new(height), save_data };
        transform(query).hinted(hints).canonical()
    }

    #[test]
    fn auto_becomes_numbers() {
        assert_eq!(hinted("w=auto", 640, 0, false), "w=640");
        assert_eq!(hinted("w=auto&h=auto&fit=cover", 640, 480, false), "fit=cover&h=480&w=640");
        assert_eq!(hinted("w=auto&h=auto", 0, 0, false), "");
        assert_eq!(hinted("w=auto&dpr=2&pad=3", 640, 0, false), "dpr=2&pad=3&w=320");
        assert_eq!(hinted("w=50&then=w=auto", 640, 0, false), "then=w=640&w=50");
        assert_eq!(hinted("w=50", 640, 480, false), "w=50");
    }

    #[test]
    fn what_is_wanted_is_known() {
        let wants = |query: &str| transform(query).wants();
        assert_eq!(wants("w=10"), Wants::default());
        assert_eq!(wants("w=auto"), Wants { width: true, height: false });
        assert_eq!(wants("w=1&then=h=auto"), Wants { width: false, height: true });
    }

    #[test]
    fn saving_lowers_every_quality() {
        assert_eq!(hinted("w=5", 0, 0, true), "q-avif=45&q-jpeg=60&q-webp=60&w=5");
        assert_eq!(hinted("f=webp", 0, 0, true), "f=webp&q=60");
        assert_eq!(hinted("f=webp&q=80", 0, 0, true), "f=webp&q=60");
        assert_eq!(hinted("q=80&q-avif=40&f=auto", 0, 0, true), "f=auto&q=60&q-avif=30");
        assert_eq!(hinted("q=1&f=jpeg", 0, 0, true), "f=jpeg&q=1");
        assert_eq!(hinted("q=auto:high&f=jpeg", 0, 0, true), "f=jpeg&q=auto");
        assert_eq!(hinted("f=json", 0, 0, true), "f=json", "no picture, no quality");
        assert_eq!(
            hinted("f=json&srcset=auto&q=80", 0, 0, true),
            "f=json&q=80&srcset=auto",
            "the pictures' own clients"
        );
    }
}
