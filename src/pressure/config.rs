//! `[memory]`: how much there is, and the marks at which caches shrink and may grow again.

use super::machine;
use service::config::{Reader, Section};
use std::path::Path;

/// Memory in all.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct MemoryConfig {
    pub limit: Option<u64>,
    pub high: f64,
    pub low: f64,
}

impl MemoryConfig {
    /// Bytes that this process may have.
    pub fn limit(&self) -> u64 {
        self.limit.unwrap_or_else(|| machine::limit(Path::new("/")).0)
    }
}

impl Section for MemoryConfig {
    const DOC: &'static str =
        "All memory of the process. Budgets that are written as shares (such as \"25%\") are shares of this.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            limit: r.optional_bytes(
                "limit",
                "64MiB"..="16TiB",
                "4GiB",
                "Left out: the least of the limits of this process's control groups (versions 1 and 2) and the machine's memory.",
            ),
            high: r.float("high", 0.85, 0.1..=1.0, "Above this share in use, caches in memory give up entries."),
            low: r.float("low", 0.75, 0.05..=1.0, "Down to this share; below it they may grow again."),
        };
        if config.low >= config.high {
            r.reject(
                "low",
                config.low,
                format!("below memory.high ({})", config.high),
                "between the two nothing changes",
            );
        }
        config
    }
}
