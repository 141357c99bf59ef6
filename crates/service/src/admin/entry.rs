//! A connection of the admin listener: what stands before HTTP, and HTTP.
//!
//! Knows no cryptography. Invariant: nobody is kept for longer than the limits of the listener, whatever they send first.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::route::{Router, in_cleartext};
use super::{Answer, Caller, HEAD_LIMIT, HEAD_TIMEOUT};
use crate::certificate::Identity;

/// What HTTP is spoken over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection that has been let in.
pub struct Entered {
    /// What is left to speak HTTP over.
    pub stream: Box<dyn Stream>,
    /// Who the other side has proved to be.
    pub certificate: Option<Identity>,
}

impl fmt::Debug for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entered").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// A connection on its way in.
pub type Entering = Pin<Box<dyn Future<Output = io::Result<Entered>> + Send>>;

type Enter = Arc<dyn Fn(TcpStream) -> Entering + Send + Sync>;

/// What stands before HTTP; nothing at first.
#[derive(Clone, Default)]
pub(super) struct Entry(Option<Enter>);

impl Entry {
    pub(super) fn secure(enter: impl Fn(TcpStream) -> Entering + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(enter)))
    }

    /// Lets it in, and answers.
    pub(super) async fn converse(self, stream: TcpStream, peer: SocketAddr, router: Arc<Router>) {
        let Some(enter) = self.0 else {
            return serve(stream, Some(router), Caller { peer, certificate: None }).await;
        };
        match timeout(HEAD_TIMEOUT, speaks_http(&stream)).await {
            Ok(Ok(true)) => {
                tracing::warn!(%peer, "refused: HTTP in cleartext where the admin listener speaks TLS");
                serve(stream, None, Caller { peer, certificate: None }).await;
            }
            Ok(Ok(false)) => match enter(stream).await {
                Ok(Entered { stream, certificate }) => serve(stream, Some(router), Caller { peer, certificate }).await,
                Err(error) => tracing::info!(%peer, %error, "refused: no handshake with the admin listener"),
            },
            Ok(Err(_)) | Err(_) => tracing::debug!(%peer, "an admin connection began with nothing"),
        }
    }
}

/// Methods are capital letters (all that there are); a greeting of TLS is the byte 22 (RFC 8446 §5.1).
async fn speaks_http(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    let seen = stream.peek(&mut first).await?;
    Ok(seen == 1 && first[0].is_ascii_uppercase())
}

/// Without a router everybody is told that it is the wrong door.
async fn serve(stream: impl Stream, router: Option<Arc<Router>>, caller: Caller) {
    let peer = caller.peer;
    let shared = Arc::new((router, caller));
    let service = service_fn(move |request: Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move {
            let answer: Answer = match &shared.0 {
                Some(router) => router.answer(request, &shared.1).await,
                None => in_cleartext(&request),
            };
            Ok::<_, Infallible>(answer)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_LIMIT);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%peer, %error, "an admin connection failed");
    }
}
