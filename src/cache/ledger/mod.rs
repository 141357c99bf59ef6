//! Purges made known: numbered by Redis, told to all instances, remembered there for those that were away.
//!
//! Does not know what is purged nor who listens. Without Redis it numbers by itself. Invariants: an instance says that it
//! knows all purges up to a number only when it does; one that Redis could not be told of holds here at once, and is told
//! again until it is.

mod script;

use super::label::Scope;
use super::marks::Marks;
use super::redis::{Message, Redis};
use super::tier::Failure;
use script::Page;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Scopes that go out at once.
const BATCH: usize = 1000;

/// The purges of the fleet. Clones share them.
#[derive(Clone, Debug)]
pub struct Ledger(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    marks: Arc<Marks>,
    redis: Option<Redis>,
    limits: Limits,
    /// What Redis has not been told yet.
    pending: Mutex<Vec<Scope>>,
    /// Held while a number is given here.
    numbering: Mutex<()>,
    /// Redis has lost what it remembered, and has not been told again yet.
    lost: AtomicBool,
    /// When Redis began to remember, as last seen.
    era: AtomicU64,
}

/// What Redis remembers.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Purges, at most.
    pub most: usize,
    /// For how long: longer than any tier keeps an entry.
    pub keep: Duration,
}

/// What a message was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Known already, or no purge.
    Nothing,
    /// A purge, and it is known now.
    Purge,
    /// A purge, and there were others before it that are not known.
    Missed,
}

impl Ledger {
    /// Over the shared Redis, where there is one.
    pub fn new(marks: Arc<Marks>, redis: Option<Redis>, limits: Limits) -> Self {
        Self(Arc::new(Parts {
            marks,
            redis,
            limits,
            pending: Mutex::default(),
            numbering: Mutex::default(),
            lost: AtomicBool::new(false),
            era: AtomicU64::new(0),
        }))
    }

    /// Whether others are told.
    pub fn is_shared(&self) -> bool {
        self.0.redis.is_some()
    }

    /// Purges that Redis has not been told of yet.
    pub fn pending(&self) -> usize {
        self.0.pending().len()
    }

    /// Makes these void here, and everywhere else.
    ///
    /// # Errors
    /// They are void here, but the others have not been told: they will be when Redis answers again.
    pub async fn announce(&self, scopes: &[Scope], now: SystemTime) -> Result<(), Failure> {
        let Some(redis) = &self.0.redis else {
            let micros = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
            self.0.number(scopes, u64::try_from(micros).unwrap_or(u64::MAX >> 1));
            return Ok(());
        };
        for (turn, batch) in scopes.chunks(BATCH).enumerate() {
            if let Err(failure) = self.tell(redis, batch).await {
                let rest = &scopes[turn * BATCH..];
                // Numbers of Redis follow its clock: they are far above this one when they come.
                self.0.number(rest, 0);
                let mut pending = self.0.pending();
                let room = self.0.limits.most.saturating_sub(pending.len());
                if rest.len() > room {
                    *pending = vec![Scope::ALL];
                } else {
                    pending.extend_from_slice(rest);
                }
                return Err(failure);
            }
        }
        Ok(())
    }

    async fn tell(&self, redis: &Redis, batch: &[Scope]) -> Result<(), Failure> {
        let (before, number) = redis.ask(script::announce(redis, batch, self.0.limits), redis.patiently()).await?;
        if !self.0.add(before, number, batch) {
            // Whatever is missing comes with the next look at the latest.
            let _ = self.read(redis).await;
        }
        Ok(())
    }

    /// The channel on which purges are told.
    pub fn channel(&self) -> Option<Vec<u8>> {
        self.0.redis.as_ref().map(|redis| redis.key(script::CHANNEL))
    }

    /// A message has come.
    pub fn heard(&self, message: &Message) -> Heard {
        let Some((before, number, scopes)) = script::purge(&message.payload) else { return Heard::Nothing };
        if number <= self.0.marks.generation() {
            return Heard::Nothing;
        }
        match self.0.add(before, number, &scopes) {
            true => Heard::Purge,
            false => Heard::Missed,
        }
    }

    /// Tells Redis what it does not know, and learns what is not known here. Whether there was something to learn.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn catch_up(&self) -> Result<bool, Failure> {
        let Some(redis) = &self.0.redis else { return Ok(false) };
        let epoch = self.0.marks.epoch();
        self.send_pending(redis).await?;
        let known = self.0.marks.generation();
        let last = self.read(redis).await?;
        if self.0.lost.swap(false, Ordering::AcqRel) || last < known {
            tracing::warn!("redis has lost the purges it knew: told again");
            if let Err(failure) = self.restore(redis, known).await {
                self.0.lost.store(true, Ordering::Release);
                return Err(failure);
            }
        }
        Ok(self.0.marks.epoch() != epoch)
    }

    async fn send_pending(&self, redis: &Redis) -> Result<(), Failure> {
        loop {
            let batch: Vec<Scope> = self.0.pending().iter().take(BATCH).copied().collect();
            if batch.is_empty() {
                return Ok(());
            }
            self.tell(redis, &batch).await?;
            let mut pending = self.0.pending();
            pending.retain(|scope| !batch.contains(scope));
        }
    }

    /// Everything that is newer than what is known, page by page; the last number that Redis gave.
    async fn read(&self, redis: &Redis) -> Result<u64, Failure> {
        let mut from = self.0.marks.generation();
        let mut last = None;
        loop {
            let page: Page = redis.ask(script::read(redis, from), redis.patiently()).await.map(Page::of)?;
            let first_told = *last.get_or_insert(page.last);
            let era = self.0.era.swap(page.era, Ordering::AcqRel);
            if (era != 0 && era != page.era) || (page.empty && !self.0.marks.is_empty()) {
                self.0.lost.store(true, Ordering::Release);
            }
            let reached = page.marks.last().map(|(_, number)| *number);
            self.0.marks.add_all(page.marks.into_iter(), page.floor);
            match reached {
                // Of the last number there may be more on the next page.
                Some(reached) if page.full && reached > from => from = reached,
                _ => {
                    self.0.marks.know(first_told);
                    return Ok(first_told);
                }
            }
        }
    }

    async fn restore(&self, redis: &Redis, known: u64) -> Result<(), Failure> {
        let (marks, floor) = self.0.marks.all();
        let mut batches = marks.chunks(BATCH);
        loop {
            let batch = batches.next();
            let ask = script::restore(redis, known, floor, batch.unwrap_or_default());
            redis.ask::<()>(ask, redis.patiently()).await?;
            if batch.is_none() {
                return Ok(());
            }
        }
    }
}

impl Parts {
    fn pending(&self) -> MutexGuard<'_, Vec<Scope>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a number here: the next, or `at_least` that.
    fn number(&self, scopes: &[Scope], at_least: u64) {
        let _alone = self.numbering.lock().unwrap_or_else(PoisonError::into_inner);
        self.marks.add(at_least.max(self.marks.generation() + 1), scopes);
    }

    /// A purge that Redis has numbered, right after number `before`. Whether all before it are known.
    fn add(&self, before: u64, number: u64, scopes: &[Scope]) -> bool {
        let whole = before <= self.marks.generation();
        self.marks.add_all(scopes.iter().map(|scope| (*scope, number)), 0);
        if whole {
            self.marks.know(number);
        }
        whole
    }
}

#[cfg(test)]
mod tests;
