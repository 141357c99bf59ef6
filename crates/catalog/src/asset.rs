//! The record of an asset, and of its former contents.
//!
//! Knows neither how it is stored nor who may see it. Invariant: a record says everything about an asset that the catalog
//! knows; what stores keep beside it for their indexes is taken from it.

use crate::name::{AssetId, AssetPath, ContentHash, MediaType, Region, Revision, Subject, Tag, TenantId, Version};
use crate::schema::Schema;
use crate::stamp::Stamp;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is known of a picture: the fields that `f=json` of the edge tells. What must not be served (place, serial numbers)
/// is below the key [`PRIVATE`].
pub type Facts = serde_json::Map<String, serde_json::Value>;

/// The key of [`Facts`] for what only those may see who may edit.
pub const PRIVATE: &str = "private";

/// One asset, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asset {
    /// The version of this format.
    pub schema: Schema,
    /// Which one: for good.
    pub id: AssetId,
    /// Whose: for good.
    pub tenant: TenantId,
    /// Its published name, which it holds alone as long as it is live.
    pub path: AssetPath,
    /// Grows with every change. Given by the catalog.
    pub revision: Revision,
    /// Grows with every new content. Given by the catalog.
    pub version: Version,
    /// Whether it is to be seen.
    pub state: State,
    /// The picture itself, by name.
    pub content: Content,
    /// What is known of the picture.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub facts: Facts,
    /// A line about it; up to 300 characters.
    pub title: Option<String>,
    /// More about it; up to 5,000 characters.
    pub description: Option<String>,
    /// Words that it is found by; up to 100.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Whose it is inside the tenant; `None`: the tenant's as a whole.
    pub owner: Option<Subject>,
    /// Who may see it, beside those whom the policies name.
    pub visibility: Visibility,
    /// When it came to be: for good.
    pub created: Timestamp,
    /// When it was changed last.
    pub changed: Timestamp,
    /// When it was deleted, while that can be undone.
    pub deleted: Option<Timestamp>,
    /// Where and when this was written, and what it knew of. Given by the catalog.
    pub stamp: Stamp,
}

/// Whether an asset is to be seen. Only live ones hold their path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum State {
    /// It is published.
    Live,
    /// It is kept for those who look into it, and shown to nobody else.
    Quarantined {
        /// Why, in words for its owner; 1 to 1,000 characters.
        reason: String,
    },
    /// It is gone for all, but can be brought back.
    Deleted {
        /// Until then; afterwards it may be erased at any time.
        until: Timestamp,
    },
}

impl State {
    /// Which of the three.
    #[must_use]
    pub const fn kind(&self) -> StateKind {
        match self {
            Self::Live => StateKind::Live,
            Self::Quarantined { .. } => StateKind::Quarantined,
            Self::Deleted { .. } => StateKind::Deleted,
        }
    }
}

/// A [`State`] without what belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum StateKind {
    /// See [`State::Live`].
    Live,
    /// See [`State::Quarantined`].
    Quarantined,
    /// See [`State::Deleted`].
    Deleted,
}

impl StateKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Live, Self::Quarantined, Self::Deleted];

    /// Its name in JSON, in queries and in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Quarantined => "quarantined",
            Self::Deleted => "deleted",
        }
    }
}

/// The picture itself: which bytes, and what they are by their own word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Content {
    /// Which bytes.
    pub hash: ContentHash,
    /// How many.
    pub bytes: u64,
    /// Of which type, by looking into them.
    pub media_type: MediaType,
    /// Pixels, as the picture stands upright.
    pub width: u32,
    /// Pixels, as the picture stands upright.
    pub height: u32,
    /// One, or how many an animation has.
    pub frames: u32,
}

/// Who may see an asset, beside those whom the policies name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Visibility {
    /// Members of the tenant.
    #[default]
    Tenant,
    /// Everybody.
    Public,
}

impl Visibility {
    /// Its name in JSON, in queries and in stores.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Public => "public",
        }
    }
}

/// A content that an asset has or had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredVersion {
    /// Its number: the current one's is the asset's.
    pub version: Version,
    /// The picture.
    pub content: Content,
    /// Since when.
    pub at: Timestamp,
    /// Who brought it.
    pub actor: Subject,
}

impl Asset {
    /// A new live one that belongs to the whole tenant, with nothing known of it yet.
    #[must_use]
    pub fn new(tenant: TenantId, path: AssetPath, content: Content, at: Timestamp) -> Self {
        let nowhere = Region::here();
        Self {
            schema: Schema::default(),
            id: AssetId::new(at),
            tenant,
            path,
            revision: Revision::FIRST,
            version: Version::FIRST,
            state: State::Live,
            content,
            facts: Facts::new(),
            title: None,
            description: None,
            tags: Vec::new(),
            owner: None,
            visibility: Visibility::default(),
            created: at,
            changed: at,
            deleted: None,
            stamp: Stamp::first(&nowhere, at),
        }
    }

    /// Whether it is published, and holds its path.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        matches!(self.state, State::Live)
    }

    /// Without what only those may see who may edit it.
    #[must_use]
    pub fn without_private(mut self) -> Self {
        self.facts.remove(PRIVATE);
        self
    }
}

impl Region {
    /// The one of catalogs that know of no other.
    #[must_use]
    pub fn here() -> Self {
        "local".parse().expect("a region's name")
    }
}
