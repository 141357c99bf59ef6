//! Fields that only tell: `Link` (RFC 8288), `Server-Timing`, and the parameters that were ignored.
//!
//! Owns their spelling and escaping. Does not know where the facts come from.
//! Invariant: whatever goes in, the field is well-formed and short.

use http::HeaderValue;
use std::fmt::Write;
use std::time::Duration;

/// The field that names unknown parameters of an unsigned URL.
pub const IGNORED_PARAMETERS: &str = "tintype-ignored";
/// Names that are listed; further ones are not.
const MAX_NAMES: usize = 16;
/// Bytes of one name; the rest is cut off.
const MAX_NAME: usize = 48;
/// Bytes of a canonical URL; a longer one is not sent.
const MAX_LINK: usize = 2048;

/// `Link: <…>; rel="canonical"` (RFC 8288, 6596). What may not stand in a URI is percent-encoded; escapes stay as they are.
#[must_use]
pub fn canonical_link(url: &str) -> Option<HeaderValue> {
    let mut text = String::with_capacity(url.len() + 20);
    text.push('<');
    for byte in url.bytes() {
        match byte {
            b'<' | b'>' | b'"' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => push_escape(&mut text, byte),
            byte if byte.is_ascii_graphic() => text.push(char::from(byte)),
            byte => push_escape(&mut text, byte),
        }
    }
    text.push_str(">; rel=\"canonical\"");
    if url.is_empty() || text.len() > MAX_LINK {
        return None;
    }
    HeaderValue::try_from(text).ok()
}

/// `Server-Timing: fetch;dur=12.345, …` in milliseconds. Names are tokens of ours.
#[must_use]
pub fn server_timing(phases: &[(&'static str, Duration)]) -> Option<HeaderValue> {
    let mut text = String::with_capacity(phases.len() * 20);
    for (name, took) in phases {
        let separator = if text.is_empty() { "" } else { ", " };
        let micros = took.as_micros();
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{separator}{name};dur={}.{:03}", micros / 1000, micros % 1000);
    }
    if text.is_empty() { None } else { HeaderValue::try_from(text).ok() }
}

/// [`IGNORED_PARAMETERS`]: a structured-field list of strings, other than printable ASCII percent-encoded.
#[must_use]
pub fn ignored_parameters<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<HeaderValue> {
    let mut text = String::new();
    for name in names.into_iter().take(MAX_NAMES) {
        text.push_str(if text.is_empty() { "\"" } else { ", \"" });
        for byte in name.bytes().take(MAX_NAME) {
            if byte.is_ascii_graphic() && byte != b'"' && byte != b'\\' {
                text.push(char::from(byte));
            } else {
                push_escape(&mut text, byte);
            }
        }
        text.push('"');
    }
    if text.is_empty() { None } else { HeaderValue::try_from(text).ok() }
}

/// `%XX`.
pub(super) fn push_escape(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(DIGITS[usize::from(byte >> 4)]));
    text.push(char::from(DIGITS[usize::from(byte & 15)]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn canonical_links_cannot_be_left() {
        let link = canonical_link("https://img.example/a%20b.jpg?w=1&h=2").unwrap();
        assert_eq!(link, "<https://img.example/a%20b.jpg?w=1&h=2>; rel=\"canonical\"");
        let link = canonical_link("https://x/>; rel=evil, <ü\r\n").unwrap();
        assert_eq!(link, "<https://x/%3E;%20rel=evil,%20%3C%C3%BC%0D%0A>; rel=\"canonical\"");
        assert_eq!(canonical_link(""), None);
        assert_eq!(canonical_link(&"x".repeat(MAX_LINK)), None);
    }

    #[test]
    fn timings_in_milliseconds() {
        let phases = [("lookup", Duration::from_micros(42)), ("encode", Duration::from_millis(1200))];
        assert_eq!(server_timing(&phases).unwrap(), "lookup;dur=0.042, encode;dur=1200.000");
        assert_eq!(server_timing(&[]), None);
    }

    #[test]
    fn ignored_names_are_quoted_and_limited() {
        assert_eq!(ignored_parameters(["utm_source", "a\"b\\ü"]).unwrap(), "\"utm_source\", \"a%22b%5C%C3%BC\"");
        assert_eq!(ignored_parameters([]), None);
        let long = "x".repeat(1000);
        let many = ignored_parameters(std::iter::repeat_n(long.as_str(), 1000)).unwrap();
        assert!(many.len() <= MAX_NAMES * (MAX_NAME + 4), "{}", many.len());
    }

    proptest! {
        #[test]
        fn any_text_can_be_sent(text in any::<String>()) {
            prop_assert!(ignored_parameters([text.as_str()]).is_some());
            prop_assert!(text.is_empty() || text.len() > 600 || canonical_link(&text).is_some());
        }
    }
}
