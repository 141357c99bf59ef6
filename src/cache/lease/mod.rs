//! Leases: of all instances that need one rendition, one makes it and the others wait for the result in the tiers.
//!
//! Knows names and Redis; what is made, and how it is looked for, is the caller's. Invariants: nobody waits longer than
//! configured, and not at all for a Redis that does not answer; a result under a token is never put over one under a
//! later token (fencing), however long its maker was frozen.

mod holding;
mod script;
mod wakes;

pub use holding::Holding;

use super::redis::Redis;
use super::tier::{Failure, Name};
use script::Answer;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use wakes::Wakes;

/// First pause between two looks at a lease that another holds; a message mostly ends it sooner. It doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// How often an entry that is there and yet of no use (damaged, purged) is looked for again.
const LOOKS: usize = 3;

/// How long.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// A holder that is gone is waited for so long; one that lives renews its lease.
    pub lease: Duration,
    /// Longest wait for another's result. Zero: no leases at all.
    pub wait: Duration,
}

/// What became of a turn, for counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// This instance got the lease.
    Won,
    /// Another had it, and its result was found.
    Waited,
    /// Another had it, and its result did not come in time.
    WaitedInVain,
    /// Another had it and said that there will be nothing to find.
    Alone,
    /// Redis gave no answer.
    Unavailable,
    /// A holder was too late: another holds the lease now.
    Lost,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Won, Self::Waited, Self::WaitedInVain, Self::Alone, Self::Unavailable, Self::Lost];

    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Waited => "waited",
            Self::WaitedInVain => "waited-in-vain",
            Self::Alone => "alone",
            Self::Unavailable => "unavailable",
            Self::Lost => "lost",
        }
    }
}

/// Whose turn it is.
#[derive(Debug)]
pub enum Turn<T> {
    /// Nobody's: the result is here.
    Found(T),
    /// This instance's.
    Work(Holding),
}

/// The leases of this instance. Clones share them.
#[derive(Clone)]
pub struct Leases(Arc<Parts>);

struct Parts {
    redis: Redis,
    times: Times,
    /// Told apart from other instances by chance, from other turns of this one by number.
    instance: u64,
    turns: AtomicU64,
    wakes: Wakes,
    events: [AtomicU64; Event::ALL.len()],
}

impl fmt::Debug for Leases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leases").field("times", &self.0.times).finish_non_exhaustive()
    }
}

impl Leases {
    /// Over the shared Redis.
    pub fn new(redis: Redis, times: Times) -> Self {
        Self(Arc::new(Parts {
            redis,
            times,
            instance: RandomState::new().hash_one(std::process::id()),
            turns: AtomicU64::new(0),
            wakes: Wakes::default(),
            events: Default::default(),
        }))
    }

    /// How often it happened since the start.
    pub fn count(&self, event: Event) -> u64 {
        self.0.events[event as usize].load(Ordering::Relaxed)
    }

    fn happened(&self, event: Event) {
        self.0.events[event as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// The channel on which holders say that their results have landed.
    pub fn channel(&self) -> Vec<u8> {
        self.0.redis.key("landed")
    }

    /// Such a message has come.
    pub fn heard(&self, payload: &[u8]) {
        if let Ok(name) = payload.try_into() {
            self.0.wakes.wake(&name);
        }
    }

    /// Waits until the work of `name` is this instance's, or `find` gives what another instance has made of it.
    pub async fn turn<T, F>(&self, name: Name, find: impl Fn() -> F) -> Turn<T>
    where
        F: Future<Output = Option<T>>,
    {
        // Before the first try, so that no message can come between.
        let mut wake = self.0.wakes.listen(name);
        let mut over = std::pin::pin!(tokio::time::sleep(self.0.times.wait));
        let (mut pause, mut looks, mut waited) = (FIRST_PAUSE, 0, false);
        loop {
            match self.take(name).await {
                Err(_told) => return self.alone(Event::Unavailable),
                Ok(Taken::Ours(holding)) => {
                    // A result that Redis does not take (for its size) may have landed elsewhere meanwhile.
                    let found = if waited { find().await } else { None };
                    return match found {
                        Some(found) => self.found(found),
                        None => {
                            self.happened(Event::Won);
                            Turn::Work(holding)
                        }
                    };
                }
                Ok(Taken::Landed) => {
                    if let Some(found) = find().await {
                        return self.found(found);
                    }
                    looks += 1;
                    if looks == LOOKS {
                        return self.alone(Event::Alone);
                    }
                    continue;
                }
                Ok(Taken::Alone) => return self.alone(Event::Alone),
                Ok(Taken::Others) => waited = true,
            }
            tokio::select! {
                biased;
                () = &mut over => return self.alone(Event::WaitedInVain),
                () = wake.woken() => {
                    if let Some(found) = find().await {
                        return self.found(found);
                    }
                }
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
    }

    fn found<T>(&self, found: T) -> Turn<T> {
        self.happened(Event::Waited);
        Turn::Found(found)
    }

    fn alone<T>(&self, why: Event) -> Turn<T> {
        self.happened(why);
        Turn::Work(Holding::alone())
    }

    async fn take(&self, name: Name) -> Result<Taken, Failure> {
        let leases = self.clone();
        // In a task of its own: whoever stops waiting for the answer does not leave a lease behind that nobody holds.
        let taking = self.0.redis.runtime().spawn(async move {
            let Parts { redis, times, instance, turns, .. } = &*leases.0;
            let holder = format!("{instance:016x}-{:x}", turns.fetch_add(1, Ordering::Relaxed));
            let ask = script::take(redis, &name, &holder, *times);
            Ok(match script::read(redis.ask(ask, redis.promptly()).await?)? {
                Answer::Granted(token) => Taken::Ours(Holding::new(leases, name, holder, token)),
                Answer::Landed => Taken::Landed,
                Answer::Others => Taken::Others,
                Answer::Alone => Taken::Alone,
            })
        });
        taking.await.unwrap_or(Err(Failure::Open))
    }
}

/// What a try came to.
enum Taken {
    Ours(Holding),
    Landed,
    Others,
    Alone,
}

#[cfg(test)]
mod tests;
