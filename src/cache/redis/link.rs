//! Connections: to one node, or to a cluster whose layout is learnt; each multiplexed, and made again by itself.
//!
//! Knows addresses and how answers fail. Invariant: no text that leaves here holds an address or a password.

use super::{Answer, Ask};
use crate::cache::config::{RedisConfig, RedisUrl};
use crate::cache::tier::Failure;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Client, ConnectionInfo, IntoConnectionInfo, RedisError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Where Redis is.
pub(super) struct Nodes {
    pub(super) infos: Vec<ConnectionInfo>,
    pub(super) connect_timeout: Duration,
}

/// One connection; of a cluster, one to each of its nodes.
pub(super) enum Link {
    Node(ConnectionManager),
    /// Learns the cluster's layout when it is first used.
    Cluster(Box<(ClusterClient, OnceCell<ClusterConnection>)>),
}

impl Nodes {
    /// # Errors
    /// An address that cannot be read.
    pub(super) fn read(config: &RedisConfig) -> Result<Self, String> {
        let node = |url| {
            node(config, url)
                .map_err(|_| "cache.redis.urls: not an address such as redis://127.0.0.1:6379/0".to_owned())
        };
        let infos = config.urls.iter().map(node).collect::<Result<_, _>>()?;
        Ok(Self { infos, connect_timeout: config.connect_timeout })
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
    /// `longest` is what any answer may take.
    ///
    /// # Errors
    /// The addresses do not go together.
    pub(super) fn new(nodes: &Nodes, longest: Duration) -> Result<Self, String> {
        Self::open(nodes, longest)
            .map_err(|error| format!("cache.redis: {}", error.detail().unwrap_or("cannot be used")))
    }

    fn open(nodes: &Nodes, longest: Duration) -> Result<Self, RedisError> {
        if let [node] = &nodes.infos[..] {
            let manager = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(nodes.connect_timeout))
                .set_response_timeout(Some(longest))
                // The breaker decides when the next try is; a request does not wait for several.
                .set_number_of_retries(0);
            return Ok(Self::Node(ConnectionManager::new_lazy_with_config(Client::open(node.clone())?, manager)?));
        }
        let client = ClusterClient::builder(nodes.infos.iter().cloned())
            .connection_timeout(nodes.connect_timeout)
            .response_timeout(longest)
            .retries(1)
            .build()?;
        Ok(Self::Cluster(Box::new((client, OnceCell::new()))))
    }

    pub(super) async fn ask<T: Answer>(&self, ask: &Ask) -> Result<T, Failure> {
        match self.say(ask).await {
            // A connection that died while nobody used it says so first to whoever uses it next; it has begun to connect
            // again by then.
            Err(error) if ask.again && error.is_connection_dropped() => self.say(ask).await,
            result => result,
        }
        .map_err(|error| failure(&error))
    }

    async fn say<T: Answer>(&self, ask: &Ask) -> Result<T, RedisError> {
        match self {
            Self::Node(manager) => ask.command.query_async(&mut manager.clone()).await,
            Self::Cluster(cluster) => {
                let (client, cell) = &**cluster;
                let connection = cell.get_or_try_init(|| client.get_async_connection()).await?;
                ask.command.query_async(&mut connection.clone()).await
            }
        }
    }
}

pub(super) fn failure(error: &RedisError) -> Failure {
    if error.is_timeout() {
        return Failure::Timeout;
    }
    match error.code() {
        // The budget of `maxmemory` is used up, and its policy lets nothing go.
        Some("OOM") => Failure::Full,
        _ => Failure::Refused(error.to_string()),
    }
}
