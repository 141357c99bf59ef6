//! The turn to work: under a lease that is renewed while the work runs, or on this instance's own, where nobody waits.
//!
//! It ends in one of three ways, and each is said once, by whoever knows: [`Holding::stored`] by what wrote the result
//! where others see it, [`Holding::nothing`] by what finds that there will be none; dropped, by a panic too, it is given
//! up. Invariant: a holder that learns of another's lease says so ([`Holding::is_lost`]).

use super::{Event, Leases, Name, script};
use crate::cache::tier::Failure;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::AbortHandle;

/// How the work under a lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Stored,
    Nothing,
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

/// The turn to work on something.
#[must_use = "dropped, it is given up: the next takes over"]
pub struct Holding(Option<(Lease, AbortHandle)>);

#[derive(Clone)]
struct Lease {
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
    /// Without a lease: no other instance waits for what comes of it.
    pub fn alone() -> Self {
        Self(None)
    }

    pub(super) fn new(leases: Leases, name: Name, holder: String, token: u64) -> Self {
        let lease = Lease { leases, name, holder: holder.into(), token, lost: Arc::default() };
        let renewal = lease.leases.0.redis.runtime().spawn(lease.clone().renew()).abort_handle();
        Self(Some((lease, renewal)))
    }

    fn lease(&self) -> Option<&Lease> {
        self.0.as_ref().map(|(lease, _)| lease)
    }

    /// What it is a lease of.
    pub fn name(&self) -> Option<Name> {
        self.lease().map(|lease| lease.name)
    }

    /// The lease's token: larger than that of any earlier one of the name.
    pub fn token(&self) -> Option<u64> {
        self.lease().map(|lease| lease.token)
    }

    /// Whether another is known to hold the lease now.
    pub fn is_lost(&self) -> bool {
        self.lease().is_some_and(|lease| lease.lost.load(Ordering::Relaxed))
    }

    /// The result is in a tier that others see: whoever waits finds it.
    pub fn stored(mut self) {
        self.end(Ending::Stored);
    }

    /// There is no result that others could find: they work on their own, at once.
    pub fn nothing(mut self) {
        self.end(Ending::Nothing);
    }

    /// Goes on with what succeeded; what failed is nothing for those who wait.
    ///
    /// # Errors
    /// The failure.
    pub fn or_nothing<T, E>(self, result: Result<T, E>) -> Result<(T, Self), E> {
        match result {
            Ok(value) => Ok((value, self)),
            Err(error) => {
                self.nothing();
                Err(error)
            }
        }
    }

    /// Gives the lease back, in the background, the first time only.
    fn end(&mut self, ending: Ending) {
        let Some((lease, renewal)) = self.0.take() else { return };
        renewal.abort();
        let runtime = lease.leases.0.redis.runtime().clone();
        runtime.spawn(lease.release(ending));
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.end(Ending::GivenUp);
    }
}

impl Lease {
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
