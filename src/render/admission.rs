//! Permits to render: a worker and a share of the memory budget, in the order of asking.
//!
//! The queue lives here, in front of the pool, so that what waits holds no thread and can be given up for free.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// Memory is counted in these, so that a budget of terabytes fits a semaphore.
pub(super) const UNIT: u64 = 64 << 10;

/// Why no permit was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    /// As many wait already as may.
    QueueFull,
    /// None came free in time.
    TooLong,
    /// It would need more memory than all renders together may have.
    TooDear {
        /// Bytes predicted.
        needs: u64,
        /// The budget.
        budget: u64,
    },
}

impl Shed {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::TooLong => "queue_timeout",
            Self::TooDear { .. } => "memory_budget",
        }
    }
}

/// Gives permits. Clones share the budget.
#[derive(Clone, Debug)]
pub struct Admission {
    workers: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    /// Told whenever a permit comes back or a wait ends.
    eased: Arc<Notify>,
    budget: u64,
    threads: usize,
    queue: usize,
    patience: Duration,
}

/// The right to render, until dropped.
#[derive(Debug)]
pub struct Permit {
    _memory: OwnedSemaphorePermit,
    _worker: OwnedSemaphorePermit,
    // Last, so that what is told of has come back by then.
    _told: Eased,
}

/// Tells whoever waits for quiet, when it is dropped.
#[derive(Debug)]
pub(super) struct Eased(Arc<Notify>);

impl Drop for Eased {
    fn drop(&mut self) {
        self.0.notify_waiters();
    }
}

/// Leaves the queue when the wait ends, also by cancellation.
struct Waiting<'a>(&'a Admission);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
        self.0.eased.notify_waiters();
    }
}

impl Admission {
    /// `threads` renders at once, `budget` bytes between them; at most `queue` wait, each for `patience`.
    pub fn new(threads: usize, budget: u64, queue: usize, patience: Duration) -> Self {
        let units = usize::try_from(budget / UNIT).unwrap_or(Semaphore::MAX_PERMITS).clamp(1, Semaphore::MAX_PERMITS);
        Self {
            workers: Arc::new(Semaphore::new(threads)),
            memory: Arc::new(Semaphore::new(units)),
            waiting: Arc::default(),
            eased: Arc::default(),
            budget,
            threads,
            queue,
            patience,
        }
    }

    /// Waits for a permit to use `memory` bytes.
    ///
    /// # Errors
    /// See [`Shed`].
    pub async fn admit(&self, memory: u64) -> Result<Permit, Shed> {
        let units = u32::try_from(memory.div_ceil(UNIT)).unwrap_or(u32::MAX);
        if memory > self.budget {
            return Err(Shed::TooDear { needs: memory, budget: self.budget });
        }
        // Counted before the wait, so that a burst cannot pass the check together.
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(self);
        if before >= self.queue + self.workers.available_permits() {
            return Err(Shed::QueueFull);
        }
        // Memory before the worker: a large picture that waits for memory must not keep a worker idle.
        let both = async {
            let memory = Arc::clone(&self.memory).acquire_many_owned(units).await;
            let worker = Arc::clone(&self.workers).acquire_owned().await;
            memory.and_then(|memory| worker.map(|worker| (memory, worker)))
        };
        match tokio::time::timeout(self.patience, both).await {
            Ok(Ok((memory, worker))) => Ok(Permit { _memory: memory, _worker: worker, _told: self.eased() }),
            Ok(Err(_closed)) => unreachable!("nobody closes these semaphores"),
            Err(_elapsed) => Err(Shed::TooLong),
        }
    }

    /// Waits until nobody waits for a permit and a worker is idle: the moment for what nobody waits for.
    pub async fn quiet(&self) {
        loop {
            let mut eased = pin!(self.eased.notified());
            // Enlisted before the look, so that a permit that comes back in between is not missed.
            eased.as_mut().enable();
            if self.is_quiet() {
                return;
            }
            eased.await;
        }
    }

    /// Whether nobody waits for a permit and a worker is idle.
    pub fn is_quiet(&self) -> bool {
        self.waiting() == 0 && self.workers.available_permits() > 0
    }

    /// Waits for quiet, and for memory to be left over by those whom somebody waits for.
    pub(super) async fn left_over(&self, units: u32) -> OwnedSemaphorePermit {
        loop {
            let mut eased = pin!(self.eased.notified());
            eased.as_mut().enable();
            if self.is_quiet()
                && let Ok(memory) = Arc::clone(&self.memory).try_acquire_many_owned(units)
            {
                return memory;
            }
            eased.await;
        }
    }

    pub(super) fn eased(&self) -> Eased {
        Eased(Arc::clone(&self.eased))
    }

    /// Requests that wait now.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Renders under way now.
    pub fn rendering(&self) -> usize {
        self.threads.saturating_sub(self.workers.available_permits())
    }

    /// Bytes of the budget in use now.
    pub fn memory(&self) -> u64 {
        self.budget.saturating_sub(self.memory.available_permits() as u64 * UNIT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[tokio::test]
    async fn workers_and_queue_are_bounded() {
        let admission = Admission::new(1, 64 * MIB, 1, Duration::from_secs(5));
        let first = admission.admit(MIB).await.unwrap();
        let second = tokio::spawn({
            let admission = admission.clone();
            async move { admission.admit(MIB).await.map(drop) }
        });
        while admission.waiting() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(admission.admit(MIB).await.err(), Some(Shed::QueueFull));
        assert_eq!(admission.rendering(), 1);
        drop(first);
        assert_eq!(second.await.unwrap(), Ok(()));
        assert_eq!((admission.waiting(), admission.rendering(), admission.memory()), (0, 0, 0));
    }

    #[tokio::test]
    async fn memory_is_a_budget() {
        let admission = Admission::new(4, 10 * MIB, 4, Duration::from_millis(20));
        let _large = admission.admit(8 * MIB).await.unwrap();
        assert_eq!(admission.admit(4 * MIB).await.err(), Some(Shed::TooLong));
        assert!(admission.admit(2 * MIB).await.is_ok());
        let too_dear = Shed::TooDear { needs: 11 * MIB, budget: 10 * MIB };
        assert_eq!(admission.admit(11 * MIB).await.err(), Some(too_dear));
    }

    #[tokio::test]
    async fn a_wait_that_is_dropped_leaves_the_queue() {
        let admission = Admission::new(1, 64 * MIB, 1, Duration::from_secs(5));
        let _first = admission.admit(MIB).await.unwrap();
        let dropped = tokio::time::timeout(Duration::from_millis(5), admission.admit(MIB)).await;
        assert!(dropped.is_err());
        assert_eq!(admission.waiting(), 0);
    }
}
