//! The memory tier: moka, weighed in bytes.
//!
//! The only file that names moka. Freshness is not its business: entries carry their own times.
//! Invariant: the sum of the weights stays within the budget (moka evicts shortly after an insert exceeds it).

use moka::notification::RemovalCause;
use moka::sync::Cache;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that an entry costs beside its body: key, pointers, moka's own node (about 350 bytes as measured).
const OVERHEAD: u32 = 512;

/// The bytes of a value with its overhead.
type Weigher<V> = Arc<dyn Fn(&V) -> u32 + Send + Sync>;

/// A weighed map. Clones share it.
pub struct Memory<K, V> {
    map: Cache<K, V>,
    weigh: Weigher<V>,
    evicted: Arc<AtomicU64>,
}

impl<K, V> Clone for Memory<K, V> {
    fn clone(&self) -> Self {
        Self { map: self.map.clone(), weigh: Arc::clone(&self.weigh), evicted: Arc::clone(&self.evicted) }
    }
}

impl<K, V> fmt::Debug for Memory<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl<K, V> Memory<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Holds at most `bytes`; `weigh` gives the bytes of a value.
    pub fn new(bytes: u64, weigh: impl Fn(&V) -> u64 + Send + Sync + 'static) -> Self {
        Self::watched(bytes, weigh, |_| ())
    }

    /// The same; `gone` is told of each value that the budget pushes out.
    pub fn watched(
        bytes: u64,
        weigh: impl Fn(&V) -> u64 + Send + Sync + 'static,
        gone: impl Fn(&V) + Send + Sync + 'static,
    ) -> Self {
        let evicted = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&evicted);
        let weigh: Weigher<V> =
            Arc::new(move |value| u32::try_from(weigh(value)).unwrap_or(u32::MAX).saturating_add(OVERHEAD));
        let weigher = Arc::clone(&weigh);
        let map = Cache::builder()
            .max_capacity(bytes)
            .weigher(move |_, value| weigher(value))
            .eviction_listener(move |_, value, cause| {
                if cause == RemovalCause::Size {
                    counter.fetch_add(1, Ordering::Relaxed);
                    gone(&value);
                }
            })
            .build();
        Self { map, weigh, evicted }
    }

    /// The value, if it is there.
    pub fn get(&self, key: &K) -> Option<V> {
        self.map.get(key)
    }

    /// Puts a value in, over an older one.
    pub fn insert(&self, key: K, value: V) {
        self.map.insert(key, value);
    }

    /// Takes a value out.
    pub fn remove(&self, key: &K) {
        self.map.invalidate(key);
    }

    /// Lets entries go until at most `bytes` are held, in no order: moka does not tell which are wanted least. Gives the
    /// bytes that went.
    pub fn shrink(&self, bytes: u64) -> u64 {
        self.settle();
        let before = self.bytes();
        let mut held = before;
        for (key, value) in &self.map {
            if held <= bytes {
                break;
            }
            held = held.saturating_sub((self.weigh)(&value).into());
            self.map.invalidate(&*key);
        }
        self.settle();
        before.saturating_sub(self.bytes())
    }

    /// The keys of all values that `which` is true of. Looks at each: for what happens seldom.
    pub fn find(&self, which: impl Fn(&K, &V) -> bool) -> Vec<Arc<K>> {
        self.map.iter().filter(|(key, value)| which(key, value)).map(|(key, _)| key).collect()
    }

    /// Shows each value to `look`: for what happens seldom.
    pub fn each(&self, mut look: impl FnMut(&V)) {
        self.map.iter().for_each(|(_, value)| look(&value));
    }

    /// Brings the figures below up to date; moka does so by itself only now and then.
    pub fn settle(&self) {
        self.map.run_pending_tasks();
    }

    /// Bytes held, as of moka's last round of housekeeping.
    pub fn bytes(&self) -> u64 {
        self.map.weighted_size()
    }

    /// Entries held, likewise.
    pub fn entries(&self) -> u64 {
        self.map.entry_count()
    }

    /// Entries pushed out by the budget since the start.
    pub fn evictions(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_holds_and_evictions_are_counted() {
        let memory: Memory<u32, Arc<Vec<u8>>> = Memory::new(64 << 10, |v: &Arc<Vec<u8>>| v.len() as u64);
        for key in 0..100 {
            memory.insert(key, Arc::new(vec![0; 4 << 10]));
        }
        memory.settle();
        assert!(memory.bytes() <= 64 << 10, "{} bytes", memory.bytes());
        assert!(memory.entries() > 0);
        assert_eq!(memory.evictions(), 100 - memory.entries());
    }

    #[test]
    fn it_shrinks_and_may_grow_again() {
        let memory: Memory<u32, Arc<Vec<u8>>> = Memory::new(1 << 20, |v: &Arc<Vec<u8>>| v.len() as u64);
        let fill = || (0..100).for_each(|key| memory.insert(key, Arc::new(vec![0; 4 << 10])));
        fill();
        memory.settle();
        let full = memory.bytes();
        let went = memory.shrink(full / 4);
        assert!(memory.bytes() <= full / 4 && memory.bytes() > full / 8, "{} of {full}", memory.bytes());
        assert_eq!((went, memory.evictions()), (full - memory.bytes(), 0), "not by its own budget");
        assert_eq!(memory.shrink(full), 0);
        fill();
        memory.settle();
        assert_eq!(memory.bytes(), full);
    }

    #[test]
    fn a_value_larger_than_the_budget_is_not_kept() {
        let memory: Memory<u32, Arc<Vec<u8>>> = Memory::new(1 << 10, |v: &Arc<Vec<u8>>| v.len() as u64);
        memory.insert(1, Arc::new(vec![0; 4 << 10]));
        memory.settle();
        assert_eq!(memory.get(&1), None);
    }
}
