//! Why something was not done: the union of what the parts say, before it becomes an answer or a retry.
//!
//! Knows no HTTP. Invariant: whether it may go well later follows from the kind alone ([`Trouble::passes`]).

use crate::inspect::Refused;
use catalog::{Asset, CommitError, StoreError};
use std::fmt;
use store::Failure;

/// Why.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// The upload is no picture that is taken.
    Refused(Refused),
    /// The catalog did not make the change.
    Commit(CommitError),
    /// The catalog did not answer.
    Catalog(StoreError),
    /// The store did not do it.
    Store(Failure),
    /// There was to be none of that path, and there is one.
    Exists(Box<Asset>),
    /// There was to be one of that path, and there is none.
    Missing,
    /// It is at another revision than was said.
    Changed(Box<Asset>),
    /// The one who sent it may not do what it would come to by now.
    NotAllowed,
    /// Longer than uploads may be.
    TooLong {
        /// What is allowed.
        limit: u64,
    },
    /// The content is being removed at this moment, for too long.
    Condemned,
}

impl Trouble {
    /// Whether the same may go well later.
    #[must_use]
    pub fn passes(&self) -> bool {
        match self {
            Self::Commit(CommitError::Store(error)) | Self::Catalog(error) => error.passes(),
            Self::Commit(CommitError::Condemned(_)) | Self::Condemned => true,
            Self::Store(failure) => matches!(failure, Failure::Store(_) | Failure::Busy | Failure::Full),
            _ => false,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => refused.fmt(f),
            Self::Commit(error) => error.fmt(f),
            Self::Catalog(error) => error.fmt(f),
            Self::Store(failure) => failure.fmt(f),
            Self::Exists(asset) => write!(f, "there is a picture at {} already: {}", asset.path, asset.id),
            Self::Missing => f.write_str("there is no picture at that path to be replaced"),
            Self::Changed(asset) => write!(f, "the picture {} is at revision {} by now", asset.id, asset.revision),
            Self::NotAllowed => f.write_str("the path got a picture meanwhile that you may not replace"),
            Self::TooLong { limit } => write!(f, "uploads may have {limit} bytes"),
            Self::Condemned => f.write_str("this content is being removed at this moment; try again"),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<CommitError> for Trouble {
    fn from(error: CommitError) -> Self {
        Self::Commit(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Catalog(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Store(failure)
    }
}
