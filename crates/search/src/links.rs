//! URLs of assets at the edge, signed where a key is configured.
//!
//! Knows no route's settings: that the edge serves the folder and takes the key is its config's business. Invariant: a URL
//! that is signed holds for a whole `signed_for` from when it was made, and is the same for as long: caches find it again.

use crate::config::SearchConfig;
use finder::Document;
use signature::{Key, Request, sign};
use std::fmt::Write as _;
use std::time::Duration;

/// Versions of one asset that are told apart by seconds of their URLs' ends.
const VERSIONS: u64 = 60;

/// Makes URLs.
pub(crate) struct Links {
    /// Scheme and host; empty where URLs are relative.
    origin: String,
    /// What comes before the tenant, with both slashes.
    prefix: String,
    key: Option<Key>,
    signed_for: Duration,
    widths: Vec<u32>,
    thumbnail: u32,
}

/// The URLs of one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Linked {
    pub(crate) url: String,
    pub(crate) renditions: Vec<(u32, String)>,
}

impl Links {
    pub(crate) fn new(config: &SearchConfig) -> Result<Self, String> {
        let after_scheme = config.edge.find("://").map_or(0, |at| at + 3);
        let path = config.edge.get(after_scheme..).and_then(|rest| rest.find('/')).unwrap_or(0) + after_scheme;
        let (origin, prefix) = config.edge.split_at(path);
        let key = match (&config.key_id, &config.key_secret) {
            (Some(id), Some(secret)) => {
                let key = Key::new(id, "", secret.expose().as_bytes());
                Some(key.map_err(|error| format!("search.key_id, search.key_secret: {error}"))?)
            }
            _ => None,
        };
        Ok(Self {
            origin: origin.to_owned(),
            prefix: prefix.to_owned(),
            key,
            signed_for: config.signed_for,
            widths: config.widths.clone(),
            thumbnail: config.thumbnail,
        })
    }

    /// The URLs of an asset; no width is above its own. `now` in Unix seconds.
    pub(crate) fn of(&self, document: &Document, now: u64) -> Linked {
        let Document { tenant, path, .. } = document;
        let (own, until) = (document.width.max(1), self.end(document.version, now));
        let path = format!("{}{}/{}", self.prefix, escaped(tenant), escaped(path));
        let mut widths: Vec<u32> = self.widths.iter().map(|wanted| (*wanted).min(own)).collect();
        widths.sort_unstable();
        widths.dedup();
        Linked {
            url: self.one(&path, self.thumbnail.min(own), until),
            renditions: widths.into_iter().map(|width| (width, self.one(&path, width, until))).collect(),
        }
    }

    /// Until when URLs of a version hold, in Unix seconds. Another version has another end, and so another URL: what
    /// browsers keep of the one before is not shown for it.
    fn end(&self, version: u64, now: u64) -> u64 {
        let period = self.signed_for.as_secs().max(1);
        (now / period + 2) * period + version % VERSIONS
    }

    fn one(&self, path: &str, width: u32, end: u64) -> String {
        let query = format!("w={width}&f=auto");
        let Some(key) = &self.key else { return format!("{}{path}?{query}", self.origin) };
        let request = Request { method: "GET", host: None, path, query: Some(&query) };
        match sign(key, &request, Some(end)) {
            Ok(signed) => format!("{}{signed}", self.origin),
            Err(error) => {
                tracing::warn!(%error, path, "a URL cannot be signed");
                format!("{}{path}?{query}", self.origin)
            }
        }
    }
}

/// A path's segments, percent-encoded but for what RFC 3986 leaves in them.
fn escaped(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// `URL 320w, URL 640w`: the attribute.
pub(crate) fn srcset(renditions: &[(u32, String)]) -> String {
    let parts: Vec<String> = renditions.iter().map(|(width, url)| format!("{url} {width}w")).collect();
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::{Links, srcset};
    use crate::config::SearchConfig;
    use finder::Document;
    use serde_json::json;
    use service::config;
    use signature::{Key, Request, Verifier};

    fn links(sets: &[&str]) -> Links {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        Links::new(&config::load::<SearchConfig>(None, [], &sets).expect("a config").config).expect("a key")
    }

    fn document(path: &str, width: u32, version: u64) -> Document {
        let document = json!({
            "tenant": "main", "id": "00000000-0000-7000-8000-000000000000", "revision": 1, "version": version, "path": path,
            "mediaType": "image/jpeg", "width": width, "height": 10, "bytes": 10, "owner": "ann", "visibility": "tenant",
            "created": "2026-01-01T00:00:00Z", "changed": "2026-01-01T00:00:00Z",
        });
        serde_json::from_value(document).expect("a document")
    }

    #[test]
    fn urls_are_escaped_and_never_wider_than_the_picture() {
        let linked = links(&["edge=https://cdn.example/a/"]).of(&document("cats/my tom?#é,.jpg", 700, 1), 0);
        assert_eq!(linked.url, "https://cdn.example/a/main/cats/my%20tom%3F%23%C3%A9%2C.jpg?w=320&f=auto");
        assert_eq!(linked.renditions.iter().map(|(width, _)| *width).collect::<Vec<_>>(), [320, 640, 700]);
        let relative = links(&["edge=/a/"]).of(&document("x.jpg", 100, 1), 0);
        assert_eq!(srcset(&relative.renditions), "/a/main/x.jpg?w=100&f=auto 100w");
    }

    #[test]
    fn signed_urls_verify_and_stay_the_same() {
        const SECRET: &str = "an example of a secret, not to be used";
        let links = links(&["edge=https://cdn.example/a/", "key_id=search", &format!("key_secret=\"{SECRET}\"")]);
        let tom = document("x y.jpg", 4000, 1);
        let one = links.of(&tom, 10_000_000);
        assert_eq!(one, links.of(&tom, 10_000_100), "within one period");
        assert_ne!(one, links.of(&Document { version: 2, ..tom }, 10_000_000), "what browsers keep is of version 1");
        let verifier = Verifier::new(vec![Key::new("search", "", SECRET.as_bytes()).expect("a key")]).expect("one key");
        for (_, url) in one.renditions {
            let target = url.strip_prefix("https://cdn.example").expect("the edge");
            let (path, query) = target.split_once('?').expect("a query");
            let request = Request { method: "GET", host: None, path, query: Some(query) };
            let verified = verifier.verify(&request, 10_000_000 + 3600).expect("a good signature for a whole hour");
            assert!(verified.expires().is_some());
        }
    }
}
