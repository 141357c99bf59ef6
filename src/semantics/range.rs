//! Range requests (RFC 9110 §14).
//!
//! Owns the reading of `Range` and `Content-Range`. Does not know bodies, only their length.
//! Invariant: a selected range lies within the representation and is not empty.
//!
//! Several ranges in one request are answered with the whole representation, as §14.2 allows: pictures are fetched whole
//! or resumed from one offset, and `multipart/byteranges` is a known way to make a server send more than it holds.

use super::validator::{Field, single};
use http::header::RANGE;
use http::{HeaderMap, HeaderValue, Method};

/// What a request asks for of a representation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of it, with 200.
    Whole,
    /// This part, with 206.
    Part(ByteRange),
    /// Nothing that exists: 416.
    Unsatisfiable,
}

/// A part of a representation: `first` ≤ `last` < its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ByteRange {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte, inclusive.
    pub last: u64,
}

impl ByteRange {
    /// `Content-Range` (§14.4) for a representation of `length` bytes.
    #[must_use]
    pub fn content_range(self, length: u64) -> HeaderValue {
        HeaderValue::try_from(format!("bytes {}-{}/{length}", self.first, self.last)).expect("digits are visible")
    }
}

/// `Content-Range` of a 416 (§15.5.17) for a representation of `length` bytes.
#[must_use]
pub fn unsatisfied(length: u64) -> HeaderValue {
    HeaderValue::try_from(format!("bytes */{length}")).expect("digits are visible")
}

/// What `Range` selects of `length` bytes. `If-Range` has to be looked at by the caller.
///
/// Only GET has ranges (§14.2). Other units, several ranges, several lines and whatever breaks the grammar are ignored.
#[must_use]
pub fn select(method: &Method, headers: &HeaderMap, length: u64) -> Selection {
    match single(headers, &RANGE) {
        Field::One(value) if *method == Method::GET => parse(value.as_bytes(), length),
        _ => Selection::Whole,
    }
}

fn parse(value: &[u8], length: u64) -> Selection {
    let Some((unit, set)) = value.trim_ascii().split_at_checked(6) else { return Selection::Whole };
    if !unit.eq_ignore_ascii_case(b"bytes=") || length == 0 {
        return Selection::Whole;
    }
    let set = set.trim_ascii();
    let Some(dash) = set.iter().position(|&byte| byte == b'-') else { return Selection::Whole };
    let (first, last) = (set.get(..dash).unwrap_or_default(), set.get(dash + 1..).unwrap_or_default());
    match (first, last) {
        // `-n`: the last n bytes (§14.1.2).
        ([], suffix) => match digits(suffix) {
            Some(0) => Selection::Unsatisfiable,
            Some(count) => Selection::Part(ByteRange { first: length.saturating_sub(count), last: length - 1 }),
            None => Selection::Whole,
        },
        (first, last) => {
            let last = if last.is_empty() { Some(u64::MAX) } else { digits(last) };
            match (digits(first), last) {
                (Some(first), Some(last)) if first <= last => {
                    if first >= length {
                        Selection::Unsatisfiable
                    } else {
                        Selection::Part(ByteRange { first, last: last.min(length - 1) })
                    }
                }
                _ => Selection::Whole,
            }
        }
    }
}

/// `1*DIGIT`; what does not fit is as good as endless.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, &byte| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(first: u64, last: u64) -> Selection {
        Selection::Part(ByteRange { first, last })
    }

    /// The examples of RFC 9110 §14.1.2 and their neighbours, on 10,000 bytes.
    #[test]
    fn single_ranges() {
        let cases = [
            ("bytes=0-499", part(0, 499)),
            ("bytes=500-999", part(500, 999)),
            ("bytes=-500", part(9500, 9999)),
            ("bytes=9500-", part(9500, 9999)),
            ("bytes=0-0", part(0, 0)),
            ("bytes=-1", part(9999, 9999)),
            ("bytes=0-", part(0, 9999)),
            ("bytes=0-99999", part(0, 9999)),
            ("bytes=-99999", part(0, 9999)),
            ("BYTES=1-2", part(1, 2)),
            (" bytes= 1-2 ", part(1, 2)),
            ("bytes=0-99999999999999999999999999", part(0, 9999)),
            ("bytes=10000-", Selection::Unsatisfiable),
            ("bytes=10000-10001", Selection::Unsatisfiable),
            ("bytes=99999999999999999999999999-", Selection::Unsatisfiable),
            ("bytes=-0", Selection::Unsatisfiable),
        ];
        for (value, expected) in cases {
            assert_eq!(parse(value.as_bytes(), 10_000), expected, "{value}");
        }
    }

    #[test]
    fn what_is_ignored() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=2-1",
            "bytes=a-b",
            "bytes=1-2x",
            "bytes=+1-2",
            "bytes=1 - 2",
            "bytes=0-1,5-6",
            "bytes=1--2",
            "bytes 0-1",
            "items=0-1",
            "bytes=0x1-2",
        ] {
            assert_eq!(parse(value.as_bytes(), 10_000), Selection::Whole, "{value}");
        }
        assert_eq!(parse(b"bytes=0-", 0), Selection::Whole, "no range lies in nothing");
    }

    #[test]
    fn only_get_and_only_one_line() {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_static("bytes=0-1"));
        assert_eq!(select(&Method::GET, &headers, 10), part(0, 1));
        assert_eq!(select(&Method::HEAD, &headers, 10), Selection::Whole);
        headers.append(RANGE, HeaderValue::from_static("bytes=0-1"));
        assert_eq!(select(&Method::GET, &headers, 10), Selection::Whole);
    }

    #[test]
    fn content_range() {
        assert_eq!(ByteRange { first: 0, last: 499 }.content_range(1234), "bytes 0-499/1234");
        assert_eq!(unsatisfied(47_022), "bytes */47022");
    }

    proptest! {
        #[test]
        fn parts_lie_within(
            value in prop_oneof![
                "bytes=[0-9]{0,22}-[0-9]{0,22}".prop_map(String::into_bytes),
                "bytes=[-0-9, ]{0,12}".prop_map(String::into_bytes),
                prop::collection::vec(any::<u8>(), 0..40),
            ],
            length in prop_oneof![0_u64..20, any::<u64>()],
        ) {
            if let Selection::Part(range) = parse(&value, length) {
                prop_assert!(range.first <= range.last && range.last < length);
            }
        }
    }
}
