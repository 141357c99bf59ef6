//! The Redis tier: entries under the hexadecimal form of their names.
//!
//! Knows bytes under names; connections are the folder's, deadlines and breaker its level's.
//! Invariant: an entry larger than `max_entry` is never sent.

use super::{Ask, Redis};
use crate::cache::tier::{Failure, Later, Name, Tier};
use bytes::Bytes;
use std::time::Duration;

/// The tier.
#[derive(Debug)]
pub(crate) struct Entries {
    redis: Redis,
    max_entry: u64,
}

impl Entries {
    /// Takes entries of up to `max_entry` bytes.
    pub(crate) const fn new(redis: Redis, max_entry: u64) -> Self {
        Self { redis, max_entry }
    }
}

/// As Redis takes it.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).clamp(1, u64::MAX >> 12)
}

impl Tier for Entries {
    fn get<'a>(&'a self, name: &'a Name) -> Later<'a, Result<Option<Bytes>, Failure>> {
        Box::pin(async move { self.redis.ask_here(&Ask::new("GET").arg(self.redis.key_of(name))).await })
    }

    fn put<'a>(&'a self, name: &'a Name, bytes: Bytes, keep: Duration) -> Later<'a, Result<(), Failure>> {
        Box::pin(async move {
            if bytes.len() as u64 > self.max_entry {
                return Err(Failure::TooLarge);
            }
            let ask = Ask::new("SET").arg(self.redis.key_of(name)).arg(&bytes[..]).arg("PX").arg(millis(keep));
            self.redis.ask_here(&ask).await
        })
    }

    fn remove<'a>(&'a self, name: &'a Name) -> Later<'a, Result<(), Failure>> {
        Box::pin(async move { self.redis.ask_here(&Ask::new("UNLINK").arg(self.redis.key_of(name))).await })
    }
}
