//! The admin listener: whether the process lives and is ready, its metrics, and routes that a binary adds. Never public.
//!
//! Knows nothing of the service's own traffic, and of TLS only that it may stand before HTTP. Invariants: it is small and bounded (connections, head, body, time), and
//! goes on answering while the process drains; whatever changes something is for those who may, and written down.

mod access;
mod audit;
mod entry;
mod route;

pub use access::{Access, Holder, Known, Token};
pub use audit::{Audit, Detail};
pub use entry::{Entered, Entering, Stream};

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::certificate::Identity;
use crate::drain::Drain;
use entry::Entry;
use route::Router;

/// Connections open at once.
const CONNECTIONS: usize = 64;
/// Longest wait for a request's head; also closes connections that are idle for so long.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest life of a connection: whoever reads too slowly is cut off.
const CONNECTION_LIMIT: Duration = Duration::from_secs(600);
/// Largest head of a request, in bytes.
const HEAD_LIMIT: usize = 16 << 10;
/// Rest after a failed accept: file descriptors may have run out, and asking again at once would spin.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// An answer of the admin listener.
pub type Answer = Response<Full<Bytes>>;

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
struct Caller {
    peer: SocketAddr,
    /// Verified.
    certificate: Option<Identity>,
}

/// Whether the service wants requests. Clones share one state.
#[derive(Clone, Debug)]
pub struct Readiness {
    drain: Drain,
    /// Why it is not ready; `None` when it is.
    obstacle: Arc<RwLock<Option<String>>>,
}

impl Readiness {
    /// Not ready: starting. A drain ends readiness for good.
    pub fn new(drain: Drain) -> Self {
        Self { drain, obstacle: Arc::new(RwLock::new(Some("starting".into()))) }
    }

    /// The service wants requests from now on.
    pub fn ready(&self) {
        self.set(None);
    }

    /// The service wants no requests for now. The reason is shown to whoever asks.
    pub fn not_ready(&self, reason: impl Into<String>) {
        self.set(Some(reason.into()));
    }

    /// Why the service is not ready; `None` when it is.
    pub fn obstacle(&self) -> Option<String> {
        if self.drain.is_draining() {
            return Some("draining".into());
        }
        self.obstacle.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn set(&self, obstacle: Option<String>) {
        *self.obstacle.write().unwrap_or_else(std::sync::PoisonError::into_inner) = obstacle;
    }
}

/// Registers `build_info{service, version} 1`.
pub fn register_build(registry: &mut Registry, service: &'static str, version: &'static str) {
    let info = Info::new(vec![("service", service), ("version", version)]);
    registry.register("build", "Which build of which service this is", info);
}

/// An admin listener that is not yet bound.
pub struct Admin {
    router: Router,
    entry: Entry,
}

impl Admin {
    /// With `/healthz`, `/readyz` and `/metrics`. Register every metric before: the registry is only read here.
    pub fn new(readiness: Readiness, registry: Arc<Registry>) -> Self {
        Self { router: Router::new(readiness, registry), entry: Entry::default() }
    }

    /// Who may use it; without this call anybody who reaches it.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.router.access = access;
        self
    }

    /// Where acts are written down; without this call in the log alone.
    #[must_use]
    pub fn audit(mut self, audit: Audit) -> Self {
        self.router.audit = audit;
        self
    }

    /// What connections go through before HTTP, such as a handshake of TLS, which bounds its own time; without this call
    /// nothing. Who speaks HTTP there is told so.
    #[must_use]
    pub fn secure(mut self, enter: impl Fn(TcpStream) -> Entering + Send + Sync + 'static) -> Self {
        self.entry = Entry::secure(enter);
        self
    }

    /// Adds a route, such as `POST /purge`. The path is matched exactly, without the query; one that ends in `*` is that of
    /// everything below. The body of a request is limited to 1 MiB. Methods other than GET and HEAD are acts: the audit log
    /// has each, with the [`Detail`] that the answer may carry among its extensions.
    #[must_use]
    pub fn route<F>(
        mut self,
        method: Method,
        path: &'static str,
        handler: impl Fn(Request<Bytes>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        self.router.add(method, path, Box::new(move |request| Box::pin(handler(request))));
        self
    }

    /// Binds the socket, so that a port that is taken is known before the service starts.
    ///
    /// # Errors
    /// Those of binding a socket.
    pub async fn bind(self, address: SocketAddr) -> io::Result<BoundAdmin> {
        let listener = TcpListener::bind(address).await?;
        Ok(BoundAdmin { listener, router: Arc::new(self.router), entry: self.entry })
    }
}

/// An admin listener that is bound. [`serve`](Self::serve) makes it answer.
pub struct BoundAdmin {
    listener: TcpListener,
    router: Arc<Router>,
    entry: Entry,
}

impl BoundAdmin {
    /// The address bound, with the port that the system chose where 0 was asked for.
    ///
    /// # Errors
    /// Those of asking the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until it is dropped; spawn it, and let it end with the runtime.
    pub async fn serve(self) {
        let slots = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    let (router, entry) = (Arc::clone(&self.router), self.entry.clone());
                    tokio::spawn(async move {
                        let _slot = slot;
                        let _ = tokio::time::timeout(CONNECTION_LIMIT, entry.converse(stream, peer, router)).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the admin listener cannot accept");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
