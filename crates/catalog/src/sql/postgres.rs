//! PostgreSQL: a pool of connections, transactions that lock the records they change.
//!
//! Knows no table. Invariant: no statement outlives the configured time on the server either.

use super::driver::sessions;
use super::session::{Database, Dialect, Session, Transaction, Trouble, trouble};
use crate::error::StoreError;
use crate::store::Later;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use std::time::Duration;

/// The database.
pub(super) struct Server {
    pool: PgPool,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the options: there is a password among them.
        f.debug_struct("Server").field("connections", &self.pool.size()).finish_non_exhaustive()
    }
}

/// How a pool is bounded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pool {
    pub(super) most: u32,
    pub(super) patience: Duration,
}

impl Server {
    /// Connects, and brings its tables up to date; instances that start together do so one after the other.
    pub(super) async fn open(options: PgConnectOptions, pool: Pool) -> Result<Self, StoreError> {
        let milliseconds = pool.patience.as_millis().to_string();
        let options = options.application_name("tintype").options([
            ("statement_timeout", milliseconds.as_str()),
            ("lock_timeout", milliseconds.as_str()),
            ("idle_in_transaction_session_timeout", milliseconds.as_str()),
        ]);
        let server = PgPoolOptions::new().max_connections(pool.most).acquire_timeout(pool.patience);
        let server = server.connect_with(options).await.map_err(|error| StoreError::from(trouble(&error)))?;
        let mut migrations = sqlx::migrate!("migrations/postgres");
        // Other parts may have their tables in the same database, and count their own.
        migrations.dangerous_set_table_name("catalog_migrations");
        let migrated = migrations.run(&server).await;
        migrated.map_err(|error| StoreError::Refused(format!("migrations: {error}")))?;
        Ok(Self { pool: server })
    }
}

impl Database for Server {
    fn session(&self) -> Later<'_, Result<Box<dyn Session>, Trouble>> {
        Box::pin(async {
            let connection = self.pool.acquire().await.map_err(|error| trouble(&error))?;
            Ok(Box::new(connection) as Box<dyn Session>)
        })
    }

    fn begin(&self) -> Later<'_, Result<Box<dyn Transaction>, Trouble>> {
        Box::pin(async {
            let begun = self.pool.begin().await.map_err(|error| trouble(&error))?;
            Ok(Box::new(begun) as Box<dyn Transaction>)
        })
    }

    fn dialect(&self) -> Dialect {
        Dialect { lock: " FOR UPDATE", within: "strpos" }
    }
}

sessions!(sqlx::Postgres, number = "INT8");
