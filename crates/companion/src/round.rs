//! Round every request: its id and span, what it may take, and what is written, counted and logged of its answer.
//!
//! Knows no route. Invariants: every answer has a request id; every refusal is a problem document, also where a handler or a
//! framework made another; a request that is over a limit has cost next to nothing.

use crate::base::{Shared, Site};
use crate::body::Watched;
use crate::problem::{Code, Problem, Refused, code};
use crate::request::{ClientAddress, Peer, RequestId, Trace, X_REQUEST_ID};
use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use prometheus_client::metrics::gauge::Gauge;
use service::network::Network;
use service::otlp;
use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

/// When to come back to a server that has too much to do.
const BREATH: Duration = Duration::from_secs(1);

/// Bytes of an answer in plain text that go into the document in its place.
const MAX_PLAIN: usize = 1024;

/// One less at work, however the request ends.
struct AtWork(Gauge);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.dec();
    }
}

pub(crate) async fn round(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let _at_work = AtWork(site.shared.metrics.begin(site.name));
    let id = RequestId::of(request.headers());
    let client = ClientAddress::of(&site.shared.trust, request.extensions().get::<Peer>(), request.headers());
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let route = matched.unwrap_or_else(|| "(none)".to_owned());
    let span = begin(&site, &request, &route);
    let trace = Trace::of(&span, request.headers());
    let method = request.method().clone();
    let extensions = request.extensions_mut();
    extensions.insert(id.clone());
    extensions.insert(client);
    extensions.insert(trace);
    if let Some(door) = &site.door {
        extensions.insert(Arc::clone(door));
    }
    let response = admitted(&site, client, request, next).instrument(span.clone()).await;
    let mut response = plain(response).await;
    dress(response.headers_mut(), &id);
    report(&site, &method, &route, &id, &response, began.elapsed());
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    span.record(otlp::FAILED, status.is_server_error());
    response
}

/// A panic's answer.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
pub(crate) fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text");
    Problem::internal(format!("panic: {text}")).into_response()
}

fn begin(site: &Site, request: &Request, route: &str) -> Span {
    let Some(recording) = site.shared.recording else { return Span::none() };
    recording.begin(request.headers(), || {
        tracing::info_span!(
            target: otlp::TARGET,
            "request",
            tintype.service = site.name,
            http.request.method = %request.method(),
            http.route = route,
            http.response.status_code = Empty,
            failed = Empty,
        )
    })
}

/// The answer of the handler, where the request is within every limit.
async fn admitted(site: &Site, client: ClientAddress, request: Request, next: Next) -> Response {
    let shared = &*site.shared;
    if let Some(wait) = charge(shared, client) {
        let detail = "Your network has sent more requests than the limit allows. Retry-After says when there is room.";
        return Problem::new(code::RATE, detail).retry_after(wait).into_response();
    }
    let Ok(_slot) = shared.slots.try_acquire() else {
        let detail = "As many requests are at work as may be. Try again in a moment.";
        return Problem::new(code::OVERLOADED, detail).retry_after(BREATH).into_response();
    };
    let path = request.uri().path();
    let patience = site.patience.iter().filter(|patience| path.starts_with(patience.prefix));
    let patience = patience.max_by_key(|patience| patience.prefix.len());
    let (limit, deadline) =
        patience.map_or((shared.limits.body, shared.limits.deadline), |patience| (patience.body, patience.deadline));
    if request.body().size_hint().lower() > limit {
        return Problem::from(crate::body::Fault::TooLarge(limit)).into_response();
    }
    let stalled = shared.limits.stalled;
    let request = request.map(|body| Body::new(Watched::new(body, limit, stalled)));
    match tokio::time::timeout(deadline, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => {
            let detail = format!("It took more than {} s. What was begun may still be done.", deadline.as_secs_f32());
            Problem::new(code::TIMED_OUT, detail).retry_after(BREATH).into_response()
        }
    }
}

/// How long the client has to wait, where it is over its limit.
fn charge(shared: &Shared, client: ClientAddress) -> Option<Duration> {
    let table = shared.rate.as_ref()?;
    let limits = &shared.limits;
    if limits.exempt.iter().any(|network| network.contains(client.address)) {
        return None;
    }
    let network = Network::around(client.address, limits.ipv4_prefix, limits.ipv6_prefix);
    table.take(network, shared.start.elapsed()).err()
}

/// A refusal that is no problem document becomes one; its other headers stay.
async fn plain(response: Response) -> Response {
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    if !refused || response.extensions().get::<Refused>().is_some() {
        return response;
    }
    let (head, body) = response.into_parts();
    let text = axum::body::to_bytes(body, MAX_PLAIN).await.unwrap_or_default();
    let text = crate::problem::shorten(String::from_utf8_lossy(&text).trim());
    let problem = match status {
        // axum's word for JSON that does not fit; ours is 400 throughout.
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Problem::new(code::BAD_REQUEST, text),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(code::TOO_LARGE, text),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(code::MEDIA_TYPE, text),
        StatusCode::NOT_FOUND => Problem::new(code::NOT_FOUND, text),
        StatusCode::CONFLICT => Problem::new(code::CONFLICT, text),
        StatusCode::PRECONDITION_FAILED => Problem::new(code::PRECONDITION, text),
        _ if status.is_server_error() => Problem::internal(text),
        _ => Problem::new(Code::new("refused", status, "The request is refused"), text),
    };
    let mut response = problem.into_response();
    for (name, value) in &head.headers {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH | header::CONTENT_ENCODING) {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

/// What every answer says. A handler that has said otherwise is left its way.
fn dress(headers: &mut HeaderMap, id: &RequestId) {
    const SAID: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in SAID {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.insert(X_REQUEST_ID, id.header());
}

fn report(site: &Site, method: &Method, route: &str, id: &RequestId, response: &Response, took: Duration) {
    let (service, status) = (site.name, response.status().as_u16());
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    site.shared.metrics.answered(service, method.as_str(), route, status, took);
    let Some(Refused { code, detail, cause }) = response.extensions().get::<Refused>() else {
        tracing::debug!(service, %id, %method, route, status, micros, "answered");
        return;
    };
    site.shared.metrics.refused(service, code);
    let cause = cause.as_deref().unwrap_or_default();
    if status >= 500 {
        tracing::warn!(service, %id, %method, route, status, micros, code, detail, cause, "failed");
    } else {
        tracing::info!(service, %id, %method, route, status, micros, code, detail, cause, "refused");
    }
}
