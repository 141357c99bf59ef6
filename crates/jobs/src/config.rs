//! The `[jobs]` section, and the queue that it names.
//!
//! Knows every queue by its keys only. Invariant: nothing is opened that the config does not name.

use crate::queue::{Queue, QueueError};
use crate::runner::Policy;
use crate::sql::{PostgresQueue, SqliteQueue};
use crate::sqs::SqsQueue;
use aws::{Access, Aws};
use service::config::{Choice, Reader, Secret, Section};
use sqlx::postgres::PgConnectOptions;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where jobs wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// In a file of this machine.
    Sqlite,
    /// In a table, for a fleet.
    Postgres,
    /// In queues of Amazon SQS, for a fleet.
    Sqs,
}

impl Choice for Backend {
    const NAMES: &'static [(&'static str, Self)] =
        &[("sqlite", Self::Sqlite), ("postgres", Self::Postgres), ("sqs", Self::Sqs)];
}

/// The `[jobs]` section.
#[derive(Clone, Debug)]
pub struct JobsConfig {
    /// Where jobs wait.
    pub queue: Backend,
    /// The file of [`Backend::Sqlite`].
    pub path: PathBuf,
    /// How often a job is begun before it is dead.
    pub attempts: u32,
    /// The rest after the first failure.
    pub rest: Duration,
    /// The longest rest between attempts.
    pub longest_rest: Duration,
    /// How long a job is held without a heartbeat.
    pub lease: Duration,
    /// How long handlers may go on once they were told to stop.
    pub grace: Duration,
    /// How long reports and cancelled jobs can be seen.
    pub keep: Duration,
    /// `[jobs.postgres]`.
    pub postgres: PostgresConfig,
    /// `[jobs.sqs]`.
    pub sqs: SqsConfig,
}

/// The `[jobs.postgres]` section.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// Where it is, and as whom it is asked.
    pub url: Option<Secret>,
    /// Connections at most.
    pub connections: u32,
}

impl Section for PostgresConfig {
    const DOC: &'static str = "The queue in PostgreSQL; its tables are made where they are missing.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            url: r.secret(
                "url",
                "postgres://user:password@host/database?sslmode=verify-full. Better in the environment: \
                 TINTYPE__JOBS__POSTGRES__URL.",
            ),
            connections: r.int("connections", 8, 2..=200, "Connections of one process at most."),
        }
    }
}

/// The `[jobs.sqs]` section.
#[derive(Clone, Debug)]
pub struct SqsConfig {
    /// What the names of queues begin with.
    pub prefix: String,
    /// Whether missing queues are made.
    pub create: bool,
    /// How often SQS gives a message out before it moves it to the dead by itself.
    pub receives: u32,
    /// Where it is, and as whom it is asked.
    pub access: Access,
}

impl Section for SqsConfig {
    const DOC: &'static str = "Queues in SQS: PREFIXkind-live, -background, -low and -dead for each kind of job.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            prefix: r.string("prefix", "tintype-", "What the names of queues begin with."),
            create: r.bool("create", false, "Make queues that are missing, with their dead-letter queues."),
            receives: r.int(
                "receives",
                100,
                1..=1000,
                "Of queues that are made: how often SQS gives a message out before it moves it to the dead by itself. Well \
                 above attempts.",
            ),
            access: Access::read(r),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if config.prefix.len() > 20 || !config.prefix.bytes().all(plain) {
            r.reject("prefix", &config.prefix, "up to 20 letters, digits, - and _", "such as tintype-");
        }
        config
    }
}

impl Section for JobsConfig {
    const DOC: &'static str = "Background work: the queue, and how it is worked off (docs/jobs.md).";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            queue: r.choice(
                "queue",
                Backend::Sqlite,
                "Where jobs wait: a file for one machine; PostgreSQL or SQS for a fleet.",
            ),
            path: r.parsed("path", "data/jobs.db", "The file of sqlite; made where it is missing."),
            attempts: r.int("attempts", 8, 1..=100, "How often a job is begun before it is dead."),
            rest: r.duration("rest", "1s", "1ms"..="1h", "The rest after a failure; each further one doubles it …"),
            longest_rest: r.duration(
                "longest_rest",
                "15m",
                "1ms"..="12h",
                "… up to this. The last half of it is chance.",
            ),
            lease: r.duration(
                "lease",
                "30s",
                "3s"..="1h",
                "How long a job whose process was killed rests before another process begins it.",
            ),
            grace: r.duration(
                "grace",
                "20s",
                "0s"..="1h",
                "At a drain jobs may go on for so long; then they are given back. Below drain.deadline.",
            ),
            keep: r.duration("keep", "1d", "1m"..="90d", "Reports and cancelled jobs can be seen for so long."),
            postgres: r.section("postgres"),
            sqs: r.section("sqs"),
        };
        if config.queue == Backend::Postgres && config.postgres.url.is_none() {
            r.reject("queue", "postgres", "a url in [jobs.postgres]", "such as postgres://tintype@db.internal/tintype");
        }
        config
    }
}

impl JobsConfig {
    /// The policy for kinds that have no other.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            attempts: self.attempts,
            rest: self.rest,
            longest_rest: self.longest_rest,
            lease: self.lease,
            ..Policy::default()
        }
    }

    /// Opens the queue.
    ///
    /// # Errors
    /// It does not answer, or is none.
    pub async fn open(&self, aws: &Aws) -> Result<Arc<dyn Queue>, QueueError> {
        match self.queue {
            Backend::Sqs => Ok(Arc::new(SqsQueue::new(aws, &self.sqs)?)),
            Backend::Sqlite => Ok(Arc::new(SqliteQueue::open(&self.path).await?)),
            Backend::Postgres => {
                let url = self.postgres.url.as_ref().map_or("", Secret::expose);
                // What is wrong is not repeated: it may be the password.
                let ours = url.starts_with("postgres://") || url.starts_with("postgresql://");
                let options: Option<PgConnectOptions> = ours.then(|| url.parse().ok()).flatten();
                let wrong = || QueueError::Refused("jobs.postgres.url is no URL of PostgreSQL".to_owned());
                let options = options.ok_or_else(wrong)?;
                Ok(Arc::new(PostgresQueue::open(options, self.postgres.connections).await?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(sets: &[&str]) -> Result<JobsConfig, String> {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        service::config::load(None, [], &sets).map(|loaded| loaded.config).map_err(|errors| errors.to_string())
    }

    #[test]
    fn postgres_needs_a_url() {
        assert_eq!(load(&[]).unwrap().policy(), Policy::default());
        assert!(load(&["queue=postgres"]).unwrap_err().contains("a url in [jobs.postgres]"));
        assert!(load(&["queue=redis"]).unwrap_err().contains("\"sqlite\", \"postgres\", \"sqs\""));
    }

    #[tokio::test]
    async fn a_wrong_url_is_not_repeated() {
        let config = load(&["queue=postgres", "postgres.url=nonsense:hidden"]).unwrap();
        let error = config.open(&Aws::new()).await.unwrap_err().to_string();
        assert!(error.contains("jobs.postgres.url") && !error.contains("hidden"), "{error}");
    }
}
