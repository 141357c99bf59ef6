//! The Redis tier: one node or a cluster, over a few multiplexed connections that connect again by themselves.
//!
//! The only file that names the redis client. Knows bytes under names; deadlines, breaker and envelope are others'.
//! Invariant: nothing is connected when the server starts, so that a Redis that is down delays nobody.

use super::config::{RedisConfig, RedisUrl};
use super::tier::{Failure, Later, Name, Tier};
use bytes::Bytes;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Client, Cmd, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

/// The tier.
pub struct Redis {
    links: Vec<Link>,
    turn: AtomicUsize,
    prefix: String,
    max_entry: u64,
}

enum Link {
    Node(ConnectionManager),
    /// Learns the cluster's layout when it is first used.
    Cluster(Box<(ClusterClient, OnceCell<ClusterConnection>)>),
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("links", &self.links.len()).finish_non_exhaustive()
    }
}

impl Redis {
    /// Reads the addresses; connects when first asked. To be called within a tokio runtime, which does the connecting.
    ///
    /// # Errors
    /// An address that cannot be read; the text does not hold it, since it may hold a password.
    pub fn new(config: &RedisConfig) -> Result<Self, String> {
        let node =
            |url| node(config, url).map_err(|_| "cache.redis.urls: not an address such as redis://127.0.0.1:6379/0");
        let nodes = config.urls.iter().map(node).collect::<Result<Vec<_>, _>>()?;
        let unusable = |error: RedisError| format!("cache.redis: {}", error.detail().unwrap_or("cannot be used"));
        let links = (0..config.connections.max(1)).map(|_| Link::new(config, &nodes).map_err(unusable));
        Ok(Self {
            links: links.collect::<Result<_, _>>()?,
            turn: AtomicUsize::new(0),
            prefix: config.prefix.clone(),
            max_entry: config.max_entry,
        })
    }

    fn key(&self, name: &Name) -> Vec<u8> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut key = Vec::with_capacity(self.prefix.len() + 64);
        key.extend_from_slice(self.prefix.as_bytes());
        key.extend(name.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
        key
    }

    async fn ask<T: FromRedisValue>(&self, command: Cmd) -> Result<T, Failure> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.links.len();
        let link = &self.links[turn];
        match link.ask(&command).await {
            // A connection that died while nobody used it says so first to whoever uses it next; it has begun to connect
            // again by then. All commands here may be said twice.
            Err(error) if error.is_connection_dropped() => link.ask(&command).await,
            result => result,
        }
        .map_err(|error| failure(&error))
    }
}

/// An address with the name and password that all nodes have.
fn node(config: &RedisConfig, url: &RedisUrl) -> Result<ConnectionInfo, RedisError> {
    let info = url.expose().into_connection_info()?;
    let mut settings = info.redis_settings().clone();
    if let Some(username) = &config.username {
        settings = settings.set_username(username);
    }
    if let Some(password) = &config.password {
        settings = settings.set_password(password.expose());
    }
    Ok(info.set_redis_settings(settings))
}

impl Link {
    fn new(config: &RedisConfig, nodes: &[ConnectionInfo]) -> Result<Self, RedisError> {
        // What a level gives a write is the longest that anybody waits.
        let longest = config.guards.timeout * super::level::PATIENCE;
        if let [node] = nodes {
            let manager = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(config.connect_timeout))
                .set_response_timeout(Some(longest))
                // The breaker decides when the next try is; a request does not wait for several.
                .set_number_of_retries(0);
            return Ok(Self::Node(ConnectionManager::new_lazy_with_config(Client::open(node.clone())?, manager)?));
        }
        let client = ClusterClient::builder(nodes.iter().cloned())
            .connection_timeout(config.connect_timeout)
            .response_timeout(longest)
            .retries(1)
            .build()?;
        Ok(Self::Cluster(Box::new((client, OnceCell::new()))))
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        match self {
            Self::Node(manager) => command.query_async(&mut manager.clone()).await,
            Self::Cluster(cluster) => {
                let (client, cell) = &**cluster;
                let connection = cell.get_or_try_init(|| client.get_async_connection()).await?;
                command.query_async(&mut connection.clone()).await
            }
        }
    }
}

fn failure(error: &RedisError) -> Failure {
    if error.is_timeout() {
        return Failure::Timeout;
    }
    match error.code() {
        // The budget of `maxmemory` is used up, and its policy lets nothing go.
        Some("OOM") => Failure::Full,
        _ => Failure::Refused(error.to_string()),
    }
}

impl Tier for Redis {
    fn get<'a>(&'a self, name: &'a Name) -> Later<'a, Result<Option<Bytes>, Failure>> {
        Box::pin(async move { self.ask(Cmd::get(self.key(name))).await })
    }

    fn put<'a>(&'a self, name: &'a Name, bytes: Bytes, keep: Duration) -> Later<'a, Result<(), Failure>> {
        Box::pin(async move {
            if bytes.len() as u64 > self.max_entry {
                return Err(Failure::TooLarge);
            }
            let mut command = redis::cmd("SET");
            let millis = u64::try_from(keep.as_millis()).unwrap_or(u64::MAX).clamp(1, u64::MAX >> 12);
            command.arg(self.key(name)).arg(&bytes[..]).arg("PX").arg(millis);
            self.ask(command).await
        })
    }

    fn remove<'a>(&'a self, name: &'a Name) -> Later<'a, Result<(), Failure>> {
        Box::pin(async move { self.ask(Cmd::unlink(self.key(name))).await })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::config::CacheConfig;
    use crate::cache::contract;

    /// As the config makes it, with time for a busy machine.
    fn tier(urls: &[String]) -> Result<Redis, String> {
        let mut sets = vec![
            format!("redis.urls={}", urls.join(",")),
            "redis.connections=3".to_owned(),
            "redis.timeout=30s".to_owned(),
            "redis.connect_timeout=30s".to_owned(),
            "redis.max_entry=300000".to_owned(),
        ];
        if urls.iter().any(|url| url.contains("name-and-password")) {
            sets.extend(["redis.username=default".to_owned(), "redis.password=open-sesame".to_owned()]);
        }
        let config = service::config::load::<CacheConfig>(None, [], &sets).map_err(|errors| errors.to_string())?;
        Redis::new(&config.config.redis.expect("given"))
    }

    #[tokio::test]
    async fn the_contract_holds() {
        let Some(server) = testkit::Redis::start(&[]) else { return };
        contract::holds(&tier(&[server.url()]).expect("an address"), 300_000).await;
        assert!(server.tell("DBSIZE").starts_with(':'));
    }

    #[tokio::test]
    async fn it_comes_back_after_a_crash() {
        let Some(mut server) = testkit::Redis::start(&[]) else { return };
        let tier = tier(&[server.url()]).expect("an address");
        let bytes = Bytes::from_static(b"x");
        tier.put(&[1; 32], bytes.clone(), Duration::from_secs(60)).await.expect("put");
        server.kill();
        assert!(tier.get(&[1; 32]).await.is_err(), "an answer, not a hang");
        server.restart();
        let began = std::time::Instant::now();
        while tier.put(&[1; 32], bytes.clone(), Duration::from_secs(60)).await.is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not come back");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(tier.get(&[1; 32]).await, Ok(Some(bytes)));
    }

    #[tokio::test]
    async fn a_password_is_needed_and_never_told() {
        let Some(server) = testkit::Redis::start(&["--requirepass", "open-sesame"]) else { return };
        let with = |password: &str| tier(&[format!("redis://:{password}@{}", server.address)]).expect("an address");
        assert_eq!(with("open-sesame").get(&[1; 32]).await, Ok(None));
        let Err(Failure::Refused(why)) = with("not-it-at-all").get(&[1; 32]).await else { panic!("refused") };
        assert!(!why.contains("not-it"), "{why}");
        let broken = tier(&["redis//:secret@host".into()]).expect_err("no address");
        assert!(broken.contains("redis://") && !broken.contains("secret"), "{broken}");
    }

    #[tokio::test]
    async fn the_contract_holds_for_a_cluster() {
        let Some(cluster) = testkit::redis::Cluster::start() else { return };
        // Two of three: the third is learnt.
        contract::holds(&tier(&cluster.urls()[..2]).expect("addresses"), 300_000).await;
    }

    #[tokio::test]
    async fn a_full_server_says_so() {
        let Some(server) = testkit::Redis::start(&["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"]) else {
            return;
        };
        let tier = tier(&[server.url()]).expect("an address");
        let mut results = Vec::new();
        for number in 0..20 {
            results.push(tier.put(&[number; 32], vec![0; 250_000].into(), Duration::from_secs(60)).await);
        }
        assert_eq!(results.last(), Some(&Err(Failure::Full)));
    }
}
