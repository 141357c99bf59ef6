//! What is known of an upload beside its bytes: where it goes, what it is called, what it may do.
//!
//! Kept with uploads that take several requests. Invariant: what its sender may do was decided when it began, and is not
//! widened later.

use crate::Trouble;
use crate::inspect::Declared;
use catalog::{Asset, AssetPath, ContentHash, IdempotencyKey, Subject, Tag, TenantId, TraceParent, Visibility};
use serde::{Deserialize, Serialize};

/// What is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Intake {
    /// Whose it becomes.
    pub tenant: TenantId,
    /// What it is published as.
    pub path: AssetPath,
    /// A line about it; `None`: as it was, or none.
    pub title: Option<String>,
    /// More about it.
    pub description: Option<String>,
    /// Words that it is found by.
    pub tags: Option<Vec<Tag>>,
    /// Who may see it.
    pub visibility: Option<Visibility>,
    /// The type that was declared.
    pub media_type: Option<String>,
    /// The hash that the bytes are said to have.
    pub hash: Option<ContentHash>,
    /// Who sends it.
    pub actor: Subject,
    /// What there has to be.
    pub condition: Condition,
    /// Whether a new picture may come of it.
    pub may_create: bool,
    /// Whether it may take the place of the one that is there.
    pub may_replace: bool,
    /// For a request that may be repeated.
    pub idempotency: Option<IdempotencyKey>,
    /// The request's place in a trace.
    pub trace: Option<TraceParent>,
}

/// What there has to be for an upload to be taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// Nothing in particular.
    #[default]
    Any,
    /// No picture of that path (`If-None-Match: *`).
    None,
    /// A picture of that path (`If-Match: *`).
    Some,
    /// One at one of these revisions (`If-Match: "r7"`).
    Revisions(Vec<u64>),
}

impl Condition {
    /// Whether it holds of what is at the path.
    ///
    /// # Errors
    /// [`Trouble::Exists`], [`Trouble::Missing`], [`Trouble::Changed`].
    pub fn check(&self, there: Option<&Asset>) -> Result<(), Trouble> {
        match (self, there) {
            (Self::Any, _) | (Self::None, None) | (Self::Some, Some(_)) => Ok(()),
            (Self::None, Some(asset)) => Err(Trouble::Exists(Box::new(asset.clone()))),
            (Self::Some | Self::Revisions(_), None) => Err(Trouble::Missing),
            (Self::Revisions(revisions), Some(asset)) if revisions.contains(&asset.revision.get()) => Ok(()),
            (Self::Revisions(_), Some(asset)) => Err(Trouble::Changed(Box::new(asset.clone()))),
        }
    }
}

impl Intake {
    /// What the bytes are compared with.
    pub(crate) fn declared(&self) -> Declared {
        Declared { media_type: self.media_type.clone(), name: Some(self.path.as_str().to_owned()) }
    }

    /// Sets what was said of the picture, and leaves the rest.
    pub(crate) fn describe(&self, asset: &mut Asset) {
        if self.title.is_some() {
            asset.title.clone_from(&self.title);
        }
        if self.description.is_some() {
            asset.description.clone_from(&self.description);
        }
        if let Some(tags) = &self.tags {
            asset.tags.clone_from(tags);
        }
        if let Some(visibility) = self.visibility {
            asset.visibility = visibility;
        }
    }

    /// What must be the same when the request is repeated.
    pub(crate) fn fingerprint(&self, content: &ContentHash) -> ContentHash {
        let said = (&self.tenant, &self.path, &self.title, &self.description, &self.tags, &self.visibility);
        let text = serde_json::to_vec(&(said, content)).expect("texts are JSON");
        ContentHash::of(&text)
    }
}
