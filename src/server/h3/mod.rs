//! HTTP/3 over QUIC: endpoints, their limits, and connections.
//!
//! Each thread that accepts has an endpoint with a socket of its own (SO_REUSEPORT). The kernel deals packets out by
//! addresses: a client whose address changes may reach another endpoint, which cannot go on with its connection but, knowing
//! the same keys, tells it so at once (stateless reset, RFC 9000 §10.3). Invariant: nobody who has not proved its address
//! holds more than a place among the handshakes.

mod bounded;
pub mod config;
mod conn;
mod endpoint;

pub use config::QuicConfig;
pub(super) use endpoint::{Endpoints, bind};
