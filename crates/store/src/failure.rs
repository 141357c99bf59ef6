//! What a store cannot do.
//!
//! Knows no HTTP. Invariant: texts of [`Failure::Store`] are for the log; they may name places.

use std::fmt;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No such content.
    Absent,
    /// Nothing is staged there.
    NotStaged,
    /// Something else is staged than was thought.
    Offset {
        /// How much there is.
        length: u64,
    },
    /// Another one writes there at this moment.
    Busy,
    /// The store cannot have such a name; why, for whoever chose it.
    Name(String),
    /// No room.
    Full,
    /// The store itself failed. May pass.
    Store(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("there is no such content"),
            Self::NotStaged => f.write_str("nothing is staged there"),
            Self::Offset { length } => write!(f, "{length} bytes are staged there"),
            Self::Busy => f.write_str("another one writes there"),
            Self::Name(why) => write!(f, "the name cannot be had: {why}"),
            Self::Full => f.write_str("the store has no room"),
            Self::Store(text) => write!(f, "the store failed: {text}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Store(error.to_string()),
        }
    }
}

impl From<aws::Fault> for Failure {
    fn from(fault: aws::Fault) -> Self {
        Self::Store(fault.to_string())
    }
}
