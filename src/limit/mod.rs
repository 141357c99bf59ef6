//! How many misses one client network and one signing key may cause.
//!
//! Knows addresses and key ids, not pictures. The instance's own buckets are asked first: who is over the limit here is
//! over the fleet's. Invariant: memory is of fixed size, however many clients there are; hits do not come here.

pub mod config;
mod fleet;

pub use service::rate::Rule;

use crate::cache::redis::Redis;
use config::LimitsConfig;
use fleet::{Fleet, Verdict};
use service::network::Network;
use service::rate::Table;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Who causes a miss.
#[derive(Clone, Copy, Debug)]
pub struct Payer<'a> {
    /// The client, as far as proxies that are believed tell.
    pub address: IpAddr,
    /// The key that its URL is signed with.
    pub key: Option<&'a str>,
}

/// Whose limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The client network's.
    Network,
    /// The signing key's.
    Key,
    /// The tenant's.
    Tenant,
}

impl Scope {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Key => "key",
            Self::Tenant => "tenant",
        }
    }
}

/// Too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// Whose limit it is.
    pub scope: Scope,
    /// When there is a token again.
    pub retry: Duration,
}

/// The limits in force.
#[derive(Debug)]
pub struct Limits {
    network: Option<Table>,
    key: Option<Table>,
    prefixes: (u8, u8),
    exempt: Vec<Network>,
    fleet: Option<Fleet>,
    start: Instant,
    tick: fn() -> Instant,
}

impl Limits {
    /// `redis` is where the fleet counts; `tick` tells the time.
    pub fn new(config: &LimitsConfig, redis: Option<Redis>, tick: fn() -> Instant) -> Self {
        Self {
            network: config.network.map(Table::new),
            key: config.key.map(Table::new),
            prefixes: (config.ipv4_prefix, config.ipv6_prefix),
            exempt: config.exempt.clone(),
            fleet: redis.filter(|_| config.fleet).map(Fleet::new),
            start: tick(),
            tick,
        }
    }

    /// Takes a token of each limit that the payer is under.
    ///
    /// # Errors
    /// One of them is reached.
    pub async fn charge(&self, payer: Payer<'_>) -> Result<(), Limited> {
        if self.exempt.iter().any(|network| network.contains(payer.address)) {
            return Ok(());
        }
        if let Some(table) = &self.network {
            let network = Network::around(payer.address, self.prefixes.0, self.prefixes.1);
            self.take(table, Scope::Network, &format!("n:{network}")).await?;
        }
        if let (Some(table), Some(key)) = (&self.key, payer.key) {
            self.take(table, Scope::Key, &format!("k:{key}")).await?;
        }
        Ok(())
    }

    async fn take(&self, table: &Table, scope: Scope, name: &str) -> Result<(), Limited> {
        let limited = |retry| Limited { scope, retry };
        table.take(name, (self.tick)() - self.start).map_err(limited)?;
        let Some(fleet) = &self.fleet else { return Ok(()) };
        match fleet.take(name, table.rule()).await {
            Verdict::Taken | Verdict::Unknown => Ok(()),
            Verdict::Wait(retry) => Err(limited(retry)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(sets: &[&str]) -> Limits {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        let loaded = service::config::load::<LimitsConfig>(None, [], &sets).expect("a sound config");
        Limits::new(&loaded.config, None, Instant::now)
    }

    async fn charge(limits: &Limits, address: &str, key: Option<&str>) -> Option<Scope> {
        let address = address.parse().expect("an address");
        limits.charge(Payer { address, key }).await.err().map(|limited| limited.scope)
    }

    #[tokio::test]
    async fn networks_and_keys_have_limits_of_their_own() {
        let limits =
            limits(&["network_rate=0.001", "network_burst=2", "key_rate=0.001", "key_burst=3", "exempt=10.0.0.0/8"]);
        assert_eq!(charge(&limits, "192.0.2.1", Some("a")).await, None);
        assert_eq!(charge(&limits, "::ffff:192.0.2.200", Some("a")).await, None);
        assert_eq!(charge(&limits, "192.0.2.3", None).await, Some(Scope::Network));
        assert_eq!(charge(&limits, "2001:db8:0:100::1", Some("a")).await, None);
        assert_eq!(charge(&limits, "2001:db8:0:1ff::2", Some("a")).await, Some(Scope::Key), "the same /56");
        assert_eq!(charge(&limits, "2001:db8:0:180::3", Some("b")).await, Some(Scope::Network), "the token is spent");
        assert_eq!(charge(&limits, "2001:db8:0:200::1", Some("b")).await, None);
        for _ in 0..10 {
            assert_eq!(charge(&limits, "10.1.2.3", Some("a")).await, None, "exempt");
        }
    }

    #[tokio::test]
    async fn without_rates_nobody_is_limited() {
        let limits = limits(&[]);
        for _ in 0..1000 {
            assert_eq!(charge(&limits, "192.0.2.1", Some("a")).await, None);
        }
    }
}
