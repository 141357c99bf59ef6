//! What a request to an origin says: always the same, but for the URL, conditions, and the way it came.
//!
//! Owns the fields. Invariants: nothing of a client's request is passed on but `CDN-Loop`; the config's own fields go to
//! the origin's own site only, and are marked so that no log shows them.

use super::config::HeaderConfig;
use ::http::header::{
    ACCEPT, ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, RANGE, TE,
    TRANSFER_ENCODING, UPGRADE, USER_AGENT, VIA,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};
use bytes::Bytes;
use http_body_util::Empty;

/// RFC 8586.
pub const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");
/// Fields that follow from the request itself.
const OURS: [HeaderName; 14] = [
    ACCEPT_ENCODING,
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    HOST,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    RANGE,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    VIA,
    CDN_LOOP,
    HeaderName::from_static("keep-alive"),
];
/// Longest `CDN-Loop` that is passed on.
const MAX_LOOP: usize = 1024;

/// The fields of every request.
#[derive(Debug)]
pub(super) struct Fields {
    common: HeaderMap,
    own: HeaderMap,
    cdn_loop: HeaderValue,
}

impl Fields {
    /// # Errors
    /// A name or value that HTTP does not allow, a name that is not for the config to set, a file that cannot be read.
    pub(super) fn new(name: &str, configured: &[HeaderConfig]) -> Result<Self, String> {
        let text = |text: String| HeaderValue::try_from(text).map_err(|_| format!("{name} is no token"));
        let common = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("image/*,*/*;q=0.5")),
            (ACCEPT_ENCODING, HeaderValue::from_static("identity")),
            (USER_AGENT, HeaderValue::from_static(concat!("Tintype/", env!("CARGO_PKG_VERSION")))),
            (VIA, text(format!("1.1 {name}"))?),
        ]);
        let mut own = HeaderMap::new();
        for header in configured {
            let wrong = |why: &str| format!("headers: {}: {why}", header.name);
            let name = HeaderName::try_from(&header.name).map_err(|_| wrong("it is no field name"))?;
            if OURS.contains(&name) {
                return Err(wrong("it cannot be set"));
            }
            let secret = match (&header.value, &header.file) {
                (Some(secret), _) => secret.expose().to_owned(),
                (None, Some(path)) => {
                    let read = std::fs::read_to_string(path);
                    read.map_err(|error| wrong(&format!("{}: {error}", path.display())))?.trim().to_owned()
                }
                (None, None) => return Err(wrong("it has no value")),
            };
            let mut value = HeaderValue::try_from(secret).map_err(|_| wrong("its value is not allowed in HTTP"))?;
            value.set_sensitive(true);
            own.append(name, value);
        }
        Ok(Self { common, own, cdn_loop: text(name.to_owned())? })
    }

    /// Whether the configuration adds any of its own: they are secrets, or as good as that.
    pub(super) fn has_own(&self) -> bool {
        !self.own.is_empty()
    }

    /// A GET of `uri`. `own` tells that it goes to the origin's own site; `came_by` is the `CDN-Loop` so far.
    pub(super) fn request(
        &self,
        uri: &Uri,
        own: bool,
        conditions: Option<&HeaderMap>,
        came_by: Option<&HeaderValue>,
    ) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = uri.clone();
        let headers = request.headers_mut();
        *headers = self.common.clone();
        if own {
            for name in self.own.keys() {
                headers.remove(name);
                for value in self.own.get_all(name) {
                    headers.append(name, value.clone());
                }
            }
        }
        if let Some(conditions) = conditions {
            headers.extend(conditions.clone());
        }
        if let Some(came_by) = came_by.filter(|value| value.len() <= MAX_LOOP) {
            headers.append(CDN_LOOP, came_by.clone());
        }
        headers.append(CDN_LOOP, self.cdn_loop.clone());
        request
    }
}

/// Whether a request with these fields has been through the server of this name (RFC 8586 §2).
#[must_use]
pub fn has_passed(headers: &HeaderMap, name: &str) -> bool {
    let is_ours = |member: &str| {
        let id = member.split(';').next().unwrap_or_default().trim();
        id.eq_ignore_ascii_case(name)
    };
    let lines = headers.get_all(CDN_LOOP);
    lines.iter().any(|line| line.to_str().is_ok_and(|line| line.split(',').any(is_ours)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use service::config::Secret;

    fn header(name: &str, value: &str) -> HeaderConfig {
        HeaderConfig { name: name.to_owned(), value: Some(Secret::new(value)), file: None }
    }

    fn sent(fields: &Fields, own: bool) -> Vec<String> {
        let uri: Uri = "http://h/a".parse().unwrap();
        let came_by = HeaderValue::from_static("outer");
        let request = fields.request(&uri, own, None, Some(&came_by));
        let text = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
        let mut all: Vec<_> = request.headers().iter().map(text).collect();
        all.sort();
        all
    }

    #[test]
    fn a_request_says_exactly_this() {
        let fields =
            Fields::new("tintype", &[header("Authorization", "Bearer x"), header("User-Agent", "me")]).unwrap();
        let agent = concat!("user-agent: Tintype/", env!("CARGO_PKG_VERSION"));
        let common = ["accept-encoding: identity", "accept: image/*,*/*;q=0.5"];
        let ways = ["cdn-loop: outer", "cdn-loop: tintype"];
        assert_eq!(sent(&fields, false), [&common[..], &ways[..], &[agent, "via: 1.1 tintype"]].concat());
        let own = ["user-agent: me", "via: 1.1 tintype"];
        let with = [&common[..], &["authorization: Bearer x"], &ways[..], &own].concat();
        assert_eq!(sent(&fields, true), with);
        assert!(!format!("{fields:?}").contains("Bearer"), "{fields:?}");
    }

    #[test]
    fn what_cannot_be_set() {
        for name in ["Host", "via", "Connection", "If-None-Match", "a b", ""] {
            assert!(Fields::new("tintype", &[header(name, "x")]).is_err(), "{name}");
        }
        let error = Fields::new("tintype", &[header("x-key", "se\ncret")]).unwrap_err();
        assert!(!error.contains("cret"), "{error}");
    }

    #[test]
    fn loops() {
        let passed = |value: &'static str| {
            has_passed(&HeaderMap::from_iter([(CDN_LOOP, HeaderValue::from_static(value))]), "tintype")
        };
        assert!(passed("tintype") && passed("a, Tintype;v=1, b") && passed("a,tintype"));
        assert!(!passed("tintype2") && !passed("a; b=tintype") && !passed(""));
    }
}
