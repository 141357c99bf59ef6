//! What an origin's `Cache-Control` (RFC 9111 §5.2.2) and `CDN-Cache-Control` (RFC 9213) tell a shared cache.
//!
//! Owns the reading of the two fields. Does not know what follows from them. Invariant: nothing panics, the work is linear,
//! and whatever cannot be understood makes a response less reusable, never more.

use super::cache_control::MAX_DELTA_SECONDS;
use super::dictionary::{self, Value};
use http::header::{CACHE_CONTROL, CDN_CACHE_CONTROL};
use http::{HeaderMap, HeaderValue};
use std::time::Duration;

/// Bytes of a field that are read; what is longer counts as a `no-store`.
const MAX_BYTES: usize = 4096;

/// The directives that bear on a shared cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Directives {
    /// `no-store`, unless `must-understand` stands beside it: every status that is kept here is understood (§5.2.2.3).
    pub no_store: bool,
    /// `private`, also where it names fields.
    pub private: bool,
    /// `no-cache`, also where it names fields: to be revalidated before each use.
    pub no_cache: bool,
    /// `must-revalidate` or `proxy-revalidate`: never to be used stale.
    pub must_revalidate: bool,
    /// `s-maxage`; zero where it cannot be read.
    pub s_maxage: Option<Duration>,
    /// `max-age`, likewise.
    pub max_age: Option<Duration>,
    /// `stale-while-revalidate` (RFC 5861 §3).
    pub stale_while_revalidate: Option<Duration>,
    /// `stale-if-error` (RFC 5861 §4).
    pub stale_if_error: Option<Duration>,
}

impl Directives {
    /// All lines of `Cache-Control`.
    #[must_use]
    pub fn general(headers: &HeaderMap) -> Self {
        let (mut found, mut understand) = (Self::default(), false);
        for line in headers.get_all(CACHE_CONTROL) {
            if line.len() > MAX_BYTES {
                return Self { no_store: true, ..Self::default() };
            }
            for (name, argument) in Members(line.as_bytes()) {
                understand |= name.eq_ignore_ascii_case(b"must-understand");
                found.take(name, argument.map(seconds));
            }
        }
        found.no_store &= !understand;
        found
    }

    /// `CDN-Cache-Control`, where it is there, is a dictionary (RFC 9651 §3.2), and has a member; it then stands in for
    /// `Cache-Control` and `Expires` altogether (RFC 9213 §2.2).
    #[must_use]
    pub fn targeted(headers: &HeaderMap) -> Option<Self> {
        let lines: Vec<&[u8]> = headers.get_all(CDN_CACHE_CONTROL).iter().map(HeaderValue::as_bytes).collect();
        let text = lines.join(&b", "[..]);
        let members = dictionary::parse(&text).filter(|members| !members.is_empty() && text.len() <= MAX_BYTES)?;
        let (mut found, mut understand) = (Self::default(), false);
        for (name, value) in members {
            let timed = matches!(name, b"max-age" | b"s-maxage" | b"stale-while-revalidate" | b"stale-if-error");
            match value {
                // A directive of the wrong type makes the field as good as absent (RFC 9213 §2.1).
                Value::Integer(number) if timed => found.take(name, Some(Some(capped(number.max(0).unsigned_abs())))),
                _ if timed => return None,
                Value::Boolean(false) => {}
                _ => {
                    understand |= name == b"must-understand";
                    found.take(name, None);
                }
            }
        }
        found.no_store &= !understand;
        Some(found)
    }

    /// `argument`: absent, or given and then perhaps a number of seconds.
    fn take(&mut self, name: &[u8], argument: Option<Option<Duration>>) {
        let lower = name.to_ascii_lowercase();
        let slot = match lower.as_slice() {
            b"no-store" => return self.no_store = true,
            b"private" => return self.private = true,
            b"no-cache" => return self.no_cache = true,
            b"must-revalidate" | b"proxy-revalidate" => return self.must_revalidate = true,
            b"s-maxage" => &mut self.s_maxage,
            b"max-age" => &mut self.max_age,
            b"stale-while-revalidate" => &mut self.stale_while_revalidate,
            b"stale-if-error" => &mut self.stale_if_error,
            _ => return,
        };
        // What cannot be read is stale, and of two the shorter one counts (§4.2.1).
        let time = argument.flatten().unwrap_or_default();
        *slot = Some(slot.map_or(time, |other| other.min(time)));
    }
}

/// `1*DIGIT`, also in quotes (§5.2); more than everybody can hold is cut to that (§1.2.2).
fn seconds(argument: &[u8]) -> Option<Duration> {
    let digits = argument.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(argument);
    if digits.is_empty() {
        return None;
    }
    let number = digits.iter().try_fold(0_u64, |sum, &byte| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    });
    number.map(capped)
}

fn capped(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(MAX_DELTA_SECONDS))
}

/// The members `name` or `name=argument` of a line, parted by commas outside of quotes.
struct Members<'a>(&'a [u8]);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            let (mut quoted, mut escaped) = (false, false);
            let end = self.0.iter().position(|&byte| {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if quoted => escaped = true,
                    b'"' => quoted = !quoted,
                    b',' if !quoted => return true,
                    _ => {}
                }
                false
            });
            let (member, rest) = match end {
                Some(comma) => (self.0.get(..comma).unwrap_or_default(), self.0.get(comma + 1..).unwrap_or_default()),
                None => (self.0, &[][..]),
            };
            self.0 = rest;
            let member = member.trim_ascii();
            if member.is_empty() {
                continue;
            }
            let Some(equals) = member.iter().position(|&byte| byte == b'=') else { return Some((member, None)) };
            let (name, argument) = member.split_at(equals);
            // White space beside `=` is no part of the grammar: such an argument is not a number then.
            return Some((name.trim_ascii_end(), argument.get(1..)));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers(name: &'static str, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_str(line).unwrap());
        }
        headers
    }

    fn max_age(lines: &[&str]) -> Option<u64> {
        Directives::general(&headers("cache-control", lines)).max_age.map(|age| age.as_secs())
    }

    #[test]
    fn max_age_in_all_spellings() {
        let most = Some(MAX_DELTA_SECONDS);
        for (line, expected) in [
            ("max-age=60", Some(60)),
            ("MaX-aGe=60", Some(60)),
            ("public,max-age=60 , foo", Some(60)),
            ("max-age=\"60\"", Some(60)),
            ("max-age=003600", Some(3600)),
            ("max-age=2147483648", most),
            ("max-age=99999999999999999999999999", most),
            ("max-age='60'", Some(0)),
            ("max-age=-1", Some(0)),
            ("max-age=60.5", Some(0)),
            ("max-age=a60", Some(0)),
            ("max-age=60a", Some(0)),
            ("max-age= 60", Some(0)),
            ("max-age", Some(0)),
            ("max-age=", Some(0)),
            ("max-age=60, max-age=1", Some(1)),
            ("foo=\"max-age=60\"", None),
            ("foo=\"a\\\", max-age=9, b\", max-age=60", Some(60)),
            ("foo=\", max-age=60", None),
            ("s-maxage=60", None),
            ("", None),
        ] {
            assert_eq!(max_age(&[line]), expected, "{line}");
        }
        assert_eq!(max_age(&["max-age=60", "max-age=5"]), Some(5));
    }

    #[test]
    fn directives_without_numbers() {
        let read = |line| Directives::general(&headers("cache-control", &[line]));
        assert!(read("nO-StOrE").no_store && read("a, no-store,max-age=3").no_store);
        assert!(!read("max-age=3600, no-store, must-understand").no_store);
        assert!(read("private=\"set-cookie\"").private && read("private").private);
        assert!(read("no-cache=\"a, b\"").no_cache && !read("x=\"no-cache\"").no_cache);
        assert!(read("proxy-revalidate").must_revalidate && read("must-revalidate").must_revalidate);
        assert!(read(&format!("max-age=9, {}", "x".repeat(MAX_BYTES))).no_store);
    }

    #[test]
    fn the_targeted_field_is_a_dictionary_or_nothing() {
        let read = |line: &str| Directives::targeted(&headers("cdn-cache-control", &[line]));
        assert_eq!(read("foobar, max-age=3600").unwrap().max_age, Some(Duration::from_secs(3600)));
        assert_eq!(read("max-age=99999999999").unwrap().max_age, Some(Duration::from_secs(MAX_DELTA_SECONDS)));
        assert!(read("no-store").unwrap().no_store && read("private;a=1").unwrap().private);
        for line in ["", "max-age=10000, &&&&&", "max-age=\"10000\"", "max-age=1.5", "max-age", "Max-Age=1", "a b"] {
            assert_eq!(read(line), None, "{line}");
        }
        let lines = headers("cdn-cache-control", &["max-age=1", "no-cache"]);
        assert!(Directives::targeted(&lines).unwrap().no_cache);
    }

    proptest! {
        #[test]
        fn nothing_panics(value in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                let mut headers = HeaderMap::new();
                headers.insert(CACHE_CONTROL, value.clone());
                headers.insert(CDN_CACHE_CONTROL, value);
                let _ = (Directives::general(&headers), Directives::targeted(&headers));
            }
        }

        /// Whatever stands before it, a `no-store` outside of quotes counts.
        #[test]
        fn no_store_is_never_lost(before in "[a-z=0-9, ;']{0,40}") {
            let line = format!("{before},no-store");
            prop_assert!(Directives::general(&headers("cache-control", &[&line])).no_store);
        }
    }
}
