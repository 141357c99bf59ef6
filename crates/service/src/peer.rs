//! Requests to one server that the config or its user names: connections kept, TLS by the system's authorities.
//!
//! Knows no path, follows no redirect, judges no address. Invariants: every wait ends, every answer has a largest size; who is
//! asked is told in whose trace, where there is one.

use crate::otlp;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// For a connection to be used again.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// How long, and how much.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Longest wait for a connection.
    pub connect: Duration,
    /// Longest wait for a whole answer, the sending of the request included.
    pub whole: Duration,
    /// Largest answer, in bytes.
    pub largest: usize,
    /// Connections that are kept while nobody uses them.
    pub idle: usize,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Away {
    /// None in time.
    Late,
    /// No connection, or it broke off, or the answer is too large.
    Broken(String),
}

/// Asks. Clones share connections.
#[derive(Clone, Debug)]
pub struct Peer {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    bounds: Bounds,
}

impl Peer {
    /// # Errors
    /// The library refuses its own defaults.
    pub fn new(bounds: Bounds) -> Result<Self, String> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(bounds.connect));
        connector.set_nodelay(true);
        let mut roots = RootCertStore::empty();
        // Each counts for itself, and a server in cleartext needs none.
        let (_added, _ignored) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = ClientConfig::builder_with_provider(Arc::clone(crate::tls::provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS: {error}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_ALIVE)
            .pool_max_idle_per_host(bounds.idle)
            .build(builder.wrap_connector(connector));
        Ok(Self { client, bounds })
    }

    /// Asks once, as part of the current span's trace.
    ///
    /// # Errors
    /// See [`Away`].
    pub async fn ask(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Bytes>, Away> {
        if let Some((name, value)) = otlp::outgoing(&tracing::Span::current())
            && let Ok(value) = HeaderValue::try_from(value)
        {
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|error| Away::Broken(causes(&error)))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, self.bounds.largest).collect().await;
            let body = body.map_err(|error| Away::Broken(error.to_string()))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        tokio::time::timeout(self.bounds.whole, exchange).await.unwrap_or(Err(Away::Late))
    }
}

/// An error with its causes: the outermost says "client error" alone.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// Asks a server that answers with `text` and then waits.
    async fn asked(text: &'static [u8]) -> Result<Response<Bytes>, Away> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut head = [0; 1024];
            let _read = stream.read(&mut head).await.expect("a request");
            stream.write_all(text).await.expect("an answer");
            std::future::pending::<()>().await;
        });
        let (connect, whole) = (Duration::from_secs(5), Duration::from_millis(500));
        let peer = Peer::new(Bounds { connect, whole, largest: 8, idle: 1 }).expect("sound defaults");
        let request = Request::get(format!("http://{address}/")).body(Full::default()).expect("a request");
        let answer = peer.ask(request).await;
        server.abort();
        answer
    }

    #[tokio::test]
    async fn answers_are_bounded() {
        let answer = asked(b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone").await.expect("an answer");
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (404, &b"gone"[..]));
        let large = asked(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789").await;
        assert!(matches!(large, Err(Away::Broken(_))), "{large:?}");
        assert_eq!(asked(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1234").await.map(drop), Err(Away::Late));
    }
}
