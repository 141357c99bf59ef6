//! What the admin listener answers to which request.
//!
//! Knows no sockets. Invariants: every request gets an answer in bounded time and memory; nothing is done for whom
//! [`Access`] does not know, and no body is read before.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use prometheus_client::registry::Registry;

use super::access::{Access, Stranger, Who};
use super::audit::{Act, Audit, Detail};
use super::{Answer, Caller, Readiness};
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

    pub(super) async fn answer(&self, request: Request<Incoming>, caller: &Caller) -> Answer {
        let read = request.method() == Method::GET || request.method() == Method::HEAD;
        let certificate = caller.certificate.as_ref();
        if read && let Some(probe) = self.probe(request.uri().path()) {
            return match self.access.may_read(request.headers(), certificate) {
                Ok(()) => probe(self),
                Err(stranger) => unknown(stranger, caller),
            };
        }
        let who = self.access.who(request.headers(), certificate);
        let (began, at, head) = (Instant::now(), SystemTime::now(), request.uri().clone());
        let method = request.method().clone();
        // What is no such thing is not written down.
        let trace = request.headers().get(TRACEPARENT).and_then(|text| Propagation::W3c.read(text.to_str().ok()?));
        let trace = trace.map(|context| Propagation::W3c.write(context));
        let answer = match &who {
            Ok(_) => self.known(request).await,
            Err(stranger) => unknown(*stranger, caller),
        };
        if !read || who.is_err() {
            self.audit.write(&Act {
                at,
                took: began.elapsed(),
                who: &who.as_ref().map_or_else(|_| "(unknown)".to_owned(), Who::to_string),
                peer: caller.peer,
                certificate,
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

/// Says what would do. 401 is for those who can send a token; without any, no field of a request would help (RFC 9110 §15.5.4).
fn unknown(stranger: Stranger, caller: &Caller) -> Answer {
    let Stranger { tokens, holders, wrong_token } = stranger;
    let asked = match (tokens, holders) {
        (true, false) => "a token is asked for: Authorization: Bearer …",
        (true, true) => "a token (Authorization: Bearer …) or a client certificate is asked for",
        (false, _) => "a client certificate is asked for",
    };
    let why = match (&caller.certificate, wrong_token) {
        (_, true) => "; the token that was sent is none of those in force".to_owned(),
        (Some(shown), _) if holders => format!("; the certificate of {shown} is none of those that may"),
        _ => String::new(),
    };
    let status = if tokens { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
    let mut answer = text(status, &format!("{asked}{why}"));
    if tokens {
        answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tintype admin\""));
    }
    answer
}

/// For those who speak HTTP where TLS is spoken.
pub(super) fn in_cleartext(request: &Request<Incoming>) -> Answer {
    let why = match request.headers().contains_key(AUTHORIZATION) {
        true => "; the token that was sent went in cleartext: exchange it",
        false => "",
    };
    let mut answer = text(StatusCode::BAD_REQUEST, &format!("this listener speaks TLS: ask https://{why}"));
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
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
