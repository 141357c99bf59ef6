//! One event → the present record → one write of the index.
//!
//! The event says where to look, never what to write: the record is read anew, so that events that come late, twice or in
//! another order do no harm. Invariant: what the index says of an asset is what its record said at some revision, and
//! never goes back to an earlier one.

use crate::document::{Policy, document};
use crate::metric::Metrics;
use crate::writer::Writer;
use catalog::{Asset, Catalog, Event, StoreError};
use finder::{Finder, Outcome, Write};
use jiff::Timestamp;
use jobs::{Ended, Failure, Work};
use std::sync::Arc;

/// Puts records into the index. Clones share it.
#[derive(Clone)]
pub struct Indexer {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) finder: Arc<dyn Finder>,
    pub(crate) policy: Policy,
    pub(crate) metrics: Metrics,
    writer: Writer,
}

impl std::fmt::Debug for Indexer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Indexer").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Indexer {
    /// Starts the task that gathers writes: within a Tokio runtime.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>, finder: Arc<dyn Finder>, policy: Policy, metrics: Metrics) -> Self {
        let writer = Writer::start(Arc::clone(&finder));
        Self { catalog, finder, policy, metrics, writer }
    }

    /// The handler of `index` jobs, whose payload is an event.
    ///
    /// # Errors
    /// [`Failure::never`] for what is no event or what the engine will always refuse; otherwise it may go well later.
    pub async fn index(&self, work: Work) -> jobs::Outcome {
        let event: Event = serde_json::from_value(work.job.payload).map_err(|error| {
            self.metrics.counted("unreadable");
            Failure::never(format!("the payload is no event: {error}"))
        })?;
        let outcome = self.follow(&event).await?;
        self.metrics.indexed(event.at, Timestamp::now());
        tracing::debug!(asset = %event.asset, revision = event.revision.get(), kind = event.kind.as_str(), outcome, "indexed");
        Ok(Ended::Done)
    }

    /// Brings the index to the present record of the event's asset; what it came to.
    async fn follow(&self, event: &Event) -> Result<&'static str, Failure> {
        let asset = self.catalog.get(&event.tenant, event.asset).await.map_err(|error| store_failed(&error))?;
        let write = match &asset {
            Some(asset) => self.write_of(asset),
            // Erased: there is nothing newer than what the event says.
            None => Write::Remove {
                tenant: event.tenant.to_string(),
                id: *event.asset.as_uuid(),
                revision: event.revision.get(),
            },
        };
        let removes = matches!(write, Write::Remove { .. });
        let name = match self.writer.write(write).await {
            Ok(Outcome::Written) if removes => "removed",
            Ok(Outcome::Written) => "written",
            Ok(Outcome::Older) => "known",
            Ok(Outcome::Refused(why)) => {
                self.metrics.counted("refused");
                return Err(Failure::never(format!("the engine refuses the document: {why}")));
            }
            Err(trouble) => {
                self.metrics.counted("failed");
                // What is broken may have been mended by the next attempt.
                return Err(Failure::later(trouble.0));
            }
        };
        self.metrics.counted(name);
        Ok(name)
    }

    /// What the index shall have of a record: only live ones are found.
    #[must_use]
    pub fn write_of(&self, asset: &Asset) -> Write {
        if asset.is_live() {
            return Write::Put(Box::new(document(asset, self.policy)));
        }
        let (tenant, id, revision) = (asset.tenant.to_string(), *asset.id.as_uuid(), asset.revision.get());
        Write::Remove { tenant, id, revision }
    }
}

pub(crate) fn store_failed(error: &StoreError) -> Failure {
    Failure::later(format!("the catalog: {error}"))
}
