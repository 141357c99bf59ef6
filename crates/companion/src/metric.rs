//! What is counted of a companion's requests.
//!
//! Invariant: labels are few: routes as written in the document, never paths as asked for.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    service: &'static str,
    method: String,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Service {
    service: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    service: &'static str,
    code: &'static str,
}

/// The counters of all companions of a process. Clones share them.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: Family<Request, Counter>,
    refusals: Family<Refusal, Counter>,
    seconds: Family<Service, Histogram>,
    in_flight: Family<Service, Gauge>,
}

impl Metrics {
    /// Registers them, once per process.
    pub fn register(registry: &mut Registry) -> Self {
        let buckets = || Histogram::new([0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]);
        let metrics = Self {
            requests: Family::default(),
            refusals: Family::default(),
            seconds: Family::new_with_constructor(buckets),
            in_flight: Family::default(),
        };
        registry.register("companion_requests", "Requests by route and status", metrics.requests.clone());
        registry.register("companion_refusals", "Requests refused, by code", metrics.refusals.clone());
        registry.register("companion_request_seconds", "Time to an answer's head", metrics.seconds.clone());
        registry.register("companion_requests_in_flight", "Requests at work", metrics.in_flight.clone());
        metrics
    }

    pub(crate) fn begin(&self, service: &'static str) -> Gauge {
        let gauge = self.in_flight.get_or_create(&Service { service }).clone();
        gauge.inc();
        gauge
    }

    pub(crate) fn answered(&self, service: &'static str, method: &str, route: &str, status: u16, took: Duration) {
        // Methods are the client's to invent.
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&method);
        let method = if known { method } else { "other" }.to_owned();
        self.requests.get_or_create(&Request { service, method, route: route.to_owned(), status }).inc();
        self.seconds.get_or_create(&Service { service }).observe(took.as_secs_f64());
    }

    pub(crate) fn refused(&self, service: &'static str, code: &'static str) {
        self.refusals.get_or_create(&Refusal { service, code }).inc();
    }
}
