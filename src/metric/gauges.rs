//! What is read off the parts when somebody scrapes, rather than counted by them.
//!
//! Names each gauge, and the counters that other parts keep. Invariant: reading changes nothing but what is settled by it.

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
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TierLabels {
    tier: &'static str,
    event: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LeaseLabels {
    event: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OpenLabels {
    tier: &'static str,
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
