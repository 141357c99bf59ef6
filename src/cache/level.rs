//! One tier with what guards it: a deadline for each call, a breaker, a bounded queue of writes, and counters.
//!
//! Knows bytes, not what they are. Invariant: a read ends within its deadline; a write never waits for room in the queue,
//! it is dropped and counted.

use super::guarded::Guarded;
use super::latency::Latency;
use super::tier::{Failure, Name, Tier, Void};
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Where an entry was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Redis.
    Redis,
    /// A folder of this machine.
    Disk,
    /// Object storage.
    Object,
}

impl Place {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Disk => "disk",
            Self::Object => "object",
        }
    }
}

/// What happened at a level, for counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Event {
    Hit,
    Miss,
    Damaged,
    ReadFailed,
    Written,
    WriteFailed,
    WriteDropped,
    /// Somebody else had the right to write it by then.
    WriteOutdated,
    /// It was there, and made before a purge.
    Purged,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Hit,
        Self::Miss,
        Self::Damaged,
        Self::ReadFailed,
        Self::Written,
        Self::WriteFailed,
        Self::WriteDropped,
        Self::WriteOutdated,
        Self::Purged,
    ];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Damaged => "damaged",
            Self::ReadFailed => "read-failed",
            Self::Written => "written",
            Self::WriteFailed => "write-failed",
            Self::WriteDropped => "write-dropped",
            Self::WriteOutdated => "write-outdated",
            Self::Purged => "purged",
        }
    }
}

/// The guards of one level.
#[derive(Clone, Copy, Debug)]
pub struct Guards {
    /// For a read. A write may take [`PATIENCE`] times as long: nobody waits for it.
    pub timeout: Duration,
    /// How long entries are kept.
    pub keep: Duration,
    /// Failures in a row after which the tier is left alone.
    pub failures: u32,
    /// For so long, each time.
    pub pause: Duration,
    /// Bytes of writes under way or waiting.
    pub queue_bytes: usize,
    /// Writes at once.
    pub writers: usize,
}

/// Writes are given this many times the time of a read.
pub(super) const PATIENCE: u32 = 20;
/// A permit of the queue's budget is so many bytes: semaphores count to 2^29 on small machines.
const PERMIT: usize = 1024;

/// One tier, guarded. Clones share it.
#[derive(Clone)]
pub struct Level(Arc<Parts>);

struct Parts {
    place: Place,
    tier: Box<dyn Tier>,
    guards: Guards,
    guarded: Arc<Guarded>,
    room: Arc<Semaphore>,
    writers: Semaphore,
    events: [AtomicU64; Event::ALL.len()],
    latency: Latency,
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Level").field("place", &self.0.place).field("tier", &self.0.tier).finish_non_exhaustive()
    }
}

impl Level {
    /// Guards a tier.
    pub fn new(place: Place, tier: Box<dyn Tier>, guards: Guards) -> Self {
        let guarded = Guarded::new(place.as_str(), guards.failures, guards.pause);
        Self::sharing(place, tier, guards, Arc::new(guarded))
    }

    /// Guards a tier together with others who ask the same server.
    pub fn sharing(place: Place, tier: Box<dyn Tier>, guards: Guards, guarded: Arc<Guarded>) -> Self {
        Self(Arc::new(Parts {
            place,
            tier,
            guards,
            guarded,
            room: Arc::new(Semaphore::new(guards.queue_bytes.div_ceil(PERMIT).max(1))),
            writers: Semaphore::new(guards.writers.max(1)),
            events: Default::default(),
            latency: Latency::default(),
        }))
    }

    /// Which one it is.
    pub fn place(&self) -> Place {
        self.0.place
    }

    /// How often it happened since the start.
    pub fn count(&self, event: Event) -> u64 {
        self.0.events[event as usize].load(Ordering::Relaxed)
    }

    /// How long it keeps an entry.
    pub fn keeps(&self) -> Duration {
        self.0.guards.keep
    }

    /// How long reads took.
    pub fn latency(&self) -> &Latency {
        &self.0.latency
    }

    /// Whether it is left alone at the moment.
    pub fn is_open(&self) -> bool {
        self.0.guarded.is_open()
    }

    /// Counts what others found out.
    pub fn happened(&self, event: Event) {
        self.0.events[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Reads within the deadline. A failure is a miss that counters and the log know the reason of.
    pub async fn get(&self, name: &Name) -> Option<Bytes> {
        let (guards, latency) = (&self.0.guards, &self.0.latency);
        match self.0.guarded.timed(guards.timeout, self.0.tier.get(name), latency).await {
            Ok(Some(bytes)) => Some(bytes),
            Ok(None) => {
                self.happened(Event::Miss);
                None
            }
            Err(_told) => {
                self.happened(Event::ReadFailed);
                None
            }
        }
    }

    /// Writes behind the caller's back, if there is room in the queue.
    pub fn put(&self, on: &Handle, name: Name, bytes: Bytes) {
        if let Some(room) = self.reserve(bytes.len()) {
            self.put_in(room, on, name, bytes);
        }
    }

    /// The same in room that has been reserved.
    pub(super) fn put_in(&self, room: OwnedSemaphorePermit, on: &Handle, name: Name, bytes: Bytes) {
        let level = self.clone();
        on.spawn(async move {
            let _room = room;
            level.write(&name, bytes, None).await;
        });
    }

    /// Room in the queue for a write of so many bytes; where there is none, the write is dropped and counted.
    pub(super) fn reserve(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let permits = u32::try_from(bytes.div_ceil(PERMIT).max(1)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.0.room).try_acquire_many_owned(permits).ok();
        if room.is_none() {
            self.happened(Event::WriteDropped);
        }
        room
    }

    /// Writes now, under the token of a lease where there is one, and tells what came of it. Room has been reserved.
    pub(super) async fn write(&self, name: &Name, bytes: Bytes, token: Option<u64>) -> Event {
        // Never closed.
        let Ok(_turn) = self.0.writers.acquire().await else { return Event::WriteDropped };
        let (tier, keep) = (&self.0.tier, self.0.guards.keep);
        let put = match token {
            None => tier.put(name, bytes, keep),
            Some(token) => tier.put_fenced(name, bytes, keep, token),
        };
        let event = match self.0.guarded.call(self.0.guards.timeout * PATIENCE, put).await {
            Ok(()) => Event::Written,
            Err(Failure::Outdated) => Event::WriteOutdated,
            Err(Failure::TooLarge | Failure::Open) => Event::WriteDropped,
            Err(_told) => Event::WriteFailed,
        };
        self.happened(event);
        event
    }

    /// Takes an entry out.
    ///
    /// # Errors
    /// It may still be there.
    pub async fn remove(&self, name: &Name) -> Result<(), Failure> {
        self.0.guarded.call(self.0.guards.timeout * PATIENCE, self.0.tier.remove(name)).await
    }

    /// Takes out what is void, where the tier can be looked through. There is no deadline: it takes what it takes.
    pub async fn sweep(&self, void: Void) -> Option<Result<u64, Failure>> {
        match self.0.tier.sweep(void) {
            Some(sweep) => Some(sweep.await),
            None => None,
        }
    }

    /// Whether nothing waits to be written.
    pub fn is_idle(&self) -> bool {
        self.0.room.available_permits() == self.0.guards.queue_bytes.div_ceil(PERMIT).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::tier::Later;
    use std::sync::Mutex;

    const GUARDS: Guards = Guards {
        timeout: Duration::from_millis(20),
        keep: Duration::from_secs(60),
        failures: 2,
        pause: Duration::from_millis(50),
        queue_bytes: 4 * PERMIT,
        writers: 1,
    };

    /// Does what it is told to, as servers do that have their bad days.
    #[derive(Clone, Debug, Default)]
    struct Moody(Arc<Mutex<Mood>>);

    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    enum Mood {
        #[default]
        Well,
        Hanging,
        Refusing,
    }

    impl Moody {
        async fn answer<T>(&self, well: T) -> Result<T, Failure> {
            let mood = *self.0.lock().expect("no panic");
            match mood {
                Mood::Well => Ok(well),
                Mood::Hanging => std::future::pending().await,
                Mood::Refusing => Err(Failure::Refused("go away".into())),
            }
        }
        fn is(&self, mood: Mood) {
            *self.0.lock().expect("no panic") = mood;
        }
    }

    impl Tier for Moody {
        fn get<'a>(&'a self, _: &'a Name) -> Later<'a, Result<Option<Bytes>, Failure>> {
            Box::pin(self.answer(Some(Bytes::from_static(b"x"))))
        }
        fn put<'a>(&'a self, _: &'a Name, _: Bytes, _: Duration) -> Later<'a, Result<(), Failure>> {
            Box::pin(self.answer(()))
        }
        fn remove<'a>(&'a self, _: &'a Name) -> Later<'a, Result<(), Failure>> {
            Box::pin(self.answer(()))
        }
    }

    fn level() -> (Moody, Level) {
        let tier = Moody::default();
        (tier.clone(), Level::new(Place::Redis, Box::new(tier), GUARDS))
    }

    #[tokio::test]
    async fn a_tier_that_hangs_is_left_alone_and_taken_up_again() {
        let (tier, level) = level();
        assert!(level.get(&[0; 32]).await.is_some());
        tier.is(Mood::Hanging);
        assert!(level.get(&[0; 32]).await.is_none() && !level.is_open());
        tier.is(Mood::Refusing);
        assert!(level.get(&[0; 32]).await.is_none() && level.is_open());
        assert_eq!(level.count(Event::ReadFailed), 2);
        tier.is(Mood::Well);
        assert!(level.get(&[0; 32]).await.is_none(), "not asked");
        // The breaker reads the real clock.
        std::thread::sleep(GUARDS.pause);
        assert!(level.get(&[0; 32]).await.is_some() && !level.is_open());
    }

    #[tokio::test]
    async fn writes_never_pile_up() {
        let (tier, level) = level();
        tier.is(Mood::Hanging);
        for _ in 0..10 {
            level.put(&Handle::current(), [0; 32], vec![0; PERMIT].into());
        }
        assert_eq!(level.count(Event::WriteDropped), 6, "four fit");
        while !level.is_idle() {
            tokio::time::sleep(GUARDS.timeout).await;
        }
        assert_eq!(level.count(Event::WriteFailed) + level.count(Event::WriteDropped), 10);
    }

    #[tokio::test]
    async fn what_a_tier_refuses_for_its_size_speaks_not_against_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = crate::cache::disk::Disk::open(folder.path(), 10, std::time::SystemTime::now).expect("a folder");
        let level = Level::new(Place::Disk, Box::new(disk), GUARDS);
        for _ in 0..5 {
            level.write(&[0; 32], vec![0; 100].into(), None).await;
        }
        assert_eq!((level.count(Event::WriteDropped), level.is_open()), (5, false));
    }
}
