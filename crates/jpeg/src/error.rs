//! What can go wrong before pixels exist, and the limits that are checked against the header.
//! Damage behind the first scan's header is no error: what is there is given, see [`crate::Outcome`].

use std::fmt;

/// Limits, checked against the header before anything of the picture's size is allocated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Width × height of the whole frame, whatever the scale.
    pub max_pixels: u64,
    /// Bytes that a decode may hold in its [`crate::Workspace`] (the output buffer is the caller's).
    pub max_memory: u64,
}

impl Default for Limits {
    /// 100 megapixels, 512 MiB.
    fn default() -> Self {
        Self { max_pixels: 100_000_000, max_memory: 512 << 20 }
    }
}

/// Why there are no pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// Not a JPEG, or its headers break the rules (ITU-T T.81).
    Malformed(&'static str),
    /// A JPEG of a kind that this decoder does not read: arithmetic, lossless, hierarchical, 12 bit, two components.
    Unsupported(&'static str),
    /// A limit would be exceeded.
    TooLarge {
        /// Which quantity, in words.
        what: &'static str,
        /// What the file needs.
        value: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The caller asked to stop.
    Cancelled,
    /// The output buffer or the region does not fit: the caller's mistake.
    Usage(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "damaged JPEG: {what}"),
            Self::Unsupported(what) => write!(f, "unsupported JPEG: {what}"),
            Self::TooLarge { what, value, limit } => write!(f, "JPEG {what}: {value} exceeds the limit of {limit}"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Usage(what) => write!(f, "wrong use of the JPEG decoder: {what}"),
        }
    }
}

impl std::error::Error for Error {}
