//! `[cache]`: the tiers and their budgets.

use service::config::{Reader, Section};
use std::time::Duration;

/// The tiers.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct CacheConfig {
    pub check: Duration,
    pub memory: MemoryConfig,
}

/// The memory tier.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct MemoryConfig {
    pub bytes: u64,
}

impl Section for CacheConfig {
    const DOC: &'static str = "What is kept between requests.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            check: r.duration(
                "check",
                "2s",
                "0s"..="1h",
                "How long an original counts as unchanged before it is looked at again.",
            ),
            memory: r.section("memory"),
        }
    }
}

impl Section for MemoryConfig {
    const DOC: &'static str = "Renditions in this process's memory.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            bytes: r.bytes(
                "bytes",
                "512MiB",
                "0B"..="16TiB",
                "Budget; the least valuable go first (TinyLFU). 0 keeps nothing.",
            ),
        }
    }
}
