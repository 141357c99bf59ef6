//! What the admin listener answers to which request.
//!
//! Knows no sockets. Invariants: every request gets an answer in bounded time and memory; nothing is done for whom
//! [`Access`] does not know, and no body is read before.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use prometheus_client::registry::Registry;

use super::access::{Access, Who};
use super::audit::{Act, Audit, Detail};
use super::{Answer, Readiness};
use crate::otlp::{Propagation, TRACEPARENT};

/// Largest body of a request, in bytes.
const BODY_LIMIT: usize = 1 << 20;
/// Longest wait for the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

pub(super) type Handler = Box<dyn Fn(Request<Bytes>) -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync>;

struct Route {
    method: Method,
    path: &'static str,
    handler: Handler,
}

impl Route {
    fn is_for(&self, path: &str) -> bool {
        match self.path.strip_suffix('*') {
            Some(start) => path.len() > start.len() && path.starts_with(start),
            None => self.path == path,
        }
    }
}

pub(super) struct Router {
    readiness: Readiness,
    registry: Arc<Registry>,
    routes: Vec<Route>,
    pub(super) access: Access,
    pub(super) audit: Audit,
}

impl Router {
    pub(super) fn new(readiness: Readiness, registry: Arc<Registry>) -> Self {
        Self { readiness, registry, routes: Vec::new(), access: Access::open(), audit: Audit::to_log() }
    }

    pub(super) fn add(&mut self, method: Method, path: &'static str, handler: Handler) {
        self.routes.push(Route { method, path, handler });
    }

    pub(super) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Answer {
        let read = request.method() == Method::GET || request.method() == Method::HEAD;
        if read && let Some(probe) = self.probe(request.uri().path()) {
            return if self.access.may_read(request.headers()) { probe(self) } else { unknown() };
        }
        let who = self.access.who(request.headers());
        let (began, at, head) = (Instant::now(), SystemTime::now(), request.uri().clone());
        let method = request.method().clone();
        // What is no such thing is not written down.
        let trace = request.headers().get(TRACEPARENT).and_then(|text| Propagation::W3c.read(text.to_str().ok()?));
        let trace = trace.map(|context| Propagation::W3c.write(context));
        let answer = match who {
            Some(_) => self.known(request).await,
            None => unknown(),
        };
        if !read || who.is_none() {
            self.audit.write(&Act {
                at,
                took: began.elapsed(),
                who: &who.as_ref().map_or_else(|| "(unknown)".to_owned(), Who::to_string),
                peer,
                method: method.as_str(),
                path: head.path(),
                query: head.query(),
                trace: trace.as_deref(),
                status: answer.status().as_u16(),
                detail: answer.extensions().get::<Detail>().map(|detail| detail.0.as_str()),
            });
        }
        answer
    }

    /// What everybody may know, unless the config closes it.
    fn probe(&self, path: &str) -> Option<fn(&Self) -> Answer> {
        match path {
            "/healthz" => Some(|_| text(StatusCode::OK, "alive")),
            "/readyz" => Some(|router| match router.readiness.obstacle() {
                None => text(StatusCode::OK, "ready"),
                Some(reason) => text(StatusCode::SERVICE_UNAVAILABLE, &reason),
            }),
            "/metrics" => Some(Self::metrics),
            _ => None,
        }
    }

    async fn known(&self, request: Request<Incoming>) -> Answer {
        match request.uri().path() {
            "/healthz" | "/readyz" | "/metrics" => not_allowed("GET, HEAD"),
            _ => self.extra(request).await,
        }
    }

    fn metrics(&self) -> Answer {
        let mut encoded = String::new();
        match prometheus_client::encoding::text::encode(&mut encoded, &self.registry) {
            Ok(()) => answer(StatusCode::OK, OPEN_METRICS, encoded),
            Err(error) => {
                tracing::error!(%error, "the metrics cannot be written");
                text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written")
            }
        }
    }

    async fn extra(&self, request: Request<Incoming>) -> Answer {
        let here: Vec<&Route> = self.routes.iter().filter(|route| route.is_for(request.uri().path())).collect();
        let Some(route) = here.iter().find(|route| route.method == request.method()) else {
            if here.is_empty() {
                return text(StatusCode::NOT_FOUND, "no such route");
            }
            let methods: Vec<&str> = here.iter().map(|route| route.method.as_str()).collect();
            return not_allowed(&methods.join(", "));
        };
        let (head, body) = request.into_parts();
        match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, BODY_LIMIT).collect()).await {
            Ok(Ok(body)) => (route.handler)(Request::from_parts(head, body.to_bytes())).await,
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                text(StatusCode::PAYLOAD_TOO_LARGE, "the body exceeds 1 MiB")
            }
            Ok(Err(_)) => text(StatusCode::BAD_REQUEST, "the body could not be read"),
            Err(_) => text(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
        }
    }
}

fn unknown() -> Answer {
    let mut answer = text(StatusCode::UNAUTHORIZED, "a token is asked for: Authorization: Bearer …");
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tintype admin\""));
    answer
}

fn not_allowed(methods: &str) -> Answer {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, &format!("allowed: {methods}"));
    if let Ok(value) = HeaderValue::from_str(methods) {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}

fn text(status: StatusCode, text: &str) -> Answer {
    answer(status, TEXT, format!("{text}\n"))
}

fn answer(status: StatusCode, content_type: HeaderValue, body: String) -> Answer {
    let mut answer = Response::new(Full::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, content_type);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
