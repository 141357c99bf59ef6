//! Garbage: contents that no record refers to, and uploads that nobody finished.
//!
//! Invariant: a content is removed from the store only while the catalog has condemned it, so that nobody can come to refer to
//! it in between.

use crate::desk::Desk;
use jiff::{SignedDuration, Timestamp};
use jobs::{Ended, Failure, Work};
use store::{ContentKey, StageId};
use uuid::Uuid;

/// Contents or uploads at once.
const MOST: usize = 200;

/// Collects.
pub(super) async fn collect(desk: Desk, work: Work) -> Result<Ended, Failure> {
    garbage(&desk, || work.stop().is_some()).await.map(|()| Ended::Done)
}

/// Likewise, until `stop` says so.
pub(super) async fn garbage(desk: &Desk, stop: impl Fn() -> bool) -> Result<(), Failure> {
    contents(desk, &stop).await?;
    uploads(desk, &stop).await
}

async fn contents(desk: &Desk, stop: &impl Fn() -> bool) -> Result<(), Failure> {
    loop {
        let now = Timestamp::now();
        let before = now.checked_sub(SignedDuration::try_from(desk.config.grace).unwrap_or_default());
        let before = before.map_err(Failure::never)?;
        let found = desk.catalog.unreferenced(before, MOST).await.map_err(Failure::later)?;
        let mut removed = 0;
        for content in &found {
            if stop() {
                return Err(Failure::stopped());
            }
            let (tenant, hash) = (&content.tenant, &content.hash);
            if desk.catalog.condemn(tenant, hash, now).await.map_err(Failure::later)? {
                desk.store.remove(&ContentKey::new(tenant.clone(), *hash)).await.map_err(Failure::later)?;
                desk.catalog.forget(tenant, hash).await.map_err(Failure::later)?;
                removed += 1;
            }
        }
        if found.len() < MOST || removed == 0 {
            return Ok(());
        }
    }
}

async fn uploads(desk: &Desk, stop: &impl Fn() -> bool) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let stages = desk.store.stages(after.as_ref(), MOST).await.map_err(Failure::later)?;
        for stage in &stages {
            if stop() {
                return Err(Failure::stopped());
            }
            if is_over(desk, stage).await? {
                desk.store.discard(stage).await.map_err(Failure::later)?;
            }
        }
        match stages.last() {
            Some(last) if stages.len() == MOST => after = Some(last.clone()),
            _ => return Ok(()),
        }
    }
}

/// Whether an upload has expired: by its note, else by the time in its name.
async fn is_over(desk: &Desk, stage: &StageId) -> Result<bool, Failure> {
    let now = Timestamp::now();
    let note = desk.store.noted(stage).await.map_err(Failure::later)?;
    if note.is_some() {
        // A note that cannot be read is of an upload that nobody can go on with.
        return Ok(!matches!(desk.recall(stage, now).await, Ok(Some(_))));
    }
    let began =
        stage.as_str().split_once('-').and_then(|(_, id)| Uuid::parse_str(id).ok()).and_then(|id| id.get_timestamp());
    let began = began.and_then(|at| i64::try_from(at.to_unix().0).ok()).unwrap_or_default();
    let longest = desk.config.deadline.max(desk.config.import.timeout) + desk.inspectors.deadline() * 10;
    Ok(now.as_second().saturating_sub(began) > i64::try_from(longest.as_secs()).unwrap_or(i64::MAX))
}
