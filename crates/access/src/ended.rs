//! Sessions that were ended before their tokens were over: kept here for as long as such a token may live, and in Redis where
//! several processes have to know.
//!
//! Owns the one connection to Redis. Invariants: every wait is bounded; a Redis that does not answer keeps nobody out and is
//! left alone for a while: tokens end by themselves minutes later, as they do without it.

use jiff::Timestamp;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Pipeline, RedisError};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_millis(250);
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a Redis that did not answer is left alone.
const PAUSE: Duration = Duration::from_secs(5);
/// Most sessions that are remembered here; beyond, those are dropped first that end first.
const MOST: usize = 100_000;

/// Ended sessions.
#[derive(Debug, Default)]
pub struct Ended {
    here: Mutex<HashMap<String, Timestamp>>,
    there: Option<There>,
}

/// The list that processes share.
struct There {
    manager: ConnectionManager,
    prefix: String,
    silent: Mutex<Option<Instant>>,
}

impl fmt::Debug for There {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("There").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Ended {
    /// Shared through Redis at `url`, such as `redis://localhost:6379`; keys begin with `prefix`. Connects when first needed.
    ///
    /// # Errors
    /// An URL that is none of Redis; the text does not repeat it.
    pub fn shared(url: &str, prefix: &str) -> Result<Self, String> {
        let bad = |_: RedisError| "access.sessions.url: it is none: redis://HOST:PORT, rediss:// with TLS".to_owned();
        let setting = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(TIMEOUT))
            .set_number_of_retries(1);
        let client = Client::open(url).map_err(bad)?;
        let manager = ConnectionManager::new_lazy_with_config(client, setting).map_err(bad)?;
        let there = There { manager, prefix: prefix.to_owned(), silent: Mutex::default() };
        Ok(Self { here: Mutex::default(), there: Some(there) })
    }

    /// These are over; tokens of them may live until then. Takes effect here at once, and there when it returns.
    pub async fn note(&self, sessions: &[String], now: Timestamp, until: Timestamp) {
        if sessions.is_empty() {
            return;
        }
        {
            let mut here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
            here.retain(|_, until| *until > now);
            if here.len() + sessions.len() > MOST {
                let mut ends: Vec<Timestamp> = here.values().copied().collect();
                ends.sort_unstable();
                let cut = ends.get(sessions.len().min(ends.len().saturating_sub(1))).copied();
                here.retain(|_, until| cut.is_none_or(|cut| *until > cut));
            }
            here.extend(sessions.iter().map(|session| (session.clone(), until)));
        }
        let Some(there) = &self.there else { return };
        let seconds = u64::try_from(until.as_second().saturating_sub(now.as_second())).unwrap_or_default().max(1);
        let mut pipeline = redis::pipe();
        for session in sessions {
            pipeline.set_ex(there.key(session), 1, seconds).ignore();
        }
        // Asked even while it is left alone: this is not asked again.
        if let Err(problem) = there.run::<()>(&pipeline).await {
            tracing::warn!(problem, "other processes take tokens of an ended session until they are over");
        }
    }

    /// Whether a session is over.
    pub async fn has(&self, session: &str, now: Timestamp) -> bool {
        let known = self.here.lock().unwrap_or_else(PoisonError::into_inner).get(session).copied();
        if known.is_some_and(|until| until > now) {
            return true;
        }
        match &self.there {
            Some(there) if !there.is_silent() => there.has(session).await,
            _ => false,
        }
    }
}

impl There {
    fn key(&self, session: &str) -> String {
        format!("{}:ended:{session}", self.prefix)
    }

    async fn has(&self, session: &str) -> bool {
        let mut pipeline = redis::pipe();
        pipeline.exists(self.key(session));
        match self.run::<(bool,)>(&pipeline).await {
            Ok((ended,)) => ended,
            Err(problem) => {
                tracing::warn!(problem, "whether sessions were ended is not looked up for a while");
                false
            }
        }
    }

    async fn run<T: redis::FromRedisValue>(&self, pipeline: &Pipeline) -> Result<T, String> {
        let mut manager = self.manager.clone();
        let answer = tokio::time::timeout(TIMEOUT, pipeline.query_async(&mut manager)).await;
        // No more of the error than its kind: it may name the address.
        let answer = answer.map_err(|_| "Redis does not answer in time".to_owned());
        let answer = answer.and_then(|answer| answer.map_err(|error| format!("Redis: {:?}", error.kind())));
        let silent = answer.is_err().then(Instant::now);
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = silent;
        answer
    }

    fn is_silent(&self) -> bool {
        let silent = *self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        silent.is_some_and(|since| since.elapsed() < PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time of this century")
    }

    #[tokio::test]
    async fn an_end_is_known_until_no_token_can_be_about() {
        let ended = Ended::default();
        assert!(!ended.has("s1", at(0)).await);
        ended.note(&["s1".to_owned()], at(0), at(900)).await;
        assert!(ended.has("s1", at(1)).await && !ended.has("s2", at(1)).await);
        assert!(!ended.has("s1", at(900)).await);
        ended.note(&["s3".to_owned()], at(901), at(1800)).await;
        assert_eq!(ended.here.lock().unwrap().len(), 1, "what is over is forgotten");
    }

    #[tokio::test]
    async fn so_many_are_remembered_and_no_more() {
        let ended = Ended::default();
        for hundred in 0..12 {
            let names: Vec<String> = (0..10_000).map(|number| format!("{hundred}/{number}")).collect();
            ended.note(&names, at(hundred), at(900 + hundred)).await;
        }
        assert!(ended.here.lock().unwrap().len() <= MOST);
        assert!(ended.has("11/5", at(20)).await && !ended.has("0/5", at(20)).await);
    }

    #[tokio::test]
    async fn other_processes_know_of_it() {
        let Some(mut server) = testkit::redis::Redis::start(&[]) else { return };
        let open = || Ended::shared(&server.url(), "test").unwrap();
        let (one, other) = (open(), open());
        let now = Timestamp::now();
        assert!(!other.has("s1", now).await);
        one.note(&["s1".to_owned(), "s2".to_owned()], now, now + Duration::from_secs(900)).await;
        assert!(other.has("s1", now).await && other.has("s2", now).await && !other.has("s3", now).await);
        let left: u64 = server.tell("TTL test:ended:s1").trim().trim_start_matches(':').parse().expect("a number");
        assert!((890..=900).contains(&left), "{left}");
        server.kill();
        let began = Instant::now();
        for _ in 0..50 {
            assert!(!other.has("s1", now).await, "nobody is kept out by a Redis that is down");
        }
        assert!(one.has("s1", now).await, "who ended it knows it anyway");
        assert!(began.elapsed() < Duration::from_secs(4), "and it is left alone: {:?}", began.elapsed());
    }

    #[test]
    fn a_wrong_url_is_not_repeated() {
        let text = Ended::shared("redis://:hunter2@[", "p").unwrap_err();
        assert!(!text.contains("hunter2"), "{text}");
    }
}
