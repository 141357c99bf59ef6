//! How any origin over the network is paced: how long each phase may take, how much at once, how often again.
//!
//! Keys that `[origins.http]` and `[origins.s3]` have in common. Knows neither. Invariant: every wait that is named here ends.

use service::breaker::Limits;
use service::config::Reader;
use std::time::Duration;

/// Failures open a breaker only when they go on for so long: a burst of requests that fail together says little.
const LASTING: Duration = Duration::from_secs(1);

/// The keys.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct Pace {
    pub response_timeout: Duration,
    pub pause_timeout: Duration,
    pub timeout: Duration,
    pub requests: usize,
    pub retries: u32,
    pub retry_percent: u32,
    pub breaker_failures: u32,
    pub breaker_pause: Duration,
}

impl Pace {
    /// Reads them; what is tried again, and how often by default, is the origin's own.
    pub(super) fn read(r: &mut Reader<'_>, retries: u32, tried_again: &'static str) -> Self {
        Self {
            response_timeout: r.duration(
                "response_timeout",
                "10s",
                "1ms"..="10m",
                "Longest time from a request to the head of its response.",
            ),
            pause_timeout: r.duration(
                "pause_timeout",
                "5s",
                "1ms"..="10m",
                "Longest pause between two pieces of a body.",
            ),
            timeout: r.duration(
                "timeout",
                "30s",
                "1ms"..="30m",
                "Longest fetch in all, with redirects and repeats; a route may set its own.",
            ),
            requests: r.int("requests", 128, 1..=100_000, "Requests to the origin at once; further ones wait."),
            retries: r.int("retries", retries, 0..=10, tried_again),
            retry_percent: r.int(
                "retry_percent",
                10,
                0..=100,
                "Repeats per hundred requests at most, beyond ten in a burst.",
            ),
            breaker_failures: r.int(
                "breaker_failures",
                20,
                0..=10_000,
                "Failures in a row, over more than a second, after which a host is left alone for breaker_pause; 0: never.",
            ),
            breaker_pause: r.duration("breaker_pause", "5s", "10ms"..="10m", "How long; then one request tries."),
        }
    }

    /// Of a breaker.
    pub(super) const fn limits(&self) -> Limits {
        Limits { failures: self.breaker_failures, lasting: LASTING, pause: self.breaker_pause }
    }
}
