//! What every store of the catalog does: the trait, and what it answers with.
//!
//! Knows no store. One contract suite holds all of them (`tests/contract`). Invariant: a commit is whole or was not; what a
//! commit has answered is durable.

use crate::asset::{Asset, StoredVersion};
use crate::change::{Change, Committed};
use crate::error::{CommitError, StoreError};
use crate::event::Event;
use crate::listing::{Cursor, Listing, Page};
use crate::name::{AssetId, AssetPath, ContentHash, TenantId, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::pin::Pin;
use std::time::Duration;
use utoipa::ToSchema;

/// A future that a trait object can give.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Asset records, their versions, what refers to which content, what tenants use, and the events that others have yet to
/// hear. Every method ends within the configured time. Times are told, not read: a store has no clock.
pub trait Catalog: fmt::Debug + Send + Sync {
    /// Makes one change, in one transaction: the record, its version, the references to content, the path (unique among the
    /// live assets of a tenant), the tenant's usage, the event, and the idempotency record.
    ///
    /// The key is looked at first: a repetition is answered with what was answered then, whatever has happened since.
    fn commit(&self, change: Change) -> Later<'_, Result<Committed, CommitError>>;

    /// The asset of that id, in whatever state.
    fn get<'a>(&'a self, tenant: &'a TenantId, id: AssetId) -> Later<'a, Result<Option<Asset>, StoreError>>;

    /// The live asset that holds a path.
    fn find<'a>(&'a self, tenant: &'a TenantId, path: &'a AssetPath) -> Later<'a, Result<Option<Asset>, StoreError>>;

    /// A page of a tenant's assets.
    fn list<'a>(&'a self, tenant: &'a TenantId, listing: &'a Listing) -> Later<'a, Result<Page<Asset>, StoreError>>;

    /// The contents that an asset has and had, newest first; none where there is no such asset.
    fn versions<'a>(&'a self, tenant: &'a TenantId, id: AssetId) -> Later<'a, Result<Vec<StoredVersion>, StoreError>>;

    /// Deleted assets of all tenants whose time for undoing is over, longest over first: to be erased.
    fn due(&self, now: Timestamp, limit: usize) -> Later<'_, Result<Vec<Asset>, StoreError>>;

    /// What a tenant has.
    fn usage<'a>(&'a self, tenant: &'a TenantId) -> Later<'a, Result<Usage, StoreError>>;

    /// Asked **before** content is put into the object store: until then it is not taken for unreferenced, and should the
    /// commit never come, it is found by [`Catalog::unreferenced`] afterwards.
    fn hold<'a>(
        &'a self,
        tenant: &'a TenantId,
        hash: &'a ContentHash,
        bytes: u64,
        until: Timestamp,
    ) -> Later<'a, Result<Held, StoreError>>;

    /// How many versions of assets refer to a content of the tenant.
    fn references<'a>(&'a self, tenant: &'a TenantId, hash: &'a ContentHash) -> Later<'a, Result<u64, StoreError>>;

    /// Contents of all tenants that nothing has referred to since before that moment and that nobody holds then, longest
    /// first; and those that were condemned before it and not forgotten, since whoever was about to remove them has gone.
    fn unreferenced(&self, before: Timestamp, limit: usize) -> Later<'_, Result<Vec<Unreferenced>, StoreError>>;

    /// The first step of removing content: `true` where nothing refers to it and nobody holds it at `now`. From then on it can
    /// be neither held nor referred to, so that it can be removed from the object store; then [`Catalog::forget`] is due.
    /// `false` where it is in use, or unknown. A content that is condemned already is so again.
    fn condemn<'a>(
        &'a self,
        tenant: &'a TenantId,
        hash: &'a ContentHash,
        now: Timestamp,
    ) -> Later<'a, Result<bool, StoreError>>;

    /// The last step: the object is no longer there, and may come back. Does nothing unless it is condemned.
    fn forget<'a>(&'a self, tenant: &'a TenantId, hash: &'a ContentHash) -> Later<'a, Result<(), StoreError>>;

    /// Events that have not been marked as sent, oldest first, those of one asset in their order. Whoever hands them on asks
    /// [`Catalog::lead`] first; [`crate::outbox`] does.
    fn pending(&self, limit: usize) -> Later<'_, Result<Vec<Event>, StoreError>>;

    /// They have been handed on, and are no longer pending. Unknown ones are passed over.
    fn sent<'a>(&'a self, events: &'a [Event]) -> Later<'a, Result<(), StoreError>>;

    /// What is pending.
    fn lag(&self) -> Later<'_, Result<Lag, StoreError>>;

    /// Takes or keeps the right to hand on events, for so long from `now`; `false` where another holder has it. A lease of
    /// no length gives it back.
    fn lead<'a>(&'a self, holder: &'a str, now: Timestamp, lease: Duration) -> Later<'a, Result<bool, StoreError>>;

    /// Every asset of every tenant, in some order that stays, for rebuilds: what is there from the first page to the last is
    /// given once.
    fn scan<'a>(&'a self, after: Option<&'a Cursor>, limit: usize) -> Later<'a, Result<Page<Asset>, StoreError>>;

    /// Everything that the store holds of assets, in some order, for those who check it against itself.
    fn survey<'a>(&'a self, after: Option<&'a Cursor>, limit: usize) -> Later<'a, Result<Page<Row>, StoreError>>;

    /// Whether it answers and can write; for readiness.
    fn ready(&self) -> Later<'_, Result<(), StoreError>>;
}

/// Whether content may be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It is held: put it, then commit.
    Ready,
    /// It is being removed just now: wait a moment and ask again.
    Condemned,
}

/// What a tenant has. Counts all states; what two assets share counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Usage {
    /// Assets.
    pub assets: u64,
    /// Their versions.
    pub versions: u64,
    /// Bytes of all these versions.
    pub bytes: u64,
}

/// What is in the outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lag {
    /// How many events; stores that would have to count for long stop at some ten thousand.
    pub events: u64,
    /// When the oldest of them happened.
    pub oldest: Option<Timestamp>,
}

/// A content that nothing refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreferenced {
    /// Whose.
    pub tenant: TenantId,
    /// Which.
    pub hash: ContentHash,
    /// How large.
    pub bytes: u64,
    /// Since when.
    pub since: Timestamp,
}

/// One thing that a store holds, as it is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Row {
    /// A record.
    Asset(Box<Asset>),
    /// A version.
    Version {
        /// Whose.
        tenant: TenantId,
        /// Of which asset.
        asset: AssetId,
        /// Which.
        version: Version,
        /// Its content …
        hash: ContentHash,
        /// … and how large that is.
        bytes: u64,
    },
    /// A path, and who holds it.
    Path {
        /// Whose.
        tenant: TenantId,
        /// The path.
        path: AssetPath,
        /// Who.
        asset: AssetId,
    },
    /// A content and how many versions are said to refer to it.
    Content {
        /// Whose.
        tenant: TenantId,
        /// Which.
        hash: ContentHash,
        /// How many.
        references: u64,
    },
    /// What a tenant is said to have.
    Usage {
        /// Whose.
        tenant: TenantId,
        /// How much.
        usage: Usage,
    },
}
