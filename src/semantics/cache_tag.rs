//! `Cache-Tag`: names under which downstream caches forget many responses at once.
//!
//! Owns the limits that CloudFront and Cloudflare set. Does not know what tags mean.
//! Invariant: at most 50 distinct tags, each of 1–256 visible ASCII characters without a comma.

use http::HeaderValue;

/// Tags per response; CloudFront reads no more.
pub const MAX_TAGS: usize = 50;
/// Characters per tag.
pub const MAX_TAG_LENGTH: usize = 256;
/// Characters of the whole field, so that it passes through proxies with 8 KB for a response's head.
pub const MAX_FIELD_LENGTH: usize = 4096;

/// Whether a tag may be sent.
#[must_use]
pub fn is_valid(tag: &str) -> bool {
    (1..=MAX_TAG_LENGTH).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// The tags for `kind:name` pairs (`src`, `route`, `tenant`, `preset`) and then the URL's own.
///
/// What is beyond a limit, or cannot be sent as it is, is percent-encoded (in a name) or left out; earlier tags go first.
/// Tags are told apart without regard to case, as CloudFront does.
#[must_use]
pub fn tags(named: &[(&str, &str)], own: &[&str]) -> Vec<String> {
    let named = named.iter().map(|(kind, name)| self::named(kind, name));
    let own = own.iter().map(|&tag| tag.to_owned());
    let mut tags: Vec<String> = Vec::new();
    let mut length = 0;
    for tag in named.chain(own).filter(|tag| is_valid(tag)) {
        if tags.len() == MAX_TAGS || length + tag.len() + 1 > MAX_FIELD_LENGTH {
            break;
        }
        if !tags.iter().any(|known| known.eq_ignore_ascii_case(&tag)) {
            length += tag.len() + 1;
            tags.push(tag);
        }
    }
    tags
}

/// The tag of one `kind:name`.
#[must_use]
pub fn named(kind: &str, name: &str) -> String {
    format!("{kind}:{}", encode(name))
}

/// The field for these tags. `None` where there are none.
#[must_use]
pub fn field(tags: &[String]) -> Option<HeaderValue> {
    if tags.is_empty() {
        return None;
    }
    HeaderValue::try_from(tags.join(",")).ok()
}

/// A name with everything but visible ASCII, and `,` and `%`, percent-encoded: different names stay different.
fn encode(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_graphic() && byte != b',' && byte != b'%' {
            text.push(char::from(byte));
        } else {
            super::note::push_escape(&mut text, byte);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(named: &[(&str, &str)], own: &[&str]) -> Option<HeaderValue> {
        super::field(&tags(named, own))
    }

    #[test]
    fn kinds_first_then_own() {
        let tags =
            field(&[("src", "samples/a b,ü.jpg"), ("route", "/img/")], &["sale", "SALE", "bad,tag", "", "spring"]);
        assert_eq!(tags.unwrap(), "src:samples/a%20b%2C%C3%BC.jpg,route:/img/,sale,spring");
        assert_eq!(field(&[], &["", "a b"]), None);
    }

    #[test]
    fn limits() {
        let own: Vec<String> = (0..60).map(|number| format!("t{number}")).collect();
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let tags = field(&[("src", "x")], &own).unwrap();
        assert_eq!(tags.to_str().unwrap().split(',').count(), MAX_TAGS);
        let long = "x".repeat(MAX_TAG_LENGTH);
        assert!(is_valid(&long));
        assert!(!is_valid(&format!("{long}x")));
        assert_eq!(field(&[("src", &long)], &[&long]).unwrap(), long.as_str(), "with its kind it is too long");
        let many: Vec<String> = (10..50).map(|number| format!("{number}{}", &long[2..])).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(field(&[], &many).unwrap().len() <= MAX_FIELD_LENGTH);
    }
}
