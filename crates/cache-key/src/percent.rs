//! Percent-escapes (RFC 3986 section 2.1): decoded exactly once, and encoded in one way only.
//!
//! Invariant: what `decode` refuses never reaches a parser: malformed escapes and bytes that are not UTF-8.

use std::borrow::Cow;

/// Why an escaped text cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// A `%` without two hexadecimal digits.
    Escape,
    /// The decoded bytes are not UTF-8.
    Utf8,
}

/// What a `+` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plus {
    /// Itself: in paths.
    Plus,
    /// A space: in queries, as HTML forms, `URLSearchParams` and `urlencode` write them.
    Space,
}

/// Decodes once. Borrows where nothing was escaped.
pub(crate) fn decode(text: &str, plus: Plus) -> Result<Cow<'_, str>, Malformed> {
    let plain = |b: u8| b != b'%' && (b != b'+' || plus == Plus::Plus);
    let Some(first) = text.bytes().position(|b| !plain(b)) else {
        return Ok(Cow::Borrowed(text));
    };
    let (head, tail) = text.as_bytes().split_at(first);
    let mut out = Vec::with_capacity(text.len());
    out.extend_from_slice(head);
    let mut bytes = tail.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let high = bytes.next().and_then(hex).ok_or(Malformed::Escape)?;
                let low = bytes.next().and_then(hex).ok_or(Malformed::Escape)?;
                high << 4 | low
            }
            b'+' if plus == Plus::Space => b' ',
            other => other,
        });
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| Malformed::Utf8)
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Appends `text`, escaping all but unreserved characters and those in `keep` (ASCII).
pub(crate) fn encode(text: &str, keep: &str, out: &mut String) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    for byte in text.bytes() {
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if unreserved || keep.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn decodes_once() {
        assert_eq!(decode("a%2Fb%252F", Plus::Plus).unwrap(), "a/b%2F");
        assert_eq!(decode("a+b", Plus::Plus).unwrap(), "a+b");
        assert_eq!(decode("a+b%2b", Plus::Space).unwrap(), "a b+");
        assert!(matches!(decode("plain", Plus::Space), Ok(Cow::Borrowed("plain"))));
        for bad in ["%", "%2", "%zz", "a%2", "%%20", "%+1"] {
            assert_eq!(decode(bad, Plus::Plus), Err(Malformed::Escape), "{bad}");
        }
        assert_eq!(decode("%ff", Plus::Plus), Err(Malformed::Utf8));
        assert_eq!(decode("%c3", Plus::Plus), Err(Malformed::Utf8));
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_back(text in ".{0,40}") {
            let mut out = String::new();
            encode(&text, "", &mut out);
            prop_assert!(out.is_ascii());
            prop_assert_eq!(decode(&out, Plus::Plus).unwrap(), text.as_str());
            prop_assert_eq!(decode(&out, Plus::Space).unwrap(), text.as_str());
        }
    }
}
