//! What the ledger looks like in Redis: a sorted set of scopes by their last number, and a hash with the last number of
//! all, the floor, and the era that began when there was none; changed by scripts; and one message for each purge.
//!
//! Invariant: numbers grow, also after a loss: they follow the server's clock, in microseconds.

use super::Limits;
use crate::cache::label::Scope;
use crate::cache::redis::{Ask, Redis};

/// The channel of purges.
pub(super) const CHANNEL: &str = "purged";
/// The set, and the hash.
const KEYS: [&str; 2] = ["{purges}:set", "{purges}:state"];
/// Entries of a page.
const PAGE: usize = 10_000;

const ANNOUNCE: &str = "\
local set, state, whole = KEYS[1], KEYS[2], function(n) return string.format('%.0f', n) end
local now = redis.call('TIME')
local before = tonumber(redis.call('HGET', state, 'last') or '0')
local number = math.max(now[1] * 1000000 + now[2], before + 1)
redis.call('HSETNX', state, 'era', whole(number))
redis.call('HSET', state, 'last', whole(number))
for i = 4, #ARGV do redis.call('ZADD', set, whole(number), ARGV[i]) end
redis.call('ZREMRANGEBYSCORE', set, '-inf', '(' .. whole(number - tonumber(ARGV[1])))
local over = redis.call('ZCARD', set) - tonumber(ARGV[2])
if over > 0 then
  local gone = redis.call('ZRANGE', set, over - 1, over - 1, 'WITHSCORES')
  redis.call('ZREMRANGEBYRANK', set, 0, over - 1)
  redis.call('HSET', state, 'floor', gone[2])
end
redis.call('PUBLISH', ARGV[3], whole(before) .. ' ' .. whole(number) .. ' ' .. table.concat(ARGV, '', 4))
return {whole(before), whole(number)}";

const READ: &str = "\
local state = redis.call('HMGET', KEYS[2], 'last', 'floor', 'era')
return {state[1] or '0', state[2] or '0', state[3] or '0', redis.call('ZCARD', KEYS[1]),
  redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])}";

const RESTORE: &str = "\
local set, state = KEYS[1], KEYS[2]
for at, field in ipairs({'last', 'floor'}) do
  if tonumber(redis.call('HGET', state, field) or '0') < tonumber(ARGV[at]) then
    redis.call('HSET', state, field, ARGV[at])
  end
end
redis.call('HSETNX', state, 'era', ARGV[1])
for i = 3, #ARGV, 2 do
  if tonumber(redis.call('ZSCORE', set, ARGV[i + 1]) or '0') < tonumber(ARGV[i]) then
    redis.call('ZADD', set, ARGV[i], ARGV[i + 1])
  end
end";

fn keys(redis: &Redis) -> [Vec<u8>; 2] {
    KEYS.map(|key| redis.key(key))
}

pub(super) fn announce(redis: &Redis, scopes: &[Scope], limits: Limits) -> Ask {
    let keep = u64::try_from(limits.keep.as_micros()).unwrap_or(u64::MAX).min(1 << 52);
    let ask = Ask::script(ANNOUNCE, &keys(redis)).arg(keep).arg(limits.most).arg(redis.key(CHANNEL));
    scopes.iter().fold(ask, |ask, scope| ask.arg(&scope.to_bytes()[..]))
}

pub(super) fn read(redis: &Redis, from: u64) -> Ask {
    Ask::script(READ, &keys(redis)).arg(from).arg(PAGE)
}

pub(super) fn restore(redis: &Redis, last: u64, floor: u64, marks: &[(Scope, u64)]) -> Ask {
    let ask = Ask::script(RESTORE, &keys(redis)).arg(last).arg(floor);
    marks.iter().fold(ask, |ask, (scope, number)| ask.arg(*number).arg(&scope.to_bytes()[..]))
}

/// As Redis gives a page.
type Answer = (u64, u64, u64, u64, Vec<(Vec<u8>, f64)>);

/// A part of what Redis remembers.
pub(super) struct Page {
    pub(super) last: u64,
    pub(super) floor: u64,
    /// Another one than before: all was lost meanwhile.
    pub(super) era: u64,
    /// Whether it remembers none at all.
    pub(super) empty: bool,
    /// Oldest first.
    pub(super) marks: Vec<(Scope, u64)>,
    /// Whether there may be more.
    pub(super) full: bool,
}

impl Page {
    pub(super) fn of((last, floor, era, count, entries): Answer) -> Self {
        // Scores are whole and below 2^53.
        let marks = entries.iter().map(|(bytes, number)| (scope(bytes), *number as u64));
        Self { last, floor, era, empty: count == 0, marks: marks.collect(), full: entries.len() == PAGE }
    }
}

/// A scope that this release does not know makes everything void: better too much than too little.
fn scope(bytes: &[u8]) -> Scope {
    Scope::from_bytes(bytes).unwrap_or(Scope::ALL)
}

/// The number before, its own number, and the scopes of a message.
pub(super) fn purge(payload: &[u8]) -> Option<(u64, u64, Vec<Scope>)> {
    let mut parts = payload.splitn(3, |byte| *byte == b' ');
    let mut number = || std::str::from_utf8(parts.next()?).ok()?.parse().ok();
    let (before, number) = (number()?, number()?);
    let scopes = parts.next()?.chunks(Scope::BYTES).map(scope);
    Some((before, number, scopes.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_are_written() {
        let (one, two) = (Scope::tag("a"), Scope::source("a", "b"));
        let payload = [b"12 34 ", &one.to_bytes()[..], &two.to_bytes()[..]].concat();
        assert_eq!(purge(&payload), Some((12, 34, vec![one, two])));
        assert_eq!(purge(b"1 2 what is this"), Some((1, 2, vec![Scope::ALL])));
        let page = Page::of((9, 0, 1, 2, vec![(one.to_bytes().to_vec(), 8.0), (b"of a later release".to_vec(), 9.0)]));
        assert_eq!(page.marks, [(one, 8), (Scope::ALL, 9)], "what is remembered is read as what is told");
        for bad in [&b""[..], b"1", b"1 2", b"x 2 ", b"1 -2 "] {
            assert_eq!(purge(bad), None);
        }
    }
}
