//! Memory in parts that do not push each other's entries out: one for all, and those that are somebody's own.
//!
//! Does not know whose. Invariants: the budgets of all parts are that of the whole; an entry is looked for and kept in one
//! part only.

use super::Memory;
use std::hash::Hash;
use std::sync::Arc;

/// A part of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u16);

impl Share {
    /// That of all who have none of their own.
    pub const COMMON: Self = Self(0);

    /// The `number`th of those that are somebody's own, from 1.
    pub fn own(number: usize) -> Self {
        Self(u16::try_from(number).unwrap_or(0))
    }
}

/// Memory in parts. Clones share it.
#[derive(Debug)]
pub struct Shares<K, V>(Box<[Memory<K, V>]>);

impl<K, V> Clone for Shares<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> Shares<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// Of `bytes` in all, each of `percents` is a part of its own; what is left is for all others.
    pub fn new(bytes: u64, percents: &[u8], weigh: impl Fn(&V) -> u64 + Clone + Send + Sync + 'static) -> Self {
        Self::watched(bytes, percents, weigh, |_| ())
    }

    /// The same; `gone` is told of each value that a budget pushes out.
    pub fn watched(
        bytes: u64,
        percents: &[u8],
        weigh: impl Fn(&V) -> u64 + Clone + Send + Sync + 'static,
        gone: impl Fn(&V) + Clone + Send + Sync + 'static,
    ) -> Self {
        let part = |percent: u8| (u128::from(bytes) * u128::from(percent) / 100) as u64;
        let owned = percents.iter().map(|percent| part(*percent));
        let common = bytes.saturating_sub(owned.clone().sum());
        let memory = |budget| Memory::watched(budget, weigh.clone(), gone.clone());
        Self(std::iter::once(common).chain(owned).map(memory).collect())
    }

    /// A part.
    pub fn part(&self, share: Share) -> &Memory<K, V> {
        self.0.get(usize::from(share.0)).unwrap_or(&self.0[0])
    }

    /// The keys of all entries that are meant, of every part.
    pub fn find(&self, which: impl Fn(&K, &V) -> bool) -> Vec<Arc<K>> {
        self.0.iter().flat_map(|part| part.find(&which)).collect()
    }

    /// Shows each value of every part to `look`.
    pub fn each(&self, mut look: impl FnMut(&V)) {
        self.0.iter().for_each(|part| part.each(&mut look));
    }

    /// Takes a value out of the part that has it.
    pub fn remove(&self, key: &K) {
        self.0.iter().for_each(|part| part.remove(key));
    }

    /// Each part gives back as much of what it holds, so that at most `bytes` are left in all. Gives the bytes that went.
    pub fn shrink(&self, bytes: u64) -> u64 {
        let held = self.bytes().max(1);
        let left = |part: &Memory<K, V>| (u128::from(part.bytes()) * u128::from(bytes) / u128::from(held)) as u64;
        self.0.iter().map(|part| part.shrink(left(part))).sum()
    }

    /// Brings the figures below up to date.
    pub fn settle(&self) {
        self.0.iter().for_each(Memory::settle);
    }

    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(Memory::bytes).sum()
    }

    /// Entries held.
    pub fn entries(&self) -> u64 {
        self.0.iter().map(Memory::entries).sum()
    }

    /// Entries pushed out by the budgets since the start.
    pub fn evictions(&self) -> u64 {
        self.0.iter().map(Memory::evictions).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Bytes = Arc<Vec<u8>>;

    #[test]
    fn nobody_is_pushed_out_of_a_part_of_their_own() {
        let shares: Shares<u32, Bytes> = Shares::new(100 << 10, &[20, 30], |v: &Bytes| v.len() as u64);
        let value = || Arc::new(vec![0; 1 << 10]);
        let (common, first, second) = (Share::COMMON, Share::own(1), Share::own(2));
        for key in 0..5 {
            shares.part(first).insert(key, value());
        }
        // One floods, in its own part and in the common one.
        for key in 100..1_100 {
            shares.part(second).insert(key, value());
            shares.part(common).insert(key, value());
        }
        shares.settle();
        assert!((0..5).all(|key| shares.part(first).get(&key).is_some()));
        assert!((0..5).all(|key| shares.part(common).get(&key).is_none()), "parts know only their own");
        let (first, second) = (shares.part(first).bytes(), shares.part(second).bytes());
        assert!(first < 20 << 10 && second <= 30 << 10 && second > 20 << 10, "{first} {second}");
        assert!(shares.bytes() <= 100 << 10);
        assert!(shares.evictions() > 0 && shares.entries() > 50);
    }

    #[test]
    fn shrinking_takes_from_each() {
        let shares: Shares<u32, Bytes> = Shares::new(1 << 20, &[50], |v: &Bytes| v.len() as u64);
        for key in 0..100 {
            shares.part(Share::COMMON).insert(key, Arc::new(vec![0; 2 << 10]));
            shares.part(Share::own(1)).insert(key, Arc::new(vec![0; 2 << 10]));
        }
        shares.settle();
        let before = shares.bytes();
        assert_eq!(shares.find(|key, _| *key == 7).len(), 2);
        shares.remove(&7);
        assert_eq!(shares.find(|key, _| *key == 7).len(), 0);
        shares.settle();
        let before = before.min(shares.bytes());
        let gone = shares.shrink(before / 2);
        assert!(gone >= before / 2 && shares.bytes() <= before / 2, "{gone} of {before}");
        assert!(shares.part(Share::COMMON).entries() > 30 && shares.part(Share::own(1)).entries() > 30);
        assert_eq!(
            shares.part(Share::own(7)).entries(),
            shares.part(Share::COMMON).entries(),
            "no such part: the common one"
        );
    }
}
