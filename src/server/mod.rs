//! Sockets only: listeners, connections, time-outs, drain. What a request means is the handler's business.
//!
//! Invariants: connections are capped; a peer that sends or reads too slowly is cut off; an accepted request is
//! answered, also while the server goes down. All protocols ask the same [`Answer`].

mod accept;
mod address;
mod bind;
mod clients;
mod clock;
pub mod config;
mod conn;
mod corked;
mod event;
mod greeting;
pub mod h3;
mod inline;
mod lend;
mod listener;
mod peer;
pub mod proxy;
mod stop;
pub mod tls;
mod watched;

pub use address::{Address, AddressError};
pub use clock::Clock;
pub use config::{Runtime, ServerConfig};
pub use event::{Event, Handshake, Refusal};
pub use listener::{Listeners, Listening};
pub use peer::{Identity, Peer};
pub use stop::Stop;
pub use tls::Tls;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use tokio::runtime::Handle;

/// What the sockets need of the application.
pub trait Answer: Send + Sync + 'static {
    /// Answers the request that has this head; bodies of requests are not read. Never fails: errors are responses.
    fn answer(&self, peer: &Peer, head: Parts) -> impl Future<Output = Response<Bytes>> + Send;
    /// Something happened that is worth counting.
    fn note(&self, event: Event);
    /// Connections are served on this runtime too.
    fn served_on(&self, runtime: &Handle);
}
