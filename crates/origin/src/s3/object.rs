//! Which object a path names, and what is known of it already.
//!
//! Knows keys, not answers. Invariant: a key begins with the origin's prefix and has no segment `..`.

use ::http::HeaderMap;
use ::http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use aws::Bucket;
use std::time::SystemTime;

/// Bytes of a key, by S3's rules.
const MAX_KEY: usize = 1024;
/// What comes before a version in a path.
const VERSION: &str = "versionId=";

/// An object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) version: Option<String>,
    /// It is known by this name in what is kept of it.
    pub(super) place: Box<str>,
}

impl Object {
    /// The object that is called `path` in the folder below the bucket's prefix; where `versions` may be named, what stands behind its
    /// first `?` has to be one. `None`: there can be no such object.
    pub(super) fn read(bucket: &Bucket, folder: &str, path: &str, versions: bool) -> Option<Self> {
        let (path, query) = match path.split_once('?').filter(|_| versions) {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let version = match query.map(|query| query.strip_prefix(VERSION)) {
            None => None,
            Some(Some(version)) if is_version(version) => Some(version.to_owned()),
            Some(_) => return None,
        };
        let key = bucket.key(&format!("{folder}{path}"));
        let odd = path.is_empty() || path.contains('\0') || path.split('/').any(|segment| segment == "..");
        if odd || key.len() > MAX_KEY {
            return None;
        }
        let place = match &version {
            None => format!("s3://{}/{key}", bucket.name),
            Some(version) => format!("s3://{}/{key}?{VERSION}{version}", bucket.name),
        };
        Some(Self { key, version, place: place.into() })
    }
}

impl Object {
    /// The object that a name's metadata lead to: a place below the prefix. `None`: it is no place, or leads out of it.
    pub(super) fn linked(bucket: &Bucket, place: &str) -> Option<Self> {
        let sound = |segment: &str| !matches!(segment, "" | "." | "..");
        if place.is_empty() || place.contains(char::is_control) || !place.split('/').all(sound) {
            return None;
        }
        Self::read(bucket, "", place, false)
    }
}

/// As S3 makes them: opaque, and safe in a URL.
fn is_version(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    (1..=1024).contains(&text.len()) && text.bytes().all(plain)
}

/// What an object was like when it was last seen.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) tag: Option<String>,
    pub(super) since: Option<SystemTime>,
}

impl Conditions {
    /// Out of the fields of a conditional request.
    pub(super) fn read(fields: &HeaderMap) -> Self {
        let text = |name| fields.get(name).and_then(|value| value.to_str().ok());
        Self {
            tag: text(IF_NONE_MATCH).map(str::to_owned),
            since: text(IF_MODIFIED_SINCE).and_then(|text| httpdate::parse_http_date(text).ok()),
        }
    }
}
