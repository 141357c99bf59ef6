//! One flight per key: the first who asks leads, the others follow and get the same result.
//!
//! The leader's work runs in a task of its own, so that it survives its client hanging up, and nobody waits for ever:
//! a flight that ends without a result (its task panicked) tells its followers so. Work that has not begun yet may ask
//! its [`Interest`] whether anybody still waits, and give up when nobody does.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tracing::{Instrument as _, Span};

const SHARDS: usize = 64;

type Sender<V> = Arc<watch::Sender<Option<V>>>;
type Shard<K, V> = Mutex<HashMap<K, Sender<V>>>;

/// The flights under way. Clones share them.
#[derive(Debug)]
pub struct Flights<K, V> {
    shards: Arc<[Shard<K, V>]>,
    hasher: RandomState,
}

impl<K, V> Clone for Flights<K, V> {
    fn clone(&self) -> Self {
        Self { shards: Arc::clone(&self.shards), hasher: self.hasher.clone() }
    }
}

/// Who did the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// This call started it.
    Lead,
    /// Another call had.
    Follow,
}

/// Tells the leader's work whether anybody waits for it.
#[derive(Debug)]
pub struct Interest<K: Hash + Eq, V> {
    flights: Flights<K, V>,
    key: K,
    sender: Sender<V>,
}

impl<K, V> Default for Flights<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<K, V> Flights<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// None under way.
    pub fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    /// Flights under way now.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Whether none is under way.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Joins the flight of `key`, or starts it with the future that `work` makes. `None`: the work panicked, or gave
    /// up for want of interest just as this call joined; asking again starts a new flight.
    pub async fn join<F>(&self, key: K, work: impl FnOnce(Interest<K, V>) -> F) -> (Option<V>, Role)
    where
        F: Future<Output = Option<V>> + Send + 'static,
    {
        let (mut receiver, role) = self.board(key, work);
        let result = match receiver.wait_for(Option::is_some).await {
            Ok(value) => value.clone(),
            Err(_ended_without_a_value) => None,
        };
        (result, role)
    }

    /// Starts the flight of `key` if there is none, for a result that nobody waits for.
    pub fn start<F>(&self, key: K, work: impl FnOnce(Interest<K, V>) -> F)
    where
        F: Future<Output = Option<V>> + Send + 'static,
    {
        drop(self.board(key, work));
    }

    /// Subscribes to the flight, or starts it; never waits.
    fn board<F>(&self, key: K, work: impl FnOnce(Interest<K, V>) -> F) -> (watch::Receiver<Option<V>>, Role)
    where
        F: Future<Output = Option<V>> + Send + 'static,
    {
        let (receiver, interest) = {
            let mut shard = lock(self.shard(&key));
            if let Some(sender) = shard.get(&key) {
                return (sender.subscribe(), Role::Follow);
            }
            let (sender, receiver) = watch::channel(None);
            let sender = Arc::new(sender);
            shard.insert(key.clone(), Arc::clone(&sender));
            (receiver, Interest { flights: self.clone(), key, sender })
        };
        let landing = Landing(Interest {
            flights: self.clone(),
            key: interest.key.clone(),
            sender: Arc::clone(&interest.sender),
        });
        let work = work(interest);
        // What the work does is a step of the request that started it.
        let work = work.instrument(Span::current());
        tokio::spawn(async move {
            let result = work.await;
            landing.land(result);
        });
        (receiver, Role::Lead)
    }

    fn shard(&self, key: &K) -> &Shard<K, V> {
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }
}

impl<K: Hash + Eq, V> Interest<K, V> {
    /// Resolves when nobody waits for the result any more. The flight is over then, and the work must stop: the next who
    /// asks starts anew.
    pub async fn abandoned(&self) {
        loop {
            self.sender.closed().await;
            if self.give_up() {
                return;
            }
        }
    }

    /// Resolves when nobody waits for the result; somebody may do so again.
    pub async fn deserted(&self) {
        self.sender.closed().await;
    }

    /// Ends the flight if still nobody waits: the work must stop then.
    pub fn give_up(&self) -> bool {
        let mut shard = lock(&self.flights.shards[self.flights.hasher.hash_one(&self.key) as usize % SHARDS]);
        // Followers subscribe under the same lock, so none can slip in between.
        let nobody = self.sender.receiver_count() == 0;
        if nobody && shard.get(&self.key).is_some_and(|sender| Arc::ptr_eq(sender, &self.sender)) {
            shard.remove(&self.key);
        }
        nobody
    }
}

/// Takes the flight off the map when its work ends, however it ends.
struct Landing<K: Hash + Eq, V>(Interest<K, V>);

impl<K: Hash + Eq, V> Landing<K, V> {
    fn land(self, result: Option<V>) {
        if let Some(value) = result {
            self.0.sender.send_replace(Some(value));
        }
    }
}

impl<K: Hash + Eq, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        let Interest { flights, key, sender } = &self.0;
        let mut shard = lock(&flights.shards[flights.hasher.hash_one(key) as usize % SHARDS]);
        if shard.get(key).is_some_and(|other| Arc::ptr_eq(other, sender)) {
            shard.remove(key);
        }
    }
}

/// A poisoned map is still a whole map: every change to it is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    fn counted(count: &Arc<AtomicUsize>) -> impl Future<Output = Option<usize>> + Send + 'static {
        let count = Arc::clone(count);
        async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Some(count.fetch_add(1, Ordering::SeqCst))
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_thousand_callers_one_work() {
        let (flights, count) = (Flights::<u8, usize>::new(), Arc::new(AtomicUsize::new(0)));
        let calls: Vec<_> = (0..1000)
            .map(|_| {
                let (flights, count) = (flights.clone(), Arc::clone(&count));
                tokio::spawn(async move { flights.join(1, |_| counted(&count)).await })
            })
            .collect();
        let mut leads = 0;
        for call in calls {
            let (value, role) = call.await.expect("no panic");
            assert_eq!(value, Some(0));
            leads += usize::from(role == Role::Lead);
        }
        assert_eq!((leads, count.load(Ordering::SeqCst), flights.len()), (1, 1, 0));
    }

    #[tokio::test]
    async fn the_work_survives_its_first_client() {
        let (flights, count) = (Flights::<u8, usize>::new(), Arc::new(AtomicUsize::new(0)));
        let first = {
            let (flights, count) = (flights.clone(), Arc::clone(&count));
            tokio::spawn(async move { flights.join(1, |_| counted(&count)).await })
        };
        tokio::time::sleep(Duration::from_millis(10)).await;
        first.abort();
        let (value, role) = flights.join(1, |_| counted(&count)).await;
        assert_eq!((value, role, count.load(Ordering::SeqCst)), (Some(0), Role::Follow, 1));
    }

    #[tokio::test]
    async fn a_panic_reaches_followers_and_leaves_the_key_usable() {
        let flights = Flights::<u8, usize>::new();
        let dying = |_| async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            panic!("as a test")
        };
        let (one, two) = tokio::join!(flights.join(1, dying), flights.join(1, dying));
        assert_eq!((one.0, two.0, flights.len()), (None, None, 0));
        assert_eq!(flights.join(1, |_| async { Some(5) }).await.0, Some(5));
    }

    #[tokio::test]
    async fn work_without_interest_gives_up_and_a_latecomer_starts_anew() {
        let (flights, gave_up) = (Flights::<u8, usize>::new(), Arc::new(AtomicUsize::new(0)));
        let queued = |interest: Interest<u8, usize>| {
            let gave_up = Arc::clone(&gave_up);
            async move {
                interest.abandoned().await;
                gave_up.fetch_add(1, Ordering::SeqCst);
                None
            }
        };
        let client = tokio::time::timeout(Duration::from_millis(10), flights.join(1, queued)).await;
        assert!(client.is_err(), "the client left");
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!((gave_up.load(Ordering::SeqCst), flights.len()), (1, 0));
        assert_eq!(flights.join(1, |_| async { Some(9) }).await, (Some(9), Role::Lead));
    }

    #[tokio::test]
    async fn interest_that_comes_back_keeps_the_work() {
        let flights = Flights::<u8, usize>::new();
        let work = |interest: Interest<u8, usize>| async move {
            interest.sender.closed().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
            if interest.give_up() { None } else { Some(3) }
        };
        let client = tokio::time::timeout(Duration::from_millis(5), flights.join(1, work)).await;
        assert!(client.is_err());
        // Long enough for the work to see that nobody waits, and not for it to give up.
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(flights.join(1, |_| async { Some(4) }).await, (Some(3), Role::Follow));
    }
}
