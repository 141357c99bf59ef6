//! What is counted of uploads.
//!
//! Invariant: labels have few values, all of them ours.

use crate::Trouble;
use crate::admission::Admitted;
use crate::work::{recompress, replica};
use jiff::Timestamp;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Difference {
    difference: &'static str,
}

/// Counters. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    uploads: Family<Outcome, Counter>,
    bytes: Counter,
    repacked: Family<Outcome, Counter>,
    saved: Counter,
    differences: Family<Difference, Gauge>,
    copied: Counter,
    compared: Gauge,
}

impl Metrics {
    /// Counters that can be seen.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("ingest_uploads", "Uploads by what became of them", metrics.uploads.clone());
        registry.register("ingest_bytes", "Bytes of uploads that were published", metrics.bytes.clone());
        let help = "PNG originals that were looked at for being packed anew, by what became of them: saved, left";
        registry.register("ingest_recompressions", help, metrics.repacked.clone());
        let help = "Bytes by which originals became smaller by being packed anew";
        registry.register("ingest_recompressed_bytes", help, metrics.saved.clone());
        let help = "What the last comparison with the replica found: missing, different, extra, damaged";
        registry.register("ingest_replica_differences", help, metrics.differences.clone());
        let help = "Contents and names that were missing in the replica and were copied";
        registry.register("ingest_replica_copied", help, metrics.copied.clone());
        let help = "When the last comparison with the replica came to its end, seconds since 1970";
        registry.register("ingest_replica_compared_timestamp", help, metrics.compared.clone());
        metrics
    }

    pub(crate) fn compared(&self, checked: &replica::Checked) {
        use replica::Difference as D;
        let counts = [
            (D::Missing, checked.missing),
            (D::Different, checked.different),
            (D::Extra, checked.extra),
            (D::Damaged, checked.damaged),
        ];
        for (difference, count) in counts {
            let labels = Difference { difference: difference.as_str() };
            self.differences.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.copied.inc_by(checked.repaired);
        self.compared.set(Timestamp::now().as_second());
    }

    pub(crate) fn repacked(&self, outcome: &recompress::Outcome) {
        let result = match outcome {
            recompress::Outcome::Saved { before, after } => {
                self.saved.inc_by(before.saturating_sub(*after));
                "saved"
            }
            recompress::Outcome::Left(_) => "left",
        };
        self.repacked.get_or_create(&Outcome { result }).inc();
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
