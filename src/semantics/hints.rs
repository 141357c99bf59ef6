//! Client hints (RFC 8942; Responsive Image Client Hints; `Save-Data`): a few fields of a request → one of few widths.
//!
//! Owns the reading of the fields and the steps. Does not know what a rendition is. Invariant: however many values clients
//! send, what comes out is one of the route's breakpoints, or its default.

use cache_key::Hinted;
use cache_key::hinted::Wants;
use http::{HeaderMap, HeaderName};
use std::num::NonZeroU32;

/// What a route makes of hints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hints {
    /// Widths that `auto` may come to, in pixels of the rendition, ascending; not empty.
    pub breakpoints: Vec<NonZeroU32>,
    /// The width for clients that hint none, in CSS pixels.
    pub default_width: NonZeroU32,
    /// Whether `Save-Data` lowers the quality.
    pub save_data: bool,
}

/// What a server asks browsers for (RFC 8942 §3.1): low-entropy hints come by themselves, these do not.
pub const ACCEPT_CH: &str = "sec-ch-width, sec-ch-viewport-width, sec-ch-viewport-height, sec-ch-dpr";

/// Fields that `w=auto` reads; each with its older name.
pub(super) const WIDTH_FIELDS: &str = "sec-ch-width, sec-ch-viewport-width, sec-ch-dpr, width, viewport-width, dpr";
/// Fields that `h=auto` reads.
pub(super) const HEIGHT_FIELDS: &str = "sec-ch-viewport-height, sec-ch-dpr, viewport-height, dpr";

/// Largest length that is believed, in pixels.
const MOST: f64 = 65_535.0;

/// Reads what a transform wants to know of a client.
///
/// A width is `Sec-CH-Width` (pixels of the screen), else `Sec-CH-Viewport-Width` times `Sec-CH-DPR`, else the route's
/// default times that; a height is `Sec-CH-Viewport-Height` times it. Each field counts under its older name too. They
/// are snapped up to a breakpoint, or down to the largest. Who saves data is served as if its screen had one pixel to the CSS
/// pixel. A field that cannot be read, or that is there twice, is as if it were not there.
#[must_use]
pub fn read(headers: &HeaderMap, wants: Wants, hints: &Hints) -> Hinted {
    let save_data = hints.save_data && saves_data(headers);
    if wants == Wants::default() {
        return Hinted { save_data, ..Hinted::default() };
    }
    let field = |new, old, most| number(headers, new, most).or_else(|| number(headers, old, most));
    let density = field("sec-ch-dpr", "dpr", 10.0);
    let dpr = if save_data { 1.0 } else { density.unwrap_or(1.0) };
    let width = || {
        // The only one in pixels of the screen.
        let own = field("sec-ch-width", "width", MOST).map(|pixels| match density {
            Some(density) if save_data => pixels / density,
            _ => pixels,
        });
        let viewport = || field("sec-ch-viewport-width", "viewport-width", MOST).map(|css| css * dpr);
        hints.snap(own.or_else(viewport).unwrap_or_else(|| f64::from(hints.default_width.get()) * dpr))
    };
    let height = || field("sec-ch-viewport-height", "viewport-height", MOST).map(|css| hints.snap(css * dpr));
    Hinted { width: wants.width.then(width), height: if wants.height { height() } else { None }, save_data }
}

impl Hints {
    fn snap(&self, pixels: f64) -> NonZeroU32 {
        let above = self.breakpoints.iter().find(|step| f64::from(step.get()) >= pixels);
        above.or(self.breakpoints.last()).copied().unwrap_or(self.default_width)
    }
}

/// `Save-Data: on` (a token, perhaps with parameters).
fn saves_data(headers: &HeaderMap) -> bool {
    let value = headers.get(const { HeaderName::from_static("save-data") });
    value.is_some_and(|value| {
        let token = value.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
        token.trim_ascii().eq_ignore_ascii_case(b"on")
    })
}

/// The number in a field, above 0 and at most `most`.
fn number(headers: &HeaderMap, name: &str, most: f64) -> Option<f64> {
    let mut values = headers.get_all(name).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let text = value.to_str().ok()?.trim();
    // Digits and a point only: what `f64` reads beyond that (signs, exponents, words) no client means.
    let plain = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = if plain { text.parse().ok()? } else { return None };
    (number > 0.0 && number <= most).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const BOTH: Wants = Wants { width: true, height: true };

    fn hints(save_data: bool) -> Hints {
        let steps = [320, 640, 1280, 2560].map(|step| NonZeroU32::new(step).unwrap());
        Hints { breakpoints: steps.to_vec(), default_width: steps[1], save_data }
    }

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// Width and height; 0 for none.
    fn sides(fields: &[(&'static str, &str)]) -> (u32, u32) {
        let hinted = read(&headers(fields), BOTH, &hints(true));
        (hinted.width.map_or(0, NonZeroU32::get), hinted.height.map_or(0, NonZeroU32::get))
    }

    #[test]
    fn real_clients() {
        // Chromium with `sizes`, a phone of three pixels to one; without `sizes`; its viewport alone; older names.
        assert_eq!(sides(&[("sec-ch-width", "1200"), ("sec-ch-dpr", "3")]), (1280, 0));
        assert_eq!(sides(&[("sec-ch-viewport-width", "412"), ("sec-ch-dpr", "2.625")]), (1280, 0));
        assert_eq!(sides(&[("sec-ch-viewport-width", "412")]), (640, 0));
        assert_eq!(sides(&[("width", "300"), ("viewport-width", "2000"), ("dpr", "1")]), (320, 0));
        assert_eq!(sides(&[("viewport-width", "1000")]), (1280, 0));
        assert_eq!(sides(&[("sec-ch-viewport-height", "800"), ("sec-ch-dpr", "2")]), (1280, 2560));
        // Firefox and Safari send none of them.
        assert_eq!(sides(&[]), (640, 0));
        assert_eq!(sides(&[("dpr", "2")]), (1280, 0));
    }

    #[test]
    fn steps_are_snapped_up_to() {
        let width = |pixels: &str| sides(&[("sec-ch-width", pixels)]).0;
        assert_eq!(["1", "320", "321", "2560", "2561", "65535"].map(width), [320, 320, 640, 2560, 2560, 2560]);
    }

    #[test]
    fn what_cannot_be_read_is_not_there() {
        for nonsense in ["", "0", "-1", "1e3", "nan", "inf", "abc", "70000", "1,2", "1.2.3", "0x10", "9999999999999"] {
            assert_eq!(sides(&[("sec-ch-width", nonsense)]), (640, 0), "{nonsense}");
        }
        assert_eq!(sides(&[("sec-ch-width", "100"), ("sec-ch-width", "2000")]), (640, 0), "which one is meant?");
        assert_eq!(sides(&[("sec-ch-width", "x"), ("width", "2000")]), (2560, 0));
        assert_eq!(sides(&[("sec-ch-viewport-width", "300"), ("sec-ch-dpr", "11")]), (320, 0));
    }

    #[test]
    fn saving_counts_where_the_route_says_so() {
        let fields = headers(&[("save-data", "On;x=1"), ("sec-ch-width", "1200"), ("sec-ch-dpr", "2")]);
        let with = |save_data| read(&fields, BOTH, &hints(save_data));
        assert!(with(true).save_data && !with(false).save_data);
        assert_eq!((with(true).width, with(false).width), (NonZeroU32::new(640), NonZeroU32::new(1280)));
        let nothing = read(&fields, Wants::default(), &hints(true));
        assert_eq!(nothing, Hinted { save_data: true, ..Hinted::default() });
        for off in ["off", "", "one", "?1"] {
            assert!(!read(&headers(&[("save-data", off)]), BOTH, &hints(true)).save_data, "{off}");
        }
    }

    proptest! {
        #[test]
        fn few_values_come_out(width in "\\PC{0,14}|[0-9.]{1,8}", dpr in "[0-9.]{0,5}", viewport in "[0-9]{0,6}") {
            let mut headers = HeaderMap::new();
            for (name, text) in [("sec-ch-width", &width), ("dpr", &dpr), ("viewport-width", &viewport)] {
                if let Ok(value) = HeaderValue::from_str(text) {
                    headers.insert(name, value);
                }
            }
            let hints = hints(true);
            let hinted = read(&headers, BOTH, &hints);
            prop_assert!(hints.breakpoints.contains(&hinted.width.unwrap()));
            prop_assert_eq!(hinted.height, None);
        }
    }
}
