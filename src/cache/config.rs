//! `[cache]`: the tiers and their budgets.

use service::config::{Reader, Section};
use std::time::Duration;

/// The tiers.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct CacheConfig {
    pub check: Duration,
    pub memory: MemoryConfig,
    pub originals: OriginalsConfig,
}

/// Originals in memory.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct OriginalsConfig {
    pub bytes: u64,
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
                "How long a file counts as unchanged before it is looked at again. Originals that came over HTTP say so themselves.",
            ),
            memory: r.section("memory"),
            originals: r.section("originals"),
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

impl Section for OriginalsConfig {
    const DOC: &'static str = "Originals that came over HTTP, in this process's memory.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            bytes: r.bytes(
                "bytes",
                "128MiB",
                "0B"..="16TiB",
                "Budget. An original that has been pushed out is fetched again when a new rendition of it is asked for.",
            ),
        }
    }
}
