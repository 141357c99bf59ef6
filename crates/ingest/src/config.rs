//! `[ingest]`: what is taken, and what is done with it.
//!
//! Each key with its default and bounds. Does not open anything.

use crate::{Private, ReplicaConfig};
use aws::Access;
use catalog::TenantId;
use imaging::Limits;
use origin::http::allow::Pattern;
use service::config::{Reader, Secret, Section};
use service::network::Network;
use std::time::Duration;

/// What is taken.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct IngestConfig {
    pub max_bytes: u64,
    pub deadline: Duration,
    pub uploads: usize,
    pub upload_expiry: Duration,
    pub undo: Duration,
    pub grace: Duration,
    pub private: Private,
    pub recompress: bool,
    pub inspect: InspectConfig,
    pub import: ImportConfig,
    pub edge: EdgeConfig,
    pub arrivals: Option<ArrivalsConfig>,
    pub replica: Option<ReplicaConfig>,
    pub webhooks: Vec<WebhookConfig>,
}

impl Section for IngestConfig {
    const DOC: &'static str = "What is taken, and what is done with it: docs/ingest.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            max_bytes: r.bytes("max_bytes", "64MiB", "1KiB"..="4GiB", "Largest upload. Not above what the edge's origin allows."),
            deadline: r.duration(
                "deadline",
                "10m",
                "1s"..="6h",
                "Longest time for one request of an upload, with the sending of its body.",
            ),
            uploads: r.int("uploads", 100, 1..=10_000, "Uploads of one tenant that are under way at once. Beyond: 429."),
            upload_expiry: r.duration(
                "upload_expiry",
                "1d",
                "1m"..="30d",
                "How long an unfinished upload is kept, and what became of a finished one can be asked.",
            ),
            undo: r.duration("undo", "30d", "0s"..="3650d", "How long a deletion can be undone; then it is erased."),
            grace: r.duration(
                "grace",
                "1h",
                "1m"..="30d",
                "How long contents stay that nothing refers to any more.",
            ),
            private: r.choice(
                "private",
                Private::Keep,
                "Places (GPS), serial numbers and owners' names in pictures. keep: below facts.private, for those who may edit. \
                 drop: not in the record. Renditions have neither unless asked with meta=keep.",
            ),
            recompress: r.bool(
                "recompress",
                false,
                "Whether PNG originals are packed anew behind the upload, where that saves 5% or more: the same pixels and \
                 metadata, as a new version. The former version stays as long as catalog.versions says.",
            ),
            inspect: r.section("inspect"),
            import: r.section("import"),
            edge: r.section("edge"),
            arrivals: r.optional_section("arrivals"),
            replica: r.optional_section("replica"),
            webhooks: r.tables("webhooks", &[]),
        }
    }
}

/// How uploads are looked at.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct InspectConfig {
    pub workers: usize,
    pub deadline: Duration,
    pub limits: Limits,
}

impl Section for InspectConfig {
    const DOC: &'static str =
        "How uploads are looked at: every frame is decoded. Memory in all is at most workers × (max_bytes + memory).";

    fn read(r: &mut Reader<'_>) -> Self {
        let limits = Limits::default();
        Self {
            workers: r.int("workers", 2, 1..=256, "Uploads that are looked at at once; further ones wait."),
            deadline: r.duration("deadline", "30s", "100ms"..="10m", "Longest look at one. Beyond: refused."),
            limits: Limits {
                source_pixels: r.int(
                    "pixels",
                    limits.source_pixels,
                    1..=4_000_000_000,
                    "Width × height, of each frame.",
                ),
                source_side: r.int("side", limits.source_side, 1..=200_000, "The longer side."),
                memory: r.bytes("memory", "512MiB", "16MiB"..="64GiB", "Memory for the pixels of one."),
                frames: r.int("frames", limits.frames, 1..=100_000, "Frames of an animation."),
                frame_pixels: r.int(
                    "frame_pixels",
                    limits.frame_pixels,
                    1..=40_000_000_000,
                    "Width × height × frames of an animation.",
                ),
                ..limits
            },
        }
    }
}

/// Imports from URLs.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct ImportConfig {
    pub allow: Vec<Pattern>,
    pub allow_private: Vec<Network>,
    pub redirects: usize,
    pub timeout: Duration,
}

impl Section for ImportConfig {
    const DOC: &'static str =
        "Imports from URLs. Addresses that are not global are refused, also where redirects lead.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            allow: r.list(
                "allow",
                &[],
                "Where from, such as cdn.example.org, *.example.org, http://img.example.org:8080/photos/. Empty: from anywhere.",
            ),
            allow_private: r.list("allow_private", &[], "Networks (CIDR) that may be reached although they are private."),
            redirects: r.int("redirects", 3, 0..=20, "Redirects in a row."),
            timeout: r.duration("timeout", "60s", "1s"..="1h", "Longest import in all."),
        }
    }
}

/// The edge servers that show what is published.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct EdgeConfig {
    pub admin: Vec<String>,
    pub token: Option<Secret>,
    pub origin: String,
    pub prefix: String,
    pub warm: Vec<String>,
}

impl Section for EdgeConfig {
    const DOC: &'static str = "The edge servers that show what is published: told when a name gets other content.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            admin: r.list(
                "admin",
                &[],
                "Their admin listeners, such as http://10.0.0.7:8081; one of each fleet that shares Redis.",
            ),
            token: r.secret("token", "The token of their admin listeners."),
            origin: r.string("origin", "store", "What they call the origin that is this store's names."),
            prefix: r.string("prefix", "/a/", "Of the URLs that they show published names under."),
            warm: r.list("warm", &[], "Transforms that are made before anybody asks, such as w=640&f=auto."),
        };
        if !config.prefix.starts_with('/') || !config.prefix.ends_with('/') {
            r.reject("prefix", &config.prefix, "a path that begins and ends with a slash", "");
        }
        for url in config.admin.iter().filter(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            r.reject("admin", url, "an http or https URL", "");
        }
        config
    }
}

/// Uploads that clients put into the bucket themselves.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct ArrivalsConfig {
    pub queue_url: String,
    pub access: Access,
}

impl Section for ArrivalsConfig {
    const DOC: &'static str = "The SQS queue that S3 tells of new objects below staging/: direct uploads are then completed without a word of the client.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            queue_url: r.required(
                "queue_url",
                "https://sqs.eu-central-1.amazonaws.com/123456789012/arrivals",
                "The queue.",
            ),
            access: Access::read(r),
        }
    }
}

/// Somebody who is told of events.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct WebhookConfig {
    pub url: String,
    pub secret: Option<Secret>,
    pub tenants: Vec<TenantId>,
    pub events: Vec<EventName>,
    pub allow_private: Vec<Network>,
}

impl Section for WebhookConfig {
    const DOC: &'static str = "Somebody who is told of events, by signed requests: docs/ingest.md#webhooks.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            url: r.required("url", "https://hooks.example.org/tintype", "Where to."),
            secret: r.secret("secret", "Signs each request (HMAC with SHA-256). Required; 16 bytes or more."),
            tenants: r.list("tenants", &[], "Of these tenants; empty: of all."),
            events: r.list("events", &[], "Of these kinds, such as created, replaced, deleted; empty: of all."),
            allow_private: r.list(
                "allow_private",
                &[],
                "Networks (CIDR) that may be reached although they are private.",
            ),
        };
        if r.is_set("url") && config.secret.as_ref().is_none_or(|secret| secret.expose().len() < 16) {
            r.reject("secret", "[redacted]", "a text of 16 bytes or more", "unsigned, nobody could tell who sent it");
        }
        config
    }
}

/// A kind of event, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventName(pub catalog::EventKind);

impl std::str::FromStr for EventName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kinds = catalog::EventKind::ALL.into_iter();
        kinds
            .filter(|kind| kind.as_str() == text)
            .map(Self)
            .next()
            .ok_or("is one of created, replaced, changed, moved, deleted, restored, erased, quarantined")
    }
}
