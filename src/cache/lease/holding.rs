//! A lease that is held: renewed while the work runs, and given back however that ends.
//!
//! Invariant: a holder that learns of another's lease says so ([`Holding::is_lost`]); one that is dropped, by a panic too,
//! gives its lease back at once.

use super::{Event, Leases, Name, script};
use crate::cache::tier::Failure;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::AbortHandle;

/// How the work under a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The result is in a tier that others see.
    Stored,
    /// There is none that others could find: they work on their own.
    Nothing,
    /// It was given up: the next takes over.
    GivenUp,
}

impl Ending {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Nothing => "nothing",
            Self::GivenUp => "given-up",
        }
    }
}

/// A lease.
pub struct Holding {
    held: Option<Held>,
    renewal: AbortHandle,
}

#[derive(Clone)]
struct Held {
    leases: Leases,
    name: Name,
    holder: Arc<str>,
    token: u64,
    lost: Arc<AtomicBool>,
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holding").field("token", &self.token()).finish_non_exhaustive()
    }
}

impl Holding {
    pub(super) fn new(leases: Leases, name: Name, holder: String, token: u64) -> Self {
        let held = Held { leases, name, holder: holder.into(), token, lost: Arc::default() };
        let renewal = held.leases.0.redis.runtime().spawn(held.clone().renew()).abort_handle();
        Self { held: Some(held), renewal }
    }

    /// What it is a lease of.
    pub fn name(&self) -> Option<Name> {
        self.held.as_ref().map(|held| held.name)
    }

    /// Its token: larger than that of any earlier lease of the name.
    pub fn token(&self) -> u64 {
        self.held.as_ref().map_or(0, |held| held.token)
    }

    /// Whether another is known to hold it now.
    pub fn is_lost(&self) -> bool {
        self.held.as_ref().is_none_or(|held| held.lost.load(Ordering::Relaxed))
    }

    /// Gives it back, in the background.
    pub fn end(mut self, ending: Ending) {
        self.give_back(ending);
    }

    fn give_back(&mut self, ending: Ending) {
        self.renewal.abort();
        let Some(held) = self.held.take() else { return };
        let runtime = held.leases.0.redis.runtime().clone();
        runtime.spawn(held.release(ending));
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.give_back(Ending::GivenUp);
    }
}

impl Held {
    async fn renew(self) {
        let times = self.leases.0.times;
        let redis = &self.leases.0.redis;
        loop {
            tokio::time::sleep(times.lease / 3).await;
            let ask = script::renew(redis, &self.name, &self.holder, times);
            let renewed: Result<bool, Failure> = redis.ask(ask, redis.promptly()).await;
            // A failure leaves it open: the next may succeed, and the token guards the result all the same.
            if renewed == Ok(false) {
                self.lost.store(true, Ordering::Relaxed);
                self.leases.happened(Event::Lost);
                return;
            }
        }
    }

    async fn release(self, ending: Ending) {
        let redis = &self.leases.0.redis;
        let ask = script::release(redis, &self.name, &self.holder, ending, &self.leases.channel());
        // What cannot be given back expires.
        let _: Result<bool, Failure> = redis.ask(ask, redis.patiently()).await;
    }
}
