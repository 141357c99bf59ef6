//! What this instance has with the others: leases on work, purges, and the connection over which they tell each other.
//!
//! Composes `cache` and [`crate::purge`] once, at the start. Without Redis it is a fleet of one. Invariant: nothing here
//! delays the start or a hit.

use crate::cache::ledger::Limits;
use crate::cache::{Leases, Ledger, Marks, Shares, Tiers};
use crate::config::Config;
use crate::kept::Kept;
use crate::original::Originals;
use crate::purge::{Cloudfront, Listener, Sweeper};
use aws::Aws;
use cache_key::RenditionKey;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Beyond what the longest tier keeps, purges are remembered for so many times as long.
const MARGIN: u32 = 2;

/// The parts.
#[derive(Clone, Debug)]
pub(crate) struct Fleet {
    /// None without Redis.
    pub(crate) leases: Option<Leases>,
    /// What has been purged.
    pub(crate) marks: Arc<Marks>,
    pub(crate) ledger: Ledger,
    pub(crate) sweeper: Sweeper,
    /// In front of all.
    pub(crate) cdn: Option<Cloudfront>,
    /// Whether all purges of the others are known.
    known: watch::Receiver<bool>,
}

impl Fleet {
    /// Starts to listen and to sweep, on the tiers' runtime.
    ///
    /// # Errors
    /// No threads.
    pub(crate) fn start(
        config: &Config,
        tiers: &Tiers,
        renditions: &Shares<RenditionKey, Arc<Kept>>,
        originals: &Originals,
        aws: &Aws,
    ) -> Result<Self, String> {
        let cdn = config.purge.cloudfront.as_ref().map(|cdn| Cloudfront::start(cdn, aws)).transpose();
        let cdn = cdn.map_err(|error| format!("purge.cloudfront: {error}"))?;
        let marks = Arc::new(Marks::new(config.purge.remember));
        let limits = Limits { most: config.purge.remember, keep: tiers.longest_kept() * MARGIN };
        let ledger = Ledger::new(Arc::clone(&marks), tiers.redis().cloned(), limits);
        let leases = tiers.leases(&config.cache);
        let (sightings, bytes) = (originals.sightings.clone(), originals.bytes.clone());
        let sweeper = Sweeper::new(Arc::clone(&marks), renditions.clone(), sightings, bytes);
        tiers.spawn(sweeper.clone().run());
        let (sender, known) = watch::channel(tiers.redis().is_none());
        if let Some(redis) = tiers.redis() {
            let (redis, ledger, leases) = (redis.clone(), ledger.clone(), leases.clone());
            tiers.spawn(Listener { redis, ledger, leases, sweeper: sweeper.clone(), known: sender }.run());
        }
        Ok(Self { leases, marks, ledger, sweeper, cdn, known })
    }

    /// Whether all purges of the others are known, at the moment.
    pub(crate) fn is_heard(&self) -> bool {
        *self.known.borrow()
    }

    /// Waits for that, at most for `limit`: what was purged while this instance was not there is in no tier's answer then.
    pub(crate) async fn heard(&self, limit: Duration) -> bool {
        let mut known = self.known.clone();
        let heard = async { known.wait_for(|known| *known).await.is_ok() };
        tokio::time::timeout(limit, heard).await.unwrap_or(false)
    }
}
