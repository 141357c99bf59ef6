//! Proactive negotiation of the format (RFC 9110 §12.5.1): `Accept` → one of a few classes.
//!
//! Owns the reading of `Accept` and the order of preference. Does not know what a rendition is or how it is encoded.
//! Invariant: the outcome depends on the set of weighted media ranges alone, not on their order; no input panics.

use cache_key::FormatClass;
use http::HeaderMap;
use http::header::ACCEPT;

/// What is read of all `Accept` lines together, in bytes. Browsers send about 100; the rest of a longer header is ignored.
pub const MAX_ACCEPT_BYTES: usize = 2048;

/// The classes that a route offers to `f=auto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classes {
    /// Offer AVIF.
    pub avif: bool,
    /// Offer WebP.
    pub webp: bool,
    /// Offer JPEG XL.
    pub jxl: bool,
}

impl Default for Classes {
    /// AVIF and WebP; JPEG XL is off until renditions can be encoded as such.
    fn default() -> Self {
        Self { avif: true, webp: true, jxl: false }
    }
}

/// The class for a request with these headers.
///
/// A class counts only where its media type is named: `image/*` and `*/*` say nothing about what a client can decode
/// (curl, and browsers without AVIF, send them too). Of the named ones the highest weight wins; between equals JPEG XL
/// goes before AVIF, AVIF before WebP. Where the client gives JPEG and PNG a strictly higher weight (by name or by
/// wildcard, the more specific counting), it gets [`FormatClass::Baseline`].
#[must_use]
pub fn format_class(headers: &HeaderMap, enabled: Classes) -> FormatClass {
    let mut weights = Weights::default();
    let mut left = MAX_ACCEPT_BYTES;
    for line in headers.get_all(ACCEPT) {
        let line = within(line.as_bytes(), left);
        left -= line.len();
        for element in Elements::new(line, b',') {
            weights.read(element);
        }
    }
    weights.best(enabled)
}

/// The part of `line` that fits into `limit` bytes, cut between two elements.
fn within(line: &[u8], limit: usize) -> &[u8] {
    if line.len() <= limit {
        return line;
    }
    let head = line.get(..limit).unwrap_or_default();
    let end = head.iter().rposition(|&byte| byte == b',').unwrap_or(0);
    head.get(..end).unwrap_or_default()
}

/// Weights in thousandths by media range; `None` where it is not named.
#[derive(Default)]
struct Weights {
    avif: Option<u16>,
    webp: Option<u16>,
    jxl: Option<u16>,
    jpeg: Option<u16>,
    png: Option<u16>,
    any_image: Option<u16>,
    any: Option<u16>,
}

impl Weights {
    fn read(&mut self, element: &[u8]) {
        let (range, parameters) = match element.iter().position(|&byte| byte == b';') {
            Some(at) => element.split_at(at),
            None => (element, &[][..]),
        };
        let range = range.trim_ascii();
        // The length rules out nearly everything else before any comparison.
        let slot = match range.len() {
            10 if range.eq_ignore_ascii_case(b"image/avif") => &mut self.avif,
            10 if range.eq_ignore_ascii_case(b"image/webp") => &mut self.webp,
            10 if range.eq_ignore_ascii_case(b"image/jpeg") => &mut self.jpeg,
            9 if range.eq_ignore_ascii_case(b"image/jxl") => &mut self.jxl,
            9 if range.eq_ignore_ascii_case(b"image/png") => &mut self.png,
            7 if range.eq_ignore_ascii_case(b"image/*") => &mut self.any_image,
            3 if range == b"*/*" => &mut self.any,
            _ => return,
        };
        // An unreadable weight takes the element with it: what the client meant is unknown, and baseline always works.
        if let Some(weight) = weight(parameters) {
            *slot = Some(slot.map_or(weight, |known| known.max(weight)));
        }
    }

    fn best(&self, enabled: Classes) -> FormatClass {
        let wildcard = self.any_image.or(self.any).unwrap_or(0);
        let baseline = self.jpeg.unwrap_or(wildcard).max(self.png.unwrap_or(wildcard));
        let mut best = (FormatClass::Baseline, 0);
        for (class, offered, weight) in [
            (FormatClass::Jxl, enabled.jxl, self.jxl),
            (FormatClass::Avif, enabled.avif, self.avif),
            (FormatClass::Webp, enabled.webp, self.webp),
        ] {
            if let Some(weight) = weight
                && offered
                && weight > best.1
                && weight >= baseline
            {
                best = (class, weight);
            }
        }
        best.0
    }
}

/// The weight in thousandths (RFC 9110 §12.4.2) among `;`-separated parameters: 1000 where there is none, `None`
/// where it cannot be read.
fn weight(parameters: &[u8]) -> Option<u16> {
    if parameters.is_empty() {
        return Some(1000);
    }
    for parameter in Elements::new(parameters, b';') {
        let parameter = parameter.trim_ascii();
        if let Some((b'q' | b'Q', rest)) = parameter.split_first()
            && let Some((b'=', value)) = rest.trim_ascii_start().split_first()
        {
            return thousandths(value.trim_ascii_start());
        }
    }
    Some(1000)
}

/// `0.8` → 800. Lenient where the meaning is plain: `.5`, and more than three places (cut off).
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, places) = match value {
        [b'0', rest @ ..] => (0, rest),
        [b'1', rest @ ..] => (1000, rest),
        [b'.', b'0'..=b'9', ..] => (0, value),
        _ => return None,
    };
    let places = match places {
        [] => return Some(whole),
        [b'.', places @ ..] => places,
        _ => return None,
    };
    let mut sum: u16 = 0;
    let mut unit: u16 = 100;
    for &digit in places {
        if !digit.is_ascii_digit() {
            return None;
        }
        sum += u16::from(digit - b'0') * unit;
        unit /= 10;
    }
    (whole + sum <= 1000).then_some(whole + sum)
}

/// The elements of a list, split outside of quoted strings (RFC 9110 §5.6.1, §5.6.4).
struct Elements<'a> {
    rest: &'a [u8],
    separator: u8,
    /// Whether there is any quote; hardly ever, and then splitting is quick.
    quotes: bool,
}

impl<'a> Elements<'a> {
    fn new(rest: &'a [u8], separator: u8) -> Self {
        Self { rest, separator, quotes: rest.contains(&b'"') }
    }

    fn end(&self) -> Option<usize> {
        if !self.quotes {
            return self.rest.iter().position(|&byte| byte == self.separator);
        }
        let mut quoted = false;
        let mut escaped = false;
        self.rest.iter().position(|&byte| {
            if escaped {
                escaped = false;
            } else if byte == b'"' {
                quoted = !quoted;
            } else if quoted {
                escaped = byte == b'\\';
            } else {
                return byte == self.separator;
            }
            false
        })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (element, rest) = match self.end() {
            Some(at) => (self.rest.get(..at)?, self.rest.get(at + 1..)?),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        Some(element)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const ALL: Classes = Classes { avif: true, webp: true, jxl: true };

    fn class(lines: &[&str], enabled: Classes) -> FormatClass {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(ACCEPT, HeaderValue::from_str(line).unwrap());
        }
        format_class(&headers, enabled)
    }

    /// What clients really send for `<img>` and for documents.
    #[test]
    fn real_clients() {
        let chromium = "image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
        let table = [
            ("Chromium 140s, <img>", chromium, FormatClass::Avif),
            (
                "Chrome 85–, <img>",
                "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
                FormatClass::Avif,
            ),
            (
                "Chrome 85–, document",
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
                FormatClass::Avif,
            ),
            ("Chrome 32–84, <img>", "image/webp,image/apng,image/*,*/*;q=0.8", FormatClass::Webp),
            (
                "Firefox 128–, <img>",
                "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
                FormatClass::Avif,
            ),
            ("Firefox 92–127, <img>", "image/avif,image/webp,*/*", FormatClass::Avif),
            ("Firefox 65–91, <img>", "image/webp,*/*", FormatClass::Webp),
            (
                "Safari 16–, <img>",
                "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
                FormatClass::Avif,
            ),
            (
                "Safari 14–15, <img>",
                "image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5",
                FormatClass::Webp,
            ),
            (
                "Safari 13, <img>",
                "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5",
                FormatClass::Baseline,
            ),
            (
                "Edge 18, <img>",
                "image/png, image/svg+xml, image/jxr, image/*; q=0.8, */*; q=0.5",
                FormatClass::Baseline,
            ),
            ("Java URLConnection", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", FormatClass::Baseline),
            ("curl, wget, fetch()", "*/*", FormatClass::Baseline),
            ("empty", "", FormatClass::Baseline),
        ];
        for (client, accept, expected) in table {
            assert_eq!(class(&[accept], Classes::default()), expected, "{client}");
        }
        assert_eq!(class(&[], Classes::default()), FormatClass::Baseline, "no header at all");
        assert_eq!(class(&[chromium], ALL), FormatClass::Jxl);
    }

    #[test]
    fn weights_decide_then_the_fixed_order() {
        let cases = [
            (&["image/avif;q=0.5,image/webp"][..], FormatClass::Webp),
            (&["image/avif;q=0.5,image/webp;q=0.5"], FormatClass::Avif),
            (&["image/avif;q=0.5,image/webp;q=0.501"], FormatClass::Webp),
            (&["image/avif;q=0,image/webp"], FormatClass::Webp),
            (&["image/avif;q=0.000"], FormatClass::Baseline),
            (&["image/avif;q=0.001"], FormatClass::Avif),
            (&["image/jpeg,image/webp;q=0.9"], FormatClass::Baseline),
            (&["image/webp;q=0.2,image/*;q=0.1,*/*"], FormatClass::Webp),
            (&["image/webp;q=0.2,image/*;q=0.3"], FormatClass::Baseline),
            (&["*/*;q=0.1", "image/webp"], FormatClass::Webp),
            (&["image/webp;q=0.1", "image/webp;q=0.9", "image/avif;q=0.5"], FormatClass::Webp),
        ];
        for (lines, expected) in cases {
            assert_eq!(class(lines, Classes::default()), expected, "{lines:?}");
        }
    }

    #[test]
    fn spelling() {
        let avif = [
            "IMAGE/AVIF",
            " image/avif ; Q=1.000 ",
            "image/avif;profile=\"a,b;q=0\\\",\";q=1",
            ",, ,image/avif,",
            "image/avif;q=1.",
            "image/avif;q = 0.5",
            "image/avif;q=0.12345",
        ];
        for accept in avif {
            assert_eq!(class(&[accept], Classes::default()), FormatClass::Avif, "{accept}");
        }
        let baseline = [
            "garbage",
            "image/avif;q=x",
            "image/avif;q=1.5",
            "image/avif;q=-1",
            "image/avif;q=",
            "image/avif;q=.",
            "image/avif;q=2",
            "ximage/avif",
            "image/avifs",
            "image /avif",
            "\"image/avif",
            "image/*",
        ];
        for accept in baseline {
            assert_eq!(class(&[accept], Classes::default()), FormatClass::Baseline, "{accept}");
        }
    }

    #[test]
    fn only_what_the_route_offers() {
        let accept = ["image/jxl,image/avif,image/webp"];
        let with = |avif, webp, jxl| class(&accept, Classes { avif, webp, jxl });
        assert_eq!(with(true, true, true), FormatClass::Jxl);
        assert_eq!(with(true, true, false), FormatClass::Avif);
        assert_eq!(with(false, true, false), FormatClass::Webp);
        assert_eq!(with(false, false, false), FormatClass::Baseline);
    }

    #[test]
    fn long_headers_are_cut_between_elements() {
        let filler = "x/y,".repeat(MAX_ACCEPT_BYTES / 4 - 1);
        // Whole, this would be q=0.9; cut within, it would be q=0. Neither counts.
        assert_eq!(class(&[&format!("{filler}image/avif;q=0.9")], Classes::default()), FormatClass::Baseline);
        assert_eq!(class(&[&format!("image/webp,{filler}image/avif")], Classes::default()), FormatClass::Webp);
        assert_eq!(class(&[&filler, "image/avif"], Classes::default()), FormatClass::Baseline);
    }

    proptest! {
        #[test]
        fn no_input_panics(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4)) {
            let mut headers = HeaderMap::new();
            for line in &lines {
                if let Ok(value) = HeaderValue::from_bytes(line) {
                    headers.append(ACCEPT, value);
                }
            }
            let _ = format_class(&headers, ALL);
            for line in &lines {
                Weights::default().read(line);
                weight(line);
                prop_assert!(thousandths(line).unwrap_or(0) <= 1000);
            }
        }

        #[test]
        fn order_does_not_matter(
            elements in prop::collection::vec(
                ("image/(avif|webp|jxl|jpeg|png|\\*)|\\*/\\*|text/html", 0_u16..=1000), 0..8),
            rotation in 0_usize..8,
        ) {
            let mut elements: Vec<_> =
                elements.iter().map(|(range, q)| format!("{range};q={}.{:03}", q / 1000, q % 1000)).collect();
            let before = class(&[&elements.join(",")], ALL);
            if !elements.is_empty() {
                let middle = rotation % elements.len();
                elements.rotate_left(middle);
            }
            prop_assert_eq!(class(&[&elements.join(", ")], ALL), before);
            elements.reverse();
            let lines: Vec<&str> = elements.iter().map(String::as_str).collect();
            prop_assert_eq!(class(&lines, ALL), before);
        }
    }
}
