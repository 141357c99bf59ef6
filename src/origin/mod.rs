//! Where originals come from. Knows paths and bytes, not pictures, and of HTTP only how to ask: what an answer allows is
//! read elsewhere.
//!
//! Two sorts: those that are looked at (a folder tells inode and times) and those that are asked (a server answers with a
//! head, which says how long it holds). Invariant: what an origin returns is at most `max_bytes` long and comes from
//! inside the origin.

mod asking;
pub mod config;
pub mod file;
pub mod http;
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
    /// An HTTP server: asked.
    Http(Box<http::HttpOrigin>),
}

impl Origin {
    /// How many of its hosts are left alone at the moment because they kept failing. A folder has none.
    pub fn hosts_open(&self) -> usize {
        match self {
            Self::File(_) => 0,
            Self::Http(server) => server.hosts_open(),
        }
    }
}
