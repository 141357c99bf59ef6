//! `[[origins]]`: where originals come from.

use super::http::config::HttpConfig;
use super::s3::config::S3Config;
use aws::bucket::{BucketName, Prefix};
use aws::config::{Endpoint, RegionName};
use service::config::{Choice, Reader, Section};
use service::network::Network;
use std::path::PathBuf;

/// The kinds of origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// A folder.
    File,
    /// A server.
    Http,
    /// A bucket.
    S3,
}

impl OriginKind {
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

impl Choice for OriginKind {
    const NAMES: &'static [(&'static str, Self)] = &[("file", Self::File), ("http", Self::Http), ("s3", Self::S3)];
}

/// One origin.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct OriginConfig {
    pub name: String,
    pub kind: OriginKind,
    pub root: Option<PathBuf>,
    pub folder: Prefix,
    pub base: Option<String>,
    pub allow_private: Vec<Network>,
    pub max_bytes: u64,
    pub http: HttpConfig,
    pub bucket: Option<BucketName>,
    pub prefix: Prefix,
    pub endpoint: Option<Endpoint>,
    pub region: Option<RegionName>,
    pub path_style: Option<bool>,
    pub s3: S3Config,
}

impl Section for OriginConfig {
    const DOC: &'static str = "Where originals come from.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            name: r.required("name", "samples", "What routes call it; part of every cache key."),
            kind: r.choice("kind", OriginKind::File, "file: a folder of this machine. http: a server. s3: a bucket."),
            root: r.optional_parsed(
                "root",
                "samples",
                "file: the folder. Nothing outside it can be reached, also not by symbolic links.",
            ),
            folder: r
                .optional_parsed(
                    "folder",
                    "names/",
                    "file, s3: the part of the root or prefix that is served, with a slash at its end; links may lead to the rest.",
                )
                .unwrap_or_default(),
            base: r.optional_string(
                "base",
                "https://photos.example.org/originals/",
                "http: what comes before the path of an original. A `?` in that path (%3F in ours) begins the query there.",
            ),
            allow_private: r.list(
                "allow_private",
                &[],
                "http: networks (CIDR) that may be reached although they are private, such as 10.0.0.0/8. All others must be \
                 global, also where redirects lead.",
            ),
            max_bytes: r.bytes(
                "max_bytes",
                "64MiB",
                "1KiB"..="4GiB",
                "Largest original; larger ones are answered 422.",
            ),
            bucket: r.optional_parsed("bucket", "originals", "s3: the bucket."),
            prefix: r
                .optional_parsed("prefix", "photos/", "s3: what comes before the path of an original; ends with a slash.")
                .unwrap_or_default(),
            endpoint: r.optional_parsed("endpoint", "http://127.0.0.1:9000", "s3: the server, where it is not Amazon's own."),
            region: r.optional_parsed(
                "region",
                "eu-central-1",
                "s3: left out: AWS_REGION, the profile's, the machine's; with an endpoint at last us-east-1.",
            ),
            path_style: r.optional_bool(
                "path_style",
                true,
                "s3: http://server/bucket/key rather than http://bucket.server/key. Left out: where an endpoint is given.",
            ),
            http: r.section("http"),
            s3: r.section("s3"),
        };
        if config.name.is_empty() || config.name.contains('|') {
            r.reject("name", &config.name, "a name without |", "");
        }
        config.check_kind(r);
        config
    }
}

impl OriginConfig {
    /// Each kind has keys that it needs, and that mean nothing to the others.
    fn check_kind(&self, r: &mut Reader<'_>) {
        let own = [
            (OriginKind::File, "root", self.root.is_some(), "a folder"),
            (OriginKind::Http, "base", self.base.is_some(), "a URL"),
            (OriginKind::S3, "bucket", self.bucket.is_some(), "a bucket"),
        ];
        for (kind, key, given, what) in own {
            let name = kind.name();
            if kind == self.kind && !given {
                r.reject(key, "", what, format!("an origin of kind {name} has a {key}"));
            } else if kind != self.kind && given {
                r.reject(key, "", format!("no {key}"), format!("that is for origins of kind {name}"));
            }
        }
        if self.kind == OriginKind::Http && r.is_set("folder") {
            r.reject("folder", &self.folder, "no folder", "that is for origins of kind file and s3");
        }
        for key in ["prefix", "endpoint", "region", "path_style"] {
            if self.kind == OriginKind::S3 || !r.is_set(key) {
                continue;
            }
            r.reject(key, "", format!("no {key}"), "that is for origins of kind s3");
        }
    }
}
