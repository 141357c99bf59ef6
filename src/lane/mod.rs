//! The lane: renders that nobody waits for, done while it is quiet, at the lowest priority.
//!
//! Owns the queue of what was put off, in memory or, where there is a Redis, there for all instances; warm-up hands in its
//! own. Composes `original`, `fill` and `render` for them; knows neither pixels nor responses. Invariants: what waits is
//! bounded, and what finds no room is counted; nothing is begun while a request waits; what Redis has is lost by no
//! restart.

pub(crate) mod job;
mod pending;
mod queue;
mod run;
mod shared;
mod work;

pub(crate) use run::start;
pub(crate) use work::Made;

use crate::app::App;
use crate::cache::Tiers;
use crate::kept::Kept;
use crate::render::config::LaneConfig;
use crate::warm::Runs;
use cache_key::RenditionKey;
use job::Job;
use pending::Pending;
use queue::{Put, Queue};
use shared::Shared;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;

/// The lane's state. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Lane(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    config: LaneConfig,
    here: Mutex<Queue<Job>>,
    shared: Option<Shared>,
    pending: Pending,
    warm: Runs,
    /// Told when there is something to do.
    nudge: Notify,
    /// Whether somebody does what is put in.
    runs: AtomicBool,
}

impl Lane {
    /// An empty one, which nobody works yet: see [`start`].
    pub(crate) fn new(config: LaneConfig, tiers: &Tiers) -> Self {
        let shared = tiers.redis().map(|redis| Shared::new(redis.clone(), config.jobs, config.attempts));
        Self(Arc::new(Parts {
            config,
            here: Mutex::new(Queue::new(config.jobs)),
            shared,
            pending: Pending::new(),
            warm: Runs::new(config.jobs),
            nudge: Notify::new(),
            runs: AtomicBool::new(false),
        }))
    }

    pub(crate) fn config(&self) -> &LaneConfig {
        &self.0.config
    }

    /// Whether what is put in will be done.
    pub(crate) fn runs(&self) -> bool {
        self.0.runs.load(Ordering::Relaxed)
    }

    /// What warm-up has to do.
    pub(crate) fn warm(&self) -> &Runs {
        &self.0.warm
    }

    /// There is something to do.
    pub(crate) fn nudge(&self) {
        self.0.nudge.notify_waiters();
    }

    /// What is given for the key meanwhile; what is older than `since` has been purged.
    pub(crate) fn quick(&self, key: &RenditionKey, now: SystemTime, since: u64) -> Option<Arc<Kept>> {
        self.0.pending.get(key, now, since)
    }

    /// Has the rendition made later; until `until`, `quick` is given for it.
    pub(crate) fn put_off(&self, app: &App, key: RenditionKey, job: Job, quick: &Arc<Kept>, until: SystemTime) {
        let before = self.0.pending.put(key, quick, until);
        let lane = self.clone();
        let app = app.clone();
        match &self.0.shared {
            // What was put off before and is in no tier that we see: whoever made it could not share it.
            Some(shared) if before == 0 => {
                let shared = shared.clone();
                tokio::spawn(async move {
                    match shared.put(&job.write()).await {
                        Ok(put) => lane.told(&app, put),
                        Err(failure) => {
                            tracing::debug!(%failure, "the shared queue takes nothing: queued here");
                            let put = lane.put_here(job);
                            lane.told(&app, put);
                        }
                    }
                });
            }
            _ => self.told(&app, self.put_here(job)),
        }
    }

    fn put_here(&self, job: Job) -> Put {
        self.here().put(job)
    }

    fn told(&self, app: &App, put: Put) {
        app.metrics.job(match put {
            Put::Queued => "queued",
            Put::Known => "known",
            Put::Full => "dropped",
        });
        self.nudge();
    }

    /// The rendition has come: nothing stands in for it any more.
    fn landed(&self, key: &RenditionKey) -> Option<Arc<Kept>> {
        self.0.pending.take(key)
    }

    /// Jobs that wait in this process.
    pub(crate) fn waiting(&self) -> usize {
        self.here().len() + self.0.warm.waiting()
    }

    fn here(&self) -> MutexGuard<'_, Queue<Job>> {
        // Every change of the queue is one call: it is whole also after a panic.
        self.0.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll(&self) -> Duration {
        self.0.config.poll
    }
}
