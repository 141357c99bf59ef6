//! Asks one URL of an issuer or of `tintype-auth`: a connection for each question, which there are few of.
//!
//! The URL comes from the configuration, so that no address is refused. Invariants: an answer has a limit of size and of time;
//! redirects are not followed; over TLS the certificate has to be good for the name.

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Largest answer, in bytes.
const LARGEST: usize = 256 << 10;
/// Longest time to a whole answer.
const LONGEST: Duration = Duration::from_secs(5);

/// What is asked.
pub(crate) struct Question<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a Uri,
    pub(crate) bearer: Option<&'a str>,
    /// JSON.
    pub(crate) body: Option<Vec<u8>>,
}

/// Asks. Clones share the certificates that are trusted.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    tls: Arc<ClientConfig>,
}

impl Client {
    /// Trusts the authorities of the system.
    ///
    /// # Errors
    /// The library refuses its own defaults.
    pub(crate) fn new() -> Result<Self, String> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(tls) })
    }

    /// Status and body of the answer.
    ///
    /// # Errors
    /// In words: no connection, no answer in time, too large.
    pub(crate) async fn ask(&self, question: Question<'_>) -> Result<(u16, Bytes), String> {
        let asked = tokio::time::timeout(LONGEST, self.asked(question));
        asked.await.map_err(|_| format!("no answer within {} s", LONGEST.as_secs()))?
    }

    async fn asked(&self, question: Question<'_>) -> Result<(u16, Bytes), String> {
        let url = question.url.clone();
        let host = url.host().ok_or("the URL has no host")?;
        let plain = url.scheme_str() != Some("https");
        let port = url.port_u16().unwrap_or(if plain { 80 } else { 443 });
        let name = host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((name, port)).await.map_err(|error| error.to_string())?;
        let request = request(&url, question)?;
        if plain {
            return exchange(stream, request).await;
        }
        let name = ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await;
        exchange(stream.map_err(|error| error.to_string())?, request).await
    }
}

fn request(url: &Uri, question: Question<'_>) -> Result<Request<Full<Bytes>>, String> {
    let target = url.path_and_query().map_or("/", |target| target.as_str());
    let authority = url.authority().map(http::uri::Authority::as_str).unwrap_or_default();
    let mut request = Request::builder()
        .method(question.method)
        .uri(target)
        .header(HOST, authority)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/json");
    if let Some(bearer) = question.bearer {
        let mut value = HeaderValue::try_from(format!("Bearer {bearer}")).map_err(|error| error.to_string())?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    request.body(Full::from(question.body.unwrap_or_default())).map_err(|error| error.to_string())
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<(u16, Bytes), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let driven = tokio::spawn(connection);
    let answer = async {
        let (head, body) = sender.send_request(request).await.map_err(|error| error.to_string())?.into_parts();
        let body = Limited::new(body, LARGEST).collect().await.map_err(|error| error.to_string())?;
        Ok((head.status.as_u16(), body.to_bytes()))
    };
    let answer = answer.await;
    driven.abort();
    answer
}
