//! `[cache]`: the tiers and their budgets.

use super::lease::Times;
use super::level::Guards;
use super::object::Class;
use crate::pressure::Amount;
use aws::BucketConfig;
use service::config::{Reader, Secret, Section};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// The tiers.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct CacheConfig {
    pub check: Duration,
    pub memory: MemoryConfig,
    pub originals: OriginalsConfig,
    pub redis: Option<RedisConfig>,
    pub disk: Option<DiskConfig>,
    pub s3: Option<ObjectConfig>,
}

/// Originals in memory.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct OriginalsConfig {
    pub bytes: Amount,
    pub redis: u64,
    pub redis_keep: Duration,
}

/// The memory tier.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct MemoryConfig {
    pub bytes: Amount,
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
            redis: r.optional_section("redis"),
            disk: r.optional_section("disk"),
            s3: r.optional_section("s3"),
        }
    }
}

impl Section for MemoryConfig {
    const DOC: &'static str = "Renditions in this process's memory.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            bytes: r.parsed(
                "bytes",
                "25%",
                "Budget, in bytes (\"512MiB\") or as a share of memory.limit; the least valuable go first (TinyLFU). 0B keeps \
                 nothing.",
            ),
        }
    }
}

impl Section for OriginalsConfig {
    const DOC: &'static str = "Originals that came over HTTP, in this process's memory.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            bytes: r.parsed(
                "bytes",
                "5%",
                "Budget, in bytes or as a share of memory.limit. An original that has been pushed out is fetched again when a new rendition of it is asked for.",
            ),
            redis: r.bytes(
                "redis",
                "4MiB",
                "0B"..="64MiB",
                "Originals of up to this size are kept in Redis too, for the other instances, where there is a [cache.redis]; never those \
                 with no-store or private, nor of an http origin that has headers of its own. 0B: none.",
            ),
            redis_keep: r.duration("redis_keep", "1d", "1s"..="365d", "How long, whether fresh or not."),
        }
    }
}

/// The Redis tier.
#[derive(Clone)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct RedisConfig {
    pub urls: Vec<RedisUrl>,
    pub username: Option<String>,
    pub password: Option<Secret>,
    pub tls: RedisTls,
    pub prefix: String,
    pub connections: usize,
    pub connect_timeout: Duration,
    pub max_entry: u64,
    pub leases: Times,
    pub guards: Guards,
}

impl fmt::Debug for RedisConfig {
    /// Without the addresses: they may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig").field("nodes", &self.urls.len()).finish_non_exhaustive()
    }
}

impl Section for RedisConfig {
    const DOC: &'static str = "Renditions in Redis, shared by all instances. Leave it out for none.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            urls: r.list(
                "urls",
                &["redis://127.0.0.1:6379"],
                "One address, or nodes of one cluster (the others are learnt).",
            ),
            username: r.optional_string("username", "tintype", "For all nodes, over that of the address."),
            password: r
                .secret("password", "For all nodes. Better in the environment: TINTYPE__CACHE__REDIS__PASSWORD."),
            tls: RedisTls::read(r),
            prefix: r.string("prefix", "tintype:", "Before each key."),
            connections: r.int(
                "connections",
                6,
                1..=64,
                "Connections, each shared by many requests; of each node in a cluster.",
            ),
            connect_timeout: r.duration("connect_timeout", "1s", "10ms"..="60s", "For a connection to be made."),
            max_entry: r.bytes(
                "max_entry",
                "1MiB",
                "1KiB"..="64MiB",
                "Larger renditions are not put there: they would hold up others.",
            ),
            leases: Times {
                lease: r.duration(
                    "lease",
                    "5s",
                    "500ms"..="5m",
                    "How long an instance that has gone is waited for when it was making a rendition; one that lives renews this.",
                ),
                wait: r.duration(
                    "wait",
                    "10s",
                    "0s"..="5m",
                    "Longest wait for what another instance makes, before it is made here too. 0s: each makes its own.",
                ),
            },
            guards: guards(r, "80ms", "7d", "64MiB", 32),
        };
        if config.prefix.contains(['{', '}']) {
            r.reject("prefix", &config.prefix, "a text without braces", "they choose the node of a cluster");
        }
        config
    }
}

/// Files in PEM, for `rediss://`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct RedisTls {
    pub ca_file: Option<PathBuf>,
    pub cert_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
}

impl RedisTls {
    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            ca_file: r.optional_parsed(
                "ca_file",
                "/etc/tintype/redis-ca.pem",
                "With rediss://: certificate authorities (PEM) in place of those of the system.",
            ),
            cert_file: r.optional_parsed(
                "cert_file",
                "/etc/tintype/redis.pem",
                "With rediss://: the certificate (PEM) to show, where Redis asks for one. Goes with key_file.",
            ),
            key_file: r.optional_parsed("key_file", "/etc/tintype/redis.key", "Its private key (PEM)."),
        }
    }
}

/// An address that may hold a password: never printed.
#[derive(Clone)]
pub struct RedisUrl(String);

impl RedisUrl {
    /// The address itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for RedisUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = ["redis://", "rediss://", "unix://"].iter().any(|scheme| text.starts_with(scheme));
        // What has an @ may hold a password; what is wrong with it is said later, in words that do not show it.
        if known || text.contains('@') {
            Ok(Self(text.to_owned()))
        } else {
            Err("begins with redis://, rediss:// (TLS) or unix://")
        }
    }
}

/// The disk tier.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct DiskConfig {
    pub path: PathBuf,
    pub bytes: u64,
    pub guards: Guards,
}

impl Section for DiskConfig {
    const DOC: &'static str = "Renditions in a folder of this machine. Leave it out for none.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            path: r.required("path", "/var/cache/tintype", "A folder for nothing else; made where it is missing."),
            bytes: r.bytes("bytes", "10GiB", "1MiB"..="16TiB", "Budget; the oldest go first."),
            guards: guards(r, "500ms", "30d", "64MiB", 4),
        }
    }
}

/// The object tier.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct ObjectConfig {
    pub bucket: BucketConfig,
    pub storage_class: Class,
    pub connect_timeout: Duration,
    pub retries: u32,
    pub requests: usize,
    pub max_entry: u64,
    pub guards: Guards,
}

impl Section for ObjectConfig {
    const DOC: &'static str =
        "Renditions in a bucket of S3, or of a server that speaks like it: see docs/s3.md. Leave it out for none.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            bucket: BucketConfig::read(r, "renditions", "tintype/"),
            storage_class: r.choice("storage_class", Class::Standard, "What new objects are kept as."),
            connect_timeout: r.duration(
                "connect_timeout",
                "1s",
                "10ms"..="60s",
                "For a connection to be made, with TLS.",
            ),
            retries: r.int(
                "retries",
                2,
                0..=10,
                "Further tries of what may pass, such as SlowDown; for a look-up within its timeout.",
            ),
            requests: r.int("requests", 64, 1..=10_000, "Requests at once; further ones wait."),
            max_entry: r.bytes("max_entry", "64MiB", "1KiB"..="1GiB", "Larger renditions are not put there."),
            guards: guards(r, "1s", "90d", "64MiB", 16),
        }
    }
}

/// The keys that every tier has.
fn guards(
    r: &mut Reader<'_>,
    timeout: &'static str,
    keep: &'static str,
    queue: &'static str,
    writers: usize,
) -> Guards {
    Guards {
        timeout: r.duration("timeout", timeout, "1ms"..="60s", "For a read; without an answer by then it is a miss."),
        keep: r.duration("keep", keep, "1s"..="3650d", "How long renditions are kept."),
        failures: r.int("failures", 5, 1..=1000, "Failures in a row after which it is left alone for a while."),
        pause: r.duration("pause", "2s", "10ms"..="1h", "How long, before one request tries again."),
        queue_bytes: r.bytes(
            "queue",
            queue,
            "1MiB"..="16GiB",
            "Writes that wait; further ones are dropped and counted.",
        ) as usize,
        writers: r.int("writers", writers, 1..=1024, "Writes at once."),
    }
}
