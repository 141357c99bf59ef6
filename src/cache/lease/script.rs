//! What leases look like in Redis: four keys beside the entry's own, changed by scripts, each in one piece.
//!
//! `lease` names the holder, or is `-` where others shall work on their own; `fence` is the last token given; `waiting` is
//! there while somebody waits. Invariant: tokens only grow, also after `fence` has expired: they follow the server's clock.

use super::holding::Ending;
use super::{Name, Times};
use crate::cache::redis::tier::millis;
use crate::cache::redis::{Ask, Redis};
use crate::cache::tier::Failure;
use std::time::Duration;

/// A token is remembered for so long: far beyond the life of any holder.
const FENCE: Duration = Duration::from_secs(3600);
/// For so long others work on their own after a holder had nothing to show.
const ALONE: Duration = Duration::from_secs(1);

const TAKE: &str = "\
local held = redis.call('GET', KEYS[2])
if held == ARGV[1] then return {1, redis.call('GET', KEYS[3])} end
if redis.call('EXISTS', KEYS[1]) == 1 then return {2, 0} end
if held == '-' then return {3, 0} end
if held then redis.call('SET', KEYS[4], '1', 'PX', ARGV[4]) return {0, 0} end
local now = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[3]) or '0')
local token = string.format('%.0f', math.max(now[1] * 1000000 + now[2], last + 1))
redis.call('SET', KEYS[3], token, 'PX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return {1, token}";

const RENEW: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1";

const RELEASE: &str = "\
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[2] == 'nothing' then redis.call('SET', KEYS[1], '-', 'PX', ARGV[3]) else redis.call('DEL', KEYS[1]) end
if redis.call('DEL', KEYS[2]) == 1 then redis.call('PUBLISH', ARGV[4], ARGV[5]) end
return 1";

/// What Redis says to a try.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The lease, with this token.
    Granted(u64),
    /// The entry is there.
    Landed,
    /// Another holds it.
    Others,
    /// There will be nothing to wait for.
    Alone,
}

pub(super) fn read((code, token): (u8, u64)) -> Result<Answer, Failure> {
    match code {
        0 => Ok(Answer::Others),
        1 => Ok(Answer::Granted(token)),
        2 => Ok(Answer::Landed),
        3 => Ok(Answer::Alone),
        _ => Err(Failure::Refused("an answer that no lease has".into())),
    }
}

pub(super) fn take(redis: &Redis, name: &Name, holder: &str, times: Times) -> Ask {
    let beside = |what| redis.key_beside(name, what);
    let keys = [redis.key_of(name), beside("lease"), beside("fence"), beside("waiting")];
    Ask::script(TAKE, &keys).arg(holder).arg(millis(times.lease)).arg(millis(FENCE)).arg(millis(times.wait))
}

pub(super) fn renew(redis: &Redis, name: &Name, holder: &str, times: Times) -> Ask {
    Ask::script(RENEW, &[redis.key_beside(name, "lease")]).arg(holder).arg(millis(times.lease))
}

pub(super) fn release(redis: &Redis, name: &Name, holder: &str, ending: Ending, channel: &[u8]) -> Ask {
    let keys = [redis.key_beside(name, "lease"), redis.key_beside(name, "waiting")];
    let ask = Ask::script(RELEASE, &keys).arg(holder).arg(ending.as_str()).arg(millis(ALONE));
    ask.arg(channel).arg(&name[..])
}
