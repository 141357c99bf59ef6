//! The shared access to Redis, one node or a cluster: what the tier, leases, purges, queues and rate limits ask through.
//!
//! The only folder that names the redis client. Owns connections, deadlines and the one breaker; what is asked is for
//! others. Invariants: nothing is connected when the server starts, so that a Redis that is down delays nobody; whoever
//! asks gets an answer or a [`Failure`] within the limit; all of it runs on the runtime that made it.

mod ask;
mod link;
mod subscription;
pub(crate) mod tier;
mod tls;

pub use ask::{Answer, Ask};
pub use subscription::{Message, Subscription};

use super::config::RedisConfig;
use super::guarded::Guarded;
use super::level::PATIENCE;
use super::tier::{Failure, Name};
use link::{Link, Nodes, failure};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;

/// The connections. Clones share them.
#[derive(Clone)]
pub struct Redis(Arc<Parts>);

struct Parts {
    links: Vec<Link>,
    turn: AtomicUsize,
    nodes: Arc<Nodes>,
    prefix: Box<str>,
    timeout: Duration,
    guarded: Arc<Guarded>,
    runtime: Handle,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("links", &self.0.links.len()).finish_non_exhaustive()
    }
}

impl Redis {
    /// Reads the addresses; connects when first asked. To be called within the tokio runtime that shall do the work.
    ///
    /// # Errors
    /// An address that cannot be read; the text does not hold it, since it may hold a password.
    pub fn new(config: &RedisConfig) -> Result<Self, String> {
        let nodes = Arc::new(Nodes::read(config)?);
        // What a level gives a write is the longest that anybody waits.
        let longest = config.guards.timeout * PATIENCE;
        let links = (0..config.connections.max(1)).map(|_| Link::new(&nodes, longest));
        Ok(Self(Arc::new(Parts {
            links: links.collect::<Result<_, _>>()?,
            turn: AtomicUsize::new(0),
            nodes,
            prefix: config.prefix.as_str().into(),
            timeout: config.guards.timeout,
            guarded: Arc::new(Guarded::new("redis", config.guards.failures, config.guards.pause)),
            runtime: Handle::current(),
        })))
    }

    /// The answer within `limit`, at most some seconds: [`Self::promptly`] where a request waits for it, [`Self::patiently`]
    /// where nobody does.
    ///
    /// # Errors
    /// No answer in time; Redis said no; or it has failed so often that it is left alone for now ([`Failure::Open`], at once).
    pub async fn ask<T>(&self, ask: Ask, limit: Duration) -> Result<T, Failure>
    where
        T: Answer + Send + 'static,
    {
        let redis = self.clone();
        // Connections belong to one runtime: a socket's thread shall neither drive them nor take them along when it ends.
        let asked = self.0.runtime.spawn(async move { redis.0.guarded.call(limit, redis.ask_here(&ask)).await });
        asked.await.unwrap_or(Err(Failure::Open))
    }

    /// The limit for what a request waits for: `cache.redis.timeout`.
    pub fn promptly(&self) -> Duration {
        self.0.timeout
    }

    /// The limit for what nobody waits for.
    pub fn patiently(&self) -> Duration {
        self.0.timeout * PATIENCE
    }

    /// Messages on these channels (as [`Self::key`] makes them), over a connection of its own.
    ///
    /// # Errors
    /// As of [`Self::ask`], but for the breaker: whoever subscribes has a back-off of its own.
    pub async fn subscribe(&self, channels: Vec<Vec<u8>>) -> Result<Subscription, Failure> {
        let redis = self.clone();
        let limit = self.patiently();
        let subscribed = self.0.runtime.spawn(async move { redis.0.nodes.subscribe(&channels, limit).await });
        subscribed.await.unwrap_or(Err(Failure::Open))
    }

    /// The key called `text`, with the configured prefix. Keys that one command or script names together have one
    /// `{hash tag}`, so that a node of a cluster has them all.
    pub fn key(&self, text: &str) -> Vec<u8> {
        [self.0.prefix.as_bytes(), text.as_bytes()].concat()
    }

    /// The key of an entry of the tier.
    pub fn key_of(&self, name: &Name) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.0.prefix.len() + 64);
        key.extend_from_slice(self.0.prefix.as_bytes());
        key.extend(hex(name));
        key
    }

    /// A key beside that of an entry: on the same node of a cluster, so that a script may name both.
    pub fn key_beside(&self, name: &Name, what: &str) -> Vec<u8> {
        // The tag is all of the entry's own key, which has no braces (the configuration refuses a prefix with one).
        let tag = self.key_of(name);
        [b"{", &tag[..], b"}:", what.as_bytes()].concat()
    }

    /// Where its work runs.
    pub fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    /// Whether it is left alone at the moment.
    pub fn is_open(&self) -> bool {
        self.0.guarded.is_open()
    }

    /// What guards it, for the tier's level.
    pub(super) fn guarded(&self) -> Arc<Guarded> {
        Arc::clone(&self.0.guarded)
    }

    /// Without guard, on the caller's runtime, which is the right one.
    async fn ask_here<T: Answer>(&self, ask: &Ask) -> Result<T, Failure> {
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed) % self.0.links.len();
        let mut waiting = Waiting { parts: &self.0, link: &self.0.links[turn], answered: false };
        let result = waiting.link.ask(ask).await;
        // What Redis itself says has a code.
        waiting.answered = result.as_ref().err().is_none_or(|error| error.code().is_some());
        result.map_err(|error| failure(&error))
    }
}

/// A question under way; where it is dropped before the answer came, it was given up.
struct Waiting<'r> {
    parts: &'r Parts,
    link: &'r Link,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.answered {
            self.link.answered();
        } else if self.parts.guarded.is_open() {
            // A trial. No connection is trusted any more: the next one shall not fail because of an old one.
            self.parts.links.iter().for_each(Link::renew);
        } else {
            self.link.given_up();
        }
    }
}

fn hex(name: &Name) -> impl Iterator<Item = u8> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    name.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
}

#[cfg(test)]
pub(crate) mod tests;
