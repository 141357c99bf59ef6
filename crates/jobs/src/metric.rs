//! The numbers of queue and runner, as Prometheus reads them.
//!
//! Knows no job's content. Invariant: a kind that has gone from the queue is told with zeros, not with its last numbers.

use crate::job::JobKind;
use crate::queue::{Depth, KindDepth};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DepthLabels {
    kind: String,
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabels {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    kind: String,
    outcome: &'static str,
}

/// All of them. Clones share the numbers.
#[derive(Clone, Debug)]
pub struct Metrics {
    depth: Family<DepthLabels, Gauge>,
    oldest: Family<KindLabels, Gauge<f64, AtomicU64>>,
    ended: Family<EndLabels, Counter>,
    seconds: Family<KindLabels, Histogram, fn() -> Histogram>,
    running: Family<KindLabels, Gauge>,
    unanswered: Counter,
    known: Arc<Mutex<BTreeSet<JobKind>>>,
}

impl Default for Metrics {
    fn default() -> Self {
        // 5 ms to 45 min.
        let histogram: fn() -> Histogram = || Histogram::new(exponential_buckets(0.005, 3.0, 13));
        Self {
            depth: Family::default(),
            oldest: Family::default(),
            ended: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            running: Family::default(),
            unanswered: Counter::default(),
            known: Arc::default(),
        }
    }
}

impl Metrics {
    /// New ones, told of in the registry.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let Self { depth, oldest, ended, seconds, running, unanswered, .. } = metrics.clone();
        registry.register(
            "jobs_depth",
            "Jobs in the queue by kind and state: ready (the signal to scale by), leased, delayed, dead",
            depth,
        );
        let help = "How long the job of the kind that has waited longest is due";
        registry.register_with_unit("jobs_oldest", help, Unit::Seconds, oldest);
        registry.register(
            "jobs_attempts",
            "Attempts that ended here, by outcome: done, failed, dead, cancelled, given-back, lost",
            ended,
        );
        registry.register_with_unit("jobs_duration", "What attempts took", Unit::Seconds, seconds);
        registry.register("jobs_running", "Jobs that run in this process", running);
        registry.register("jobs_queue_failures", "How often the queue did not answer who asked for jobs", unanswered);
        metrics
    }

    /// The queue's numbers now.
    pub fn depth(&self, depth: &Depth) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(depth.kinds.keys().cloned());
        for kind in known.iter() {
            let KindDepth { ready, leased, delayed, dead, oldest_seconds } =
                depth.kinds.get(kind).copied().unwrap_or_default();
            for (state, number) in [("ready", ready), ("leased", leased), ("delayed", delayed), ("dead", dead)] {
                let labels = DepthLabels { kind: kind.to_string(), state };
                self.depth.get_or_create(&labels).set(i64::try_from(number).unwrap_or(i64::MAX));
            }
            self.oldest.get_or_create(&KindLabels { kind: kind.to_string() }).set(oldest_seconds);
        }
    }

    /// An attempt begins; it counts as running until the guard is dropped.
    pub(crate) fn begun(&self, kind: &JobKind) -> Running {
        let gauge = self.running.get_or_create_owned(&KindLabels { kind: kind.to_string() });
        gauge.inc();
        Running(gauge)
    }

    pub(crate) fn ended(&self, kind: &JobKind, outcome: &'static str, took: Duration) {
        self.ended.get_or_create(&EndLabels { kind: kind.to_string(), outcome }).inc();
        self.seconds.get_or_create(&KindLabels { kind: kind.to_string() }).observe(took.as_secs_f64());
    }

    pub(crate) fn unanswered(&self) {
        self.unanswered.inc();
    }
}

/// A running attempt.
#[derive(Debug)]
pub(crate) struct Running(Gauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}
