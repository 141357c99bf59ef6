//! Messages that somebody published: one connection of its own, to any node (a cluster hands messages round by itself).
//!
//! Knows bytes on channels. Does not connect again: who listens has to know that messages were missed. Invariant: a
//! subscription that gives nothing more says so.

use super::link::{Nodes, failure};
use crate::cache::tier::Failure;
use futures_core::Stream as _;
use redis::aio::{PubSub, PubSubSink, PubSubStream};
use redis::{Client, ConnectionInfo, RedisError};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

/// A connection that hears.
pub struct Subscription {
    sink: PubSubSink,
    stream: PubSubStream,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

/// What was said on a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The channel's whole name.
    pub channel: Vec<u8>,
    /// What was said.
    pub payload: Vec<u8>,
}

impl Nodes {
    /// The first node that answers within `limit` for each.
    pub(super) async fn subscribe(&self, channels: &[Vec<u8>], limit: Duration) -> Result<Subscription, Failure> {
        let mut last = Failure::Timeout;
        for node in &self.infos {
            match tokio::time::timeout(self.connect_timeout + limit, open(node, channels)).await {
                Ok(Ok(subscription)) => return Ok(subscription),
                Ok(Err(error)) => last = failure(&error),
                Err(_) => last = Failure::Timeout,
            }
        }
        Err(last)
    }
}

async fn open(node: &ConnectionInfo, channels: &[Vec<u8>]) -> Result<Subscription, RedisError> {
    let mut connection: PubSub = Client::open(node.clone())?.get_async_pubsub().await?;
    for channel in channels {
        connection.subscribe(&channel[..]).await?;
    }
    let (sink, stream) = connection.split();
    Ok(Subscription { sink, stream })
}

impl Subscription {
    /// The next message; `None` where the connection is lost.
    pub async fn next(&mut self) -> Option<Message> {
        let message = poll_fn(|context| Pin::new(&mut self.stream).poll_next(context)).await?;
        Some(Message {
            channel: message.get_channel_name().as_bytes().to_vec(),
            payload: message.get_payload_bytes().to_vec(),
        })
    }

    /// Whether the other end still answers.
    pub async fn is_alive(&mut self, limit: Duration) -> bool {
        matches!(tokio::time::timeout(limit, self.sink.ping::<redis::Value>()).await, Ok(Ok(_)))
    }
}
