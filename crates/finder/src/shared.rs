//! What several processes share over one index, in Redis: the epochs of tenants, and answers that were kept.
//!
//! Invariants: every wait is bounded; without Redis nothing is kept and nothing is wrong; a Redis that lost everything
//! begins with numbers that were never used.

use crate::changes::Changes;
use crate::error::FinderError;
use crate::seam::Answer;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Pipeline, RedisError};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_millis(250);
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// Field of the number by which this Redis began.
const START: &str = "start";
/// Field that counts changes of any tenant; tenants' fields have `t/` before their name.
const ANY: &str = "any";
/// Field that counts changes of all tenants at once.
const ALL: &str = "all";

/// A Redis, connected to when first needed. Clones share the connection.
#[derive(Clone)]
pub struct Shared {
    manager: ConnectionManager,
    prefix: String,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

fn away(error: &RedisError) -> FinderError {
    FinderError::Unavailable(format!("Redis: {:?}", error.kind()))
}

impl Shared {
    /// `url` is such as `redis://localhost:6379`; keys begin with `prefix`. Needs a runtime, and connects later.
    ///
    /// # Errors
    /// An URL that is none of Redis.
    pub fn new(url: &str, prefix: &str) -> Result<Self, FinderError> {
        // The error could repeat a password.
        let bad = |_| FinderError::Broken("the URL of Redis is none: redis://HOST:PORT, rediss:// with TLS".into());
        let setting = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(TIMEOUT))
            .set_number_of_retries(1);
        let client = Client::open(url).map_err(bad)?;
        let manager = ConnectionManager::new_lazy_with_config(client, setting).map_err(bad)?;
        Ok(Self { manager, prefix: prefix.to_owned() })
    }

    fn changes(&self) -> String {
        format!("{}:changes", self.prefix)
    }

    async fn run<T: redis::FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, FinderError> {
        let mut manager = self.manager.clone();
        let answer = tokio::time::timeout(TIMEOUT, pipeline.query_async(&mut manager)).await;
        answer.map_err(|_| FinderError::TimedOut)?.map_err(|error| away(&error))
    }

    /// What is kept under a key.
    ///
    /// # Errors
    /// [`FinderError::Unavailable`] or [`FinderError::TimedOut`] where Redis does not answer.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, FinderError> {
        let mut pipeline = redis::pipe();
        pipeline.get(format!("{}:{key}", self.prefix));
        let (value,): (Option<Vec<u8>>,) = self.run(&pipeline).await?;
        Ok(value)
    }

    /// Keeps something under a key for a while.
    ///
    /// # Errors
    /// As [`Shared::get`].
    pub async fn put(&self, key: &str, value: &[u8], keep: Duration) -> Result<(), FinderError> {
        let mut pipeline = redis::pipe();
        pipeline.set_ex(format!("{}:{key}", self.prefix), value, keep.as_secs().max(1)).ignore();
        self.run(&pipeline).await
    }

    async fn numbers(&self, fields: &[String]) -> Result<Vec<Option<u64>>, FinderError> {
        let mut pipeline = redis::pipe();
        let start = RandomState::new().hash_one(0) >> 1;
        pipeline.cmd("HSETNX").arg(self.changes()).arg(START).arg(start).ignore();
        pipeline.cmd("HMGET").arg(self.changes()).arg(START).arg(ALL).arg(fields);
        let (numbers,): (Vec<Option<u64>>,) = self.run(&pipeline).await?;
        Ok(numbers)
    }
}

impl Changes for Shared {
    fn bump<'a>(&'a self, tenants: Option<&'a [&'a str]>) -> Answer<'a, ()> {
        Box::pin(async move {
            let mut pipeline = redis::pipe();
            let mut count = |field: String| {
                pipeline.cmd("HINCRBY").arg(self.changes()).arg(field).arg(1).ignore();
            };
            match tenants {
                None => count(ALL.to_owned()),
                Some(tenants) => {
                    count(ANY.to_owned());
                    tenants.iter().for_each(|tenant| count(format!("t/{tenant}")));
                }
            }
            self.run(&pipeline).await
        })
    }

    fn epoch<'a>(&'a self, tenants: Option<&'a [&'a str]>) -> Answer<'a, u64> {
        Box::pin(async move {
            let fields = match tenants {
                None => vec![ANY.to_owned()],
                Some(tenants) => tenants.iter().map(|tenant| format!("t/{tenant}")).collect(),
            };
            let numbers = self.numbers(&fields).await?;
            // Each of them only grows, so that the sum is another one after every change.
            Ok(numbers.into_iter().flatten().fold(0, u64::wrapping_add))
        })
    }
}
