//! Every crate's tests need it (a dev-dependency only): images of known content, folders of originals, real servers, and
//! a client that says on the wire exactly what it is told to.
//!
//! Knows no crate of the workspace, so that all may use it. What goes wrong here ends the test: it panics.

pub mod certificate;
pub mod client;
pub mod collector;
pub mod fault;
pub mod folder;
pub mod gateway;
pub mod once;
pub mod opensearch;
pub mod origin;
pub mod picture;
pub mod postgres;
pub mod process;
pub mod redis;
pub mod s3;
pub mod varnish;
pub mod wire;

pub use client::{Client, Protocol};
pub use fault::{Fault, Proxy};
pub use folder::Folder;
pub use gateway::Gateway;
pub use opensearch::OpenSearch;
pub use origin::{Act, Origin};
pub use postgres::Postgres;
pub use process::Process;
pub use redis::Redis;
pub use varnish::Varnish;
pub use wire::{Connection, Reply};

/// Says that tests are skipped for lack of a server.
///
/// # Panics
/// Where `TINTYPE_NEED_SERVERS` demands it, as `make test` does.
pub(crate) fn skip(why: &str) {
    assert!(std::env::var_os("TINTYPE_NEED_SERVERS").is_none(), "{why}");
    println!("skipped: {why}");
}
