//! `[server]`: sockets, their limits and time-outs.

use super::Address;
use service::config::{Choice, Reader, Section};
use service::network::Network;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
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
    pub listen: Vec<Address>,
    pub unix_mode: FileMode,
    pub proxy_protocol: Vec<Network>,
    pub admin: SocketAddr,
    pub runtime: Runtime,
    pub threads: usize,
    pub file_threads: usize,
    pub max_connections: usize,
    pub max_connections_per_client: u32,
    pub max_streams: u32,
    pub max_head_bytes: usize,
    pub max_target_bytes: usize,
    pub header_timeout: Duration,
    pub idle_timeout: Duration,
    pub write_timeout: Duration,
    pub stream_timeout: Duration,
    pub max_resets: u32,
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
            listen: r.list("listen", &["127.0.0.1:8080"], "Addresses for cleartext HTTP/1.1 and HTTP/2 (prior knowledge): 127.0.0.1:8080, [::]:80, or unix:/run/tintype.sock. Peers on a Unix socket count as 127.0.0.1."),
            unix_mode: r.parsed("unix_mode", "0660", "Who may connect to Unix sockets: the mode of their files, in octal."),
            proxy_protocol: r.list("proxy_protocol", &[], "Peers (CIDR), such as your load balancer's subnet, whose connections begin with a PROXY protocol header (version 2), and the client's address in it. Theirs are refused without; others are served as they are. Not for HTTP/3."),
            admin: r.parsed("admin", "127.0.0.1:8081", "Address of /healthz, /readyz and /metrics. Never make it public."),
            runtime: r.choice("runtime", Runtime::PerCore, "per-core: fastest with many connections. multi-thread: evener with few, busy ones."),
            threads: r.int("threads", 0, 0..=1024, "Threads for sockets; 0 is one per core."),
            file_threads: r.int("file_threads", 64, 2..=512, "Threads that read files for file origins, in all."),
            max_connections: r.int("max_connections", 10_000, 1..=1_000_000, "Connections open at once; further ones wait in the kernel's queue."),
            max_connections_per_client: r.int("max_connections_per_client", 2_000, 0..=1_000_000, "Of these, connections of one client (an IPv4 address, an IPv6 /64); further ones are closed. 0: no limit. This machine and trusted_proxies have none."),
            max_streams: r.int("max_streams", 128, 1..=10_000, "Requests at once on one connection of HTTP/2 or HTTP/3."),
            max_head_bytes: r.int("max_head_bytes", 32_768, 8_192..=1_048_576, "Bytes of a request's head; more is answered 431."),
            max_target_bytes: r.int("max_target_bytes", 8_192, 256..=65_000, "Bytes of path and query; more is answered 414."),
            header_timeout: r.duration("header_timeout", "10s", "100ms"..="5m", "Longest time to send a request's head."),
            idle_timeout: r.duration("idle_timeout", "75s", "100ms"..="1h", "Longest pause between requests on a connection. Keep it above your CDN's own (CloudFront: 5 s, up to 60 s), so that the CDN closes first."),
            write_timeout: r.duration("write_timeout", "30s", "100ms"..="1h", "Longest pause in which a peer takes no byte of a response."),
            stream_timeout: r.duration("stream_timeout", "2m", "100ms"..="1h", "On HTTP/2 and HTTP/3, where each response waits on its own: longest time to take 64 KiB of one."),
            max_resets: r.int("max_resets", 200, 0..=1_000_000, "Requests that a client may give up on one connection of HTTP/2 or HTTP/3, besides one for each that it let finish; then the connection is ended."),
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
        config
    }
}

/// A file's mode: 0660 lets its owner and group read and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileMode(pub u32);

/// A text that is no file mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileModeError;

impl fmt::Display for FileModeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected three or four octal digits, such as 0660")
    }
}

impl std::error::Error for FileModeError {}

impl FromStr for FileMode {
    type Err = FileModeError;

    fn from_str(text: &str) -> Result<Self, FileModeError> {
        let octal = matches!(text.len(), 3 | 4) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        let mode = u32::from_str_radix(text, 8).ok().filter(|&mode| octal && mode <= 0o777);
        mode.map(Self).ok_or(FileModeError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_octal() {
        assert_eq!(("0660".parse(), "600".parse()), (Ok(FileMode(0o660)), Ok(FileMode(0o600))));
        for text in ["", "66", "0x66", "0680", "+660", "1777", "rw-rw----"] {
            assert_eq!(text.parse::<FileMode>(), Err(FileModeError), "{text}");
        }
    }
}
