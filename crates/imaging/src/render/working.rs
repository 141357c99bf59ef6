//! Colours of the URL in the colours of the rendition. A URL means sRGB; where pixels are Display P3, or keep the
//! original's profile, the same colour has other numbers.

use crate::color;
use crate::metadata;
use crate::probe::Probe;
use cache_key::transform::{Colour, ColourSpace};
use cache_key::{Transform, Variant};

/// The variant with its colours converted; `None` where nothing has to be.
pub(super) fn converted(original: &[u8], source: &Probe, variant: &Variant) -> Option<Variant> {
    let profile = match variant.transform.output.colour_space {
        ColourSpace::Srgb => return None,
        ColourSpace::P3 => color::p3_profile(),
        ColourSpace::Keep => metadata::read(original, source.format).icc.map(std::borrow::Cow::into_owned),
    }?;
    let mut variant = variant.clone();
    let mut next = Some(&mut variant.transform);
    while let Some(transform) = next {
        for colour in colours(transform) {
            if let Some([r, g, b]) = color::from_srgb([colour.r, colour.g, colour.b], &profile) {
                *colour = Colour { r, g, b, a: colour.a };
            }
        }
        next = transform.then.as_deref_mut();
    }
    Some(variant)
}

/// Every colour that a pass paints with.
fn colours(transform: &mut Transform) -> impl Iterator<Item = &mut Colour> {
    let effects = &mut transform.effects;
    let (dark, light) = effects.duotone.as_mut().map(|(dark, light)| (dark, light)).unzip();
    let border = transform.shape.border.as_mut().map(|(_, colour)| colour);
    let text = transform.text.as_mut().and_then(|text| text.colour.as_mut());
    [effects.background.as_mut(), effects.tint.as_mut(), dark, light, border, text].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::SourceFormat;
    use crate::orientation::Orientation;
    use cache_key::{Presets, parse};

    #[test]
    fn red_has_other_numbers_in_display_p3() {
        let probe = crate::probe(b"GIF89a\x01\0\x01\0\0\0\0;", &crate::Limits::default()).expect("a header");
        assert_eq!((probe.format, probe.orientation), (SourceFormat::Gif, Orientation::Upright));
        let variant = |query| Variant {
            transform: parse(Some(query), &Presets::none()).expect("a valid query").transform,
            ..Variant::default()
        };
        let p3 = converted(b"", &probe, &variant("icc=p3&bg=ff0000&then=border=1,00ff00")).expect("converted");
        let background = p3.transform.effects.background.expect("a background");
        assert!((225..=240).contains(&background.r) && background.a == 255, "{background:?}");
        let border = p3.transform.then.expect("a pass").shape.border.expect("a border").1;
        assert!(border.r > 80 && border.g > 240, "{border:?}");
        assert_eq!(converted(b"", &probe, &variant("bg=ff0000")), None);
        assert_eq!(converted(b"", &probe, &variant("icc=keep&bg=ff0000")), None, "a GIF has no profile");
    }
}
