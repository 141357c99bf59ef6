//! What is counted of uploads.
//!
//! Invariant: labels have few values, all of them ours.

use crate::Trouble;
use crate::admission::Admitted;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

/// Counters. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    uploads: Family<Outcome, Counter>,
    bytes: Counter,
}

impl Metrics {
    /// Counters that can be seen.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("ingest_uploads", "Uploads by what became of them", metrics.uploads.clone());
        registry.register("ingest_bytes", "Bytes of uploads that were published", metrics.bytes.clone());
        metrics
    }

    pub(crate) fn ended(&self, result: &Result<Admitted, Trouble>) {
        let name = match result {
            Ok(admitted) if !admitted.asset.is_live() => "quarantined",
            Ok(admitted) if admitted.unchanged => "unchanged",
            Ok(admitted) if admitted.created => "created",
            Ok(_) => "replaced",
            Err(Trouble::Refused(refused)) => refused.reason.as_str(),
            Err(Trouble::TooLong { .. }) => "too-long",
            Err(trouble) if trouble.passes() => "failed",
            Err(_) => "conflict",
        };
        self.uploads.get_or_create(&Outcome { result: name }).inc();
        if let Ok(admitted) = result
            && !admitted.unchanged
        {
            self.bytes.inc_by(admitted.asset.content.bytes);
        }
    }
}
