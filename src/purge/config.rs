//! `[purge]`: how many purges are remembered, and which CDN is told.

use aws::Access;
use service::config::{Reader, Section};
use std::time::Duration;

/// Purges.
#[derive(Clone, Debug)]
pub struct PurgeConfig {
    pub remember: usize,
    pub cloudfront: Option<CloudfrontConfig>,
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
            cloudfront: r.optional_section("cloudfront"),
        }
    }
}

/// The CDN in front.
#[derive(Clone, Debug)]
pub struct CloudfrontConfig {
    pub distribution: String,
    pub access: Access,
    pub gather: Duration,
    pub queue: usize,
}

impl Section for CloudfrontConfig {
    const DOC: &'static str = "The CloudFront distribution that is told of purges. Leave it out for none.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            distribution: r.required("distribution", "E2EXAMPLE1234", "Its id."),
            access: Access::read(r),
            gather: r.duration(
                "gather",
                "1s",
                "0s"..="5m",
                "Between two requests to CloudFront: what is purged meanwhile goes together.",
            ),
            queue: r.int(
                "queue",
                10_000,
                1..=1_000_000,
                "Tags and paths that wait to be told; with more, a purge answers 502.",
            ),
        };
        let sound = !config.distribution.is_empty() && config.distribution.bytes().all(|b| b.is_ascii_alphanumeric());
        if !sound {
            r.reject("distribution", &config.distribution, "letters and digits", "as the console shows it");
        }
        config
    }
}
