//! `[purge]`: how many purges are remembered, and which CDN is told.

use service::config::{Reader, Section};

/// Purges.
#[derive(Clone, Debug)]
pub struct PurgeConfig {
    pub remember: usize,
}

impl Section for PurgeConfig {
    const DOC: &'static str = "Purges, by POST /purge on the admin listener or `tintype purge`: see docs/purge.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            remember: r.int(
                "remember",
                100_000,
                100..=10_000_000,
                "Purges that are remembered, about 150 bytes each; beyond, all that is older than the oldest is made anew.",
            ),
        }
    }
}
