//! One client for every protocol: HTTP/1.1 and HTTP/2, each in cleartext and over TLS, and HTTP/3.
//!
//! It asks as real clients do; whoever wants to send something wrong takes [`wire`](crate::wire). Every wait has a limit.

use bytes::{Buf as _, Bytes, BytesMut};
use h3::client::SendRequest as Http3;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use quinn::crypto::rustls::QuicClientConfig;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::error::Error;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longest wait for anything.
const LIMIT: Duration = Duration::from_secs(60);

/// The host that is asked for.
pub const HOST: &str = "a.example";

/// What went wrong.
pub type Wrong = Box<dyn Error + Send + Sync>;

/// How to speak with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what it says")]
pub enum Protocol {
    Http1,
    Http2,
    Http1Tls,
    Http2Tls,
    Http3,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Http1, Self::Http2, Self::Http1Tls, Self::Http2Tls, Self::Http3];

    /// Whether it is encrypted.
    #[must_use]
    pub const fn is_secure(self) -> bool {
        matches!(self, Self::Http1Tls | Self::Http2Tls | Self::Http3)
    }

    fn alpn(self) -> Vec<Vec<u8>> {
        match self {
            Self::Http1 | Self::Http1Tls => vec![b"http/1.1".to_vec()],
            Self::Http2 | Self::Http2Tls => vec![b"h2".to_vec()],
            Self::Http3 => vec![b"h3".to_vec()],
        }
    }
}

/// A connection.
pub struct Client {
    kind: Kind,
    secure: bool,
    /// Ends with the connection; true where that was in order.
    end: JoinHandle<bool>,
    /// The QUIC connection beneath, for what only it knows.
    pub quic: Option<quinn::Connection>,
}

enum Kind {
    /// One request at a time.
    Http1(Mutex<http1::SendRequest<Empty<Bytes>>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
    Http3(Http3<h3_quinn::OpenStreams, Bytes>),
}

impl Client {
    /// Connects to `address` for [`HOST`], trusting and showing what `tls` says.
    ///
    /// # Errors
    /// Nobody listens, or a handshake fails.
    pub async fn open(protocol: Protocol, address: SocketAddr, tls: &ClientConfig) -> Result<Self, Wrong> {
        timeout(LIMIT, Self::connect(protocol, address, tls)).await?
    }

    async fn connect(protocol: Protocol, address: SocketAddr, tls: &ClientConfig) -> Result<Self, Wrong> {
        let mut tls = tls.clone();
        tls.alpn_protocols = protocol.alpn();
        match protocol {
            Protocol::Http1 => Self::http1(TcpStream::connect(address).await?, false).await,
            Protocol::Http2 => Self::http2(TcpStream::connect(address).await?, false).await,
            Protocol::Http1Tls => Self::http1(encrypted(address, tls).await?, true).await,
            Protocol::Http2Tls => Self::http2(encrypted(address, tls).await?, true).await,
            Protocol::Http3 => Self::http3(address, tls).await,
        }
    }

    async fn http1<S>(stream: S, secure: bool) -> Result<Self, Wrong>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let end = tokio::spawn(async { connection.await.is_ok() });
        Ok(Self { kind: Kind::Http1(Mutex::new(sender)), secure, end, quic: None })
    }

    async fn http2<S>(stream: S, secure: bool) -> Result<Self, Wrong>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        let end = tokio::spawn(async { connection.await.is_ok() });
        Ok(Self { kind: Kind::Http2(sender), secure, end, quic: None })
    }

    async fn http3(address: SocketAddr, tls: ClientConfig) -> Result<Self, Wrong> {
        let connection = quic(address, tls).await?;
        let (mut driver, sender) = h3::client::new(h3_quinn::Connection::new(connection.clone())).await?;
        let end = tokio::spawn(async move {
            let end = poll_fn(|cx| driver.poll_close(cx)).await;
            end.is_h3_no_error()
        });
        Ok(Self { kind: Kind::Http3(sender), secure: true, end, quic: Some(connection) })
    }

    /// A request without a body, and its whole response.
    ///
    /// # Errors
    /// The connection or the stream ends before the response is whole.
    pub async fn ask(&self, method: Method, target: &str, fields: &[(&str, &str)]) -> Result<Response<Bytes>, Wrong> {
        timeout(LIMIT, self.exchange(method, target, fields)).await?
    }

    /// GET.
    ///
    /// # Panics
    /// Where no whole response comes.
    pub async fn get(&self, target: &str) -> Response<Bytes> {
        self.ask(Method::GET, target, &[]).await.unwrap_or_else(|error| panic!("{target}: {error}"))
    }

    async fn exchange(&self, method: Method, target: &str, fields: &[(&str, &str)]) -> Result<Response<Bytes>, Wrong> {
        let scheme = if self.secure { "https" } else { "http" };
        let uri: Uri = match self.kind {
            Kind::Http1(_) => target.parse()?,
            Kind::Http2(_) | Kind::Http3(_) => format!("{scheme}://{HOST}{target}").parse()?,
        };
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let (head, body) = match &self.kind {
            Kind::Http1(sender) => {
                let request = request.header("host", HOST).body(Empty::new())?;
                let mut sender = sender.lock().await;
                sender.ready().await?;
                sender.send_request(request).await?.into_parts()
            }
            Kind::Http2(sender) => sender.clone().send_request(request.body(Empty::new())?).await?.into_parts(),
            Kind::Http3(sender) => {
                let mut stream = sender.clone().send_request(request.body(())?).await?;
                stream.finish().await?;
                let head = stream.recv_response().await?.into_parts().0;
                let mut body = BytesMut::new();
                while let Some(mut piece) = stream.recv_data().await? {
                    body.extend_from_slice(&piece.copy_to_bytes(piece.remaining()));
                }
                return Ok(Response::from_parts(head, body.freeze()));
            }
        };
        Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
    }

    /// Waits until the server ends the connection: whether it did so in order.
    ///
    /// # Panics
    /// Where it does not for a minute.
    pub async fn end(self) -> bool {
        let ended = timeout(LIMIT, self.end).await.expect("the server ends the connection");
        ended.expect("the connection does not panic")
    }
}

async fn encrypted(
    address: SocketAddr,
    tls: ClientConfig,
) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send, Wrong> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(HOST)?;
    Ok(tokio_rustls::TlsConnector::from(Arc::new(tls)).connect(name, stream).await?)
}

/// A QUIC connection without HTTP on it.
///
/// # Errors
/// Nobody listens, or the handshake fails.
pub async fn quic(address: SocketAddr, tls: ClientConfig) -> Result<quinn::Connection, Wrong> {
    quic_with(address, tls, quinn::TransportConfig::default()).await
}

/// The same with other windows and limits.
///
/// # Errors
/// As [`quic`].
pub async fn quic_with(
    address: SocketAddr,
    tls: ClientConfig,
    transport: quinn::TransportConfig,
) -> Result<quinn::Connection, Wrong> {
    let endpoint = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into())?;
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));
    Ok(timeout(LIMIT, endpoint.connect_with(config, address, HOST)?).await??)
}
