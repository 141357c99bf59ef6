//! The statistics as they are told: `GET /stats` on the admin listener, which `tintype stats` reads.
//!
//! Owns their form. Invariant: memory is looked through once for an answer, whatever the number of routes.

use super::{Counts, Totals, WAYS, lock};
use crate::admin::json;
use crate::app::App;
use crate::cache::Event;
use crate::cache::level::Level;
use crate::route::Route;
use crate::semantics::cache_tag;
use bytes::Bytes;
use http::Request;
use serde::{Deserialize, Serialize};
use service::admin::Answer;
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// Where they are.
pub(crate) const PATH: &str = "/stats";
/// Spans that rates are told of, seconds.
const SPANS: [u64; 2] = [60, 600];
/// URLs that are told of each route.
const TOP: usize = 20;

/// All of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) memory: InMemory,
    pub(crate) originals: InMemory,
    pub(crate) tiers: BTreeMap<String, TierReport>,
    pub(crate) lane: LaneReport,
    pub(crate) routes: Vec<RouteReport>,
}

/// What this process holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct InMemory {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
    /// Since the start.
    pub(crate) evictions: u64,
}

/// A tier below memory; counts since the start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TierReport {
    /// Whether it is left alone now because it kept failing.
    pub(crate) open: bool,
    pub(crate) events: BTreeMap<String, u64>,
}

/// What nobody waits for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LaneReport {
    pub(crate) waiting: usize,
    pub(crate) running: usize,
}

/// One route; counts since the start.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RouteReport {
    pub(crate) route: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    pub(crate) requests: u64,
    /// Of the answers that were pictures, the part that came out of a tier.
    pub(crate) hit_ratio: Option<f64>,
    pub(crate) by: BTreeMap<String, u64>,
    pub(crate) sent_bytes: u64,
    /// Its renditions in memory now.
    pub(crate) memory: InMemory,
    pub(crate) windows: Vec<Rate>,
    /// The most frequent first.
    pub(crate) top_misses: Vec<Missed>,
}

/// What happened within a time.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Rate {
    pub(crate) seconds: u64,
    pub(crate) requests_per_second: f64,
    pub(crate) bytes_per_second: f64,
    pub(crate) hit_ratio: Option<f64>,
}

/// A URL that was not there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Missed {
    pub(crate) url: String,
    pub(crate) count: u64,
    /// The count is too high by at most this.
    pub(crate) over: u64,
}

/// Answers with them.
pub(crate) async fn answer(app: App, _request: Request<Bytes>) -> Answer {
    json(200, &report(&app))
}

fn report(app: &App) -> Report {
    app.renditions.settle();
    app.originals.bytes.settle();
    let mut held = HashMap::<Box<str>, InMemory>::new();
    app.renditions.each(|kept| {
        if let Some(tag) = kept.stamp.label.tags().iter().find(|tag| tag.starts_with("route:")) {
            let held = held.entry(tag.clone()).or_default();
            held.bytes += kept.weight();
            held.entries += 1;
        }
    });
    let now = (app.clock.tick)();
    let all = |level: &Level| TierReport {
        open: level.is_open(),
        events: Event::ALL.iter().map(|event| (event.as_str().to_owned(), level.count(*event))).collect(),
    };
    let tiers = app.tiers.levels().iter().map(|level| (level.place().as_str().to_owned(), all(level)));
    let stock = app.tiers.stock().map(|stock| ("originals".to_owned(), all(stock.level())));
    Report {
        memory: InMemory {
            bytes: app.renditions.bytes(),
            entries: app.renditions.entries(),
            evictions: app.renditions.evictions(),
        },
        originals: InMemory {
            bytes: app.originals.bytes.bytes(),
            entries: app.originals.bytes.entries(),
            evictions: app.originals.bytes.evictions(),
        },
        tiers: tiers.chain(stock).collect(),
        lane: LaneReport { waiting: app.lane.waiting(), running: app.renderer.idle().rendering() },
        routes: app.routes.all().map(|route| of_route(route, &mut held, now)).collect(),
    }
}

/// What tags a route's renditions.
pub(crate) fn tag(route: &Route) -> Box<str> {
    cache_tag::named("route", &route.prefix).into()
}

fn of_route(route: &Route, held: &mut HashMap<Box<str>, InMemory>, now: Instant) -> RouteReport {
    let counts = &*route.counts;
    let totals = counts.totals();
    // Routes that differ by their host alone share a tag: the first tells of all.
    let memory = held.remove(&tag(route)).unwrap_or_default();
    let evictions = counts.evictions.load(std::sync::atomic::Ordering::Relaxed);
    RouteReport {
        route: route.prefix.clone(),
        host: route.host().map(str::to_owned),
        requests: totals.requests(),
        hit_ratio: totals.hit_ratio(),
        by: WAYS.iter().zip(totals.ways).filter(|(_, count)| *count > 0).map(|(w, n)| ((*w).to_owned(), n)).collect(),
        sent_bytes: totals.bytes,
        memory: InMemory { evictions, ..memory },
        windows: windows(counts, &totals, now),
        top_misses: {
            let top = lock(&counts.missed).top(TOP);
            top.into_iter().map(|(url, count, over)| Missed { url, count, over }).collect()
        },
    }
}

/// Of a server that has not run for long, one.
fn windows(counts: &Counts, totals: &Totals, now: Instant) -> Vec<Rate> {
    let mut rates: Vec<_> =
        SPANS.iter().filter_map(|span| rate(counts, totals, Duration::from_secs(*span), now)).collect();
    rates.retain(|rate| rate.seconds > 0);
    rates.dedup_by_key(|rate| rate.seconds);
    rates
}

fn rate(counts: &Counts, totals: &Totals, span: Duration, now: Instant) -> Option<Rate> {
    let (took, within) = lock(&counts.window).within(span, now, totals)?;
    let seconds = took.as_secs_f64();
    Some(Rate {
        seconds: took.as_secs(),
        requests_per_second: within.requests() as f64 / seconds,
        bytes_per_second: within.bytes as f64 / seconds,
        hit_ratio: within.hit_ratio(),
    })
}
