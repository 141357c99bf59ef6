//! The `[index]` section.

use crate::document::Policy;
use service::config::{Reader, Section};
use std::time::Duration;

/// The `[index]` section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether pictures can be found by where they were taken.
    pub places: bool,
    /// Events that are worked off at once.
    pub concurrency: usize,
    /// How often index and catalog are compared; zero: never by itself.
    pub check_every: Duration,
    /// Whether such a check puts right what differs.
    pub repair: bool,
}

impl Section for Config {
    const DOC: &'static str = "Keeping what can be found in step with the catalog (docs/index.md).";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            places: r.bool(
                "places",
                false,
                "Whether pictures can be found by where they were taken: coordinates, and names of cities and countries. A \
                 rebuild is due after a change.",
            ),
            concurrency: r.int(
                "concurrency",
                64,
                1..=500,
                "Events that are worked off at once; they share the batches that the engine writes.",
            ),
            check_every: r.duration(
                "check_every",
                "1d",
                "0s"..="90d",
                "How often index and catalog are compared, by one of all instances; 0s is never by itself.",
            ),
            repair: r.bool("repair", true, "Whether such a check puts right what differs, or only tells."),
        }
    }
}

impl Config {
    /// What of records may be found.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy { places: self.places }
    }
}
