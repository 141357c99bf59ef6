//! What is done behind the requests: events handed on, names published, pictures warmed up, subscribers told, garbage collected.
//!
//! Each job may be done twice, and may be begun after any end of the one before. Owns no queue.

mod collect;
pub mod dispatch;
mod erase;
mod publish;
pub mod recompress;
pub mod replica;
mod webhook;

use self::replica::{Replica, ReplicaConfig};
use crate::Parts;
use crate::config::IngestConfig;
use crate::desk::Desk;
use jobs::{Failure, JobKind, Policy, Runner, Schedule, Work};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Longest comparison with another store.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Work that is looked for this often.
const TURN: Duration = Duration::from_secs(300);

/// Does the jobs of uploads.
pub(crate) fn runner(config: &IngestConfig, parts: &Parts, desk: Desk) -> Result<Runner, String> {
    let hooks = Arc::new(webhook::Hooks::new(&config.webhooks)?);
    let (jobs, policy) = (&parts.jobs, parts.jobs.policy());
    let alone = policy.clone().concurrency(1);
    let with = Desk::clone;
    let (publishing, warming, erasing, packing, collecting, comparing) =
        (with(&desk), with(&desk), with(&desk), with(&desk), with(&desk), desk);
    let edge = parts.edge.clone();
    let runner = Runner::new(Arc::clone(&parts.queue)).metrics(&parts.runners).grace(jobs.grace).keep(jobs.keep);
    let runner = runner
        .with(JobKind::PUBLISH, policy.clone(), {
            let hooks = Arc::clone(&hooks);
            move |work: Work| publish::publish(publishing.clone(), Arc::clone(&hooks), work)
        })
        .with(JobKind::WARM, policy.clone(), move |work: Work| publish::warm(warming.clone(), edge.clone(), work))
        .with(JobKind::WEBHOOK, policy.clone(), move |work: Work| webhook::tell(Arc::clone(&hooks), work))
        .with(JobKind::ERASE, policy.clone(), move |work: Work| erase::erase(erasing.clone(), work))
        .with(JobKind::RECOMPRESS, alone.clone(), move |work: Work| recompress::recompress(packing.clone(), work))
        .with(JobKind::COLLECT, policy, move |work: Work| collect::collect(collecting.clone(), work))
        .every(Schedule::every(TURN, JobKind::ERASE))
        .every(Schedule::every(TURN, JobKind::COLLECT));
    Ok(match (&config.replica, &parts.replica) {
        (Some(config), Some(other)) => compared(runner, config, other, &alone, comparing),
        _ => runner,
    })
}

/// With the comparison of another store.
fn compared(runner: Runner, config: &ReplicaConfig, other: &Replica, policy: &Policy, desk: Desk) -> Runner {
    let other = other.clone();
    let policy = policy.clone().limit(LONGEST);
    let runner = runner
        .with(JobKind::REPLICATION_CHECK, policy, move |work: Work| replica::check(desk.clone(), other.clone(), work));
    if config.every.is_zero() {
        return runner;
    }
    let request = replica::CheckRequest { repair: config.repair };
    runner.every(Schedule::every(config.every, JobKind::REPLICATION_CHECK).payload(json!(request)))
}

/// The event that a job is about.
fn event(work: &Work) -> Result<catalog::Event, Failure> {
    serde_json::from_value(work.job.payload.clone()).map_err(|error| Failure::never(format!("it is no event: {error}")))
}

/// Erases what is due and collects garbage, at once: for tests, and for drivers that have no queue.
///
/// # Errors
/// What could not be done.
pub async fn sweep(desk: &Desk) -> Result<(), String> {
    let go_on = || false;
    erase::due(desk, go_on).await.map_err(|failure| failure.reason)?;
    collect::garbage(desk, go_on).await.map_err(|failure| failure.reason)
}

/// Publishes what the outbox has, at once and without a queue; how many events: for tests, and for drivers after a kill.
///
/// # Errors
/// What could not be done.
pub async fn settle(desk: &Desk) -> Result<usize, String> {
    let mut done = 0;
    loop {
        let events = desk.catalog.pending(SETTLED).await.map_err(|error| error.to_string())?;
        if events.is_empty() {
            return Ok(done);
        }
        for event in &events {
            desk.publisher.publish(event).await?;
        }
        desk.catalog.sent(&events).await.map_err(|error| error.to_string())?;
        done += events.len();
    }
}

/// Events that are settled at once.
const SETTLED: usize = 100;
