//! URLs that are made: an original's, from the base and its path; a redirect's, from `Location` (RFC 3986 §5.2).
//!
//! Owns escaping and the removal of dots. Does not know what may be fetched. Invariant: what is made is an absolute URL
//! without fragment, in ASCII, whose path has no segment `.` or `..`.

use http::Uri;
use percent_encoding::{AsciiSet, CONTROLS, percent_encode, utf8_percent_encode};

/// What stays as it is in a path: `unreserved`, `sub-delims`, `:`, `@` and `/`.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// In a query `?` stays too.
const QUERY: &AsciiSet = &PATH.remove(b'?');
/// What a sender of `Location` should have escaped.
const LOOSE: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');
/// Bytes of a `Location`.
const MAX_LOCATION: usize = 8192;

/// The URL of the original that is called `path` below `base`, which ends with a slash. What of `path` stands behind
/// its first `?` is the query.
pub(super) fn original(base: &str, path: &str) -> Option<Uri> {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let path = utf8_percent_encode(path, PATH);
    let url = match query {
        None => format!("{base}{path}"),
        Some(query) => format!("{base}{path}?{}", utf8_percent_encode(query, QUERY)),
    };
    url.parse().ok()
}

/// Where `location`, as sent by `from`, leads.
pub(super) fn redirect(from: &Uri, location: &[u8]) -> Option<Uri> {
    if location.len() > MAX_LOCATION {
        return None;
    }
    let text = percent_encode(location.trim_ascii(), LOOSE).to_string();
    let text = text.split('#').next().unwrap_or_default();
    let (scheme, authority) = (from.scheme_str()?, from.authority()?.as_str());
    let (reference, query) = text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)));
    let (site, path) = match (scheme_of(reference), reference.strip_prefix("//")) {
        (Some(rest), _) => {
            let (host, path) = split(rest.strip_prefix("//")?);
            (format!("{}://{host}", reference.get(..reference.len() - rest.len() - 1)?), path.to_owned())
        }
        (None, Some(rest)) => {
            let (host, path) = split(rest);
            (format!("{scheme}://{host}"), path.to_owned())
        }
        (None, None) => (format!("{scheme}://{authority}"), merge(from.path(), reference)),
    };
    let query = match query {
        None if reference.is_empty() => from.query(),
        query => query,
    };
    let path = without_dots(&path);
    match query {
        None => format!("{site}{path}").parse().ok(),
        Some(query) => format!("{site}{path}?{query}").parse().ok(),
    }
}

/// What comes after `scheme:`, where a reference begins with one.
fn scheme_of(reference: &str) -> Option<&str> {
    let (scheme, rest) = reference.split_once(':')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(plain)).then_some(rest)
}

fn split(text: &str) -> (&str, &str) {
    text.split_at(text.find('/').unwrap_or(text.len()))
}

fn merge(base: &str, reference: &str) -> String {
    match reference {
        "" => base.to_owned(),
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => {
            let folder = base.rfind('/').map_or("/", |slash| base.get(..=slash).unwrap_or("/"));
            format!("{folder}{relative}")
        }
    }
}

/// RFC 3986 §5.2.4, with escaped dots as dots.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn originals() {
        let url = |path| original("http://h:9090/base/", path).map(|uri| uri.to_string());
        for (path, expected) in [
            ("a/b.jpg", "a/b.jpg"),
            ("a b&c=d+e%.jpg", "a%20b&c=d+e%25.jpg"),
            ("é#[].png", "%C3%A9%23%5B%5D.png"),
            ("photo.jpg?v=1&w=2", "photo.jpg?v=1&w=2"),
            ("p?a b?c#d", "p?a%20b?c%23d"),
            ("p?", "p?"),
        ] {
            assert_eq!(url(path).unwrap(), format!("http://h:9090/base/{expected}"), "{path}");
        }
    }

    /// RFC 3986 §5.4, as far as it concerns http.
    #[test]
    fn redirects() {
        let base: Uri = "http://a/b/c/d;p?q".parse().unwrap();
        for (location, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../../../g", "http://a/g"),
            ("/%2e%2E/g", "http://a/g"),
            ("g/../h", "http://a/b/c/h"),
            ("https://x:8443/y?z", "https://x:8443/y?z"),
            ("http://x", "http://x/"),
            ("\u{e9} b", "http://a/b/c/%C3%A9%20b"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
        ] {
            assert_eq!(redirect(&base, location.as_bytes()).unwrap().to_string(), expected, "{location}");
        }
        for location in ["http:g", "http:///x", "file:///etc/passwd", "mailto:a", "//", "http://[::1/"] {
            let made = redirect(&base, location.as_bytes()).and_then(|uri| super::super::allow::Site::of(&uri).ok());
            assert_eq!(made, None, "{location}");
        }
    }

    proptest! {
        #[test]
        fn no_dots_are_left(location in "[a.:/?#%2eE@ \\\\é]{0,40}") {
            let base: Uri = "http://a/b/c".parse().unwrap();
            if let Some(uri) = redirect(&base, location.as_bytes()) {
                prop_assert!(uri.path().split('/').all(|segment| segment != ".." && segment != "."), "{}", uri);
            }
        }

        #[test]
        fn nothing_escapes_from_the_base(path in "[a?#%/ é&=:@+]{1,30}") {
            let uri = original("http://h/base/", &path).unwrap();
            prop_assert!(uri.path().starts_with("/base/") && uri.host() == Some("h"));
        }
    }
}
