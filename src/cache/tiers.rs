//! The tiers below memory, nearest first: one look-up through all, promotion upwards, writes behind the answer.
//!
//! Knows envelopes and levels; what is in an envelope is for others. Has a runtime of its own, so that the sockets'
//! threads neither read from disks nor check sums. Invariant: whatever a tier does, the caller gets an intact envelope of
//! that very name or nothing.

use super::config::CacheConfig;
use super::disk::Disk;
use super::envelope::Envelope;
use super::lease::{Holding, Leases};
use super::level::{Event, Guards, Level, Place};
use super::object::Object;
use super::redis::Redis;
use super::redis::tier::Entries;
use super::stock::Stock;
use super::tier::{Failure, Name, Void};
use aws::Aws;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::{Builder, Handle, Runtime};

/// All tiers below memory. Clones share them.
#[derive(Clone)]
pub struct Tiers(Arc<Parts>);

struct Parts {
    levels: Vec<Level>,
    redis: Option<Redis>,
    stock: Option<Stock>,
    runtime: Option<Runtime>,
}

impl fmt::Debug for Tiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tiers").field(&self.0.levels).finish()
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // Not joined: the last clone may go on a thread that must not block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Of the tiers' runtime: they wait for sockets and disks, and check sums.
const THREADS: usize = 2;

impl Tiers {
    /// Starts them; `open` makes the levels, nearest first, within the runtime that they will work on.
    ///
    /// # Errors
    /// What `open` says, or the threads could not be started.
    pub fn start(open: impl FnOnce() -> Result<Vec<Level>, String>) -> Result<Self, String> {
        Self::begin(|| Ok((open()?, None, None)))
    }

    fn begin(
        open: impl FnOnce() -> Result<(Vec<Level>, Option<Redis>, Option<Stock>), String>,
    ) -> Result<Self, String> {
        let runtime = start().map_err(|error| format!("threads of the cache tiers: {error}"))?;
        let (levels, redis, stock) = {
            let _within = runtime.enter();
            open()?
        };
        Ok(Self(Arc::new(Parts { levels, redis, stock, runtime: Some(runtime) })))
    }

    /// Those that are configured.
    ///
    /// # Errors
    /// A folder that cannot be used, an address that cannot be read. A Redis or a bucket that does not answer is none.
    pub fn open(config: &CacheConfig, aws: &Aws, now: fn() -> SystemTime) -> Result<Self, String> {
        Self::begin(|| {
            let mut levels = Vec::new();
            let redis = config.redis.as_ref().map(Redis::new).transpose()?;
            if let (Some(redis), Some(config)) = (&redis, &config.redis) {
                let entries = Box::new(Entries::new(redis.clone(), config.max_entry));
                levels.push(Level::sharing(Place::Redis, entries, config.guards, redis.guarded()));
            }
            if let Some(disk) = &config.disk {
                let folder = Disk::open(&disk.path, disk.bytes, now)
                    .map_err(|error| format!("cache.disk.path: {}: {error}", disk.path.display()))?;
                levels.push(Level::new(Place::Disk, Box::new(folder), disk.guards));
            }
            if let Some(bucket) = &config.s3 {
                levels.push(Level::new(Place::Object, Box::new(Object::new(bucket, aws, now)?), bucket.guards));
            }
            let stock = redis.as_ref().and_then(|redis| open_stock(config, redis));
            Ok((levels, redis, stock))
        })
    }

    /// The longest that any of them keeps an entry.
    pub fn longest_kept(&self) -> Duration {
        self.0.levels.iter().map(Level::keeps).max().unwrap_or_default()
    }

    /// Works on their runtime until that ends.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Some(handle) = self.handle() {
            handle.spawn(work);
        }
    }

    /// Leases over Redis, where it is configured and somebody is to wait.
    pub fn leases(&self, config: &CacheConfig) -> Option<Leases> {
        let times = config.redis.as_ref()?.leases;
        (!times.wait.is_zero()).then(|| self.redis().map(|redis| Leases::new(redis.clone(), times))).flatten()
    }

    /// The Redis that all instances share, for what else they do together.
    pub fn redis(&self) -> Option<&Redis> {
        self.0.redis.as_ref()
    }

    /// Originals in Redis.
    pub fn stock(&self) -> Option<&Stock> {
        self.0.stock.as_ref()
    }

    /// The levels, nearest first.
    pub fn levels(&self) -> &[Level] {
        &self.0.levels
    }

    fn handle(&self) -> Option<&Handle> {
        self.0.runtime.as_ref().map(Runtime::handle)
    }

    /// The first intact envelope under the name that no purge has made void: of generation `since` at least. Nearer tiers
    /// get it too.
    pub async fn find(&self, name: Name, since: u64) -> Option<(Envelope, Place)> {
        if self.0.levels.is_empty() {
            return None;
        }
        let tiers = self.clone();
        let search = self.handle()?.spawn(async move { tiers.search(&name, since).await });
        search.await.ok().flatten()
    }

    async fn search(&self, name: &Name, since: u64) -> Option<(Envelope, Place)> {
        for (depth, level) in self.0.levels.iter().enumerate() {
            let Some(stored) = level.get(name).await else { continue };
            match Envelope::open(&stored, name) {
                Ok(envelope) if envelope.generation < since => {
                    level.happened(Event::Purged);
                    // Where it cannot be removed now it stays void.
                    let _ = level.remove(name).await;
                }
                Ok(envelope) => {
                    level.happened(Event::Hit);
                    for nearer in &self.0.levels[..depth] {
                        nearer.put(self.handle()?, *name, stored.clone());
                    }
                    return Some((envelope, level.place()));
                }
                Err(damage) => {
                    level.happened(Event::Damaged);
                    tracing::warn!(tier = level.place().as_str(), damage = damage.as_str(), "a stored entry is no use");
                    // Whether or not it can be removed now: it will be written over.
                    let _ = level.remove(name).await;
                }
            }
        }
        None
    }

    /// Writes to all tiers, behind the caller's back.
    pub fn keep(&self, name: Name, envelope: impl FnOnce() -> Envelope) {
        if self.0.levels.is_empty() {
            return;
        }
        let Some(handle) = self.handle() else { return };
        let stored = envelope().seal(&name);
        for level in &self.0.levels {
            level.put(handle, name, stored.clone());
        }
    }

    /// Writes what was made under a lease, and then gives the lease back: whoever waits for it finds it. An entry that the
    /// lease's token is too old for goes nowhere.
    pub fn keep_held(&self, name: Name, holding: Holding, envelope: impl FnOnce() -> Envelope) {
        let Some(handle) = self.handle() else { return };
        let stored = envelope().seal(&name);
        let (tiers, on) = (self.clone(), handle.clone());
        let room: Vec<_> = self.0.levels.iter().map(|level| level.reserve(stored.len())).collect();
        handle.spawn(async move {
            let (token, mut holding, mut outdated) = (holding.token(), Some(holding), false);
            for (level, room) in tiers.0.levels.iter().zip(room) {
                let Some(room) = room else { continue };
                if outdated {
                    level.happened(Event::WriteOutdated);
                    continue;
                }
                // Others wait for what they see, not for this machine's disk.
                if level.place() == Place::Disk {
                    level.put_in(room, &on, name, stored.clone());
                    continue;
                }
                let _room = room;
                let event = level.write(&name, stored.clone(), token).await;
                outdated |= event == Event::WriteOutdated;
                // The first that others see ends their wait; farther ones take their time.
                if matches!(event, Event::Written | Event::WriteOutdated)
                    && let Some(holding) = holding.take()
                {
                    holding.stored();
                }
            }
            if let Some(holding) = holding {
                holding.nothing();
            }
        });
    }

    /// Takes an entry out of all tiers.
    ///
    /// # Errors
    /// The first tier that failed; the others were asked all the same.
    pub async fn remove(&self, name: &Name) -> Result<(), (Place, Failure)> {
        let mut result = Ok(());
        for level in &self.0.levels {
            if let Err(failure) = level.remove(name).await {
                result = result.and(Err((level.place(), failure)));
            }
        }
        result
    }

    /// Takes out what is void, where a tier can be looked through; what came of it in each.
    pub async fn sweep(&self, void: Void) -> Vec<(Place, Swept)> {
        let mut swept = Vec::new();
        for level in &self.0.levels {
            let result = match level.sweep(Arc::clone(&void)).await {
                None => Swept::Void,
                Some(Ok(count)) => Swept::Removed(count),
                Some(Err(failure)) => Swept::Failed(failure),
            };
            swept.push((level.place(), result));
        }
        swept
    }

    /// Waits until all writes have ended, at most for `limit`. Whether they have.
    pub async fn settle(&self, limit: Duration) -> bool {
        let idle = async {
            while !self.0.levels.iter().all(Level::is_idle) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(limit, idle).await.is_ok()
    }
}

/// What a sweep did in a tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// So many entries are gone.
    Removed(u64),
    /// It was not looked through: what is void goes when it is next asked for, or when it expires.
    Void,
    /// It could not be looked through.
    Failed(Failure),
}

fn open_stock(config: &CacheConfig, redis: &Redis) -> Option<Stock> {
    let (originals, guards) = (&config.originals, config.redis.as_ref()?.guards);
    if originals.redis == 0 {
        return None;
    }
    let entries = Box::new(Entries::new(redis.clone(), originals.redis + Envelope::HEAD as u64));
    let guards = Guards { keep: originals.redis_keep, ..guards };
    Some(Stock::new(Level::sharing(Place::Redis, entries, guards, redis.guarded()), originals.redis))
}

fn start() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(THREADS).thread_name("tiers").enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::level::Guards;
    use bytes::Bytes;
    use std::path::Path;

    const SOON: Duration = Duration::from_secs(30);

    fn guards() -> Guards {
        Guards {
            timeout: SOON,
            keep: Duration::from_secs(600),
            failures: 3,
            pause: SOON,
            queue_bytes: 1 << 20,
            writers: 2,
        }
    }

    /// Two folders in the place of two tiers.
    fn tiers(near: &Path, far: &Path) -> Tiers {
        let level = |place, root: &Path| -> Result<Level, String> {
            let disk = Disk::open(root, 1 << 20, SystemTime::now).map_err(|error| error.to_string())?;
            Ok(Level::new(place, Box::new(disk), guards()))
        };
        Tiers::start(|| Ok(vec![level(Place::Redis, near)?, level(Place::Disk, far)?])).expect("two folders")
    }

    fn envelope(text: &'static str) -> Envelope {
        Envelope {
            made: 1,
            generation: 5,
            label: Arc::default(),
            hash: *blake3::hash(text.as_bytes()).as_bytes(),
            source: [0; 32],
            modified: None,
            kind: "image/png".into(),
            extension: "png".into(),
            body: Bytes::from_static(text.as_bytes()),
        }
    }

    #[tokio::test]
    async fn what_the_far_tier_has_comes_nearer() {
        let (near, far) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let tiers = tiers(near.path(), far.path());
        assert_eq!(tiers.find([1; 32], 0).await, None);
        tiers.keep([1; 32], || envelope("picture"));
        assert!(tiers.settle(SOON).await);
        assert_eq!(tiers.find([1; 32], 0).await, Some((envelope("picture"), Place::Redis)));
        tiers.levels()[0].remove(&[1; 32]).await.expect("removed");
        assert_eq!(tiers.find([1; 32], 0).await.map(|(_, place)| place), Some(Place::Disk));
        assert!(tiers.settle(SOON).await);
        assert_eq!(tiers.find([1; 32], 0).await.map(|(_, place)| place), Some(Place::Redis), "promoted");
        tiers.remove(&[1; 32]).await.expect("removed");
        assert_eq!(tiers.find([1; 32], 0).await, None);
    }

    #[tokio::test]
    async fn damage_is_a_counted_miss_and_goes_away() {
        let (near, far) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let tiers = tiers(near.path(), far.path());
        let mut bad = envelope("picture").seal(&[1; 32]).to_vec();
        *bad.last_mut().expect("a body") ^= 1;
        let [first, second] = tiers.levels() else { panic!("two") };
        first.put(&Handle::current(), [1; 32], bad.into());
        second.put(&Handle::current(), [1; 32], envelope("picture").seal(&[1; 32]));
        assert!(tiers.settle(SOON).await);
        assert_eq!(tiers.find([1; 32], 0).await, Some((envelope("picture"), Place::Disk)));
        assert_eq!(first.count(Event::Damaged), 1);
        assert!(tiers.settle(SOON).await);
        assert_eq!(tiers.find([1; 32], 0).await.map(|(_, place)| place), Some(Place::Redis), "mended by promotion");
    }

    #[tokio::test]
    async fn none_is_fine_too() {
        let tiers = Tiers::start(|| Ok(Vec::new())).expect("no tier");
        tiers.keep([1; 32], || envelope("x"));
        assert_eq!(tiers.find([1; 32], 0).await, None);
        assert!(tiers.settle(SOON).await);
    }
}
