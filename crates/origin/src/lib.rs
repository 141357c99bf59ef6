//! Two binaries need it: where originals come from. Knows paths and bytes, not pictures, and of HTTP only how to ask: what an
//! answer allows is read elsewhere.
//!
//! Two sorts: those that are looked at (a folder tells inode and times) and those that are asked (a server answers with a
//! head, which says how long it holds). Invariant: what an origin returns is at most `max_bytes` long and comes from
//! inside the origin.

mod asking;
mod attempts;
mod body;
pub mod config;
pub mod file;
pub mod http;
pub mod pace;
mod retry;
pub mod s3;
mod trouble;

pub use asking::{Asking, Found, Reply};
pub use trouble::{Cause, Missing, Phase, Trouble};

use bytes::Bytes;
use cache_key::OriginalVersion;
use std::time::SystemTime;

/// What an origin says of an original without giving it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Changes whenever the bytes may have changed. Part of every rendition's key.
    pub version: OriginalVersion,
    /// When it last changed, if the origin says.
    pub modified: Option<SystemTime>,
    /// Bytes.
    pub len: u64,
}

/// An original as fetched.
#[derive(Clone, Debug)]
pub struct Original {
    /// All of it.
    pub bytes: Bytes,
    /// As it was when it was read.
    pub sighting: Sighting,
}

/// A configured origin.
#[derive(Debug)]
pub enum Origin {
    /// A folder of this machine: looked at.
    File(file::FileOrigin),
    /// A server: asked.
    Server(Server),
}

/// An origin that answers with a head.
#[derive(Debug)]
pub enum Server {
    /// An HTTP server.
    Http(Box<http::HttpOrigin>),
    /// A bucket of S3.
    S3(Box<s3::S3Origin>),
}

impl Server {
    /// Asks for an original.
    ///
    /// # Errors
    /// See [`Missing`]; a certain absence is no error but [`Found::Nothing`].
    pub async fn get(&self, asking: Asking<'_>) -> Result<Reply, Missing> {
        match self {
            Self::Http(server) => server.get(asking).await,
            Self::S3(bucket) => bucket.get(asking).await,
        }
    }
}

impl Origin {
    /// Whether its originals may be kept where other machines have them too: not what was asked for with credentials of the
    /// configuration. A bucket is asked as the server itself, for whomever it serves.
    pub fn may_be_shared(&self) -> bool {
        match self {
            Self::File(_) => false,
            Self::Server(Server::Http(server)) => !server.has_credentials(),
            Self::Server(Server::S3(_)) => true,
        }
    }

    /// How many of its hosts are left alone at the moment because they kept failing. A folder has none.
    pub fn hosts_open(&self) -> usize {
        match self {
            Self::File(_) => 0,
            Self::Server(Server::Http(server)) => server.hosts_open(),
            Self::Server(Server::S3(bucket)) => usize::from(bucket.is_left_alone()),
        }
    }
}
