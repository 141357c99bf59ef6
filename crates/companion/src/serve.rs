//! Companions on a socket: several beside each other, and what answers the rest.
//!
//! Knows no route but the first segment of paths. Invariants: connections are capped; a peer that sends no head, or takes
//! nothing of its answer, is cut off; a request that was accepted is answered, also while the process goes down.

use crate::base::{Companion, Task};
use crate::request::Peer;
use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use service::drain::{Drain, InFlight};
use socket2::SockRef;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

/// Largest head of a request, in bytes.
const HEAD_LIMIT: usize = 32 << 10;
/// Longest time in which a peer takes nothing of what was sent to it (RFC 5482).
const TAKES_NOTHING: Duration = Duration::from_secs(60);
/// Rest after a failed accept: file descriptors may have run out, and asking again at once would spin.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// What answers the paths of no companion.
pub type Fallback = Router;

/// Companions beside each other. Clones share them.
#[derive(Clone, Debug)]
pub struct Mounted {
    companions: Arc<[(&'static str, Router)]>,
    fallback: Option<Router>,
}

impl Mounted {
    /// What is served, and the companions' work behind the requests, which is to be started.
    #[must_use]
    pub fn new(companions: Vec<Companion>, fallback: Option<Fallback>) -> (Self, Vec<Task>) {
        let mut tasks = Vec::new();
        let routers = companions.into_iter().map(|companion| {
            tasks.extend(companion.tasks);
            (companion.name, companion.router)
        });
        let companions = routers.collect();
        (Self { companions, fallback }, tasks)
    }

    /// The answer to a request. Without a fallback the first companion refuses what belongs to none.
    pub async fn answer(&self, request: Request<Body>) -> Response {
        let segment = request.uri().path().split('/').nth(1).unwrap_or_default();
        let found = self.companions.iter().find(|(name, _)| *name == segment).map(|(_, router)| router);
        let router = found.or(self.fallback.as_ref()).or(self.companions.first().map(|(_, router)| router));
        match router {
            Some(router) => router.clone().oneshot(request).await.unwrap_or_else(|never| match never {}),
            None => Response::new(Body::empty()),
        }
    }
}

/// Answers what comes in by `listener` until `stop` begins; `drain` counts the connections.
pub async fn serve(
    listener: TcpListener,
    mounted: Mounted,
    connections: usize,
    head_timeout: Duration,
    stop: &Drain,
    drain: &Drain,
) {
    let slots = Arc::new(Semaphore::new(connections));
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.expect("the semaphore is never closed");
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            biased;
            () = stop.draining() => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, from)) => {
                let talk = converse(stream, from, mounted.clone(), head_timeout, stop.clone(), drain.track());
                tokio::spawn(async move {
                    talk.await;
                    drop(slot);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

async fn converse(
    stream: TcpStream,
    from: SocketAddr,
    mounted: Mounted,
    head_timeout: Duration,
    stop: Drain,
    _counted: InFlight,
) {
    // Where the system knows neither, the connection works all the same.
    let _cosmetic = stream.set_nodelay(true);
    let _bounded = SockRef::from(&stream).set_tcp_user_timeout(Some(TAKES_NOTHING));
    let peer = Peer { address: from.ip(), secure: false };
    let service = service_fn(move |request: Request<Incoming>| {
        let mounted = mounted.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(peer);
            Ok::<_, Infallible>(mounted.answer(request).await)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_timeout).max_buf_size(HEAD_LIMIT);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.draining() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection failed");
    }
}
