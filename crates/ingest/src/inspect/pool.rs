//! Threads that look at uploads: few, apart from those of sockets, each within its time.
//!
//! Invariant: at no moment more uploads are in memory than there are workers.

use super::{Declared, Found, Reason, Refused, inspect};
use crate::facts::Private;
use bytes::Bytes;
use imaging::{Limits, Watch};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Stacks of threads that decode: deep drawings need more than the usual 2 MiB.
const STACK: usize = 8 << 20;

/// Workers. Clones share them.
#[derive(Clone, Debug)]
pub struct Inspectors {
    slots: Arc<Semaphore>,
    limits: Arc<Limits>,
    deadline: Duration,
    private: Private,
}

/// The right to have one upload in memory.
#[derive(Debug)]
pub struct Slot(OwnedSemaphorePermit);

/// Ends the work when nobody waits for it any more.
struct Attended(Watch);

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Inspectors {
    /// So many at once, each for so long at most.
    #[must_use]
    pub fn new(workers: usize, limits: Limits, deadline: Duration, private: Private) -> Self {
        Self { slots: Arc::new(Semaphore::new(workers)), limits: Arc::new(limits), deadline, private }
    }

    /// Waits for a turn. To be asked for before an upload is read into memory.
    pub async fn turn(&self) -> Slot {
        let permit = Arc::clone(&self.slots).acquire_owned().await;
        Slot(permit.expect("the semaphore is never closed"))
    }

    /// Looks at an upload.
    ///
    /// # Errors
    /// Why it is refused.
    pub async fn inspect(&self, slot: Slot, bytes: Bytes, declared: Declared) -> Result<Found, Refused> {
        let watch = Watch::until(Instant::now() + self.deadline);
        let (limits, private) = (Arc::clone(&self.limits), self.private);
        let look = move |watch: &Watch| inspect(&bytes, &declared, private, &limits, watch);
        let broken = Refused::new(Reason::Damaged, "damaged original: it cannot be decoded");
        self.aside(slot, watch, look).await.unwrap_or(Err(broken))
    }

    /// Does work of pixels on a thread of its own; `None` where it panicked or no thread can be had.
    pub async fn aside<T: Send + 'static>(
        &self,
        slot: Slot,
        watch: Watch,
        work: impl FnOnce(&Watch) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let attended = Attended(watch.clone());
        let thread = std::thread::Builder::new().name("inspector".to_owned()).stack_size(STACK);
        let started = thread.spawn(move || {
            let done = catch_unwind(AssertUnwindSafe(|| work(&watch)));
            drop(slot.0);
            // Nobody may wait any more.
            let _told = answer.send(done.ok());
        });
        if let Err(error) = started {
            tracing::error!("no thread to look at an upload: {error}");
            return None;
        }
        let done = answered.await.ok().flatten();
        drop(attended);
        done
    }

    /// The limits of pictures.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The longest that looking at one takes.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }
}
