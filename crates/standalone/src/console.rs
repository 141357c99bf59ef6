//! The console: files in the binary, with the headers under which a browser runs them, and what it has to know beforehand.
//!
//! Knows no picture. Invariants: nothing but these files is served, and no script or style but them runs (no inline, no other
//! server); a file is asked for again only once it has changed.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{StatusCode, Uri};
use serde_json::json;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

/// A file, and what it is.
struct File {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($path:literal, $name:literal, $kind:literal;)*) => {
        const FILES: &[File] =
            &[$(File { path: $path, kind: $kind, bytes: include_bytes!(concat!("../console/", $name)) }),*];
    };
}

files! {
    "/", "index.html", "text/html; charset=utf-8";
    "/console/style.css", "style.css", "text/css; charset=utf-8";
    "/console/detail.css", "detail.css", "text/css; charset=utf-8";
    "/console/icon.svg", "icon.svg", "image/svg+xml";
    "/console/main.js", "main.js", "text/javascript; charset=utf-8";
    "/console/api.js", "api.js", "text/javascript; charset=utf-8";
    "/console/detail.js", "detail.js", "text/javascript; charset=utf-8";
    "/console/dom.js", "dom.js", "text/javascript; charset=utf-8";
    "/console/finder.js", "finder.js", "text/javascript; charset=utf-8";
    "/console/format.js", "format.js", "text/javascript; charset=utf-8";
    "/console/grid.js", "grid.js", "text/javascript; charset=utf-8";
    "/console/playground.js", "playground.js", "text/javascript; charset=utf-8";
    "/console/thumbhash.js", "thumbhash.js", "text/javascript; charset=utf-8";
    "/console/tray.js", "tray.js", "text/javascript; charset=utf-8";
    "/console/uploads.js", "uploads.js", "text/javascript; charset=utf-8";
}

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the console has to know before anybody signs in.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// The path prefix of published pictures.
    pub(crate) route: String,
    /// Whether their URLs have to be signed.
    pub(crate) signed: bool,
}

/// The console's routes.
pub(crate) fn router(about: &About) -> Router {
    let about = Bytes::from(described(about).to_string());
    let told = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], about);
    let mut router = Router::new().route("/console/about.json", get(move || async move { told }));
    for file in FILES {
        router = router.route(file.path, get(answer).with_state(Arc::new(Tagged { file, tag: tag(file.bytes) })));
    }
    router
}

struct Tagged {
    file: &'static File,
    tag: HeaderValue,
}

async fn answer(State(tagged): State<Arc<Tagged>>, headers: HeaderMap) -> Response {
    let Tagged { file, tag } = &*tagged;
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|known| known == tag);
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Response::new(Body::from(file.bytes)),
    };
    let fields = response.headers_mut();
    let said = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.kind)),
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        (
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
        ),
    ];
    fields.extend(said);
    response
}

/// Changes with the bytes; from one build to the next is all that it has to tell apart.
fn tag(bytes: &[u8]) -> HeaderValue {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    HeaderValue::try_from(format!("\"{:016x}\"", hasher.finish())).expect("hexadecimal digits are a header value")
}

fn described(about: &About) -> serde_json::Value {
    let parameters = cache_key::dialect::native::parameters().iter();
    let parameters =
        parameters.map(|one| json!({ "name": one.name, "values": one.values, "default": one.default, "doc": one.doc }));
    json!({
        "route": about.route,
        "signed": about.signed,
        "version": env!("CARGO_PKG_VERSION"),
        "parameters": parameters.collect::<Vec<_>>(),
    })
}

/// Whether a path is the console's.
pub(crate) fn owns(uri: &Uri) -> bool {
    uri.path() == "/" || uri.path().starts_with("/console/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    fn about() -> About {
        About { route: "/a/".to_owned(), signed: false }
    }

    async fn ask(path: &str, tag: Option<&HeaderValue>) -> (http::response::Parts, Bytes) {
        let mut request = Request::builder().uri(path);
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let answer = router(&about())
            .oneshot(request.body(Body::empty()).expect("a sound request, which a router always answers"))
            .await
            .expect("a sound request, which a router always answers");
        let (head, body) = answer.into_parts();
        (head, body.collect().await.expect("a body in memory").to_bytes())
    }

    #[tokio::test]
    async fn files_run_under_a_strict_policy_and_are_kept_until_they_change() {
        for file in FILES {
            let (head, body) = ask(file.path, None).await;
            assert_eq!((head.status, &body[..]), (StatusCode::OK, file.bytes), "{}", file.path);
            let policy = head.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(!policy.contains("unsafe") && policy.contains("default-src 'none'"));
            let (again, _) = ask(file.path, Some(&head.headers[header::ETAG])).await;
            assert_eq!(again.status, StatusCode::NOT_MODIFIED);
        }
    }

    #[test]
    fn every_import_and_link_is_a_file_of_the_console() {
        let known = |path: &str| FILES.iter().any(|file| file.path == path);
        for file in FILES {
            let text = std::str::from_utf8(file.bytes).unwrap();
            for path in text.split(['"', '\'']).filter_map(|text| text.strip_prefix("./")) {
                assert!(known(&format!("/console/{path}")), "{} names ./{path}", file.path);
            }
            // What is asked of the server rather than read from it.
            let is_asked = |path: &str| path.starts_with("/console/session") || path.ends_with(".json");
            for path in text.split('"').filter(|text| text.starts_with("/console/") && !is_asked(text)) {
                assert!(known(path), "{} names {path}", file.path);
            }
            for forbidden in [" style=\"", "<script>", "innerHTML", "insertAdjacentHTML", "eval(", "https://"] {
                assert!(!text.contains(forbidden), "{}: {forbidden}", file.path);
            }
        }
    }

    #[test]
    fn the_console_is_told_of_every_parameter() {
        let told = described(&about());
        let names: Vec<_> =
            told["parameters"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"w") && names.contains(&"f") && names.len() > 20, "{names:?}");
    }
}
