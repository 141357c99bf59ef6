//! The one runner of background work: takes jobs of its kinds as there is room for them, and sees each to its end.
//!
//! Knows queues by their trait and work by its handlers. Invariants: of no kind more run than its policy allows; a job is
//! held by heartbeats for as long as its handler runs; a drain takes nothing new, and gives back what does not end in time.

mod one;
mod policy;
mod work;

pub use policy::Policy;
pub use work::{Ended, Failure, Handler, Outcome, Stop, Then, Work};

use crate::job::{JobKind, Leased};
use crate::metric::Metrics;
use crate::queue::{MOST, Queue, Take};
use crate::schedule::{self, Schedule};
use service::drain::Drain;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

/// How long a receiver waits for jobs before it asks again; below the 20 s that SQS allows.
const WAIT: Duration = Duration::from_secs(10);
/// The rest after the queue did not answer.
const FAILED_REST: Duration = Duration::from_secs(2);
/// At a drain, a receiver that is about to get jobs may finish, so that they can be given back.
const LAST_RECEIVE: Duration = Duration::from_millis(500);

/// Calls handlers for jobs.
#[derive(Debug)]
pub struct Runner {
    queue: Arc<dyn Queue>,
    kinds: Vec<Kind>,
    schedules: Vec<Schedule>,
    metrics: Metrics,
    grace: Duration,
    keep: Duration,
}

/// A kind of job that this process does.
struct Kind {
    kind: JobKind,
    policy: Policy,
    handler: Arc<dyn Handler>,
    room: Arc<Semaphore>,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kind").field("kind", &self.kind).field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// What all jobs of a runner share.
#[derive(Clone, Debug)]
struct Shared {
    queue: Arc<dyn Queue>,
    metrics: Metrics,
    drain: Drain,
    grace: Duration,
}

impl Runner {
    /// One that does nothing yet.
    #[must_use]
    pub fn new(queue: Arc<dyn Queue>) -> Self {
        Self {
            queue,
            kinds: Vec::new(),
            schedules: Vec::new(),
            metrics: Metrics::default(),
            grace: Duration::from_secs(20),
            keep: Duration::from_secs(86_400),
        }
    }

    /// Does jobs of this kind, by the [`Policy`]'s defaults.
    #[must_use]
    pub fn on(self, kind: JobKind, handler: impl Handler) -> Self {
        self.with(kind, Policy::default(), handler)
    }

    /// Does jobs of this kind by a policy.
    ///
    /// # Panics
    /// Where the kind has a handler already.
    #[must_use]
    pub fn with(mut self, kind: JobKind, policy: Policy, handler: impl Handler) -> Self {
        assert!(self.kinds.iter().all(|known| known.kind != kind), "{kind} has a handler already");
        let room = Arc::new(Semaphore::new(policy.concurrency));
        self.kinds.push(Kind { kind, policy, handler: Arc::new(handler), room });
        self
    }

    /// Sends a job again and again; of all instances one at a time.
    #[must_use]
    pub fn every(mut self, schedule: Schedule) -> Self {
        self.schedules.push(schedule);
        self
    }

    /// Counts into these; without this call nobody sees the numbers.
    #[must_use]
    pub fn metrics(self, metrics: &Metrics) -> Self {
        Self { metrics: metrics.clone(), ..self }
    }

    /// How long handlers may go on after they were told to stop, before they are dropped and their jobs given back. Below
    /// the `[drain]` section's deadline.
    #[must_use]
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// How long reports and cancelled jobs can be seen.
    #[must_use]
    pub fn keep(self, keep: Duration) -> Self {
        Self { keep, ..self }
    }

    /// Works until the drain, and then until every job that it took has ended or is given back.
    pub async fn run(self, drain: Drain) {
        let _waited_for = drain.track();
        let Self { queue, kinds, schedules, metrics, grace, keep } = self;
        let shared = Shared { queue, metrics, drain: drain.clone(), grace };
        let aside = schedule::tend(Arc::clone(&shared.queue), schedules, shared.metrics.clone(), keep);
        tokio::select! {
            () = aside => {}
            () = consume(&shared, kinds) => {}
        }
    }
}

/// Takes jobs of each kind until the drain, and waits for all of them.
async fn consume(shared: &Shared, kinds: Vec<Kind>) {
    let mut consumers = JoinSet::new();
    for kind in kinds {
        consumers.spawn(consume_kind(shared.clone(), kind));
    }
    if consumers.is_empty() {
        shared.drain.draining().await;
    }
    while consumers.join_next().await.is_some() {}
}

async fn consume_kind(shared: Shared, kind: Kind) {
    let mut running = JoinSet::new();
    loop {
        while running.try_join_next().is_some() {}
        let permits = tokio::select! {
            biased;
            () = shared.drain.draining() => break,
            permits = room(&kind.room) => permits,
        };
        for (job, permit) in receive(&shared, &kind, permits).await {
            let (policy, handler) = (kind.policy.clone(), Arc::clone(&kind.handler));
            running.spawn(one::see_to(shared.clone(), policy, handler, job, permit));
        }
    }
    while running.join_next().await.is_some() {}
}

/// All places that are free, one at least.
async fn room(room: &Arc<Semaphore>) -> Vec<OwnedSemaphorePermit> {
    let first = Arc::clone(room).acquire_owned().await;
    let mut permits: Vec<OwnedSemaphorePermit> = first.into_iter().collect();
    while let Ok(permit) = Arc::clone(room).try_acquire_owned() {
        permits.push(permit);
    }
    permits
}

/// What there is, each with its place. What comes too late is given back.
async fn receive(
    shared: &Shared,
    kind: &Kind,
    permits: Vec<OwnedSemaphorePermit>,
) -> Vec<(Leased, OwnedSemaphorePermit)> {
    let take =
        Take { kinds: vec![kind.kind.clone()], max: permits.len().min(MOST), lease: kind.policy.lease, wait: WAIT };
    let mut receiving = std::pin::pin!(shared.queue.receive(&take));
    let received = tokio::select! {
        received = &mut receiving => Some(received),
        () = shared.drain.draining() => tokio::time::timeout(LAST_RECEIVE, &mut receiving).await.ok(),
    };
    match received {
        None => Vec::new(),
        Some(Ok(jobs)) if shared.drain.is_draining() => {
            for leased in jobs {
                let _it_rests = shared.queue.give_back(&leased.lease).await;
            }
            Vec::new()
        }
        Some(Ok(jobs)) => jobs.into_iter().zip(permits).collect(),
        Some(Err(problem)) => {
            shared.metrics.unanswered();
            tracing::warn!(queue = shared.queue.name(), kind = %kind.kind, %problem, "no jobs can be taken");
            tokio::select! {
                () = tokio::time::sleep(FAILED_REST) => {}
                () = shared.drain.draining() => {}
            }
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
