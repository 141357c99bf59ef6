//! Connections: to one node, or to a cluster whose layout is learnt; each multiplexed, and made again by itself.
//!
//! Knows addresses and how answers fail. Invariants: no text that leaves here holds an address or a password; a connection
//! that is open but gives no answers, because its other end is gone or it has lost count, is left for a fresh one.

use super::tls::{self, Certificates};
use super::{Answer, Ask};
use crate::cache::config::{RedisConfig, RedisUrl};
use crate::cache::tier::Failure;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::{Client, ConnectionInfo, IntoConnectionInfo, RedisError};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::OnceCell;

/// After so many questions in a row without an answer their connection is given up. The client does so by itself only where
/// it reads an end, and keeps for ever one that could not be made for certain reasons.
const UNANSWERED: u32 = 2;
/// Of a cluster more: some of its nodes may be well, and learning it anew takes time.
const UNANSWERED_BY_CLUSTER: u32 = 8;

/// Where Redis is.
pub(super) struct Nodes {
    pub(super) infos: Vec<ConnectionInfo>,
    certificates: Option<Certificates>,
    pub(super) connect_timeout: Duration,
}

/// One connection; of a cluster, one to each of its nodes.
pub(super) struct Link {
    nodes: Arc<Nodes>,
    longest: Duration,
    kind: RwLock<Arc<Kind>>,
    /// Questions in a row without an answer.
    unanswered: AtomicU32,
}

enum Kind {
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
        let mut infos = config.urls.iter().map(node).collect::<Result<Vec<_>, _>>()?;
        if infos.iter().any(tls::is_blind) {
            return Err("cache.redis.urls: #insecure is not for use: name a ca_file".to_owned());
        }
        let certificates = Certificates::read(config)?;
        if let Some(certificates) = &certificates {
            infos = infos.iter().filter_map(|info| certificates.fit(info)).collect();
        }
        Ok(Self { infos, certificates, connect_timeout: config.connect_timeout })
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
    pub(super) fn new(nodes: &Arc<Nodes>, longest: Duration) -> Result<Self, String> {
        let kind = Kind::open(nodes, longest)
            .map_err(|error| format!("cache.redis: {}", error.detail().unwrap_or("cannot be used")))?;
        let kind = RwLock::new(Arc::new(kind));
        Ok(Self { nodes: Arc::clone(nodes), longest, kind, unanswered: AtomicU32::new(0) })
    }

    pub(super) async fn ask<T: Answer>(&self, ask: &Ask) -> Result<T, RedisError> {
        let kind = Arc::clone(&self.kind.read().unwrap_or_else(PoisonError::into_inner));
        match kind.say(ask).await {
            // A connection that died while nobody used it says so first to whoever uses it next; it has begun to connect
            // again by then.
            Err(error) if ask.again && error.is_connection_dropped() => kind.say(ask).await,
            result => result,
        }
    }

    /// Leaves the connection to those who still wait for its answers. The fresh one connects when it is first asked.
    pub(super) fn renew(&self) {
        // As it went once, it goes again.
        if let Ok(kind) = Kind::open(&self.nodes, self.longest) {
            *self.kind.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(kind);
        }
        self.unanswered.store(0, Ordering::Relaxed);
    }

    /// A question was answered, perhaps with no.
    pub(super) fn answered(&self) {
        // Mostly it is 0, and a line of memory that nobody writes is nobody's to wait for.
        if self.unanswered.load(Ordering::Relaxed) != 0 {
            self.unanswered.store(0, Ordering::Relaxed);
        }
    }

    /// A question was given up before its answer came, or none came.
    pub(super) fn given_up(&self) {
        let most = if self.nodes.infos.len() == 1 { UNANSWERED } else { UNANSWERED_BY_CLUSTER };
        if self.unanswered.fetch_add(1, Ordering::Relaxed) + 1 >= most {
            self.renew();
        }
    }
}

impl Kind {
    fn open(nodes: &Nodes, longest: Duration) -> Result<Self, RedisError> {
        if let [node] = &nodes.infos[..] {
            let manager = ConnectionManagerConfig::new()
                .set_connection_timeout(Some(nodes.connect_timeout))
                .set_response_timeout(Some(longest))
                // The breaker decides when the next try is; a request does not wait for several.
                .set_number_of_retries(0);
            return Ok(Self::Node(ConnectionManager::new_lazy_with_config(Client::open(node.clone())?, manager)?));
        }
        let mut builder = ClusterClient::builder(nodes.infos.iter().cloned())
            .connection_timeout(nodes.connect_timeout)
            .response_timeout(longest)
            .retries(1);
        if let Some(certificates) = &nodes.certificates {
            builder = builder.certs(certificates.all());
        }
        Ok(Self::Cluster(Box::new((builder.build()?, OnceCell::new()))))
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
