//! Where originals come from. Knows paths and bytes, not pictures and not HTTP.
//!
//! Invariant: what an origin returns is at most `max_bytes` long and comes from inside the origin.

pub mod config;
pub mod file;

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

/// Why there is no original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Not there, or not a file, or outside the origin: to the one who asks these are the same.
    NotFound,
    /// Larger than the origin allows.
    TooLarge {
        /// Its bytes.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The origin failed; the text is for the log alone.
    Failed(String),
}

/// A configured origin.
#[derive(Debug)]
pub enum Origin {
    /// A folder of this machine.
    File(file::FileOrigin),
}

impl Origin {
    /// Looks at an original without reading it.
    ///
    /// # Errors
    /// See [`Missing`].
    pub async fn look(&self, path: &str) -> Result<Sighting, Missing> {
        match self {
            Self::File(origin) => origin.look(path).await,
        }
    }

    /// Reads an original whole.
    ///
    /// # Errors
    /// See [`Missing`].
    pub async fn fetch(&self, path: &str) -> Result<Original, Missing> {
        match self {
            Self::File(origin) => origin.fetch(path).await,
        }
    }
}
