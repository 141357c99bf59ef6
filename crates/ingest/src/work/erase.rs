//! Deleted pictures whose time for undoing is over.
//!
//! Invariant: what was restored meanwhile stays: each is erased at the revision that was due.

use crate::desk::Desk;
use catalog::{Change, CommitError};
use jiff::Timestamp;
use jobs::{Ended, Failure, Work};

/// Pictures at once.
const MOST: usize = 200;

/// Erases what is due.
pub(super) async fn erase(desk: Desk, work: Work) -> Result<Ended, Failure> {
    due(&desk, || work.stop().is_some()).await.map(|()| Ended::Done)
}

/// Likewise, until `stop` says so.
pub(super) async fn due(desk: &Desk, stop: impl Fn() -> bool) -> Result<(), Failure> {
    loop {
        let now = Timestamp::now();
        let due = desk.catalog.due(now, MOST).await.map_err(Failure::later)?;
        let mut erased = 0;
        for asset in &due {
            if stop() {
                return Err(Failure::stopped());
            }
            let actor = "service:ingest".parse().map_err(Failure::never)?;
            match desk.make(Change::erase(asset, actor, now)).await {
                Ok(_) => erased += 1,
                Err(crate::Trouble::Commit(CommitError::Conflict(_))) => {}
                Err(trouble) => return Err(Failure::later(trouble)),
            }
        }
        if due.len() < MOST || erased == 0 {
            return Ok(());
        }
    }
}
