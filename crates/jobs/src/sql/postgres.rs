//! The queue of a fleet: PostgreSQL, where consumers pass over rows that others are just taking (`SKIP LOCKED`).
//!
//! Invariants: a consumer never waits for another one; times are the server's.

use super::failed;
use super::statements::sql_queue;
use crate::queue::QueueError;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::time::Duration;
use tokio::sync::Notify;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long a connection is waited for.
const CONNECT: Duration = Duration::from_secs(10);

/// Jobs in a table of a PostgreSQL server.
#[derive(Debug)]
pub struct PostgresQueue {
    write: PgPool,
    work: PgPool,
    read: PgPool,
    changed: Notify,
}

impl PostgresQueue {
    /// Connects with at most `connections`, and brings the tables to this release's form.
    ///
    /// # Errors
    /// The server does not answer or refuses, or its tables are of a later release.
    pub async fn open(options: PgConnectOptions, connections: u32) -> Result<Self, QueueError> {
        let pool = PgPoolOptions::new().max_connections(connections).acquire_timeout(CONNECT);
        let pool = pool.connect_with(options).await.map_err(failed)?;
        let mut migrations = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
        migrations.dangerous_set_table_name("jobs_migrations");
        migrations.run(&pool).await.map_err(failed)?;
        Ok(Self { write: pool.clone(), work: pool.clone(), read: pool, changed: Notify::new() })
    }

    /// Nobody waits for anybody here.
    #[expect(clippy::unused_async, reason = "SQLite's writers take turns, and share the statements")]
    async fn turn(&self) -> Free {
        Free
    }
}

/// What SQLite's writers hold while it is their turn.
#[derive(Debug)]
struct Free;

sql_queue!(
    PostgresQueue,
    sqlx::Postgres,
    name = "postgres",
    now = "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT",
    list = "(SELECT jsonb_array_elements_text(",
    end = "::jsonb))",
    take = concat!(
        "SELECT j.seq FROM jsonb_array_elements_text($3::jsonb) k CROSS JOIN (VALUES (0), (1), (2)) p (rank) \
         CROSS JOIN LATERAL (SELECT x.seq, x.due FROM jobs x WHERE x.state = 0 AND x.kind = k.value \
         AND x.priority = p.rank AND x.due <= (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT AND x.stopping = 0 \
         ORDER BY x.due, x.seq LIMIT $4 FOR UPDATE SKIP LOCKED) j ORDER BY p.rank, j.due, j.seq LIMIT $4"
    )
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;
    use crate::job::{JobKind, NewJob};
    use crate::queue::{Queue, Take};
    use serde_json::json;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use testkit::Postgres;

    async fn open(server: &Postgres, database: &str) -> PostgresQueue {
        PostgresQueue::open(server.url(database).parse().unwrap(), 8).await.unwrap()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_promises_hold() {
        let Some(server) = Postgres::start() else { return };
        let admin = open(&server, Postgres::DATABASE).await;
        let number = AtomicU32::new(0);
        contract::holds(Duration::from_millis(200), async || {
            let name = format!("t{}", number.fetch_add(1, Ordering::Relaxed));
            let made = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
            sqlx::query(made).execute(&admin.write).await.unwrap();
            Arc::new(open(&server, &name).await) as Arc<dyn Queue>
        })
        .await;
    }

    /// Consumers that take at the same moment get different jobs, and none waits for another one's transaction.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn consumers_pass_over_what_others_are_taking() {
        let Some(server) = Postgres::start() else { return };
        let queue = open(&server, Postgres::DATABASE).await;
        queue.send((0..3).map(|n| NewJob::new(JobKind::INDEX, json!(n))).collect()).await.unwrap();
        let mut other = queue.write.begin().await.unwrap();
        sqlx::query("SELECT seq FROM jobs ORDER BY seq LIMIT 1 FOR UPDATE").execute(&mut *other).await.unwrap();
        let take = Take { kinds: vec![JobKind::INDEX], max: 10, lease: Duration::from_secs(60), wait: Duration::ZERO };
        let taken = tokio::time::timeout(Duration::from_secs(10), queue.receive(&take)).await.unwrap().unwrap();
        let numbers: Vec<_> = taken.iter().map(|leased| leased.job.payload.clone()).collect();
        assert_eq!(numbers, [json!(1), json!(2)]);
        other.rollback().await.unwrap();
        assert_eq!(queue.receive(&take).await.unwrap().len(), 1);
    }
}
