//! The jobs of an event: its names are published, then who waits for them hears of it.
//!
//! Invariant: done twice, it is as if done once.

use super::event;
use super::recompress;
use super::webhook::Hooks;
use crate::desk::Desk;
use crate::edge::Edge;
use catalog::{Event, EventKind};
use jobs::{Ended, Failure, JobKind, NewJob, Priority, Work};
use std::sync::Arc;
use store::Name;

/// Publishes, and sends the jobs that follow.
pub(super) async fn publish(desk: Desk, hooks: Arc<Hooks>, work: Work) -> Result<Ended, Failure> {
    let event = event(&work)?;
    desk.publisher.publish(&event).await.map_err(Failure::later)?;
    let follow = following(&desk, &hooks, &event);
    if !follow.is_empty() {
        desk.queue.send(follow).await.map_err(Failure::later)?;
    }
    Ok(Ended::Done)
}

fn following(desk: &Desk, hooks: &Hooks, event: &Event) -> Vec<NewJob> {
    let payload = serde_json::to_value(event).expect("events are JSON");
    let job = |kind: JobKind, place: &str, payload: serde_json::Value| {
        let key = format!("{kind}/{}{place}", event.id);
        let trace = event.trace.as_ref().map(ToString::to_string);
        NewJob::new(kind, payload).tenant(&event.tenant).trace(trace).key(key).priority(Priority::Background)
    };
    let mut jobs: Vec<NewJob> =
        hooks.of(event).map(|(number, payload)| job(JobKind::WEBHOOK, &format!("/{number}"), payload)).collect();
    let shown = matches!(event.kind, EventKind::Created | EventKind::Replaced | EventKind::Restored | EventKind::Moved);
    if shown && !desk.config.edge.warm.is_empty() {
        jobs.push(job(JobKind::WARM, "", payload.clone()).priority(Priority::Low));
    }
    if shown && desk.config.recompress && event.kind != EventKind::Moved && event.actor.as_str() != recompress::ACTOR {
        jobs.push(job(JobKind::RECOMPRESS, "", payload).priority(Priority::Low));
    }
    jobs
}

/// Has the configured renditions made before anybody asks.
pub(super) async fn warm(desk: Desk, edge: Option<Arc<dyn Edge>>, work: Work) -> Result<Ended, Failure> {
    let event = event(&work)?;
    let Some(edge) = edge else { return Ok(Ended::Done) };
    let there = desk.catalog.get(&event.tenant, event.asset).await.map_err(Failure::later)?;
    let Some(asset) = there.filter(catalog::Asset::is_live) else { return Ok(Ended::Done) };
    edge.warm(&[Name::new(asset.tenant, asset.path)]).await.map_err(Failure::later)?;
    Ok(Ended::Done)
}
