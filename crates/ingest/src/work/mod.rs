//! What is done behind the requests: events handed on, names published, pictures warmed up, subscribers told, garbage collected.
//!
//! Each job may be done twice, and may be begun after any end of the one before. Owns no queue.

mod collect;
pub mod dispatch;
mod erase;
mod publish;
mod webhook;

use crate::Parts;
use crate::config::IngestConfig;
use crate::desk::Desk;
use jobs::{Failure, JobKind, Runner, Schedule, Work};
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

/// Work that is looked for this often.
const TURN: Duration = Duration::from_secs(300);

/// Does the jobs of uploads.
pub(crate) fn runner(
    config: &IngestConfig,
    parts: &Parts,
    desk: Desk,
    registry: &mut Registry,
) -> Result<Runner, String> {
    let hooks = Arc::new(webhook::Hooks::new(&config.webhooks)?);
    let metrics = jobs::Metrics::register(registry);
    let with = Desk::clone;
    let (publishing, warming, erasing, collecting) = (with(&desk), with(&desk), with(&desk), desk);
    let edge = parts.edge.clone();
    Ok(Runner::new(Arc::clone(&parts.queue))
        .metrics(&metrics)
        .on(JobKind::PUBLISH, {
            let hooks = Arc::clone(&hooks);
            move |work: Work| publish::publish(publishing.clone(), Arc::clone(&hooks), work)
        })
        .on(JobKind::WARM, move |work: Work| publish::warm(warming.clone(), edge.clone(), work))
        .on(JobKind::WEBHOOK, move |work: Work| webhook::tell(Arc::clone(&hooks), work))
        .on(JobKind::ERASE, move |work: Work| erase::erase(erasing.clone(), work))
        .on(JobKind::COLLECT, move |work: Work| collect::collect(collecting.clone(), work))
        .every(Schedule::every(TURN, JobKind::ERASE))
        .every(Schedule::every(TURN, JobKind::COLLECT)))
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
