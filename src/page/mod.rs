//! The page for trying the server out: static files in the binary, and a list of an origin's pictures.
//!
//! It asks the server for pictures by the same URLs as anybody; nothing here knows how they are made.

use crate::semantics::hints::ACCEPT_CH;
use bytes::Bytes;
use http::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use origin::file::FileOrigin;

const INDEX: &[u8] = include_bytes!("index.html");
const STYLE: &[u8] = include_bytes!("style.css");
const SCRIPT: &[u8] = include_bytes!("app.js");

/// Files listed at most.
const MOST: usize = 200;
const ENDINGS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "avif"];

/// The page, and where its pictures are.
#[derive(Debug)]
pub(crate) struct Page {
    origin: FileOrigin,
    /// Path prefix of a route to that origin.
    prefix: String,
    /// Names of marks that can be tried, as JSON.
    marks: String,
}

impl Page {
    /// `prefix` is that of a route to `origin`; `marks` are the names that `wm` may have.
    pub(crate) fn new(origin: FileOrigin, prefix: String, marks: Vec<&str>) -> Self {
        Self { origin, prefix, marks: serde_json::Value::from(marks).to_string() }
    }

    /// The response, where `path` is one of the page's.
    pub(crate) fn answer(&self, path: &str) -> Option<Response<Bytes>> {
        let (kind, body) = match path {
            "/" => ("text/html; charset=utf-8", Bytes::from_static(INDEX)),
            "/_tintype/style.css" => ("text/css; charset=utf-8", Bytes::from_static(STYLE)),
            "/_tintype/app.js" => ("text/javascript; charset=utf-8", Bytes::from_static(SCRIPT)),
            "/_tintype/samples.json" => ("application/json", Bytes::from(self.samples())),
            "/_tintype/marks.json" => ("application/json", Bytes::from(self.marks.clone())),
            _ => return None,
        };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // A document has to ask for hints, so that the requests for its pictures carry them.
        headers.insert(HeaderName::from_static("accept-ch"), HeaderValue::from_static(ACCEPT_CH));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
        Some(response)
    }

    fn samples(&self) -> String {
        let files = self.origin.list(MOST).unwrap_or_else(|error| {
            tracing::warn!(%error, "the page's origin cannot be listed");
            Vec::new()
        });
        let pictures = files.into_iter().filter(|(name, _)| {
            let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
            ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
        });
        let list: Vec<_> = pictures
            .map(|(name, bytes)| {
                let escaped = percent_encoding::utf8_percent_encode(&name, PATH_SEGMENT);
                serde_json::json!({ "path": format!("{}{escaped}", self.prefix), "name": name, "bytes": bytes })
            })
            .collect();
        serde_json::Value::from(list).to_string()
    }
}

/// What a path segment cannot hold as it is (RFC 3986 §3.3).
const PATH_SEGMENT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');
