//! Fields of tus: read strictly, written alike everywhere.
//!
//! Pure. Invariant: what cannot be read is refused with what would be taken.

use crate::inspect::base64;
use companion::{Code, Problem};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use std::collections::BTreeMap;

pub(super) const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
pub(super) const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
pub(super) const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
pub(super) const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
pub(super) const TUS_CHECKSUM_ALGORITHM: HeaderName = HeaderName::from_static("tus-checksum-algorithm");
pub(super) const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
pub(super) const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
pub(super) const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
pub(super) const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
pub(super) const UPLOAD_CONCAT: HeaderName = HeaderName::from_static("upload-concat");
pub(super) const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");

/// The one version that is spoken.
pub(super) const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
pub(super) const EXTENSIONS: HeaderValue =
    HeaderValue::from_static("creation,creation-with-upload,expiration,checksum,termination,concatenation");
const OTHER_VERSION: Code = Code::new("tus-version", StatusCode::PRECONDITION_FAILED, "Another version of tus");
/// Bytes of `Upload-Metadata`.
const MAX_METADATA: usize = 16 << 10;
/// Parts of one concatenation.
const MOST_PARTS: usize = 1000;

/// Every request but OPTIONS names the version.
pub(super) fn spoken(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(TUS_RESUMABLE) {
        Some(version) if *version == VERSION => Ok(()),
        _ => Err(Problem::new(OTHER_VERSION, "Send Tus-Resumable: 1.0.0.").with_header(TUS_VERSION, VERSION)),
    }
}

pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(Some(number)),
        _ => Err(Problem::field(format!("header.{name}"), text, "a whole number")),
    }
}

/// `Upload-Metadata`: names with values in base64.
pub(super) fn metadata(headers: &HeaderMap) -> Result<BTreeMap<String, String>, Problem> {
    const ALLOWED: &str = "pairs of a name and a value in base64, with commas between them";
    let Some(value) = headers.get(UPLOAD_METADATA) else { return Ok(BTreeMap::new()) };
    let text = value.to_str().unwrap_or("?");
    let wrong = |what: &str| Problem::field("header.Upload-Metadata", what, ALLOWED);
    if text.len() > MAX_METADATA {
        return Err(wrong(&format!("{} bytes", text.len())));
    }
    let mut all = BTreeMap::new();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let value = base64::decode(value).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| wrong(pair))?;
        if all.insert(name.to_owned(), value).is_some() {
            return Err(wrong(&format!("{name} twice")));
        }
    }
    Ok(all)
}

/// `Upload-Concat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Concat {
    /// A whole upload.
    No,
    /// One that others are put together of.
    Partial,
    /// One that is put together of these.
    Final(Vec<String>),
}

pub(super) fn concat(headers: &HeaderMap) -> Result<Concat, Problem> {
    let Some(value) = headers.get(UPLOAD_CONCAT) else { return Ok(Concat::No) };
    let text = value.to_str().unwrap_or_default();
    if text == "partial" {
        return Ok(Concat::Partial);
    }
    let parts = text.strip_prefix("final;").map(str::split_ascii_whitespace);
    let id = |url: &str| url.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
    let parts: Vec<String> = parts.into_iter().flatten().map(id).collect();
    if parts.is_empty() || parts.len() > MOST_PARTS {
        let allowed = format!("partial, or final; and up to {MOST_PARTS} URLs of partial uploads");
        return Err(Problem::field("header.Upload-Concat", text, allowed));
    }
    Ok(Concat::Final(parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).expect("visible text"))])
    }

    #[test]
    fn metadata_are_read() {
        let read = metadata(&head(UPLOAD_METADATA, "path Y2F0cy90b20uanBn,title  , empty")).unwrap();
        assert_eq!(read.get("path").map(String::as_str), Some("cats/tom.jpg"));
        assert_eq!(
            (read.get("title").map(String::as_str), read.get("empty").map(String::as_str)),
            (Some(""), Some(""))
        );
        for wrong in ["path ###", "a YQ==,a YQ==", "a /w=="] {
            assert!(metadata(&head(UPLOAD_METADATA, wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn numbers_and_parts() {
        assert_eq!(number(&head(UPLOAD_OFFSET, "7"), &UPLOAD_OFFSET).unwrap(), Some(7));
        for wrong in ["", "-1", "+1", "1.0", "99999999999999999999"] {
            assert!(number(&head(UPLOAD_OFFSET, wrong), &UPLOAD_OFFSET).is_err(), "{wrong}");
        }
        assert_eq!(concat(&head(UPLOAD_CONCAT, "partial")).unwrap(), Concat::Partial);
        let parts = concat(&head(UPLOAD_CONCAT, "final;/ingest/v1/uploads/a https://h/ingest/v1/uploads/b")).unwrap();
        assert_eq!(parts, Concat::Final(vec!["a".into(), "b".into()]));
        assert!(concat(&head(UPLOAD_CONCAT, "final;")).is_err() && concat(&head(UPLOAD_CONCAT, "x")).is_err());
    }
}
