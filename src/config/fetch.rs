//! `[routes.fetch]`: how long originals that came over HTTP may be used, and how long a route waits for them.
//!
//! Owns what a route adds to the origin's own word. Invariant: with the defaults the origin's word is followed, and an
//! origin that says nothing is asked each time.

use crate::semantics::Rules;
use service::config::{Reader, Section};
use std::time::Duration;

/// A route's dealings with HTTP origins.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct FetchConfig {
    pub timeout: Option<Duration>,
    pub inherit: bool,
    pub rules: Rules,
    pub negative: Duration,
}

impl Section for FetchConfig {
    const DOC: &'static str = "Originals from http origins: how long they are fresh, by RFC 9111. See docs/origins.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            timeout: r.optional_duration(
                "timeout",
                "1ms"..="30m",
                "10s",
                "Longest fetch in all, instead of the origin's own timeout.",
            ),
            inherit: r.bool(
                "inherit",
                true,
                "Answers say the freshness that the original has left; false: always the route's max_age and its like.",
            ),
            rules: Rules {
                min: r.duration(
                    "min_fresh",
                    "0s",
                    "0s"..="365d",
                    "Fresh for at least so long, whatever the origin says; not with no-store or private.",
                ),
                max: r.duration("max_fresh", "365d", "0s"..="3650d", "Fresh for at most so long."),
                implicit: r.duration(
                    "implicit_fresh",
                    "0s",
                    "0s"..="365d",
                    "Fresh for so long where the origin says nothing of freshness.",
                ),
                heuristic: r.bool(
                    "heuristic",
                    false,
                    "Where it says nothing: a tenth of the time since Last-Modified, at most a day.",
                ),
                stale_while_revalidate: r.duration(
                    "stale_while_revalidate",
                    "0s",
                    "0s"..="365d",
                    "Used stale for so long while it is asked about, where the origin neither says nor forbids it.",
                ),
                stale_if_error: r.duration(
                    "stale_if_error",
                    "1d",
                    "0s"..="365d",
                    "Used stale for so long when the origin fails, where it neither says nor forbids it.",
                ),
            },
            negative: r.duration(
                "negative",
                "10s",
                "0s"..="1d",
                "How long the origin's 404, 410, 401 and 403 count, where it does not say.",
            ),
        };
        if config.rules.min > config.rules.max {
            r.reject("min_fresh", format!("{:?}", config.rules.min), "at most max_fresh", "");
        }
        config
    }
}

impl FetchConfig {
    /// For answers that there is no original.
    pub(crate) fn negative_rules(&self) -> Rules {
        Rules {
            min: Duration::ZERO,
            implicit: self.negative,
            heuristic: false,
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::ZERO,
            ..self.rules
        }
    }
}
