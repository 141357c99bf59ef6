//! `[server]` and `[limits]` of a companion.
//!
//! Each binary has ports of its own by default ([`Place`]), so that all of them can run on one machine.

use service::config::{Reader, Section};
use service::network::Network;
use service::rate::Rule;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::time::Duration;

/// Which companion it is, and where it listens unless it is told otherwise.
pub trait Place: Send + Sync + 'static {
    /// The name: first segment of all paths, label of metrics.
    const NAME: &'static str;
    /// The binary: `tintype-NAME`.
    const BINARY: &'static str;
    /// Where it listens.
    const LISTEN: &'static str;
    /// Its admin listener.
    const ADMIN: &'static str;
}

/// Where it listens.
#[derive(Clone, Debug)]
pub struct Server<P> {
    /// For requests.
    pub listen: SocketAddr,
    /// For probes, metrics and acts of whoever runs it.
    pub admin: SocketAddr,
    /// Connections open at once.
    pub connections: usize,
    /// Longest wait for a request's head; also closes connections that are idle for so long.
    pub head_timeout: Duration,
    place: PhantomData<fn() -> P>,
}

impl<P: Place> Section for Server<P> {
    const DOC: &'static str = "Sockets. TLS is the business of the balancer or proxy in front.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            listen: r.parsed("listen", P::LISTEN, "Address for HTTP/1.1."),
            admin: r.parsed("admin", P::ADMIN, "Address for /healthz, /readyz and /metrics. Never public."),
            connections: r.int("connections", 4096, 1..=1_000_000, "Connections open at once; further ones wait."),
            head_timeout: r.duration(
                "head_timeout",
                "15s",
                "1s"..="10m",
                "Longest wait for a request's head; also ends idle connections.",
            ),
            place: PhantomData,
        }
    }
}

/// How much requests may take.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct Limits {
    pub body: u64,
    pub deadline: Duration,
    pub stalled: Duration,
    pub requests: usize,
    pub rate: Option<Rule>,
    pub exempt: Vec<Network>,
    pub ipv4_prefix: u8,
    pub ipv6_prefix: u8,
    pub trusted_proxies: Vec<Network>,
}

/// The fastest rate; beyond, a limit is none.
const FASTEST: f64 = 100_000.0;

impl Section for Limits {
    const DOC: &'static str = "How much requests may take. Uploads have limits of their own.";

    fn read(r: &mut Reader<'_>) -> Self {
        let rate = r.float(
            "rate",
            50.0,
            0.0..=FASTEST,
            "Requests a second of one client network in the long run; 0.0 is no limit. Beyond: 429 with Retry-After. Set \
             trusted_proxies first where a proxy stands in between: else all of its clients are one.",
        );
        let burst = r.int("burst", 500, 1..=1_000_000, "Requests that it may send at once after a rest.");
        Self {
            body: r.bytes("body", "1MiB", "1KiB"..="64MiB", "Largest body of a request. Beyond: 413."),
            deadline: r.duration("deadline", "30s", "100ms"..="10m", "Longest time to an answer. Beyond: 503."),
            stalled: r.duration("stalled", "30s", "1s"..="10m", "Longest wait for more of a body."),
            requests: r.int("requests", 512, 1..=100_000, "Requests at work at once. Beyond: 503 with Retry-After."),
            rate: (rate > 0.0).then(|| Rule::new(rate, burst)),
            exempt: r.list("exempt", &[], "Networks without a limit of rate, such as 10.0.0.0/8."),
            ipv4_prefix: r.int("ipv4_prefix", 24, 8..=32, "Bits of an IPv4 address that make a client network."),
            ipv6_prefix: r.int("ipv6_prefix", 56, 16..=128, "Likewise of an IPv6 address."),
            trusted_proxies: r.list(
                "trusted_proxies",
                &[],
                "Networks of proxies whose X-Forwarded-For and -Proto are believed.",
            ),
        }
    }
}
