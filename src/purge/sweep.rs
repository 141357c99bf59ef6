//! Clears away what purges have made void: in memory, and in tiers that can be looked through.
//!
//! Nobody depends on it: what is void is not served, swept or not. Invariant: sweeps follow one another with a pause, however
//! many purges come.

use crate::cache::tier::Void;
use crate::cache::{Envelope, Marks, Memory, Shares, Stamp, Tiers};
use crate::cache::{Place, tiers};
use crate::kept::Kept;
use crate::original::{Original, Seen};
use cache_key::{RenditionKey, SourceKey};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Between two sweeps.
const PAUSE: Duration = Duration::from_millis(100);

/// What is swept.
#[derive(Clone, Debug)]
pub(crate) struct Sweeper {
    pub(crate) marks: Arc<Marks>,
    pub(crate) renditions: Shares<RenditionKey, Arc<Kept>>,
    pub(crate) sightings: Memory<SourceKey, Arc<Seen>>,
    pub(crate) originals: Memory<SourceKey, Arc<Original>>,
    wanted: Arc<Notify>,
}

/// What was cleared away in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) renditions: u64,
    pub(crate) originals: u64,
}

impl Sweeper {
    pub(crate) fn new(
        marks: Arc<Marks>,
        renditions: Shares<RenditionKey, Arc<Kept>>,
        sightings: Memory<SourceKey, Arc<Seen>>,
        originals: Memory<SourceKey, Arc<Original>>,
    ) -> Self {
        Self { marks, renditions, sightings, originals, wanted: Arc::default() }
    }

    /// Clears memory of what is void by `marks`: the purges there were, or others to count what they would do.
    pub(crate) fn memory(&self) -> Swept {
        let void = |stamp: &Stamp| stamp.is_void(&self.marks);
        let renditions = self.renditions.find(|_, kept| void(&kept.stamp));
        renditions.iter().for_each(|key| self.renditions.remove(key));
        let originals = self.sightings.find(|_, seen| void(&seen.stamp));
        for key in &originals {
            self.sightings.remove(key);
            self.originals.remove(key);
        }
        Swept { renditions: renditions.len() as u64, originals: originals.len() as u64 }
    }

    /// What a purge known by `marks` alone would clear away.
    pub(crate) fn would(&self, marks: &Marks) -> Swept {
        let touched = |stamp: &Stamp| marks.since(&stamp.label) > 0;
        Swept {
            renditions: self.renditions.find(|_, kept| touched(&kept.stamp)).len() as u64,
            originals: self.sightings.find(|_, seen| touched(&seen.stamp)).len() as u64,
        }
    }

    /// In the tiers that can be looked through.
    pub(crate) async fn tiers(&self, tiers: &Tiers) -> Vec<(Place, tiers::Swept)> {
        let marks = Arc::clone(&self.marks);
        let void: Void = Arc::new(move |name, head| {
            // What cannot be read is no use; it goes when it is next asked for.
            Envelope::open_head(head, name)
                .is_ok_and(|e| Stamp { generation: e.generation, label: e.label }.is_void(&marks))
        });
        tiers.sweep(void).await
    }

    /// A sweep is due.
    pub(crate) fn want(&self) {
        self.wanted.notify_one();
    }

    /// Sweeps memory whenever it is due.
    pub(crate) async fn run(self) {
        loop {
            self.wanted.notified().await;
            let swept = self.memory();
            if swept != Swept::default() {
                tracing::info!(swept.renditions, swept.originals, "cleared memory of what was purged");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
