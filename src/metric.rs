//! The only place that names metrics. Names, labels and units follow the Prometheus conventions.

mod doors;
mod gauges;
mod process;
mod tasks;

pub(crate) use gauges::Gauges;
pub(crate) use process::Process;
use tasks::Tasks;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use service::otlp::context_of;
use std::borrow::Cow;
use std::time::Duration;
use tracing::Span;

/// As `Outcome::Hit` calls itself.
const HIT: &str = "hit";

/// One request, answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    cache: &'static str,
    status: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    cache: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TraceLabels {
    trace_id: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FormatLabels {
    format: Cow<'static, str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ScopeLabels {
    scope: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PurgeLabels {
    kind: &'static str,
    result: &'static str,
}

/// From 16 µs doubling to 33 s: hits and the slowest renders in one set of buckets.
#[derive(Clone, Copy, Debug)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(16e-6, 2.0, 22))
    }
}

/// The same, each bucket with the last trace that fell into it.
#[derive(Clone, Copy, Debug)]
struct Traced;

impl MetricConstructor<HistogramWithExemplars<TraceLabels>> for Traced {
    fn new_metric(&self) -> HistogramWithExemplars<TraceLabels> {
        HistogramWithExemplars::new(exponential_buckets(16e-6, 2.0, 22))
    }
}

/// All metrics that code counts; those that can be read off at scraping time are in [`Gauges`].
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    /// Most requests: resolved once, so that a hit costs no look-up by label.
    hits: Counter,
    hit_latency: Histogram,
    requests: Family<RequestLabels, Counter>,
    latency: Family<CacheLabels, Histogram, Seconds>,
    sent: Counter,
    /// Of the sockets.
    pub(crate) doors: doors::Doors,
    /// Of the runtimes.
    pub(crate) tasks: Tasks,
    stages: Family<StageLabels, HistogramWithExemplars<TraceLabels>, Traced>,
    fills: Family<FormatLabels, Counter>,
    shed: Family<ReasonLabels, Counter>,
    failures: Family<ReasonLabels, Counter>,
    limited: Family<ScopeLabels, Counter>,
    given_up: Counter,
    gave_way: Counter,
    fetches: Family<ResultLabels, Counter>,
    reloads: Family<ResultLabels, Counter>,
    purges: Family<PurgeLabels, Counter>,
    jobs: Family<ResultLabels, Counter>,
}

impl Metrics {
    /// Registers all of them.
    pub(crate) fn new(registry: &mut Registry) -> Self {
        let requests = Family::<RequestLabels, Counter>::default();
        let latency = Family::<CacheLabels, Histogram, Seconds>::new_with_constructor(Seconds);
        let metrics = Self {
            hits: requests.get_or_create_owned(&RequestLabels { cache: HIT, status: 200 }),
            hit_latency: latency.get_or_create_owned(&CacheLabels { cache: HIT }),
            requests,
            latency,
            sent: Counter::default(),
            doors: doors::Doors::new(registry),
            tasks: Tasks::default(),
            stages: Family::new_with_constructor(Traced),
            fills: Family::default(),
            shed: Family::default(),
            failures: Family::default(),
            limited: Family::default(),
            given_up: Counter::default(),
            gave_way: Counter::default(),
            fetches: Family::default(),
            reloads: Family::default(),
            purges: Family::default(),
            jobs: Family::default(),
        };
        registry.register_collector(Box::new(metrics.tasks.clone()));
        registry.register("requests", "Requests answered, by what the cache did and status", metrics.requests.clone());
        registry.register_with_unit(
            "request",
            "From a request's head to its response's, by what the cache did",
            Unit::Seconds,
            metrics.latency.clone(),
        );
        registry.register_with_unit("response", "Bytes of response bodies", Unit::Bytes, metrics.sent.clone());
        registry.register_with_unit("stage", "Time of a fill's stages", Unit::Seconds, metrics.stages.clone());
        registry.register("reloads", "Configurations read again, by result", metrics.reloads.clone());
        registry.register("fills", "Renditions made, by format", metrics.fills.clone());
        registry.register("shed", "Renders refused for lack of room, by reason", metrics.shed.clone());
        registry.register("limited", "Misses refused by a rate limit, by whose it is", metrics.limited.clone());
        let help = "Renders given up since their clients had left and others waited";
        registry.register("given_up", help, metrics.given_up.clone());
        let help = "AVIF that gave way to a quicker format since there was too little room";
        registry.register("gave_way", help, metrics.gave_way.clone());
        registry.register("failures", "Requests that ended in an error, by whose fault", metrics.failures.clone());
        registry.register("origin_requests", "Originals asked for, by what came of it", metrics.fetches.clone());
        registry.register("purges", "Things that somebody asked this instance to purge", metrics.purges.clone());
        let help = "Renders that nobody waits for, by what became of them";
        registry.register("lane_jobs", help, metrics.jobs.clone());
        metrics
    }

    /// Counts a response.
    pub(crate) fn request(&self, cache: &'static str, status: u16, bytes: u64, took: Duration) {
        if cache == HIT && status == 200 {
            self.hits.inc();
            self.hit_latency.observe(took.as_secs_f64());
        } else {
            self.requests.get_or_create(&RequestLabels { cache, status }).inc();
            self.latency.get_or_create(&CacheLabels { cache }).observe(took.as_secs_f64());
        }
        self.sent.inc_by(bytes);
    }

    /// Time of one stage: fetch, queue, decode, transform, encode.
    pub(crate) fn stage(&self, stage: &'static str, took: Duration) {
        let trace = context_of(&Span::current()).map(|context| TraceLabels { trace_id: context.to_string() });
        self.stages.get_or_create(&StageLabels { stage }).observe(took.as_secs_f64(), trace, None);
    }

    /// A rendition, or an original to be served untouched, was put in the cache.
    pub(crate) fn fill(&self, format: Cow<'static, str>) {
        self.fills.get_or_create(&FormatLabels { format }).inc();
    }

    /// An origin was asked: fetched, not-modified, absent, refused, failed.
    pub(crate) fn fetch(&self, result: &'static str) {
        self.fetches.get_or_create(&ResultLabels { result }).inc();
    }

    /// A purge was asked for here.
    pub(crate) fn purge(&self, kind: &'static str, understood: bool) {
        let result = if understood { "done" } else { "refused" };
        self.purges.get_or_create(&PurgeLabels { kind, result }).inc();
    }

    /// A render that nobody waits for: queued, known, dropped; made, gave-way, found, not-kept, failed, handed-back,
    /// given-up, unreadable.
    pub(crate) fn job(&self, result: &'static str) {
        self.jobs.get_or_create(&ResultLabels { result }).inc();
    }

    /// A render was refused.
    pub(crate) fn shed(&self, reason: &'static str) {
        self.shed.get_or_create(&ReasonLabels { reason }).inc();
    }

    /// The configuration was read again, or could not be used.
    pub(crate) fn reload(&self, result: &'static str) {
        self.reloads.get_or_create(&ResultLabels { result }).inc();
    }

    /// A miss was one too many.
    pub(crate) fn limited(&self, scope: &'static str) {
        self.limited.get_or_create(&ScopeLabels { scope }).inc();
    }

    /// A render that nobody waited for made room.
    pub(crate) fn given_up(&self) {
        self.given_up.inc();
    }

    pub(crate) fn gave_way(&self) {
        self.gave_way.inc();
    }

    /// A request ended in an error.
    pub(crate) fn failure(&self, reason: &'static str) {
        self.failures.get_or_create(&ReasonLabels { reason }).inc();
    }
}

#[cfg(test)]
mod tests;
