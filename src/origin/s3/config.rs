//! `[origins.s3]`: how an origin in a bucket is asked.
//!
//! Each key with its default and bounds. Invariant: the bucket itself, and where it is, stand beside the origin's name.

use super::super::http::config::Forbidden;
use crate::aws::Identity;
use service::config::{Reader, Section};
use std::time::Duration;

/// How a bucket is asked.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct S3Config {
    pub identity: Identity,
    pub versions: bool,
    pub forbidden: Forbidden,
    pub connect_timeout: Duration,
    pub response_timeout: Duration,
    pub pause_timeout: Duration,
    pub timeout: Duration,
    pub requests: usize,
    pub retries: u32,
    pub retry_percent: u32,
    pub breaker_failures: u32,
    pub breaker_pause: Duration,
}

impl Section for S3Config {
    const DOC: &'static str = "How an origin of kind s3 is asked: see docs/s3.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            identity: Identity::read(r),
            versions: r.bool(
                "versions",
                false,
                "Whether a path may name a version: photo.jpg%3FversionId=…; false: a ? is part of the key.",
            ),
            forbidden: r.choice(
                "forbidden",
                Forbidden::NotFound,
                "What AccessDenied becomes; without s3:ListBucket S3 says it of what is not there.",
            ),
            connect_timeout: r.duration(
                "connect_timeout",
                "2s",
                "1ms"..="1m",
                "Longest time for a connection to be made, with look-up and TLS.",
            ),
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
                "Longest fetch in all, with repeats; a route may set its own.",
            ),
            requests: r.int("requests", 128, 1..=100_000, "Requests to the bucket at once; further ones wait."),
            retries: r.int(
                "retries",
                2,
                0..=10,
                "Repeats of a request that could not be sent, or was answered 500 or 503 (SlowDown), or 429.",
            ),
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
                "Failures in a row, over more than a second, after which it is left alone for breaker_pause; 0: never.",
            ),
            breaker_pause: r.duration("breaker_pause", "5s", "10ms"..="10m", "How long; then one request tries."),
        }
    }
}
