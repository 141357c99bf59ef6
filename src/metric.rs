//! The only place that names metrics. Names, labels and units follow the Prometheus conventions.

mod doors;
mod process;
mod tasks;

pub(crate) use process::Process;
use tasks::Tasks;

use crate::cache::{Event, Flights, Memory, Shares, Tiers, lease};
use crate::fleet::Fleet;
use crate::lane::Lane;
use crate::pressure::Pressure;
use crate::purge::cloudfront;
use crate::render::Renderer;
use origin::Origin;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::exemplar::HistogramWithExemplars;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use service::otlp::context_of;
use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
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
struct TierLabels {
    tier: &'static str,
    event: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PurgeLabels {
    kind: &'static str,
    result: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeaseLabels {
    event: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OpenLabels {
    tier: &'static str,
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

/// What is read off when somebody scrapes.
pub(crate) struct Gauges<K, V, F, R, S, O> {
    /// The memory tier.
    pub(crate) memory: Shares<K, V>,
    /// Renditions being filled.
    pub(crate) flights: Flights<F, R>,
    /// The render pool.
    pub(crate) renderer: Renderer,
    /// Originals that came over HTTP.
    pub(crate) originals: Memory<S, O>,
    /// Below memory.
    pub(crate) tiers: Tiers,
    /// All memory.
    pub(crate) pressure: Arc<Pressure>,
    /// By name.
    pub(crate) origins: Vec<(String, Arc<Origin>)>,
    /// With the other instances.
    pub(crate) fleet: Fleet,
    /// What nobody waits for.
    pub(crate) lane: Lane,
}

impl<K, V, F, R, S, O> fmt::Debug for Gauges<K, V, F, R, S, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauges").finish_non_exhaustive()
    }
}

impl<K, V, F, R, S, O> Collector for Gauges<K, V, F, R, S, O>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    F: Hash + Eq + Clone + Send + Sync + 'static,
    R: Clone + Send + Sync + 'static,
    S: Hash + Eq + Send + Sync + 'static,
    O: Clone + Send + Sync + 'static,
{
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        self.memory.settle();
        self.originals.settle();
        let admission = self.renderer.admission();
        let clamp = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let count = |value: usize| clamp(value as u64);
        let gauges: [(&str, &str, Option<&Unit>, i64); 8] = [
            ("cache_memory", "Bytes in the memory tier", Some(&Unit::Bytes), clamp(self.memory.bytes())),
            ("cache_memory_entries", "Renditions in the memory tier", None, clamp(self.memory.entries())),
            ("cache_originals", "Bytes of originals in memory", Some(&Unit::Bytes), clamp(self.originals.bytes())),
            ("flights", "Renditions being filled", None, count(self.flights.len())),
            ("render_busy", "Render threads at work", None, count(admission.rendering())),
            ("render_queue", "Renders that wait for a thread", None, count(admission.waiting())),
            ("render_threads", "Render threads", None, count(admission.threads())),
            ("render_memory", "Memory budget in use by renders", Some(&Unit::Bytes), clamp(admission.memory())),
        ];
        let lane = lane_gauges(&self.renderer, &self.lane);
        let gauges = gauges.into_iter().chain(memory_gauges(&self.pressure)).chain(lane);
        for (name, help, unit, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, unit, gauge.metric_type())?)?;
        }
        let factor = ConstGauge::new(admission.slowness());
        let help = "Seconds that a render takes for each second of its price, as learnt from those of late";
        factor.encode(encoder.encode_descriptor("render_slowness", help, None, factor.metric_type())?)?;
        let backlog = ConstGauge::new(admission.backlog().as_secs_f64());
        let help = "Seconds of one thread's work that wait, as expected";
        let unit = Some(&Unit::Seconds);
        backlog.encode(encoder.encode_descriptor("render_backlog", help, unit, backlog.metric_type())?)?;
        let evicted = ConstCounter::new(self.memory.evictions());
        let shrunk = ConstCounter::new(self.pressure.shrunk());
        let help = "Bytes that caches gave up since memory was short";
        let unit = Some(&Unit::Bytes);
        shrunk.encode(encoder.encode_descriptor("cache_shrunk", help, unit, shrunk.metric_type())?)?;
        let help = "Renditions pushed out of the memory tier by its budget";
        evicted.encode(encoder.encode_descriptor("cache_memory_evictions", help, None, evicted.metric_type())?)?;
        encode_origins(&self.origins, &mut encoder)?;
        encode_fleet(&self.fleet, &mut encoder)?;
        encode_tiers(&self.tiers, &mut encoder)
    }
}

/// How many hosts of each origin are left alone now.
fn encode_origins(origins: &[(String, Arc<Origin>)], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    if origins.is_empty() {
        return Ok(());
    }
    let help = "Hosts of an origin that have failed so often that they are left alone for now";
    let mut family = encoder.encode_descriptor("origin_hosts_open", help, None, MetricType::Gauge)?;
    for (name, origin) in origins {
        let open = i64::try_from(origin.hosts_open()).unwrap_or(i64::MAX);
        ConstGauge::new(open).encode(family.encode_family(&[("origin", name.as_str())])?)?;
    }
    Ok(())
}

/// What became of turns that all instances share, and whether purges are heard.
fn encode_fleet(fleet: &Fleet, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let count = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
    for (name, help, value) in [
        ("purges_remembered", "Purges that are remembered", count(fleet.marks.len())),
        (
            "purges_untold",
            "Purges that Redis, and so other instances, could not be told of yet",
            count(fleet.ledger.pending()),
        ),
        ("fleet_heard", "Whether purges of other instances are heard at once", i64::from(fleet.is_heard())),
    ] {
        let gauge = ConstGauge::new(value);
        gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
    }
    if let Some(cdn) = &fleet.cdn {
        let gauge = ConstGauge::new(count(cdn.waiting()));
        let help = "Tags and paths that CloudFront is still to be told of";
        gauge.encode(encoder.encode_descriptor("cdn_waiting", help, None, gauge.metric_type())?)?;
        let help = "Invalidations asked of CloudFront, by what came of it";
        let mut family = encoder.encode_descriptor("cdn_invalidations", help, None, MetricType::Counter)?;
        for event in cloudfront::Event::ALL {
            ConstCounter::new(cdn.count(event)).encode(family.encode_family(&[("result", event.as_str())])?)?;
        }
    }
    let Some(leases) = &fleet.leases else { return Ok(()) };
    let help = "Renditions that one instance makes for all, by what came of it here";
    let mut family = encoder.encode_descriptor("lease_events", help, None, MetricType::Counter)?;
    for event in lease::Event::ALL {
        let labels = LeaseLabels { event: event.as_str() };
        ConstCounter::new(leases.count(event)).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

/// A gauge with its name, help and unit.
type Read = (&'static str, &'static str, Option<&'static Unit>, i64);

/// What nobody waits for.
fn lane_gauges(renderer: &Renderer, lane: &Lane) -> [Read; 2] {
    let count = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
    [
        ("lane_busy", "Renders under way that nobody waits for", None, count(renderer.idle().rendering())),
        ("lane_queue", "Such renders that wait in this process", None, count(lane.waiting())),
    ]
}

/// All memory of the process, and the caches' part in keeping it.
fn memory_gauges(pressure: &Pressure) -> [Read; 3] {
    let clamp = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    [
        ("memory_limit", "Memory that the process may have", Some(&Unit::Bytes), clamp(pressure.limit())),
        ("memory_resident", "Memory that it had when last looked at", Some(&Unit::Bytes), clamp(pressure.resident())),
        ("memory_short", "Whether caches shrink since memory is short", None, i64::from(pressure.is_short())),
    ]
}

/// What happened in the tiers below memory, and which of them are left alone now.
fn encode_tiers(tiers: &Tiers, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    if tiers.levels().is_empty() {
        return Ok(());
    }
    let help = "What happened in the tiers below memory";
    let mut family = encoder.encode_descriptor("tier_events", help, None, MetricType::Counter)?;
    for level in tiers.levels() {
        for event in Event::ALL {
            let labels = TierLabels { tier: level.place().as_str(), event: event.as_str() };
            ConstCounter::new(level.count(event)).encode(family.encode_family(&labels)?)?;
        }
    }
    for event in tiers.stock().map_or(&[][..], |_| &Event::ALL) {
        let labels = TierLabels { tier: "originals", event: event.as_str() };
        let count = tiers.stock().map_or(0, |stock| stock.level().count(*event));
        ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
    }
    let help = "How long reads from the tiers below memory took";
    let mut family = encoder.encode_descriptor("tier_read", help, Some(&Unit::Seconds), MetricType::Histogram)?;
    for level in tiers.levels() {
        let labels = OpenLabels { tier: level.place().as_str() };
        let buckets = level.latency().buckets();
        let count = buckets.iter().map(|(_, count)| count).sum();
        family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(level.latency().sum(), count, &buckets, None)?;
    }
    let help = "Whether a tier below memory has failed so often that it is left alone for now";
    let mut family = encoder.encode_descriptor("tier_open", help, None, MetricType::Gauge)?;
    for level in tiers.levels() {
        let labels = OpenLabels { tier: level.place().as_str() };
        ConstGauge::new(i64::from(level.is_open())).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
