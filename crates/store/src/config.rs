//! `[store]`: where originals are kept: a folder, or a bucket where `[store.s3]` is written.
//!
//! Each key with its default and bounds. Does not open anything.

use aws::BucketConfig;
use service::config::{Reader, Section};
use std::path::PathBuf;
use std::time::Duration;

/// Where originals are kept.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct StoreConfig {
    pub root: PathBuf,
    pub bucket: Option<S3StoreConfig>,
}

impl Section for StoreConfig {
    const DOC: &'static str =
        "Where originals are kept, by their content, and the published names that point to them: docs/store.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            root: r.parsed(
                "root",
                "data/store",
                "The folder, where no bucket is configured. The edge's origin has it as its root, with folder = \"names\".",
            ),
            bucket: r.optional_section("s3"),
        }
    }
}

/// A bucket.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct S3StoreConfig {
    pub bucket: BucketConfig,
    pub connect_timeout: Duration,
    pub response_timeout: Duration,
    pub timeout: Duration,
    pub retries: u32,
    pub part: u64,
}

impl Section for S3StoreConfig {
    const DOC: &'static str = "A bucket of S3, or of a server that speaks like it, instead of the folder.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            bucket: BucketConfig::read(r, "originals", "tintype/"),
            connect_timeout: r.duration(
                "connect_timeout",
                "2s",
                "1ms"..="1m",
                "Longest time for a connection to be made.",
            ),
            response_timeout: r.duration(
                "response_timeout",
                "20s",
                "1ms"..="10m",
                "Longest time from a request to the head of its response.",
            ),
            timeout: r.duration("timeout", "2m", "1ms"..="30m", "Longest request in all, with repeats."),
            retries: r.int("retries", 3, 0..=10, "Repeats of a request that failed in a way that may pass."),
            part: r.bytes(
                "part",
                "8MiB",
                "5MiB"..="256MiB",
                "Bytes of one part: of uploads as they come in, and of large contents as they are written.",
            ),
        }
    }
}
