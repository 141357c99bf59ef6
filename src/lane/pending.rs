//! The quick answers of renditions that are put off: what is given for a key until its own rendition is there.
//!
//! Knows neither queues nor responses. Invariant: what is here is given for a while only; after that whoever asks looks
//! into the tiers again, where another instance may have put what was waited for.

use crate::cache::Memory;
use crate::kept::Kept;
use cache_key::RenditionKey;
use std::sync::Arc;
use std::time::SystemTime;

/// Budget: some hundreds of pictures. What is pushed out costs a look into the tiers.
const BUDGET: u64 = 32 << 20;

/// A quick answer.
#[derive(Debug)]
pub(crate) struct Quick {
    pub(crate) kept: Arc<Kept>,
    /// Until when it is given without looking again.
    until: SystemTime,
    /// How often the rendition has been put off before.
    pub(crate) before: u32,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Pending(Memory<RenditionKey, Arc<Quick>>);

impl Pending {
    pub(crate) fn new() -> Self {
        Self(Memory::new(BUDGET, |quick: &Arc<Quick>| quick.kept.representation.weight() as u64))
    }

    /// What is given for the key at `now`; what is older than `since` has been purged.
    pub(crate) fn get(&self, key: &RenditionKey, now: SystemTime, since: u64) -> Option<Arc<Kept>> {
        let quick = self.0.get(key).filter(|quick| now < quick.until && quick.kept.stamp.generation >= since)?;
        Some(Arc::clone(&quick.kept))
    }

    /// Gives `kept` until `until`; how often something was given for the key before.
    pub(crate) fn put(&self, key: RenditionKey, kept: &Arc<Kept>, until: SystemTime) -> u32 {
        let before = self.0.get(&key).map_or(0, |quick| quick.before.saturating_add(1));
        self.0.insert(key, Arc::new(Quick { kept: Arc::clone(kept), until, before }));
        before
    }

    /// Gives nothing more for the key.
    pub(crate) fn take(&self, key: &RenditionKey) -> Option<Arc<Kept>> {
        let quick = self.0.get(key)?;
        self.0.remove(key);
        Some(Arc::clone(&quick.kept))
    }
}
