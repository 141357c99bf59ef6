//! The source path: what a route's rest of the path names at its origin.
//!
//! Knows no file system and no network. Invariant of a [`SourcePath`]: decoded exactly once; one or more segments with
//! `/` between them, none empty, `.` or `..`; no `\`, no control characters, no escape that a second decoding would
//! change. It never starts or ends with `/`.

use crate::percent::{Malformed, Plus, decode, encode, hex};
use std::fmt;

/// Longest path, in bytes, before and after decoding.
pub const MAX_PATH_BYTES: usize = 2048;

/// Where an original is: an origin of the config, and the path there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginRef {
    /// The origin's name in the config.
    pub origin: String,
    /// The path there.
    pub path: SourcePath,
}

/// A path at an origin, decoded and safe to join to a root.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourcePath(String);

impl SourcePath {
    /// Reads the raw rest of a request's path, after the route's prefix and its slash, undecoded.
    ///
    /// # Errors
    /// See [`PathError`]. An escaped slash is a slash, and what it makes is checked like all else.
    pub fn parse(raw: &str) -> Result<Self, PathError> {
        if raw.len() > MAX_PATH_BYTES {
            return Err(PathError::TooLong);
        }
        let path = decode(raw, Plus::Plus).map_err(|malformed| match malformed {
            Malformed::Escape => PathError::Escape,
            Malformed::Utf8 => PathError::NotUtf8,
        })?;
        check(&path)?;
        let path = Self(path.into_owned());
        // As it will stand in URLs of ours: what is not escaped here may be there.
        if path.encoded().len() > MAX_PATH_BYTES {
            return Err(PathError::TooLong);
        }
        Ok(path)
    }

    /// The decoded path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments, one at least.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last segment: the file's name.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// The path for a URL, escaped in one way only; [`SourcePath::parse`] reads it back.
    pub fn encoded(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        encode(&self.0, "/!$'()*+,:;=@", &mut out);
        out
    }
}

impl fmt::Display for SourcePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(path: &str) -> Result<(), PathError> {
    if path.contains('\\') {
        return Err(PathError::Backslash);
    }
    if path.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    let mut rest = path;
    while let Some((_, after)) = rest.split_once('%') {
        let mut next = after.bytes();
        if next.next().and_then(hex).is_some() && next.next().and_then(hex).is_some() {
            return Err(PathError::SecondEscape);
        }
        rest = after;
    }
    for segment in path.split('/') {
        match segment {
            "" => return Err(PathError::EmptySegment),
            "." | ".." => return Err(PathError::DotSegment),
            _ => {}
        }
    }
    Ok(())
}

/// Why a path is refused; always the client's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PathError {
    /// Over [`MAX_PATH_BYTES`], as it came or as it is escaped ([`SourcePath::encoded`]).
    TooLong,
    /// A `%` without two hexadecimal digits.
    Escape,
    /// Not UTF-8 once decoded.
    NotUtf8,
    /// An escape is left after decoding.
    SecondEscape,
    /// A `\`.
    Backslash,
    /// NUL or another control character.
    Control,
    /// Nothing, or nothing between two slashes, before the first or after the last.
    EmptySegment,
    /// A segment `.` or `..`.
    DotSegment,
}

impl PathError {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Escape => "escape",
            Self::NotUtf8 => "not-utf8",
            Self::SecondEscape => "second-escape",
            Self::Backslash => "backslash",
            Self::Control => "control",
            Self::EmptySegment => "empty-segment",
            Self::DotSegment => "dot-segment",
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the path has more than {MAX_PATH_BYTES} bytes"),
            Self::Escape => f.write_str("the path has a `%` without two hexadecimal digits; write `%25` for `%`"),
            Self::NotUtf8 => f.write_str("the path is not UTF-8"),
            Self::SecondEscape => f.write_str("the path is escaped twice"),
            Self::Backslash => f.write_str("the path has a `\\`"),
            Self::Control => f.write_str("the path has a control character"),
            Self::EmptySegment => f.write_str("the path is empty or has an empty segment"),
            Self::DotSegment => f.write_str("the path has a segment `.` or `..`"),
        }
    }
}

impl std::error::Error for PathError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_could_lead_astray() {
        for (raw, expected) in [
            ("", PathError::EmptySegment),
            ("/a", PathError::EmptySegment),
            ("a/", PathError::EmptySegment),
            ("a//b", PathError::EmptySegment),
            ("a%2F%2Fb", PathError::EmptySegment),
            ("..", PathError::DotSegment),
            ("a/../b", PathError::DotSegment),
            ("a/%2e%2E/b", PathError::DotSegment),
            ("a%2f..%2fb", PathError::DotSegment),
            ("./a", PathError::DotSegment),
            ("a%5Cb", PathError::Backslash),
            ("a\\b", PathError::Backslash),
            ("a%00b", PathError::Control),
            ("a%0ab", PathError::Control),
            ("a%7f", PathError::Control),
            ("a%C2%85", PathError::Control),
            ("%252e%252e/a", PathError::SecondEscape),
            ("a%2525b%2541", PathError::SecondEscape),
            ("a%%", PathError::Escape),
            ("a%2", PathError::Escape),
            ("a%ff", PathError::NotUtf8),
            ("%c0%ae%c0%ae/a", PathError::NotUtf8),
        ] {
            assert_eq!(SourcePath::parse(raw), Err(expected), "{raw}");
        }
        assert_eq!(SourcePath::parse(&"a".repeat(MAX_PATH_BYTES + 1)), Err(PathError::TooLong));
    }

    /// Found by fuzzing: 700 brackets were a path, and the URL that named it was none.
    #[test]
    fn what_is_a_path_is_one_escaped_too() {
        assert_eq!(SourcePath::parse(&"]".repeat(MAX_PATH_BYTES / 3 + 1)), Err(PathError::TooLong));
        let longest = SourcePath::parse(&"]".repeat(MAX_PATH_BYTES / 3)).expect("short enough");
        assert_eq!(SourcePath::parse(&longest.encoded()), Ok(longest));
    }

    #[test]
    fn decodes_once() {
        for (raw, decoded) in [
            ("cats/tom.jpg", "cats/tom.jpg"),
            ("cats%2Ftom.jpg", "cats/tom.jpg"),
            ("a+b%20c.jpg", "a+b c.jpg"),
            ("100%25.jpg", "100%.jpg"),
            ("...", "..."),
            ("%C3%A9.png", "é.png"),
        ] {
            assert_eq!(SourcePath::parse(raw).unwrap().as_str(), decoded);
        }
        let path = SourcePath::parse("a/b%20c/d.jpg").unwrap();
        assert_eq!(path.segments().collect::<Vec<_>>(), ["a", "b c", "d.jpg"]);
        assert_eq!((path.file_name(), path.encoded().as_str()), ("d.jpg", "a/b%20c/d.jpg"));
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_safe_and_reads_back(raw in "([a-c./%25]|%2[eEfF5]|%5[cC]|%00|é){0,12}") {
            if let Ok(path) = SourcePath::parse(&raw) {
                prop_assert!(path.segments().all(|s| !s.is_empty() && s != "." && s != ".."));
                prop_assert!(!path.as_str().contains(['\\', '\0']));
                prop_assert_eq!(SourcePath::parse(&path.encoded()).unwrap(), path);
            }
        }
    }
}
