//! `[limits]`: how many misses one client network or one signing key may cause.

use service::config::{Reader, Section};
use service::network::Network;
use service::rate::Rule;

/// The limits.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct LimitsConfig {
    pub network: Option<Rule>,
    pub key: Option<Rule>,
    pub ipv4_prefix: u8,
    pub ipv6_prefix: u8,
    pub exempt: Vec<Network>,
    pub fleet: bool,
}

/// The fastest rate; beyond, a limit is none.
const FASTEST: f64 = 100_000.0;

impl Section for LimitsConfig {
    const DOC: &'static str = "How many misses one client may cause: originals fetched and renditions made. Hits are never limited. Beyond a \
        limit: 429 with Retry-After. See docs/overload.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let mut rule = |rate, burst, most: u32, what_rate, what_burst| {
            let rate = r.float(rate, 0.0, 0.0..=FASTEST, what_rate);
            let burst = r.int(burst, most, 1..=1_000_000, what_burst);
            (rate > 0.0).then(|| Rule::new(rate, burst))
        };
        let network = rule(
            "network_rate",
            "network_burst",
            100,
            "Misses a second that one client network may cause in the long run; 0.0 is no limit. Set server.trusted_proxies \
             first where a proxy or CDN stands in between: else all of its clients are one.",
            "Misses that it may cause at once after a rest.",
        );
        let key = rule(
            "key_rate",
            "key_burst",
            1_000,
            "Misses a second that URLs signed with one key may cause in the long run; 0.0 is no limit.",
            "Misses that they may cause at once after a rest.",
        );
        Self {
            network,
            key,
            ipv4_prefix: r.int("ipv4_prefix", 24, 8..=32, "Bits of an IPv4 address that make a network."),
            ipv6_prefix: r.int("ipv6_prefix", 56, 16..=128, "Bits of an IPv6 address that make a network."),
            exempt: r.list("exempt", &[], "Networks (CIDR) that are not limited, such as your own."),
            fleet: r.bool(
                "fleet",
                true,
                "Count over all instances, where cache.redis is configured; without an answer from there each counts for itself.",
            ),
        }
    }
}
