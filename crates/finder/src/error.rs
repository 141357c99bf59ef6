//! Why an engine could not answer or take what it was given. Knows no HTTP status.

use crate::query::Rejected;
use std::fmt;

/// What went wrong.
#[derive(Debug)]
pub enum FinderError {
    /// The query cannot be answered as it is asked.
    Query(Rejected),
    /// The engine cannot be reached, or is overloaded: worth another try later.
    Unavailable(String),
    /// It did not answer in time.
    TimedOut,
    /// The engine says, or holds, what it should not: for people to look at.
    Broken(String),
    /// There is no such generation, or another rebuild is under way.
    Generation(String),
}

impl FinderError {
    /// Whether the same may go well later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::TimedOut)
    }
}

impl fmt::Display for FinderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Query(rejected) => rejected.fmt(f),
            Self::Unavailable(why) => write!(f, "the search engine is not available: {why}"),
            Self::TimedOut => f.write_str("the search engine did not answer in time"),
            Self::Broken(why) => write!(f, "the search engine failed: {why}"),
            Self::Generation(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for FinderError {}

impl From<Rejected> for FinderError {
    fn from(rejected: Rejected) -> Self {
        Self::Query(rejected)
    }
}
