//! The Redis tier: one node or a cluster, over a few multiplexed connections that connect again by themselves.
//!
//! The only file that names the redis client. Knows bytes under names; deadlines, breaker and envelope are others'.
//! Invariant: nothing is connected when the server starts, so that a Redis that is down delays nobody.

use super::tier::{Failure, Later, Name, Tier};
use bytes::Bytes;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Client, Cmd, FromRedisValue, RedisError};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

/// How to reach it.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// One address is a node; several are nodes of one cluster. They may hold a password: never logged.
    pub urls: Vec<String>,
    /// Before each key.
    pub prefix: String,
    /// Connections, of each node where it is a cluster's.
    pub connections: usize,
    /// For one connection to be made.
    pub connect_timeout: Duration,
    /// For one answer.
    pub timeout: Duration,
    /// Larger entries are not sent: they block the others on their connection.
    pub max_entry: u64,
}

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
    Cluster(ClusterClient, OnceCell<ClusterConnection>),
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
    pub fn new(options: &RedisOptions) -> Result<Self, String> {
        let wrong = |error: &RedisError| format!("cache.redis.urls: {}", error.kind_text());
        let links = (0..options.connections.max(1)).map(|_| Link::new(options).map_err(|error| wrong(&error)));
        Ok(Self {
            links: links.collect::<Result<_, _>>()?,
            turn: AtomicUsize::new(0),
            prefix: options.prefix.clone(),
            max_entry: options.max_entry,
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

impl Link {
    fn new(options: &RedisOptions) -> Result<Self, RedisError> {
        if let [url] = options.urls.as_slice() {
            let config = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(options.connect_timeout))
                .set_response_timeout(Some(options.timeout))
                // The breaker decides when the next try is; a request does not wait for several.
                .set_number_of_retries(0);
            return Ok(Self::Node(ConnectionManager::new_lazy_with_config(Client::open(url.as_str())?, config)?));
        }
        let client = ClusterClient::builder(options.urls.iter().map(String::as_str))
            .connection_timeout(options.connect_timeout)
            .response_timeout(options.timeout)
            .retries(1)
            .build()?;
        Ok(Self::Cluster(client, OnceCell::new()))
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        match self {
            Self::Node(manager) => command.query_async(&mut manager.clone()).await,
            Self::Cluster(client, cell) => {
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

/// The sort of an error, without its details.
trait KindText {
    fn kind_text(&self) -> &'static str;
}

impl KindText for RedisError {
    fn kind_text(&self) -> &'static str {
        match self.kind() {
            redis::ErrorKind::InvalidClientConfig => "not an address such as redis://127.0.0.1:6379/0 or rediss://…",
            _ => "cannot be used",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::contract;

    fn tier(urls: Vec<String>) -> Redis {
        let seconds = Duration::from_secs(30);
        Redis::new(&RedisOptions {
            urls,
            prefix: "test:".into(),
            connections: 3,
            connect_timeout: seconds,
            timeout: seconds,
            max_entry: 300_000,
        })
        .expect("sound addresses")
    }

    #[tokio::test]
    async fn the_contract_holds() {
        let Some(server) = testkit::Redis::start(&[]) else { return };
        contract::holds(&tier(vec![server.url()]), 300_000).await;
        assert!(server.tell("DBSIZE").starts_with(':'));
    }

    #[tokio::test]
    async fn it_comes_back_after_a_crash() {
        let Some(mut server) = testkit::Redis::start(&[]) else { return };
        let tier = tier(vec![server.url()]);
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
        let with = |password: &str| tier(vec![format!("redis://:{password}@{}", server.address)]);
        assert_eq!(with("open-sesame").get(&[1; 32]).await, Ok(None));
        let Err(Failure::Refused(why)) = with("not-it-at-all").get(&[1; 32]).await else { panic!("refused") };
        assert!(!why.contains("not-it"), "{why}");
        let broken = Redis::new(&RedisOptions {
            urls: vec!["redis//:secret@host".into()],
            prefix: String::new(),
            connections: 1,
            connect_timeout: Duration::ZERO,
            timeout: Duration::ZERO,
            max_entry: 0,
        });
        let text = broken.expect_err("no address");
        assert!(text.contains("redis://") && !text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn a_full_server_says_so() {
        let Some(server) = testkit::Redis::start(&["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"]) else {
            return;
        };
        let tier = tier(vec![server.url()]);
        let mut results = Vec::new();
        for number in 0..20 {
            results.push(tier.put(&[number; 32], vec![0; 250_000].into(), Duration::from_secs(60)).await);
        }
        assert_eq!(results.last(), Some(&Err(Failure::Full)));
    }
}
