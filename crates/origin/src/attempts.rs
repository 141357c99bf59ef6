//! One fetch, as every origin that is asked makes it: its turn among the others, repeats within a budget, an end to all.
//!
//! Does not know how one attempt is made. Invariant: whoever waits is told during which phase his time was up.

use super::pace::Pace;
use super::retry::Budget;
use super::{Missing, Phase, Trouble};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// The rules of an origin.
#[derive(Debug)]
pub(super) struct Attempts {
    slots: Semaphore,
    budget: Budget,
    /// After the first attempt.
    retries: u32,
    /// In all, unless the one who asks says otherwise.
    timeout: Duration,
}

impl Attempts {
    pub(super) fn new(pace: &Pace) -> Self {
        let Pace { requests, retries, retry_percent, timeout, .. } = *pace;
        Self { slots: Semaphore::new(requests), budget: Budget::new(retry_percent), retries, timeout }
    }

    /// Attempts until one succeeds, fails for good, or there may be no further one. Where the time for all of it is up while
    /// an attempt is under way, `late` is told.
    pub(super) async fn make<T, F: Future<Output = Result<T, Missing>>>(
        &self,
        limit: Option<Duration>,
        progress: &Progress,
        may_be_repeated: fn(&Trouble) -> bool,
        late: impl FnOnce(),
        attempt: impl Fn() -> F,
    ) -> Result<T, Missing> {
        let all = async {
            self.budget.save();
            let mut repeats = 0;
            loop {
                progress.set(Phase::Queue);
                let slot = self.slots.acquire().await;
                let result = attempt().await;
                drop(slot);
                let Err(Missing::Failed(trouble)) = &result else { return result };
                if repeats >= self.retries || !may_be_repeated(trouble) {
                    return result;
                }
                let Some(pause) = self.budget.spend(repeats, trouble.retry_after) else { return result };
                sleep(pause).await;
                repeats += 1;
            }
        };
        match timeout(limit.unwrap_or(self.timeout), all).await {
            Ok(result) => result,
            Err(_) => {
                let phase = progress.get();
                if phase != Phase::Queue {
                    late();
                }
                Err(Trouble::late(phase).into())
            }
        }
    }
}

/// How far a fetch has come, for the message when its time is up.
#[derive(Debug, Default)]
pub(super) struct Progress(AtomicU8);

impl Progress {
    pub(super) fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Phase {
        Phase::ALL.into_iter().find(|phase| *phase as u8 == self.0.load(Ordering::Relaxed)).unwrap_or(Phase::Queue)
    }
}
