//! Spans of a request and its steps, for traces, and the macro by which a step names itself.
//!
//! Knows no step. Invariant: where a request is not recorded nothing is made, and what its steps would say is not formatted.

use http::request::Parts;
use service::otlp::{self, Recording};
use tracing::Span;
use tracing::field::Empty;

/// A span below the current one, where that is recorded.
macro_rules! step {
    ($name:literal $(, $($field:tt)*)?) => {
        if tracing::Span::current().is_disabled() {
            tracing::Span::none()
        } else {
            tracing::info_span!(target: service::otlp::TARGET, $name $(, $($field)*)?)
        }
    };
}
pub(crate) use step;

/// The span of a request: its caller decides, else chance.
pub(crate) fn begin(recording: Recording, request: &Parts) -> Span {
    recording.begin(&request.headers, || {
        tracing::info_span!(
            target: otlp::TARGET,
            "request",
            http.request.method = %request.method,
            url.path = request.uri.path(),
            http.response.status_code = Empty,
            http.response.body.size = Empty,
            tintype.cache = Empty,
            error.type = Empty,
            failed = Empty,
        )
    })
}

/// What became of the request.
pub(crate) fn end(span: &Span, status: u16, bytes: u64, cache: &'static str, fault: Option<&'static str>) {
    span.record("http.response.status_code", status);
    span.record("http.response.body.size", bytes);
    span.record("tintype.cache", cache);
    if let Some(fault) = fault {
        span.record("error.type", fault);
        // As the conventions have it: what the client did wrong is no failure of the server's span.
        span.record(otlp::FAILED, status >= 500);
    }
}
