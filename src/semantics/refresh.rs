//! What is kept of an origin's response, the conditional request made of it, and its update by a 304 (RFC 9111 §4.3).
//!
//! Owns the list of fields that are kept. Does not know bodies. Invariant: only fields of the list are kept, so that no
//! cookie or secret of an origin is ever repeated, and no more than [`MAX_FIELD`] bytes of each line.

use super::terms::{once, parse_date};
use http::header::{
    AGE, CACHE_CONTROL, CDN_CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, EXPIRES, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::SystemTime;

/// Bytes of a line that is kept.
const MAX_FIELD: usize = 4096;
/// Lines of one field that are kept.
const MAX_LINES: usize = 16;

/// What freshness, validation and the type follow from.
const KEPT: [HeaderName; 9] =
    [AGE, CACHE_CONTROL, CDN_CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, EXPIRES, LAST_MODIFIED, VARY];

/// The part of a response's head that is kept.
#[must_use]
pub fn keep(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(KEPT.len());
    for name in &KEPT {
        copy(name, headers, &mut kept);
    }
    kept
}

/// The stored head after a 304: fields that the 304 has replace those of the same name (RFC 9111 §3.2). `Age` and `Date`
/// are never taken over from before: they tell of the old response. Neither is `Content-Type`: bytes do not change by it.
#[must_use]
pub fn update(stored: &HeaderMap, not_modified: &HeaderMap) -> HeaderMap {
    let mut updated = HeaderMap::with_capacity(KEPT.len());
    for name in &KEPT {
        let renewed = not_modified.contains_key(name) && *name != CONTENT_TYPE;
        if renewed {
            copy(name, not_modified, &mut updated);
        } else if *name != AGE && *name != DATE {
            copy(name, stored, &mut updated);
        }
    }
    updated
}

fn copy(name: &HeaderName, from: &HeaderMap, to: &mut HeaderMap) {
    let lines = from.get_all(name).iter().take(MAX_LINES);
    for value in lines.filter(|value| value.len() <= MAX_FIELD || *name == CACHE_CONTROL) {
        // A line too long to be read is kept as what reading it would come to.
        let short = value.len() <= MAX_FIELD;
        to.append(name, if short { value.clone() } else { HeaderValue::from_static("no-store") });
    }
}

/// The fields that ask whether what is stored still holds (RFC 9111 §4.3.1): `If-None-Match` by its tag, weak or strong,
/// and `If-Modified-Since` by its date. Empty where it has neither.
#[must_use]
pub fn conditions(stored: &HeaderMap) -> HeaderMap {
    let mut asked = HeaderMap::new();
    if let Some(tag) = once(stored, &ETAG).filter(|tag| !tag.is_empty()) {
        asked.insert(IF_NONE_MATCH, tag.clone());
    }
    if let Some(date) = once(stored, &LAST_MODIFIED).filter(|date| parse_date(date).is_some()) {
        asked.insert(IF_MODIFIED_SINCE, date.clone());
    }
    asked
}

/// Whether a 304 speaks of the stored response (RFC 9111 §4.3.4): a tag that it names is the stored one.
#[must_use]
pub fn is_about(stored: &HeaderMap, not_modified: &HeaderMap) -> bool {
    let opaque = |headers: &HeaderMap| once(headers, &ETAG).map(|tag| tag.as_bytes().to_vec());
    match (opaque(stored), opaque(not_modified)) {
        (Some(stored), Some(sent)) => weak(&stored) == weak(&sent),
        // Without a tag to compare there is only our own condition to go by.
        _ => true,
    }
}

fn weak(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// When the original last changed, by its origin.
#[must_use]
pub fn modified(headers: &HeaderMap) -> Option<SystemTime> {
    once(headers, &LAST_MODIFIED).and_then(parse_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    const DAY: &str = "Wed, 01 Jan 2020 00:00:00 GMT";

    #[test]
    fn secrets_are_not_kept() {
        let kept = keep(&headers(&[("set-cookie", "id=1"), ("x-secret", "1"), ("etag", "\"a\""), ("vary", "a")]));
        assert_eq!(kept, headers(&[("etag", "\"a\""), ("vary", "a")]));
        assert_eq!(keep(&headers(&[("cache-control", &"x".repeat(5000))])), headers(&[("cache-control", "no-store")]));
    }

    #[test]
    fn conditions_follow_the_validators() {
        let asked = conditions(&headers(&[("etag", "W/\"a\""), ("last-modified", DAY)]));
        assert_eq!(asked, headers(&[("if-none-match", "W/\"a\""), ("if-modified-since", DAY)]));
        assert!(conditions(&headers(&[("cache-control", "max-age=1"), ("last-modified", "lately")])).is_empty());
        assert_eq!(conditions(&headers(&[("etag", "bare")])), headers(&[("if-none-match", "bare")]));
    }

    #[test]
    fn a_304_renews() {
        let stored = headers(&[
            ("cache-control", "max-age=1"),
            ("etag", "\"a\""),
            ("age", "50"),
            ("date", DAY),
            ("content-type", "image/png"),
            ("expires", "0"),
        ]);
        let sent = headers(&[("cache-control", "max-age=9"), ("content-type", "text/html"), ("set-cookie", "a")]);
        let expected = headers(&[
            ("cache-control", "max-age=9"),
            ("etag", "\"a\""),
            ("content-type", "image/png"),
            ("expires", "0"),
        ]);
        assert_eq!(update(&stored, &sent), expected);
    }

    #[test]
    fn a_304_may_speak_of_another() {
        let tag = |value| headers(&[("etag", value)]);
        assert!(is_about(&tag("\"a\""), &tag("W/\"a\"")) && is_about(&tag("\"a\""), &headers(&[])));
        assert!(!is_about(&tag("\"a\""), &tag("\"b\"")));
    }
}
