//! Round every request: which part answers it, what an error looks like, and what is counted and logged of it.

use crate::access_log::{Entry, Unsigned};
use crate::app::App;
use crate::error::{Error, Kind};
use crate::handler::{self, Refused, Sender};
use crate::refusal;
use crate::render::Failure;
use crate::route::Route;
use crate::semantics::referrer::without_port;
use crate::semantics::{Outcome, Request as Asking, Vary, cors};
use crate::server::{Answer, Event, Peer};
use crate::step;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};
use service::forwarded::{Client, Scheme};
use service::telemetry::Budget;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tracing::{Instrument as _, Span};

/// Failures that are logged.
static WARNINGS: Budget = Budget::new(20, 100);

/// What is known of a request beside its head.
#[derive(Clone, Copy)]
struct Seen {
    id: RequestId,
    at: SystemTime,
    /// At the other end of the connection.
    peer: IpAddr,
    /// As far as proxies that are believed tell.
    client: IpAddr,
    took: Duration,
}

/// How a request ended, for metrics and the log.
struct Ended {
    response: Response<Bytes>,
    outcome: Option<Outcome>,
    error: Option<Error>,
}

impl Answer for App {
    async fn answer(&self, peer: &Peer, head: Parts) -> Response<Bytes> {
        self.respond(peer, &head).await
    }

    fn note(&self, event: Event) {
        self.metrics.doors.note(event);
    }

    fn served_on(&self, runtime: &Handle) {
        self.metrics.tasks.watch(runtime.clone());
    }
}

impl App {
    /// The response to a request whose head is `request`; a body, which no method here has a use for, is not read.
    pub async fn respond(&self, peer: &Peer, request: &Parts) -> Response<Bytes> {
        let (began, now) = ((self.clock.tick)(), (self.clock.wall)());
        let id = RequestId::new();
        let scheme = if peer.secure { Scheme::Https } else { Scheme::Http };
        let client = self.trust.client(peer.address, scheme, &request.headers);
        let span = self.recording.map_or_else(Span::none, |recording| step::begin(recording, request));
        let work = dispatch(self, peer, client, request, now);
        let mut ended = if span.is_disabled() { work.await } else { Box::pin(work.instrument(span.clone())).await };
        if ended.error.is_some() {
            ended.response.headers_mut().insert("x-request-id", id.header());
        }
        let seen = Seen { id, at: now, peer: peer.address, client: client.address, took: (self.clock.tick)() - began };
        report(self, request, seen, &ended, &span);
        ended.response
    }
}

async fn dispatch(app: &App, peer: &Peer, client: Client<'_>, request: &Parts, now: SystemTime) -> Ended {
    let asking = Asking { method: &request.method, headers: &request.headers };
    let host = client.host.or_else(|| own_host(request));
    let path = request.uri.path();
    let bytes = request.uri.path_and_query().map_or(0, |target| target.as_str().len());
    if bytes > app.max_target_bytes {
        let error = Kind::TargetTooLong { bytes, limit: app.max_target_bytes }.into();
        return Ended::refused(error, asking, None, Vary::NOTHING);
    }
    if let Err(error) = app.doors.admit(peer, &request.headers) {
        return Ended::refused(error, asking, None, Vary::NOTHING);
    }
    let found = app.routes.find(host.map(without_port), path);
    if !cors::is_allowed(&request.method) {
        let error = Kind::Method(request.method.to_string()).into();
        return Ended::refused(error, asking, found.map(|(route, _)| &**route), Vary::NOTHING);
    }
    if let Some((route, rest)) = found {
        if request.method == Method::OPTIONS {
            return Ended {
                response: route.delivery.cors_policy().options(&request.headers),
                outcome: None,
                error: None,
            };
        }
        let from = Sender { address: client.address, host };
        let ended = match handler::picture(app, route, rest, request, from, now).await {
            Ok((response, outcome)) => Ended { response, outcome: Some(outcome), error: None },
            Err(Refused { error, shown: Some(response), .. }) => Ended { response, outcome: None, error: Some(error) },
            Err(Refused { error, vary, .. }) => Ended::refused(error, asking, Some(route), vary),
        };
        match ended.outcome {
            Some(outcome) => {
                let target = request.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str);
                route.counts.answered(outcome, ended.response.body().len(), target);
            }
            None => route.counts.failed(),
        }
        return ended;
    }
    match app.page.as_ref().and_then(|page| page.answer(path)) {
        Some(response) => Ended { response, outcome: None, error: None },
        None => Ended::refused(Kind::NoRoute.into(), asking, None, Vary::NOTHING),
    }
}

impl Ended {
    fn refused(error: Error, asking: Asking<'_>, route: Option<&Route>, vary: Vary) -> Self {
        let response = refusal::problem(&error).respond(asking, route.map(|route| &route.delivery), vary);
        Self { response, outcome: None, error: Some(error) }
    }
}

/// HTTP/2 names the host in the target, HTTP/1 in a field.
fn own_host(request: &Parts) -> Option<&str> {
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    authority.or_else(|| request.headers.get(http::header::HOST).and_then(|host| host.to_str().ok()))
}

/// Counts and logs. Hits are logged at `debug` only: a line for each would cost more than the hit.
fn report(app: &App, request: &Parts, seen: Seen, ended: &Ended, span: &Span) {
    let Seen { id, at, peer, client, took } = seen;
    let status = ended.response.status().as_u16();
    let bytes = ended.response.body().len() as u64;
    let cache = ended.outcome.map_or("none", Outcome::as_str);
    app.metrics.request(cache, status, bytes, took);
    if let Some(log) = &app.access_log {
        log.write(&Entry { at, client, request, id, status, bytes, took, outcome: ended.outcome });
    }
    if !span.is_disabled() {
        step::end(span, status, bytes, cache, ended.error.as_ref().map(|error| error.fault().as_str()));
    }
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let url = Unsigned(request.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str));
    match &ended.error {
        Some(error) => {
            app.metrics.failure(error.fault().as_str());
            if let Kind::Render(Failure::Shed(shed)) = &error.0 {
                app.metrics.shed(shed.as_str());
            }
            if let Kind::Limited(limited) = &error.0 {
                app.metrics.limited(limited.scope.as_str());
            }
            let (fault, internal) = (error.fault().as_str(), error.internal());
            if error.is_worth_a_warning() {
                // When an origin is down, each of its requests fails, and one tells as much as a thousand.
                if let Some(unsaid) = WARNINGS.spend() {
                    tracing::warn!(%id, %peer, method = %request.method, %url, status, micros, fault, %error, internal, unsaid, "failed");
                }
            } else {
                tracing::info!(%id, %peer, method = %request.method, %url, status, micros, fault, %error, "refused");
            }
        }
        None if matches!(ended.outcome, Some(Outcome::Hit(_)) | None) => {
            tracing::debug!(%id, %peer, method = %request.method, %url, status, bytes, micros, cache, "answered");
        }
        None => {
            tracing::info!(%id, %peer, method = %request.method, %url, status, bytes, micros, cache, "answered");
        }
    }
}

/// Names one request in the log and in error responses. Unique within a process; random between processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestId(u64);

impl RequestId {
    fn new() -> Self {
        static START: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(START.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)))
    }

    fn header(self) -> http::HeaderValue {
        http::HeaderValue::try_from(self.to_string()).expect("hexadecimal digits are a header value")
    }
}

impl From<u64> for RequestId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_no_part_of_a_host() {
        for (host, name) in
            [("a.example:80", "a.example"), ("a.example", "a.example"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]")]
        {
            assert_eq!(without_port(host), name);
        }
    }
}
