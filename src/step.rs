//! Spans of a request's steps, for traces: which requests are recorded, and the macro by which a step names itself.
//!
//! Knows no step. Invariant: where a request is not recorded nothing is made, and what its steps would say is not formatted.

use http::request::Parts;
use service::otlp::{self, OtlpConfig, Propagation};
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

/// Which requests are recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recording {
    propagation: Propagation,
    share: f64,
}

impl Recording {
    /// `None` where traces go nowhere.
    pub(crate) fn new(config: &OtlpConfig) -> Option<Self> {
        let on = config.endpoint.is_some() && config.traces;
        on.then_some(Self { propagation: config.propagation, share: config.sample })
    }

    /// The span of a request: its caller decides, else chance.
    pub(crate) fn begin(self, request: &Parts) -> Span {
        let named = request.headers.get(self.propagation.field()).and_then(|value| value.to_str().ok());
        let caller = named.and_then(|text| self.propagation.read(text));
        if !caller.map_or_else(|| otlp::chance(self.share), |caller| caller.sampled) {
            return Span::none();
        }
        otlp::enter(caller, || {
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
