//! `[otlp]`: where traces and metrics go.

use super::context::Propagation;
use crate::config::{Choice, Reader, Secret, Section};
use http::Uri;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The collector's address, without `/v1/…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl Endpoint {
    /// Where a signal goes: `traces` or `metrics`.
    pub(super) fn of(&self, signal: &str) -> Option<Uri> {
        let base = self.0.to_string();
        format!("{}/v1/{signal}", base.trim_end_matches('/')).parse().ok()
    }
}

impl FromStr for Endpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri: Uri = text.parse().map_err(|_| "an address such as http://127.0.0.1:4318")?;
        match (uri.scheme_str(), uri.host(), uri.query()) {
            (Some("http"), Some(_), None) => Ok(Self(uri)),
            (Some("https"), ..) => Err("cleartext to a collector beside the server, which speaks TLS to others"),
            _ => Err("an address such as http://127.0.0.1:4318"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Choice for Propagation {
    const NAMES: &'static [(&'static str, Self)] = &[("w3c", Self::W3c), ("xray", Self::Xray)];
}

/// OTLP.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct OtlpConfig {
    pub endpoint: Option<Endpoint>,
    pub authorization: Option<Secret>,
    pub service_name: String,
    pub traces: bool,
    pub sample: f64,
    pub propagation: Propagation,
    pub metrics: bool,
    pub interval: Duration,
    pub timeout: Duration,
}

impl Section for OtlpConfig {
    const DOC: &'static str = "Traces and metrics for an OpenTelemetry collector (OTLP over HTTP). Off without an endpoint. See docs/signals.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            endpoint: r.optional_parsed("endpoint", "http://127.0.0.1:4318", "The collector, without /v1/traces."),
            authorization: r.secret("authorization", "Sent as Authorization to the collector."),
            service_name: r.string("service_name", "tintype", "service.name of all that is sent."),
            traces: r.bool("traces", true, "Send spans of requests and their steps."),
            sample: r.float(
                "sample",
                0.01,
                0.0..=1.0,
                "Share of requests that are traced, of those whose caller does not say; one that says so is traced.",
            ),
            propagation: r.choice(
                "propagation",
                Propagation::W3c,
                "How callers name their trace, and how it is named to origins. w3c: traceparent. xray: X-Amzn-Trace-Id.",
            ),
            metrics: r.bool("metrics", true, "Send what /metrics says."),
            interval: r.duration("interval", "60s", "100ms"..="1h", "How often metrics are sent."),
            timeout: r.duration("timeout", "10s", "10ms"..="5m", "For the collector to take a batch."),
        }
    }
}
