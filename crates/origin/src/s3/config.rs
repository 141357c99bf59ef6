//! `[origins.s3]`: how an origin in a bucket is asked.
//!
//! Each key with its default and bounds. Invariant: the bucket itself, and where it is, stand beside the origin's name.

use super::super::http::config::Forbidden;
use crate::pace::Pace;
use aws::Identity;
use service::config::{Reader, Section};
use std::time::Duration;

/// How a bucket is asked.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct S3Config {
    pub identity: Identity,
    pub versions: bool,
    pub links: bool,
    pub forbidden: Forbidden,
    pub connect_timeout: Duration,
    pub pace: Pace,
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
            links: r.bool(
                "links",
                false,
                "Whether an empty object whose metadata tintype-content name another one stands for that: names of the platform's \
                 store.",
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
            pace: Pace::read(
                r,
                2,
                "Repeats of a request that could not be sent, or was answered 429, 500, 502, 503 (SlowDown) or 504.",
            ),
        }
    }
}
