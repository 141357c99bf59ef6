//! The same buckets, for all instances together: in Redis, by a script that reads and writes in one piece.
//!
//! Knows rules and names, not who is behind them. Invariant: without an answer in time the instance's own buckets decide.

use crate::cache::redis::{Ask, Redis};
use service::rate::Rule;
use std::time::Duration;

/// As [`Rule::take`], on the server's clock: 0, or the microseconds after which there is a token.
const SCRIPT: &str = "\
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local next = full_at + tonumber(ARGV[1])
local early = next - now - tonumber(ARGV[2])
if early > 0 then return early end
redis.call('SET', KEYS[1], string.format('%.0f', next), 'PX', math.ceil((next - now) / 1000) + 1)
return 0";

/// The buckets in Redis. Clones share the connections.
#[derive(Clone, Debug)]
pub(super) struct Fleet(Redis);

/// What the fleet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A token was taken.
    Taken,
    /// There is none; one comes after this time.
    Wait(Duration),
    /// Redis did not say.
    Unknown,
}

impl Fleet {
    pub(super) const fn new(redis: Redis) -> Self {
        Self(redis)
    }

    /// Takes a token of the bucket called `name`.
    pub(super) async fn take(&self, name: &str, rule: Rule) -> Verdict {
        let key = self.0.key(&format!("limit:{name}"));
        // Said twice it would take two.
        let ask = Ask::script(SCRIPT, &[key]).arg(rule.interval()).arg(rule.burst()).once();
        match self.0.ask::<u64>(ask, self.0.promptly()).await {
            Ok(0) => Verdict::Taken,
            Ok(early) => Verdict::Wait(Duration::from_micros(early)),
            Err(_told_by_the_guard) => Verdict::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::redis::tests::redis;

    #[tokio::test]
    async fn instances_share_a_bucket_and_a_silent_redis_says_nothing() {
        let Some(mut server) = testkit::Redis::start(&[]) else { return };
        let connect = || Fleet::new(redis(&[server.url()]).expect("an address"));
        let instances = [connect(), connect()];
        // One in an hour: the clock has no say in the test.
        let rule = Rule::new(1.0 / 3600.0, 6);
        for turn in 0..6 {
            assert_eq!(instances[turn % 2].take("n:a", rule).await, Verdict::Taken);
        }
        for fleet in &instances {
            let Verdict::Wait(wait) = fleet.take("n:a", rule).await else { panic!("all six are taken") };
            assert!(wait <= Duration::from_secs(3600) && wait > Duration::from_secs(3000), "{wait:?}");
        }
        assert_eq!(instances[0].take("n:b", rule).await, Verdict::Taken, "another bucket");
        let kept = server.tell("PTTL tintype:limit:n:b").trim_start_matches(':').trim().parse::<u64>();
        assert!(kept.is_ok_and(|millis| millis <= 3_600_002), "it goes by itself");
        server.kill();
        assert_eq!(instances[0].take("n:a", rule).await, Verdict::Unknown);
    }
}
