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

/// Puts an entry, unless a later token has been given out than the one it is made under.
const PUT_FENCED: &str = "\
local last = redis.call('GET', KEYS[2])
if last and tonumber(last) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[2])
return 1";

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

    fn put_fenced<'a>(
        &'a self,
        name: &'a Name,
        bytes: Bytes,
        keep: Duration,
        token: u64,
    ) -> Later<'a, Result<(), Failure>> {
        Box::pin(async move {
            if bytes.len() as u64 > self.max_entry {
                return Err(Failure::TooLarge);
            }
            let keys = [self.redis.key_of(name), self.redis.key_beside(name, "fence")];
            let ask = Ask::script(PUT_FENCED, &keys).arg(token).arg(millis(keep)).arg(&bytes[..]);
            match self.redis.ask_here(&ask).await? {
                true => Ok(()),
                false => Err(Failure::Outdated),
            }
        })
    }

    fn remove<'a>(&'a self, name: &'a Name) -> Later<'a, Result<(), Failure>> {
        Box::pin(async move { self.redis.ask_here(&Ask::new("UNLINK").arg(self.redis.key_of(name))).await })
    }
}
