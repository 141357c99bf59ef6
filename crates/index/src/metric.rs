//! The numbers of indexing: what became of events, how long they took to be found, and what still waits.
//!
//! Knows no document. Invariant: lag is what somebody would notice: the age of the oldest change that cannot be found yet.

use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::AtomicU64;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// All of them. Clones share the numbers.
#[derive(Clone, Debug)]
pub struct Metrics {
    events: Family<OutcomeLabels, Counter>,
    delay: Histogram,
    waiting: Gauge,
    lag: Gauge<f64, AtomicU64>,
    differences: Family<OutcomeLabels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            events: Family::default(),
            // 10 ms to 2.7 h.
            delay: Histogram::new(exponential_buckets(0.01, 3.0, 13)),
            waiting: Gauge::default(),
            lag: Gauge::default(),
            differences: Family::default(),
        }
    }
}

impl Metrics {
    /// New ones, told of in the registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { events, delay, waiting, lag, differences } = metrics.clone();
        registry.register(
            "index_events",
            "Events that were worked off, by outcome: written, removed, known, refused, failed, unreadable",
            events,
        );
        let help = "From a change to its being found";
        registry.register_with_unit("index_delay", help, Unit::Seconds, delay);
        registry.register("index_waiting", "Events that are not in the index yet", waiting);
        let help = "Age of the oldest change that is not in the index yet";
        registry.register_with_unit("index_lag", help, Unit::Seconds, lag);
        let help = "What the last check found to differ: missing, older, extra";
        registry.register("index_differences", help, differences);
        metrics
    }

    /// What became of an event.
    pub(crate) fn counted(&self, outcome: &'static str) {
        self.events.get_or_create(&OutcomeLabels { outcome }).inc();
    }

    /// A change of that moment can be found now.
    pub(crate) fn indexed(&self, changed: Timestamp, now: Timestamp) {
        self.delay.observe(now.duration_since(changed).as_secs_f64().max(0.0));
    }

    /// What waits, and for how long the oldest has.
    pub(crate) fn lag(&self, waiting: u64, seconds: f64) {
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.lag.set(seconds);
    }

    /// What a check found.
    pub(crate) fn differs(&self, outcome: &'static str, count: u64) {
        self.differences.get_or_create(&OutcomeLabels { outcome }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
