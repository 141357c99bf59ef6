//! `[origins.http]`: how an origin is reached over HTTP.
//!
//! Each key with its default and bounds. Invariant: no key switches the judgement of addresses or of certificates off.

use super::allow::Pattern;
use crate::pace::Pace;
use service::config::{Choice, Reader, Secret, Section};
use std::path::PathBuf;
use std::time::Duration;

/// What the origin's 401 and 403 become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// 404: it is nobody's business what exists.
    NotFound,
    /// 403.
    Forbidden,
}

impl Choice for Forbidden {
    const NAMES: &'static [(&'static str, Self)] = &[("not-found", Self::NotFound), ("forbidden", Self::Forbidden)];
}

/// How an origin is reached.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct HttpConfig {
    pub redirects: usize,
    pub allow: Vec<Pattern>,
    pub http2: bool,
    pub ca_file: Option<PathBuf>,
    pub connect_timeout: Duration,
    pub tls_timeout: Duration,
    pub pace: Pace,
    pub idle_connections: usize,
    pub keep_alive: Duration,
    pub forbidden: Forbidden,
    pub headers: Vec<HeaderConfig>,
}

impl Section for HttpConfig {
    const DOC: &'static str = "How an origin of kind http is reached: see docs/origins.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            redirects: r.int("redirects", 3, 0..=20, "Redirects that are followed in a row; each is checked anew."),
            allow: r.list(
                "allow",
                &[],
                "Where redirects may lead beside the origin's own host: cdn.example.org, *.example.org, \
                 http://img.example.org:8080/photos/.",
            ),
            http2: r.bool("http2", true, "Offer HTTP/2 to https origins."),
            ca_file: r.optional_parsed(
                "ca_file",
                "/etc/tintype/ca.pem",
                "Certificate authorities (PEM) beside those of the system.",
            ),
            connect_timeout: r.duration(
                "connect_timeout",
                "2s",
                "1ms"..="1m",
                "Longest time to look up the host's name, and again to connect to one of its addresses.",
            ),
            tls_timeout: r.duration("tls_timeout", "3s", "1ms"..="1m", "Longest TLS handshake."),
            pace: Pace::read(
                r,
                1,
                "Repeats of a request that could not be sent, or was answered 502, 503, 504, or 429 with Retry-After.",
            ),
            idle_connections: r.int("idle_connections", 32, 0..=10_000, "Idle connections that are kept, by host."),
            keep_alive: r.duration("keep_alive", "30s", "0s"..="1h", "How long an idle connection is kept."),
            forbidden: r.choice("forbidden", Forbidden::NotFound, "What the origin's 401 and 403 become."),
            headers: r.tables("headers", &[]),
        }
    }
}

/// A field of every request to the origin.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct HeaderConfig {
    pub name: String,
    pub value: Option<Secret>,
    pub file: Option<PathBuf>,
}

impl Section for HeaderConfig {
    const DOC: &'static str = "A field of every request to the origin's own host, such as an API key. Not sent where redirects lead elsewhere.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            name: r.required("name", "Authorization", "Its name."),
            value: r
                .secret("value", "Its value. Better in the environment: TINTYPE__ORIGINS__0__HTTP__HEADERS__0__VALUE."),
            file: r.optional_parsed("file", "/run/secrets/origin", "Or a file that holds it, read at the start."),
        };
        if config.value.is_some() == config.file.is_some() {
            r.reject("value", "(hidden)", "either value or file", "");
        }
        config
    }
}
