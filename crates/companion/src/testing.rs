//! For companions' tests: a base with plain limits, requests without a socket, and the document held against the routes.

use crate::base::{Base, Companion};
use crate::config::Limits;
use crate::metric::Metrics;
use crate::openapi;
use axum::body::Body;
use http::header::ALLOW;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use prometheus_client::registry::Registry;
use serde_json::Value;
use service::config::Section;
use service::otlp::OtlpConfig;
use std::collections::BTreeSet;
use tower::ServiceExt as _;

/// A base with the defaults of `[limits]`; `sets` are further keys of it, such as `rate=0.0`.
///
/// # Panics
/// Where one of `sets` is no such key.
#[must_use]
pub fn base(sets: &[&str]) -> Base {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    let limits = service::config::load::<Limits>(None, [], &sets).expect("a sound config").config;
    let otlp = service::config::load::<OtlpConfig>(None, [], &[]).expect("the defaults are sound").config;
    Base::new(&limits, &otlp, Metrics::register(&mut Registry::default()))
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answered {
    /// Status and headers.
    pub head: http::response::Parts,
    /// The body.
    pub body: bytes::Bytes,
}

impl Answered {
    /// The body as JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }
}

/// Asks without a socket.
///
/// # Panics
/// Where the body of the answer breaks off.
pub async fn ask(companion: &Companion, request: Request<Body>) -> Answered {
    let answer = companion.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
    let (head, body) = answer.into_parts();
    let body = body.collect().await.expect("answers here are whole").to_bytes();
    Answered { head, body }
}

/// Asks with a JSON body, and a bearer token where `token` is not empty.
///
/// # Panics
/// Where method, path or token cannot stand in a request.
pub async fn ask_json(companion: &Companion, method: &str, path: &str, token: &str, body: &Value) -> Answered {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    ask(companion, request.body(body).expect("a sound request")).await
}

/// Holds the document against the routes: each documented path has exactly the documented methods, and there is no route
/// that the document does not have. Returns what is wrong; nothing is as it should be.
pub async fn differences(companion: &Companion) -> Vec<String> {
    let mut wrong = Vec::new();
    let own = openapi::path(companion.name);
    let documented: BTreeSet<&str> = companion.api.paths.paths.keys().map(String::as_str).collect();
    let routed = routed(companion);
    for path in routed.iter().filter(|path| **path != own) {
        if !documented.contains(plain(path).as_str()) && !documented.contains(path.as_str()) {
            wrong.push(format!("{path} is routed and not documented"));
        }
    }
    for (path, item) in &companion.api.paths.paths {
        if !path.starts_with(&format!("/{}/v1/", companion.name)) {
            wrong.push(format!("{path} does not begin with /{}/v1/", companion.name));
        }
        let mut methods: BTreeSet<String> = openapi::methods(item).into_iter().map(str::to_owned).collect();
        if methods.contains("GET") {
            methods.insert("HEAD".to_owned());
        }
        // A method that nobody knows: the refusal names those that the route has.
        let request = Request::builder().method("TINTYPE").uri(filled(path)).body(Body::empty());
        let answer = ask(companion, request.expect("a documented path is a path")).await;
        let allow = answer.head.headers.get(ALLOW).and_then(|allow| allow.to_str().ok()).unwrap_or_default();
        let allowed: BTreeSet<String> = allow.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if answer.head.status != StatusCode::METHOD_NOT_ALLOWED || allowed != methods {
            wrong.push(format!("{path}: documented {methods:?}, routed {allowed:?} ({})", answer.head.status));
        }
    }
    let document = serde_json::to_value(&companion.api).expect("the document has texts as keys");
    let mut named = BTreeSet::new();
    references(&document, &mut named);
    wrong.extend(
        named.into_iter().filter(|name| document.pointer(name).is_none()).map(|name| format!("{name} is not there")),
    );
    wrong
}

/// What the document refers to within itself.
fn references(value: &Value, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
            named.extend(name.map(str::to_owned));
            fields.values().for_each(|value| references(value, named));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, named)),
        _ => {}
    }
}

/// The paths of the router, which it tells in its `Debug` form alone.
fn routed(companion: &Companion) -> BTreeSet<String> {
    let text = format!("{:?}", companion.router);
    let paths = text.split('"').skip(1).step_by(2).filter(|quoted| quoted.starts_with(&format!("/{}", companion.name)));
    let paths: BTreeSet<String> = paths.map(str::to_owned).collect();
    assert!(paths.contains(&openapi::path(companion.name)), "the router does not tell its paths: {text:.300}");
    paths
}

/// `{*rest}` is written `{rest}` in documents.
fn plain(path: &str) -> String {
    path.replace("{*", "{")
}

/// The path with something in place of its parameters.
fn filled(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.contains('{') { "x" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

/// Holds a crate's `config.toml` against its defaults; with `TINTYPE_BLESS` set it is written anew.
///
/// # Panics
/// Where they differ.
pub fn config_is_current<C: Section>(file: &std::path::Path) {
    let wanted = service::config::render_default::<C>();
    if std::env::var_os("TINTYPE_BLESS").is_some() {
        std::fs::write(file, &wanted).expect("the file can be written");
    }
    let found = std::fs::read_to_string(file).unwrap_or_default();
    assert!(found == wanted, "{} is not what the code declares: TINTYPE_BLESS=1 writes it anew", file.display());
}
