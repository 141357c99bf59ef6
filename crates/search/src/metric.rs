//! What the companion measures; the only place that names its metrics.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Where an answer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum From {
    /// This process's memory.
    Memory,
    /// Redis.
    Shared,
    /// The index.
    Index,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    from: From,
}

/// What is measured.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    answers: Family<Answer, Counter>,
    index: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let seconds = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
        let metrics = Self { answers: Family::default(), index: Histogram::new(seconds) };
        registry.register("search_answers", "Answers, by where they came from", metrics.answers.clone());
        registry.register("search_index_seconds", "How long the index took to answer", metrics.index.clone());
        metrics
    }

    pub(crate) fn answered(&self, from: From) {
        self.answers.get_or_create(&Answer { from }).inc();
    }

    pub(crate) fn asked(&self, took: Duration) {
        self.index.observe(took.as_secs_f64());
    }
}
