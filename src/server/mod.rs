//! Sockets only: listeners, connections, time-outs, drain. What a request means is the handler's business.
//!
//! Invariants: connections are capped; a peer that sends or reads too slowly is cut off; an accepted request is
//! answered, also while the server goes down.

mod clock;
pub mod config;
mod conn;
mod listener;
mod peer;
mod stop;
mod watched;

pub use clock::Clock;
pub use config::{Runtime, ServerConfig};
pub use listener::Listeners;
pub use peer::{Identity, Peer};
pub use stop::Stop;

use bytes::Bytes;
use http::Response;
use http::request::Parts;

/// What the sockets need of the application.
pub trait Answer: Send + Sync + 'static {
    /// Answers the request that has this head; bodies of requests are not read. Never fails: errors are responses.
    fn answer(&self, peer: &Peer, head: Parts) -> impl Future<Output = Response<Bytes>> + Send;
    /// Something happened that is worth counting.
    fn note(&self, event: Event);
}

/// What happens to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// One was opened.
    Opened,
    /// One was closed.
    Closed,
}
