//! `[[origins]]`: where originals come from.

use super::http::config::HttpConfig;
use crate::network::Network;
use service::config::{Choice, Reader, Section};
use std::path::PathBuf;

/// The kinds of origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OriginKind {
    /// A folder.
    File,
    /// A server.
    Http,
}

impl Choice for OriginKind {
    const NAMES: &'static [(&'static str, Self)] = &[("file", Self::File), ("http", Self::Http)];
}

/// One origin.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct OriginConfig {
    pub name: String,
    pub kind: OriginKind,
    pub root: Option<PathBuf>,
    pub base: Option<String>,
    pub allow_private: Vec<Network>,
    pub max_bytes: u64,
    pub http: HttpConfig,
}

impl Section for OriginConfig {
    const DOC: &'static str = "Where originals come from.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            name: r.required("name", "samples", "What routes call it; part of every cache key."),
            kind: r.choice("kind", OriginKind::File, "file: a folder of this machine. http: a server."),
            root: r.optional_parsed(
                "root",
                "samples",
                "file: the folder. Nothing outside it can be reached, also not by symbolic links.",
            ),
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
            http: r.section("http"),
        };
        if config.name.is_empty() || config.name.contains('|') {
            r.reject("name", &config.name, "a name without |", "");
        }
        let (root, base) = (config.root.is_some(), config.base.is_some());
        match config.kind {
            OriginKind::File if !root => r.reject("root", "", "a folder", "an origin of kind file has a root"),
            OriginKind::Http if !base => r.reject("base", "", "a URL", "an origin of kind http has a base"),
            OriginKind::File if base => r.reject("base", "", "no base", "that is for origins of kind http"),
            OriginKind::Http if root => r.reject("root", "", "no root", "that is for origins of kind file"),
            _ => {}
        }
        config
    }
}
