//! `[server]`: sockets, their limits and time-outs.

use crate::network::Network;
use service::config::{Choice, Reader, Section};
use std::net::SocketAddr;
use std::time::Duration;

/// How sockets are spread over threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// One single-threaded runtime per thread, each with its own sockets.
    PerCore,
    /// One runtime with work stealing.
    MultiThread,
}

impl Choice for Runtime {
    const NAMES: &'static [(&'static str, Self)] = &[("per-core", Self::PerCore), ("multi-thread", Self::MultiThread)];
}

/// The listeners and their limits.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct ServerConfig {
    pub listen: Vec<SocketAddr>,
    pub admin: SocketAddr,
    pub runtime: Runtime,
    pub threads: usize,
    pub file_threads: usize,
    pub max_connections: usize,
    pub max_streams: u32,
    pub max_head_bytes: usize,
    pub max_target_bytes: usize,
    pub header_timeout: Duration,
    pub idle_timeout: Duration,
    pub write_timeout: Duration,
    pub trusted_proxies: Vec<Network>,
    pub name: String,
}

impl ServerConfig {
    /// Threads for sockets; 0 in the config means one per core.
    pub fn threads(&self) -> usize {
        if self.threads > 0 { self.threads } else { crate::config::cores() }
    }
}

impl Section for ServerConfig {
    const DOC: &'static str = "Sockets, their limits and time-outs.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            listen: r.list("listen", &["127.0.0.1:8080"], "Addresses for cleartext HTTP/1.1 and HTTP/2 (prior knowledge)."),
            admin: r.parsed("admin", "127.0.0.1:8081", "Address of /healthz, /readyz and /metrics. Never make it public."),
            runtime: r.choice("runtime", Runtime::PerCore, "per-core: fastest with many connections. multi-thread: evener with few, busy ones."),
            threads: r.int("threads", 0, 0..=1024, "Threads for sockets; 0 is one per core."),
            file_threads: r.int("file_threads", 64, 2..=512, "Threads that read files for file origins, in all."),
            max_connections: r.int("max_connections", 10_000, 1..=1_000_000, "Connections open at once; further ones wait in the kernel's queue."),
            max_streams: r.int("max_streams", 128, 1..=10_000, "Requests at once on one HTTP/2 connection."),
            max_head_bytes: r.int("max_head_bytes", 32_768, 8_192..=1_048_576, "Bytes of a request's head; more is answered 431."),
            max_target_bytes: r.int("max_target_bytes", 8_192, 256..=65_000, "Bytes of path and query; more is answered 414."),
            header_timeout: r.duration("header_timeout", "10s", "100ms"..="5m", "Longest time to send a request's head."),
            idle_timeout: r.duration("idle_timeout", "75s", "100ms"..="1h", "Longest pause between requests on a connection. Keep it above your CDN's own (CloudFront: 5 s, up to 60 s), so that the CDN closes first."),
            write_timeout: r.duration("write_timeout", "30s", "100ms"..="1h", "Longest pause in which a peer takes no byte of a response."),
            trusted_proxies: r.list("trusted_proxies", &[], "Peers (CIDR) whose X-Forwarded-For, -Proto and -Host are believed, such as your load balancer's subnet."),
            name: r.string(
                "name",
                "tintype",
                "Its name in Via and CDN-Loop of requests to origins; one that comes back with it is refused as a loop. \
                 Give servers that stand behind each other different names.",
            ),
        };
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if config.name.is_empty() || !config.name.bytes().all(is_token) {
            r.reject("name", &config.name, "letters, digits, - and .", "");
        }
        if config.listen.is_empty() {
            r.reject("listen", "[]", "at least one address", "such as [\"127.0.0.1:8080\"]");
        }
        config
    }
}
