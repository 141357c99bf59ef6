//! What is written to an index, and what became of it.
//!
//! Invariant: of all writes of an asset the one with the highest revision holds, in whatever order and however often they
//! come; a removal is a write like any other and leaves a tombstone.

use crate::document::Document;
use uuid::Uuid;

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// The asset is to be found as this.
    Put(Box<Document>),
    /// The asset is no longer to be found.
    Remove {
        /// Whose it was.
        tenant: String,
        /// The asset.
        id: Uuid,
        /// The revision that removed it.
        revision: u64,
    },
}

impl Write {
    /// The asset in question.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match self {
            Self::Put(document) => document.id,
            Self::Remove { id, .. } => *id,
        }
    }

    /// Its revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        match self {
            Self::Put(document) => document.revision,
            Self::Remove { revision, .. } => *revision,
        }
    }

    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> &str {
        match self {
            Self::Put(document) => &document.tenant,
            Self::Remove { tenant, .. } => tenant,
        }
    }
}

/// What became of one write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Written,
    /// The index knew this revision, or a higher one, already.
    Older,
    /// The engine refused this one document, and will again: why.
    Refused(String),
}

/// What became of a batch: an outcome for each write, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// In the order of the batch.
    pub outcomes: Vec<Outcome>,
}

impl Applied {
    /// How many hold.
    #[must_use]
    pub fn written(&self) -> usize {
        self.outcomes.iter().filter(|outcome| **outcome == Outcome::Written).count()
    }

    /// Those that were refused, by their place in the batch.
    pub fn refused(&self) -> impl Iterator<Item = (usize, &str)> {
        self.outcomes.iter().enumerate().filter_map(|(at, outcome)| match outcome {
            Outcome::Refused(why) => Some((at, why.as_str())),
            Outcome::Written | Outcome::Older => None,
        })
    }
}
