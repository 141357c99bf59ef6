//! What a request carries besides its own matter: its id, the client's address, its place in a trace.
//!
//! Invariant: what a client may choose of these is bounded and plain, and believed only where the config says so.

use axum::extract::FromRequestParts;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use service::forwarded::{Scheme, Trust};
use service::otlp::{self, Context, Propagation};
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::time::SystemTime;
use tracing::Span;
use uuid::Uuid;

/// The field of [`RequestId`].
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id that is taken from a client, in bytes.
const MAX_ID: usize = 64;

/// Names a request in logs, answers, and the services that it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The caller's, where it is at most 64 visible ASCII characters; else a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        let fine = |id: &&str| !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic());
        given.filter(fine).map_or_else(|| Self(Uuid::now_v7().to_string()), |id| Self(id.to_owned()))
    }

    /// As in the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::try_from(self.0.as_str()).expect("visible ASCII is a header value")
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who is at the other end of the connection; whoever accepts connections puts it into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Of the socket.
    pub address: IpAddr,
    /// Whether the connection is encrypted.
    pub secure: bool,
}

impl Peer {
    const NOBODY: Self = Self { address: IpAddr::V4(Ipv4Addr::LOCALHOST), secure: false };
}

/// The client, as far as proxies that are believed tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress {
    /// Its address.
    pub address: IpAddr,
    /// Whether it reached us, or the outermost believed proxy, by TLS.
    pub secure: bool,
}

impl ClientAddress {
    pub(crate) fn of(trust: &Trust, peer: Option<&Peer>, headers: &HeaderMap) -> Self {
        let peer = peer.copied().unwrap_or(Peer::NOBODY);
        let scheme = if peer.secure { Scheme::Https } else { Scheme::Http };
        let client = trust.client(peer.address, scheme, headers);
        Self { address: client.address, secure: client.scheme == Scheme::Https }
    }
}

/// The request's place in a trace, as W3C `traceparent`: for events and jobs, whose work goes on with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace(String);

impl Trace {
    /// The span's where it is recorded, else the caller's, else a new trace that is not recorded.
    pub(crate) fn of(span: &Span, headers: &HeaderMap) -> Self {
        let caller = || Propagation::W3c.read(headers.get(otlp::TRACEPARENT)?.to_str().ok()?);
        let context = otlp::context_of(span).or_else(caller);
        let context = context.unwrap_or_else(|| Context::root(SystemTime::now(), false));
        Self(Propagation::W3c.write(context))
    }

    /// As in the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! extension {
    ($name:ident) => {
        impl<S: Sync> FromRequestParts<S> for $name {
            type Rejection = Infallible;

            async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
                Ok(parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self::bare(&parts.headers)))
            }
        }
    };
}

extension!(RequestId);
extension!(ClientAddress);
extension!(Trace);

/// Outside of the layers, as in tests of a bare handler, they are made of the head alone.
impl RequestId {
    fn bare(headers: &HeaderMap) -> Self {
        Self::of(headers)
    }
}

impl ClientAddress {
    fn bare(headers: &HeaderMap) -> Self {
        Self::of(&Trust::default(), None, headers)
    }
}

impl Trace {
    fn bare(headers: &HeaderMap) -> Self {
        Self::of(&Span::none(), headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn ids_are_taken_where_they_are_plain_and_short() {
        assert_eq!(RequestId::of(&head("x-request-id", "abc-1")).as_str(), "abc-1");
        for odd in ["", "a b", &"x".repeat(65), "tab\there"] {
            let id = RequestId::of(&head("x-request-id", odd));
            assert_eq!(Uuid::parse_str(id.as_str()).unwrap().get_version_num(), 7, "{odd}");
        }
    }

    #[test]
    fn traces_go_on_with_the_callers() {
        let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(Trace::of(&Span::none(), &head("traceparent", caller)).as_str(), caller);
        let own = Trace::of(&Span::none(), &HeaderMap::new());
        assert!(own.as_str().starts_with("00-") && own.as_str().ends_with("-00"), "{}", own.as_str());
    }
}
