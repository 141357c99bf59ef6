//! The seam between what is asked and the engine that answers.
//!
//! What is acknowledged when: [`Finder::apply`] returns once every write of the batch is on disk (tantivy: a commit;
//! OpenSearch: the translog of primary and replicas) and found by searches that begin later. What was not acknowledged
//! may hold or not; sending it again does no harm. Writes to a generation that is being built
//! ([`Finder::apply_to`]) are kept when [`Finder::switch`] returns: who is killed before that begins a new one.

use crate::document::Document;
use crate::error::FinderError;
use crate::hits::Hits;
use crate::query::Query;
use crate::reach::Reach;
use crate::suggest::{Prompt, Suggestion};
use crate::write::{Applied, Write};
use serde::{Deserialize, Serialize};
use std::future::Future;
use std::pin::Pin;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most ids that are asked for at once.
pub(crate) const MAX_IDS: usize = 200;

/// What an engine answers in its time.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, FinderError>> + Send + 'a>>;

/// An index that can be searched, written, and rebuilt behind the back of those who search.
pub trait Finder: Send + Sync {
    /// Applies a batch to the current generation, and to the one that is being built, if any. At most 10,000 writes.
    fn apply(&self, writes: Vec<Write>) -> Answer<'_, Applied>;

    /// One page of what a query finds.
    fn search<'a>(&'a self, query: &'a Query) -> Answer<'a, Hits>;

    /// Completions of what is being typed.
    fn suggest<'a>(&'a self, prompt: &'a Prompt) -> Answer<'a, Vec<Suggestion>>;

    /// The documents of these ids that are within reach, in the order of the ids; others are left out. At most 200.
    fn get<'a>(&'a self, reach: &'a Reach, ids: &'a [Uuid]) -> Answer<'a, Vec<Document>>;

    /// Ids and revisions of all documents of all tenants, ascending, after `after`: for checkers, never for callers.
    fn scan(&self, after: Option<Uuid>, limit: usize) -> Answer<'_, Vec<(Uuid, u64)>>;

    /// A number that is another one whenever something of these tenants (`None`: of any) may have changed: answers that
    /// were computed under an equal number hold still. `None` where the engine cannot know, since others write too.
    fn epoch<'a>(&'a self, tenants: Option<&'a [&'a str]>) -> Answer<'a, Option<u64>>;

    /// Starts a new, empty generation beside the current one. What is applied from now on goes to both. One that was
    /// begun before and never switched to is dropped.
    fn begin_rebuild(&self) -> Answer<'_, Generation>;

    /// Applies a batch to the generation that is being built, only. Never replaces a higher revision.
    fn apply_to<'a>(&'a self, generation: &'a Generation, writes: Vec<Write>) -> Answer<'a, Applied>;

    /// Makes the generation that is being built the current one, at once for all who search.
    fn switch<'a>(&'a self, generation: &'a Generation) -> Answer<'a, ()>;

    /// Drops generations that are neither current nor being built; tells how many.
    fn drop_old(&self) -> Answer<'_, usize>;

    /// What there is.
    fn stats(&self) -> Answer<'_, Stats>;
}

/// A state of the whole index; its name is the engine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Generation(String);

impl Generation {
    /// By its name, as a rebuild that goes on in another process knows it.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// What an index holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Stats {
    /// `tantivy` or `opensearch`.
    pub engine: String,
    /// The generation that is searched.
    pub current: Generation,
    /// The generation that is being built.
    pub building: Option<Generation>,
    /// Documents that can be found.
    pub documents: u64,
    /// Tombstones of removals.
    pub tombstones: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// Whether it began empty since what was there could not be used: it has to be rebuilt from the catalog.
    pub needs_rebuild: bool,
}
