//! Completions of what is being typed: what is asked, and what is proposed.
//!
//! Invariant: only what is within the caller's reach is proposed or counted.

use crate::reach::Reach;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is being typed.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Prompt {
    reach: Reach,
    /// As typed so far.
    pub text: String,
    /// Most proposals, 1 to 50.
    pub limit: usize,
}

impl Prompt {
    /// Up to 10 completions of `text` out of what `reach` shows.
    #[must_use]
    pub fn new(reach: Reach, text: impl Into<String>) -> Self {
        Self { reach, text: text.into(), limit: 10 }
    }

    /// The filter.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// The whole text with its last word completed, or a tag.
    pub text: String,
    /// What it is.
    pub kind: SuggestionKind,
    /// How many assets within reach have it.
    pub count: u64,
}

/// What a proposal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuggestionKind {
    /// A tag as a whole.
    Tag,
    /// A word of titles.
    Word,
}
