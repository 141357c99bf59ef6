//! Sockets only: listeners, connections, time-outs, drain. What a request means is the handler's business.
//!
//! Invariants: connections are capped; a peer that sends or reads too slowly is cut off; an accepted request is
//! answered, also while the server goes down.

mod clock;
pub mod config;
mod conn;
mod listener;
mod watched;

pub use clock::Clock;
pub use config::{Runtime, ServerConfig};
pub use listener::{Listeners, Stop};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use std::net::IpAddr;
use std::sync::Arc;

/// What the sockets need of the application.
pub trait Answer: Send + Sync + 'static {
    /// Answers one request of the peer at `peer`. Never fails: errors are responses.
    fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send;
    /// A connection was opened (+1) or closed (−1).
    fn connections(&self, change: i64);
}

impl<A: Answer> Answer for Arc<A> {
    fn answer(&self, peer: IpAddr, request: Request<Incoming>) -> impl Future<Output = Response<Full<Bytes>>> + Send {
        (**self).answer(peer, request)
    }
    fn connections(&self, change: i64) {
        (**self).connections(change);
    }
}
