//! Why a change was not made, or a question not answered.
//!
//! Knows no HTTP: whoever asks maps these. Invariant: texts hold neither passwords nor records.

use crate::asset::Asset;
use crate::name::{AssetId, ContentHash};
use std::fmt;

/// Why a change was not made. Nothing of it was.
#[derive(Clone, Debug, PartialEq)]
pub enum CommitError {
    /// The asset is not what was expected: as it is now, if it is.
    Conflict(Option<Box<Asset>>),
    /// That asset holds the path.
    PathTaken(AssetId),
    /// The key was used for another request.
    KeyReused,
    /// The tenant would have more than it may.
    OverQuota(Excess),
    /// This content is about to be removed from the object store. Wait a moment, [hold](crate::Catalog::hold) it, put it again.
    Condemned(ContentHash),
    /// The change is none that could be made of any record.
    Invalid(Flaw),
    /// The store did not do it, or nobody knows whether it did ([`StoreError::Late`], [`StoreError::Unreachable`]): repeat
    /// it under an idempotency key, or read the record first.
    Store(StoreError),
}

/// What of a quota would be exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// `assets` or `bytes`.
    pub of: &'static str,
    /// What the tenant has now.
    pub used: u64,
    /// What it would have.
    pub wanted: u64,
    /// What it may have.
    pub limit: u64,
}

/// What is wrong with a change in itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The field, as JSON names it.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// Why a store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// No answer in time, or too many others at the same record.
    Late,
    /// It could not be asked, or broke off.
    Unreachable(String),
    /// It answered, with something else than was hoped for.
    Refused(String),
    /// What it has cannot be read: by its key, and why.
    Corrupt(String),
    /// The cursor is none of this listing.
    BadCursor,
}

impl StoreError {
    /// Whether the same may succeed later.
    #[must_use]
    pub const fn passes(&self) -> bool {
        matches!(self, Self::Late | Self::Unreachable(_))
    }

    /// The name in metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Unreachable(_) => "unreachable",
            Self::Refused(_) => "refused",
            Self::Corrupt(_) => "corrupt",
            Self::BadCursor => "bad-cursor",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Late => f.write_str("the catalog did not answer in time"),
            Self::Unreachable(why) => write!(f, "the catalog cannot be reached: {why}"),
            Self::Refused(why) => write!(f, "the catalog refused: {why}"),
            Self::Corrupt(why) => write!(f, "the catalog holds what cannot be read: {why}"),
            Self::BadCursor => f.write_str("the cursor belongs to no page of this listing"),
        }
    }
}

impl std::error::Error for StoreError {}

impl CommitError {
    /// The name in metrics and problem documents.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Conflict(_) => "conflict",
            Self::PathTaken(_) => "path-taken",
            Self::KeyReused => "key-reused",
            Self::OverQuota(_) => "over-quota",
            Self::Condemned(_) => "condemned",
            Self::Invalid(_) => "invalid",
            Self::Store(error) => error.as_str(),
        }
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(None) => f.write_str("there is no such asset any more"),
            Self::Conflict(Some(asset)) => write!(f, "the asset {} is at revision {} by now", asset.id, asset.revision),
            Self::PathTaken(id) => write!(f, "the asset {id} has this path"),
            Self::KeyReused => f.write_str("the idempotency key was used for another request"),
            Self::OverQuota(Excess { of, used, wanted, limit }) => {
                write!(f, "the tenant has {used} {of}, may have {limit}, and would have {wanted}")
            }
            Self::Condemned(hash) => write!(f, "the content {hash} is being removed"),
            Self::Invalid(flaw) => write!(f, "{}: {}", flaw.field, flaw.problem),
            Self::Store(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for CommitError {}

impl From<StoreError> for CommitError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
