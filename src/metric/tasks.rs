//! How many tasks live on the process's runtimes: what a leak of connections or background work shows in first.
//!
//! Read when somebody scrapes. Invariant: a runtime that has ended counts nothing.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;

/// The runtimes. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tasks(Arc<Mutex<Vec<Handle>>>);

impl Tasks {
    /// From now on this one's tasks count too.
    pub(crate) fn watch(&self, runtime: Handle) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(runtime);
    }

    fn alive(&self) -> usize {
        let runtimes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runtimes.iter().map(|runtime| runtime.metrics().num_alive_tasks()).sum()
    }
}

impl Collector for Tasks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let tasks = ConstGauge::new(i64::try_from(self.alive()).unwrap_or(i64::MAX));
        tasks.encode(encoder.encode_descriptor("tasks", "Tasks that have not ended", None, tasks.metric_type())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    #[test]
    fn tasks_of_all_runtimes_count_until_they_end() {
        let tasks = Tasks::default();
        assert_eq!(tasks.alive(), 0);
        let runtimes = [1, 2].map(|_| Builder::new_current_thread().build().unwrap());
        let waiting = runtimes.each_ref().map(|runtime| {
            tasks.watch(runtime.handle().clone());
            runtime.spawn(std::future::pending::<()>())
        });
        assert_eq!(tasks.alive(), 2);
        waiting[0].abort();
        runtimes[0].block_on(tokio::task::yield_now());
        assert_eq!(tasks.alive(), 1);
        drop(runtimes);
        assert_eq!(tasks.alive(), 0);
    }
}
