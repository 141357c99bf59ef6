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
