//! A new index from the catalog, while the old one is searched and events go on coming.
//!
//! Order: begin a generation (from then on events are written to both) → read every record, and write it to the new one →
//! switch. What changes while records are read comes as an event; a record that was read before its change loses against
//! that event, since its revision is lower. So nothing is lost, and nothing that was deleted comes back. Invariant: until
//! the switch nobody sees anything of it, and who is killed before that has changed nothing.

use crate::indexer::{Indexer, store_failed};
use catalog::Cursor;
use finder::{FinderError, Write};
use jobs::{Ended, Failure, Work};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Instant;
use utoipa::ToSchema;

/// Records of one page.
const PAGE: usize = 500;

/// How a rebuild ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rebuilt {
    /// Records that were read.
    pub records: u64,
    /// Those of them that can be found.
    pub live: u64,
    /// Those that the engine refused: in the log.
    pub refused: u64,
    /// The new generation's name.
    pub generation: String,
    /// How long it took.
    pub seconds: f64,
}

impl Indexer {
    /// The handler of `rebuild` jobs.
    ///
    /// # Errors
    /// The catalog or the engine did not answer: it begins anew. Or it was told to stop.
    pub async fn rebuild_job(&self, work: Work) -> jobs::Outcome {
        let rebuilt = self
            .rebuild(|read| {
                work.progress(json!({"records": read}));
                work.stop().is_none()
            })
            .await?;
        let Some(rebuilt) = rebuilt else { return Err(Failure::stopped()) };
        tracing::info!(
            records = rebuilt.records,
            live = rebuilt.live,
            generation = rebuilt.generation,
            "index rebuilt"
        );
        Ok(Ended::Report(serde_json::to_value(rebuilt).map_err(Failure::never)?))
    }

    /// Rebuilds; `told` hears how many records were read so far and says whether to go on. `None`: it did not.
    ///
    /// # Errors
    /// The catalog or the engine did not answer; nothing has changed.
    pub async fn rebuild(&self, mut told: impl FnMut(u64) -> bool) -> Result<Option<Rebuilt>, Failure> {
        let began = Instant::now();
        let generation = self.finder.begin_rebuild().await.map_err(|error| engine_failed(&error))?;
        let mut rebuilt =
            Rebuilt { records: 0, live: 0, refused: 0, generation: generation.name().to_owned(), seconds: 0.0 };
        let mut after: Option<Cursor> = None;
        loop {
            let page = self.catalog.scan(after.as_ref(), PAGE).await.map_err(|error| store_failed(&error))?;
            // Also what is not live is written: its tombstone keeps out what a late event of before may say.
            let writes: Vec<Write> = page.items.iter().map(|asset| self.write_of(asset)).collect();
            rebuilt.records += writes.len() as u64;
            rebuilt.live += page.items.iter().filter(|asset| asset.is_live()).count() as u64;
            if !writes.is_empty() {
                let applied = self.finder.apply_to(&generation, writes).await.map_err(|error| engine_failed(&error))?;
                for (at, why) in applied.refused() {
                    rebuilt.refused += 1;
                    let asset = page.items.get(at).map(|asset| asset.id.to_string()).unwrap_or_default();
                    tracing::error!(asset, why, "the engine refuses a document: it cannot be found");
                }
            }
            if !told(rebuilt.records) {
                return Ok(None);
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        self.finder.switch(&generation).await.map_err(|error| engine_failed(&error))?;
        if let Err(error) = self.finder.drop_old().await {
            tracing::warn!(%error, "the former index is still there");
        }
        rebuilt.seconds = began.elapsed().as_secs_f64();
        Ok(Some(rebuilt))
    }
}

pub(crate) fn engine_failed(error: &FinderError) -> Failure {
    Failure::later(error)
}
