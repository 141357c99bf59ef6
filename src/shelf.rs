//! What a flight finds in the tiers, whose turn it is to make what is not there, and where the result goes.
//!
//! Composes `cache` for [`crate::fill`]; knows neither originals nor pixels. Invariant: what was begun before a purge of it
//! is neither found nor kept after.

use crate::app::App;
use crate::cache::{Holding, Place, Share, Stamp, Turn};
use crate::kept::Kept;
use crate::semantics::Tier;
use cache_key::{RenditionKey, SourceKey};
use std::sync::Arc;

/// One rendition's place in the tiers.
pub(crate) struct Shelf<'a> {
    pub(crate) app: &'a App,
    pub(crate) key: RenditionKey,
    /// Its part of memory.
    pub(crate) share: Share,
    /// Of the work that looks and keeps; taken when it began.
    pub(crate) stamp: Stamp,
    /// What is older has been purged.
    pub(crate) since: u64,
    /// Whether it may be kept at all.
    pub(crate) storable: bool,
}

/// What was found, and where.
pub(crate) type Found = (Arc<Kept>, Tier);

impl Shelf<'_> {
    /// In memory.
    pub(crate) fn at_hand(&self) -> Option<Found> {
        let kept =
            self.app.renditions.part(self.share).get(&self.key).filter(|kept| kept.stamp.generation >= self.since)?;
        Some((kept, Tier::Memory))
    }

    /// Out of a tier below memory, or of another instance that has it in work; else the work is this instance's.
    pub(crate) async fn turn(&self) -> Turn<Found> {
        if !self.storable {
            return Turn::Work(Holding::alone());
        }
        if let Some(found) = self.look().await {
            return Turn::Found(found);
        }
        match &self.app.fleet.leases {
            Some(leases) => leases.turn(*self.key.as_bytes(), || self.look()).await,
            None => Turn::Work(Holding::alone()),
        }
    }

    /// In the tiers below memory, which gets it too.
    pub(crate) async fn look(&self) -> Option<Found> {
        let (envelope, place) = self.app.tiers.find(*self.key.as_bytes(), self.since).await?;
        let stamp = Stamp { generation: envelope.generation, label: Arc::clone(&self.stamp.label) };
        let kept = Arc::new(Kept::unpack(envelope, (self.app.clock.wall)())?.stamped(stamp));
        self.put(self.key, &kept);
        Some((kept, tier(place)))
    }

    /// Keeps what was made, under the key of the version that was in fact read; under none where it may not be kept.
    pub(crate) fn keep(&self, key: Option<RenditionKey>, kept: &Arc<Kept>, source: SourceKey, holding: Holding) {
        let now = (self.app.clock.wall)();
        let key = key.filter(|key| self.put(*key, kept));
        let Some(key) = key else { return holding.nothing() };
        let name = *key.as_bytes();
        if holding.name() == Some(name) {
            self.app.tiers.keep_held(name, holding, || kept.pack(source, now));
        } else {
            // A lease, if any, is of another version, and given up: whoever waits for that has to look at the original anew.
            self.app.tiers.keep(name, || kept.pack(source, now));
        }
    }

    /// Into memory; `false` where a purge has made it void meanwhile.
    fn put(&self, key: RenditionKey, kept: &Arc<Kept>) -> bool {
        self.app.renditions.part(self.share).insert(key, Arc::clone(kept));
        // After the insert: a purge that comes now finds it there.
        let void = kept.stamp.is_void(&self.app.fleet.marks);
        if void {
            self.app.renditions.part(self.share).remove(&key);
        }
        !void
    }
}

const fn tier(place: Place) -> Tier {
    match place {
        Place::Redis => Tier::Redis,
        Place::Disk => Tier::Disk,
        Place::Object => Tier::Object,
    }
}
