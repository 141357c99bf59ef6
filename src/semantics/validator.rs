//! Validators and conditional requests (RFC 9110 §8.8, §13).
//!
//! Owns entity tags, `Last-Modified`, and the precedence of the five preconditions. Does not know what is sent when one
//! fails. Invariant: a precondition that cannot be read never leads to a 304 or a partial body.

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::time::{Duration, SystemTime};

/// A strong entity tag: equal tags mean equal bytes, on every instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTag(HeaderValue);

impl EntityTag {
    /// From the BLAKE3 hash of the rendition's bytes; its first 128 bits, in hexadecimal.
    #[must_use]
    pub fn from_hash(hash: &[u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = Vec::with_capacity(34);
        text.push(b'"');
        for byte in &hash[..16] {
            text.push(DIGITS[usize::from(byte >> 4)]);
            text.push(DIGITS[usize::from(byte & 15)]);
        }
        text.push(b'"');
        Self(
            HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).expect("hexadecimal digits in quotes are visible"),
        )
    }

    /// From the rendition's bytes.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self::from_hash(blake3::hash(body).as_bytes())
    }

    /// As sent in `ETag`, with its quotes.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

/// When the original last changed, to the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastModified {
    time: SystemTime,
    header: HeaderValue,
}

impl LastModified {
    /// Cut to whole seconds, and no later than `now` (RFC 9110 §8.8.2.1). `None` for times that HTTP cannot say
    /// (before 1970, after 9999).
    #[must_use]
    pub fn new(time: SystemTime, now: SystemTime) -> Option<Self> {
        const YEAR_10000: u64 = 253_402_300_800;
        let seconds = time.min(now).duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        if seconds >= YEAR_10000 {
            return None;
        }
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let header = HeaderValue::try_from(httpdate::fmt_http_date(time)).ok()?;
        Some(Self { time, header })
    }

    /// The time, in whole seconds.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// As sent in `Last-Modified`.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }
}

/// What the preconditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Answer as if there were none.
    Proceed,
    /// 304.
    NotModified,
    /// 412.
    Failed,
}

/// Evaluates `If-Match`, `If-Unmodified-Since`, `If-None-Match` and `If-Modified-Since` in the order of RFC 9110 §13.2.2
/// for a representation that exists. `If-Range` is [`if_range`].
#[must_use]
pub fn evaluate(
    method: &Method,
    headers: &HeaderMap,
    etag: &EntityTag,
    last_modified: Option<&LastModified>,
) -> Precondition {
    if headers.contains_key(IF_MATCH) {
        if !any_matches(headers, IF_MATCH, etag, Comparison::Strong) {
            return Precondition::Failed;
        }
    } else if let Some(modified) = last_modified
        && let Some(date) = date(headers, &IF_UNMODIFIED_SINCE)
        && modified.time > date
    {
        return Precondition::Failed;
    }
    let reads = *method == Method::GET || *method == Method::HEAD;
    if headers.contains_key(IF_NONE_MATCH) {
        if any_matches(headers, IF_NONE_MATCH, etag, Comparison::Weak) {
            return if reads { Precondition::NotModified } else { Precondition::Failed };
        }
    } else if reads
        && let Some(modified) = last_modified
        && let Some(date) = date(headers, &IF_MODIFIED_SINCE)
        && modified.time <= date
    {
        return Precondition::NotModified;
    }
    Precondition::Proceed
}

/// Whether `Range` may be honoured (RFC 9110 §13.1.5): there is no `If-Range`, or it holds the current strong tag.
///
/// A date never holds: `Last-Modified` is the original's, and a rendition can change while the original does not, so it
/// is no strong validator (§8.8.2.2). Such a client gets the whole.
#[must_use]
pub fn if_range(headers: &HeaderMap, etag: &EntityTag) -> bool {
    match single(headers, &IF_RANGE) {
        Field::Absent => true,
        Field::One(value) => value.as_bytes().trim_ascii() == etag.0.as_bytes(),
        Field::Several => false,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Whether one of the entity tags in all lines of `name`, or `*`, matches `etag` (RFC 9110 §8.8.3.2).
fn any_matches(headers: &HeaderMap, name: HeaderName, etag: &EntityTag, comparison: Comparison) -> bool {
    headers.get_all(name).iter().any(|line| line_matches(line.as_bytes(), etag.0.as_bytes(), comparison))
}

/// One line: `*`, or a list of entity tags. What follows a malformed member is not read.
fn line_matches(line: &[u8], ours: &[u8], comparison: Comparison) -> bool {
    // One tag of ours alone is what nearly every conditional request holds.
    if line == ours || line.trim_ascii() == b"*" {
        return true;
    }
    let mut rest = line;
    loop {
        while let [b',' | b' ' | b'\t', tail @ ..] = rest {
            rest = tail;
        }
        let (weak, tail) = match rest {
            [b'W', b'/', tail @ ..] => (true, tail),
            tail => (false, tail),
        };
        let [b'"', opaque @ ..] = tail else { return false };
        let Some(end) = opaque.iter().position(|&byte| byte == b'"') else { return false };
        // With both quotes: the opening one, `end` bytes, the closing one.
        let (tag, next) = tail.split_at(end + 2);
        if tag == ours && (comparison == Comparison::Weak || !weak) {
            return true;
        }
        // Between members there is white space, then a comma.
        match next.trim_ascii_start() {
            [b',', tail @ ..] => rest = tail,
            _ => return false,
        }
    }
}

/// The date in a field; `None` where it is absent, given twice, or not a date (RFC 9110 §13.1.3, §13.1.4).
fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    match single(headers, name) {
        Field::One(value) => httpdate::parse_http_date(value.to_str().ok()?.trim()).ok(),
        Field::Absent | Field::Several => None,
    }
}

/// A field that may be given once only.
pub(super) enum Field<'a> {
    /// Not there.
    Absent,
    /// Given once.
    One(&'a HeaderValue),
    /// Given on several lines: nobody knows which one is meant.
    Several,
}

pub(super) fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Field<'a> {
    let mut lines = headers.get_all(name).iter();
    match (lines.next(), lines.next()) {
        (None, _) => Field::Absent,
        (Some(value), None) => Field::One(value),
        (Some(_), Some(_)) => Field::Several,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// Sun, 06 Nov 1994 08:49:37 GMT, the RFC's own example.
    const EXAMPLE: u64 = 784_111_777;

    fn tag() -> EntityTag {
        EntityTag::from_hash(&[0xab; 32])
    }

    const OURS: &str = "\"abababababababababababababababab\"";

    fn outcome(method: &Method, fields: &[(HeaderName, &str)]) -> Precondition {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        evaluate(method, &headers, &tag(), LastModified::new(at(EXAMPLE), at(EXAMPLE + 1)).as_ref())
    }

    #[test]
    fn tags_are_strong_quoted_and_a_function_of_the_bytes() {
        assert_eq!(tag().header(), OURS);
        assert_eq!(EntityTag::of(b"one"), EntityTag::of(b"one"));
        assert_ne!(EntityTag::of(b"one"), EntityTag::of(b"two"));
        // BLAKE3 of the empty string starts so; the tag must be the same in every release.
        assert_eq!(EntityTag::of(b"").header(), "\"af1349b9f5f9a1a6a0404dea36dcc949\"");
    }

    #[test]
    fn last_modified_is_never_in_the_future() {
        let modified = LastModified::new(at(EXAMPLE) + Duration::from_millis(900), at(EXAMPLE + 5)).unwrap();
        assert_eq!(modified.header(), "Sun, 06 Nov 1994 08:49:37 GMT");
        let clamped = LastModified::new(at(EXAMPLE + 3600), at(EXAMPLE)).unwrap();
        assert_eq!(clamped.header(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(LastModified::new(at(0) - Duration::from_secs(1), at(EXAMPLE)), None);
        assert_eq!(LastModified::new(at(253_402_300_800), at(253_402_300_900)), None);
    }

    /// RFC 9110 §13.1.2; weak comparison per §8.8.3.2.
    #[test]
    fn if_none_match() {
        let matching = [
            OURS.to_owned(),
            format!("W/{OURS}"),
            "*".to_owned(),
            " * ".to_owned(),
            format!("\"other\", {OURS}"),
            format!("W/\"a,b\" ,,\t{OURS} , \"z\""),
            format!("\"\",{OURS}"),
        ];
        for value in &matching {
            assert_eq!(outcome(&Method::GET, &[(IF_NONE_MATCH, value)]), Precondition::NotModified, "{value}");
            assert_eq!(outcome(&Method::HEAD, &[(IF_NONE_MATCH, value)]), Precondition::NotModified, "{value}");
            assert_eq!(outcome(&Method::PUT, &[(IF_NONE_MATCH, value)]), Precondition::Failed, "{value}");
        }
        let bare = OURS.trim_matches('"');
        let other = [
            "\"other\"".to_owned(),
            bare.to_owned(),
            format!("\"{bare}"),
            format!("garbage {OURS}"),
            format!("w/{OURS}"),
            format!("\"a\" \"b\", {OURS}"),
            String::new(),
            ",".to_owned(),
        ];
        for value in &other {
            assert_eq!(outcome(&Method::GET, &[(IF_NONE_MATCH, value)]), Precondition::Proceed, "{value}");
        }
        let lines = [(IF_NONE_MATCH, "\"a\""), (IF_NONE_MATCH, OURS)];
        assert_eq!(outcome(&Method::GET, &lines), Precondition::NotModified);
    }

    /// RFC 9110 §13.1.3.
    #[test]
    fn if_modified_since() {
        let cases = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Precondition::NotModified),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Precondition::NotModified),
            ("Sun Nov  6 08:49:37 1994", Precondition::NotModified),
            ("Sun, 06 Nov 1994 08:49:38 GMT", Precondition::NotModified),
            ("Sun, 06 Nov 1994 08:49:36 GMT", Precondition::Proceed),
            ("yesterday", Precondition::Proceed),
            ("", Precondition::Proceed),
        ];
        for (value, expected) in cases {
            assert_eq!(outcome(&Method::GET, &[(IF_MODIFIED_SINCE, value)]), expected, "{value}");
        }
        let fresh = cases[0].0;
        assert_eq!(outcome(&Method::POST, &[(IF_MODIFIED_SINCE, fresh)]), Precondition::Proceed);
        let twice = [(IF_MODIFIED_SINCE, fresh), (IF_MODIFIED_SINCE, fresh)];
        assert_eq!(outcome(&Method::GET, &twice), Precondition::Proceed, "a list is no date");
        let both = [(IF_MODIFIED_SINCE, fresh), (IF_NONE_MATCH, "\"other\"")];
        assert_eq!(outcome(&Method::GET, &both), Precondition::Proceed, "If-None-Match goes before it");
    }

    /// RFC 9110 §13.1.1, §13.1.4, and the precedence of §13.2.2.
    #[test]
    fn if_match_and_if_unmodified_since() {
        let early = "Sun, 06 Nov 1994 08:49:36 GMT";
        let late = "Sun, 06 Nov 1994 08:49:37 GMT";
        let weak = format!("W/{OURS}");
        let cases: [(&[(HeaderName, &str)], Precondition); 8] = [
            (&[(IF_MATCH, OURS)], Precondition::Proceed),
            (&[(IF_MATCH, "*")], Precondition::Proceed),
            (&[(IF_MATCH, &weak)], Precondition::Failed),
            (&[(IF_MATCH, "\"other\"")], Precondition::Failed),
            (&[(IF_UNMODIFIED_SINCE, late)], Precondition::Proceed),
            (&[(IF_UNMODIFIED_SINCE, early)], Precondition::Failed),
            (&[(IF_MATCH, OURS), (IF_UNMODIFIED_SINCE, early)], Precondition::Proceed),
            (&[(IF_MATCH, "\"other\""), (IF_NONE_MATCH, OURS)], Precondition::Failed),
        ];
        for (fields, expected) in cases {
            assert_eq!(outcome(&Method::GET, fields), expected, "{fields:?}");
        }
    }

    /// RFC 9110 §13.1.5.
    #[test]
    fn if_range_wants_the_strong_tag() {
        let holds = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(IF_RANGE, HeaderValue::from_str(value).unwrap());
            if_range(&headers, &tag())
        };
        assert!(if_range(&HeaderMap::new(), &tag()));
        assert!(holds(OURS));
        assert!(!holds(&format!("W/{OURS}")));
        assert!(!holds("\"other\""));
        assert!(!holds("*"));
        assert!(!holds("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert!(!holds(""));
    }

    proptest! {
        #[test]
        fn no_line_panics(line in prop::collection::vec(any::<u8>(), 0..120)) {
            line_matches(&line, OURS.as_bytes(), Comparison::Weak);
            if let Ok(value) = HeaderValue::from_bytes(&line) {
                for name in [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, IF_RANGE] {
                    let headers = HeaderMap::from_iter([(name, value.clone())]);
                    let _ = evaluate(&Method::GET, &headers, &tag(), LastModified::new(at(9), at(9)).as_ref());
                    let _ = if_range(&headers, &tag());
                }
            }
        }

        #[test]
        fn only_our_tag_matches(
            before in prop::collection::vec("(W/)?\"[!#-~]{0,12}\"", 0..4),
            after in prop::collection::vec("(W/)?\"[!#-~]{0,12}\"", 0..4),
        ) {
            let without = [before.clone(), after.clone()].concat().join(", ");
            prop_assert!(!line_matches(without.as_bytes(), OURS.as_bytes(), Comparison::Weak));
            let with = [before, vec![OURS.to_owned()], after].concat().join(" , ");
            prop_assert!(line_matches(with.as_bytes(), OURS.as_bytes(), Comparison::Strong));
        }
    }
}
