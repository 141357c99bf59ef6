//! What is done again and again, and the tending of the queue: one of all instances sends each scheduled job.
//!
//! Invariant: however many instances run, within a period a job is sent once; where all were down, once when one is back.

use crate::job::{JobKind, NewJob, Priority};
use crate::metric::Metrics;
use crate::queue::{Queue, QueueError};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How often numbers are looked up.
const LOOK: Duration = Duration::from_secs(10);
/// How often ended jobs are taken out.
const SWEEP: Duration = Duration::from_secs(60);

/// A job that is sent every so often.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    name: String,
    every: Duration,
    kind: JobKind,
    payload: Value,
    priority: Priority,
}

impl Schedule {
    /// A background job of the kind every so often; the kind's name is the schedule's.
    #[must_use]
    pub fn every(every: Duration, kind: JobKind) -> Self {
        let name = kind.to_string();
        Self { name, every, kind, payload: json!({}), priority: Priority::Background }
    }

    /// Under another name, where a kind is scheduled more than once.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// What the job's handler is told; `{}` without this call.
    #[must_use]
    pub fn payload(self, payload: Value) -> Self {
        Self { payload, ..self }
    }

    /// How urgent its jobs are.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// The next one. While the last one waits or runs no other is taken in.
    fn job(&self) -> NewJob {
        let job = NewJob::new(self.kind.clone(), self.payload.clone());
        job.priority(self.priority).key(format!("schedule/{}", self.name))
    }

    /// How often it is looked whether it is time.
    fn look(&self) -> Duration {
        (self.every / 10).clamp(Duration::from_millis(20), Duration::from_secs(30))
    }
}

/// Sends what is scheduled, takes out what ended long ago and looks up the numbers, for ever.
pub(crate) async fn tend(queue: Arc<dyn Queue>, schedules: Vec<Schedule>, metrics: Metrics, keep: Duration) {
    let mut tasks = tokio::task::JoinSet::new();
    for schedule in schedules {
        tasks.spawn(send(Arc::clone(&queue), schedule));
    }
    tasks.spawn(sweep(Arc::clone(&queue), keep));
    tasks.spawn(measure(queue, metrics));
    while tasks.join_next().await.is_some() {}
}

async fn send(queue: Arc<dyn Queue>, schedule: Schedule) {
    let mut time = tokio::time::interval(schedule.look());
    time.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        time.tick().await;
        match queue.tick(&schedule.name, schedule.every, schedule.job()).await {
            Ok(true) => tracing::debug!(name = schedule.name, "scheduled job sent"),
            Ok(false) => {}
            Err(problem @ QueueError::Refused(_)) => {
                tracing::error!(name = schedule.name, %problem, "nothing sends this job here");
                return;
            }
            Err(problem) => tracing::warn!(name = schedule.name, %problem, "a scheduled job cannot be sent"),
        }
    }
}

async fn sweep(queue: Arc<dyn Queue>, keep: Duration) {
    let mut time = tokio::time::interval(SWEEP);
    time.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        time.tick().await;
        match queue.sweep(keep).await {
            Ok(0) => {}
            Ok(swept) => tracing::debug!(swept, "jobs that ended long ago taken out"),
            Err(problem) => tracing::warn!(%problem, "jobs that ended long ago cannot be taken out"),
        }
    }
}

async fn measure(queue: Arc<dyn Queue>, metrics: Metrics) {
    let mut time = tokio::time::interval(LOOK);
    time.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        time.tick().await;
        match queue.depth().await {
            Ok(depth) => metrics.depth(&depth),
            Err(problem) => tracing::debug!(%problem, "the depth of the queue cannot be asked"),
        }
    }
}
