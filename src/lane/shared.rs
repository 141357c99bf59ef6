//! The jobs of all instances, in Redis: each once, the oldest first, claimed while it is done, and never more than may be.
//!
//! Owns the keys and the scripts. A job is a member of a sorted set, scored by the moment from which it may be taken: a
//! claim moves that into the future, a heartbeat moves it on, and a claim whose holder died runs out. Knows jobs as bytes.
//! Invariants: a job is taken out only when it is done or was begun too often; all times are the server's own.

use crate::cache::redis::{Ask, Redis};
use crate::cache::tier::Failure;
use crate::lane::queue::Put;
use std::time::Duration;

/// How long a claim holds without a heartbeat: the longest that a job rests after its instance was killed.
pub(crate) const CLAIM: Duration = Duration::from_secs(10);
/// A queue that nobody touches goes after so long.
const KEEP: Duration = Duration::from_secs(7 * 86_400);

const NOW: &str = "local t = redis.call('TIME')\nlocal now = t[1] * 1000 + math.floor(t[2] / 1000)\n";

const PUT: &str = "if redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return -1 end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1";

/// What was begun too often is taken out here; at most a few in one go.
const TAKE: &str = "local dropped = 0
for _ = 1, 16 do
  local job = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1)[1]
  if not job then return {dropped, false} end
  local tries = redis.call('HINCRBY', KEYS[2], job, 1)
  redis.call('PEXPIRE', KEYS[2], ARGV[3])
  if tries <= tonumber(ARGV[2]) then
    redis.call('ZADD', KEYS[1], now + ARGV[1], job)
    return {dropped, job}
  end
  redis.call('ZREM', KEYS[1], job)
  redis.call('HDEL', KEYS[2], job)
  dropped = dropped + 1
end
return {dropped, false}";

const HOLD: &str = "return redis.call('ZADD', KEYS[1], 'XX', 'CH', now + ARGV[2], ARGV[1])";

const DONE: &str = "redis.call('HDEL', KEYS[2], ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])";

/// Being handed back does not count as a try.
const BACK: &str = "redis.call('HINCRBY', KEYS[2], ARGV[1], -1)
return redis.call('ZADD', KEYS[1], 'XX', 'CH', now, ARGV[1])";

/// The queue. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    redis: Redis,
    keys: [Vec<u8>; 2],
    most: usize,
    attempts: u32,
}

/// What came of looking for a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    /// One that is claimed now.
    pub(crate) job: Option<Vec<u8>>,
    /// Jobs that were begun so often that they were taken out.
    pub(crate) dropped: u64,
}

impl Shared {
    /// At most `most` jobs; each is begun at most `attempts` times.
    pub(crate) fn new(redis: Redis, most: usize, attempts: u32) -> Self {
        // One hash tag: a node of a cluster has both.
        let keys = [redis.key("{lane}:jobs"), redis.key("{lane}:tries")];
        Self { redis, keys, most, attempts }
    }

    fn script(&self, text: &str) -> Ask {
        Ask::script(&format!("{NOW}{text}"), &self.keys)
    }

    async fn ask<T>(&self, ask: Ask) -> Result<T, Failure>
    where
        T: crate::cache::redis::Answer + Send + 'static,
    {
        self.redis.ask(ask, self.redis.patiently()).await
    }

    /// Puts a job in, if it is not there and there is room.
    pub(crate) async fn put(&self, job: &[u8]) -> Result<Put, Failure> {
        let put: i64 = self.ask(self.script(PUT).arg(job).arg(self.most).arg(millis(KEEP))).await?;
        Ok(match put {
            1 => Put::Queued,
            0 => Put::Known,
            _ => Put::Full,
        })
    }

    /// Claims the oldest job that nobody has claimed.
    pub(crate) async fn take(&self) -> Result<Taken, Failure> {
        // Not said again: what was claimed without being heard of rests until the claim runs out, and counts as a try.
        let ask = self.script(TAKE).arg(millis(CLAIM)).arg(self.attempts).arg(millis(KEEP)).once();
        let (dropped, job): (u64, Option<Vec<u8>>) = self.ask(ask).await?;
        Ok(Taken { job, dropped })
    }

    /// Holds the claim for another while.
    pub(crate) async fn hold(&self, job: &[u8]) -> Result<(), Failure> {
        self.ask::<i64>(self.script(HOLD).arg(job).arg(millis(CLAIM))).await.map(drop)
    }

    /// Takes it out.
    pub(crate) async fn done(&self, job: &[u8]) -> Result<(), Failure> {
        self.ask::<i64>(self.script(DONE).arg(job)).await.map(drop)
    }

    /// Hands it back, for another to take at once.
    pub(crate) async fn back(&self, job: &[u8]) -> Result<(), Failure> {
        self.ask::<i64>(self.script(BACK).arg(job)).await.map(drop)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Tiers;
    use crate::cache::config::CacheConfig;
    use aws::Aws;
    use std::time::SystemTime;

    fn shared(urls: &[String], most: usize, attempts: u32) -> (Tiers, Shared) {
        let sets = [format!("redis.urls={}", urls.join(",")), "redis.timeout=30s".to_owned()];
        let config = service::config::load::<CacheConfig>(None, [], &sets).map_err(|errors| errors.to_string());
        let tiers = Tiers::open(&config.expect("sound").config, &Aws::new(), SystemTime::now).expect("addresses");
        let redis = tiers.redis().expect("given").clone();
        (tiers, Shared::new(redis, most, attempts))
    }

    /// What every queue promises, of one node or a cluster.
    async fn holds(urls: &[String]) {
        let (_tiers, jobs) = shared(urls, 3, 2);
        let taken = |job: &[u8]| Ok(Taken { job: Some(job.to_vec()), dropped: 0 });
        assert_eq!(jobs.take().await, Ok(Taken::default()), "empty");
        for (job, put) in [("a", Put::Queued), ("a", Put::Known), ("b", Put::Queued), ("c", Put::Queued)] {
            assert_eq!(jobs.put(job.as_bytes()).await, Ok(put), "{job}");
        }
        assert_eq!(jobs.put(b"d").await, Ok(Put::Full));
        assert_eq!(jobs.take().await, taken(b"a"));
        assert_eq!(jobs.put(b"a").await, Ok(Put::Known), "also while it is done");
        assert_eq!((jobs.take().await, jobs.take().await), (taken(b"b"), taken(b"c")));
        assert_eq!(jobs.take().await, Ok(Taken::default()), "all are claimed");
        assert_eq!((jobs.hold(b"a").await, jobs.done(b"a").await), (Ok(()), Ok(())));
        assert_eq!(jobs.put(b"a").await, Ok(Put::Queued), "done, and asked for anew");
        assert_eq!((jobs.done(b"a").await, jobs.done(b"b").await), (Ok(()), Ok(())));
        for _ in 0..5 {
            assert_eq!(jobs.back(b"c").await, Ok(()));
            assert_eq!(jobs.take().await, taken(b"c"), "what is handed back is not counted");
        }
        assert_eq!(jobs.done(b"c").await, Ok(()));
        assert_eq!((jobs.hold(b"c").await, jobs.take().await), (Ok(()), Ok(Taken::default())), "done is done");
    }

    #[tokio::test]
    async fn the_promises_hold() {
        let Some(server) = testkit::Redis::start(&[]) else { return };
        holds(&[server.url()]).await;
        assert!(server.tell("DBSIZE").starts_with(":0"), "nothing is left behind");
    }

    #[tokio::test]
    async fn the_promises_hold_in_a_cluster() {
        let Some(cluster) = testkit::redis::Cluster::start() else { return };
        holds(&cluster.urls()[..2]).await;
    }

    /// What kills every instance that begins it is given up. Claims are made to run out by setting their times.
    #[tokio::test]
    async fn what_is_begun_too_often_is_taken_out() {
        let Some(server) = testkit::Redis::start(&[]) else { return };
        let (_tiers, jobs) = shared(&[server.url()], 3, 2);
        jobs.put(b"deadly").await.expect("put");
        for _ in 0..2 {
            assert_eq!(jobs.take().await.expect("asked").job, Some(b"deadly".to_vec()));
            assert!(server.tell("ZADD tintype:{lane}:jobs XX 1 deadly").starts_with(':'));
        }
        assert_eq!(jobs.take().await, Ok(Taken { job: None, dropped: 1 }));
        assert!(server.tell("DBSIZE").starts_with(":0"));
    }
}
