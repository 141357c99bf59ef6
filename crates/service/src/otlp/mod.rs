//! Traces and metrics for a collector, by OTLP over HTTP (opentelemetry.io/docs/specs/otlp): spans of requests' steps, and
//! what `/metrics` says.
//!
//! Knows no request. Off unless an endpoint is configured, and then without cost: spans of requests are not even made.
//! Invariant: nobody waits for the collector; what it does not take in time is dropped and counted.

mod config;
mod context;
mod export;
mod layer;
mod metrics;
mod recording;
mod span;
mod wire;

pub use config::{Endpoint, OtlpConfig};
pub use context::{Context, Propagation, TRACEPARENT, XRAY};
pub use export::{Counts, Exporter, Running, open};
pub use layer::{FAILED, Spans, TARGET, chance, context_of, enter, outgoing};
pub use recording::Recording;

#[cfg(test)]
mod tests;
