//! How far the index is behind the catalog.
//!
//! Knows two places where events wait: the outbox, and the queue. Invariant: what waits in both is counted in both, for the
//! moment between sending and marking; lag is never told too small.

use crate::metric::Metrics;
use catalog::Catalog;
use jiff::Timestamp;
use jobs::{JobKind, Queue};
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
    let now = Timestamp::now();
    let outbox_age = outbox.oldest.map_or(0.0, |oldest| now.duration_since(oldest).as_secs_f64().max(0.0));
    let waiting = outbox.events + queued.ready + queued.leased + queued.delayed;
    Ok((waiting, queued.oldest_seconds.max(outbox_age)))
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
