//! How far the index is behind the catalog.
//!
//! Knows two places where events wait: the outbox, and the queue. Invariant: what waits in both is counted in both, for the
//! moment between sending and marking; lag is never told too small.

use crate::metric::Metrics;
use catalog::Catalog;
use jiff::Timestamp;
use jobs::{Filter, JobKind, Queue, QueueError, State};
use service::drain::Drain;
use std::sync::Arc;
use std::time::Duration;

/// How often it is measured.
const LOOK: Duration = Duration::from_secs(10);

/// Events that are not in the index yet, and the age of the oldest in seconds.
///
/// # Errors
/// Catalog or queue did not answer; in words, for the log.
pub async fn measure(catalog: &dyn Catalog, queue: &dyn Queue) -> Result<(u64, f64), String> {
    let outbox = catalog.lag().await.map_err(|error| error.to_string())?;
    let depth = queue.depth().await.map_err(|error| error.to_string())?;
    let queued = depth.kinds.get(&JobKind::INDEX).copied().unwrap_or_default();
    // Also what is held, or rests after a failure: the depth knows the age of what is due only.
    let states = vec![State::Ready, State::Delayed, State::Running];
    let unfinished = Filter { states, kinds: vec![JobKind::INDEX], tenant: None };
    let first = match queue.jobs(&unfinished, None, 1).await {
        Ok(first) => first.first().map(|job| job.created),
        // SQS lists none of these.
        Err(QueueError::Refused(_)) => None,
        Err(error) => return Err(error.to_string()),
    };
    let now = Timestamp::now();
    let age = |since: Timestamp| now.duration_since(since).as_secs_f64().max(0.0);
    let seconds = [outbox.oldest, first].into_iter().flatten().map(age).fold(queued.oldest_seconds, f64::max);
    let waiting = outbox.events + queued.ready + queued.leased + queued.delayed;
    Ok((waiting, seconds))
}

/// Measures again and again, until the drain.
pub(crate) async fn watch(catalog: Arc<dyn Catalog>, queue: Arc<dyn Queue>, metrics: Metrics, drain: Drain) {
    let mut time = tokio::time::interval(LOOK);
    time.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = time.tick() => {}
            () = drain.draining() => return,
        }
        match measure(&*catalog, &*queue).await {
            Ok((waiting, seconds)) => metrics.lag(waiting, seconds),
            Err(problem) => tracing::debug!(problem, "the lag of the index cannot be told"),
        }
    }
}
