//! From a host's name to a connection: resolve → judge each address → connect to that very address → TLS.
//!
//! Owns the sockets to origins until hyper has them. Does not know requests. Invariant: no socket is connected to an
//! address that [`Reach`] does not permit, and between judgement and connection no name is looked up again.

use super::allow::Site;
use super::reach::Reach;
use crate::{Cause, Phase, Trouble};
use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Addresses of a name that are tried.
const MAX_ADDRESSES: usize = 8;
/// Names that are looked up at once: each takes one of the threads that file origins read with.
const LOOK_UPS: usize = 4;

/// Connects. Clones share it.
#[derive(Clone)]
pub(super) struct Connector(Arc<Parts>);

struct Parts {
    reach: Reach,
    /// `None` where no origin of this config can be https.
    tls: Option<TlsConnector>,
    connect_timeout: Duration,
    tls_timeout: Duration,
    look_ups: Arc<Semaphore>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("reach", &self.0.reach).finish_non_exhaustive()
    }
}

impl Connector {
    pub(super) fn new(
        reach: Reach,
        tls: Option<Arc<rustls::ClientConfig>>,
        connect_timeout: Duration,
        tls_timeout: Duration,
    ) -> Self {
        let (tls, look_ups) = (tls.map(TlsConnector::from), Arc::new(Semaphore::new(LOOK_UPS)));
        Self(Arc::new(Parts { reach, tls, connect_timeout, tls_timeout, look_ups }))
    }

    async fn open(self, uri: Uri) -> Result<TokioIo<Stream>, Trouble> {
        let site = Site::of(&uri).map_err(|text| Trouble::new(Phase::Connect, Cause::Refused, text))?;
        let addresses = self.permitted(&site).await?;
        let connecting = timeout(self.0.connect_timeout, self.first_of(&addresses));
        let tcp = connecting.await.map_err(|_| Trouble::late(Phase::Connect))??;
        // Requests are small and waited for.
        let _an_optimisation_only = tcp.set_nodelay(true);
        if !site.tls {
            return Ok(TokioIo::new(Stream::Plain(tcp)));
        }
        let failed = |text: String| Trouble::new(Phase::Tls, Cause::Broken, text);
        let tls = self.0.tls.as_ref().ok_or_else(|| failed("TLS is not configured".to_owned()))?;
        let name = site.host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name).map_err(|error| failed(error.to_string()))?;
        let shaken =
            timeout(self.0.tls_timeout, tls.connect(name, tcp)).await.map_err(|_| Trouble::late(Phase::Tls))?;
        shaken.map(|stream| TokioIo::new(Stream::Tls(Box::new(stream)))).map_err(|error| failed(error.to_string()))
    }

    /// The addresses of the site that may be connected to.
    async fn permitted(&self, site: &Site) -> Result<Vec<SocketAddr>, Trouble> {
        let literal = site.host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let found: Vec<SocketAddr> = match literal {
            Ok(address) => vec![SocketAddr::new(address, site.port)],
            Err(_) => {
                let looked_up = timeout(self.0.connect_timeout, self.look_up(site)).await;
                let found = looked_up.map_err(|_| Trouble::late(Phase::Resolve))?;
                found.map_err(|error| Trouble::new(Phase::Resolve, Cause::Broken, error.to_string()))?
            }
        };
        let permitted: Vec<_> =
            found.iter().copied().filter(|address| self.0.reach.permits(address.ip())).take(MAX_ADDRESSES).collect();
        if permitted.is_empty() {
            let text = format!("{} has no address that may be reached, of {found:?}; see allow_private", site.host);
            return Err(Trouble::new(Phase::Connect, Cause::Refused, text));
        }
        Ok(permitted)
    }

    /// By the system's resolver, which cannot be called off: its thread is busy until it ends by itself. So the look-up holds
    /// its place among the few until then, also when nobody waits for it any more.
    async fn look_up(&self, site: &Site) -> io::Result<Vec<SocketAddr>> {
        let place = Arc::clone(&self.0.look_ups).acquire_owned().await.map_err(io::Error::other)?;
        let name = (site.host.clone(), site.port);
        let task = tokio::spawn(async move {
            let found = tokio::net::lookup_host(name).await.map(Iterator::collect);
            drop(place);
            found
        });
        task.await.map_err(io::Error::other)?
    }

    /// One after the other; one that does not answer leaves time for the others.
    async fn first_of(&self, addresses: &[SocketAddr]) -> Result<TcpStream, Trouble> {
        let share = self.0.connect_timeout / u32::try_from(addresses.len().min(4)).unwrap_or(1);
        let mut last = Trouble::late(Phase::Connect);
        for address in addresses {
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = Trouble::new(Phase::Connect, Cause::Broken, format!("{address}: {error}")),
                Err(_) => {}
            }
        }
        Err(last)
    }
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Trouble;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Stream>, Trouble>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Trouble>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().open(uri))
    }
}

/// A connection.
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        match self {
            Self::Tls(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => Connected::new().negotiated_h2(),
            _ => Connected::new(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
