//! SQLite: one file in WAL mode, one connection that writes, several that read.
//!
//! Knows no table. Invariant: a commit is on the disk when it is answered (`synchronous = FULL`), and no reader waits for
//! the writer.

use super::driver::sessions;
use super::session::{Database, Dialect, Session, Transaction, Trouble, trouble};
use crate::error::StoreError;
use crate::store::Later;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::path::Path;
use std::time::Duration;

/// The database.
#[derive(Debug)]
pub(super) struct File {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl File {
    /// Opens or makes it, and brings its tables up to date. `None`: in memory, gone when dropped.
    pub(super) async fn open(path: Option<&Path>, readers: u32, patience: Duration) -> Result<Self, StoreError> {
        let refused = |error: &sqlx::Error| match path {
            Some(path) => StoreError::Unreachable(format!("{}: {error}", path.display())),
            None => StoreError::Unreachable(error.to_string()),
        };
        let options = SqliteConnectOptions::new()
            .filename(path.unwrap_or_else(|| Path::new(":memory:")))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(patience)
            .optimize_on_close(true, Some(400));
        // One connection only, and for good: in memory it is the database.
        let pool = |most| SqlitePoolOptions::new().max_connections(most).acquire_timeout(patience);
        let single = pool(1).min_connections(1).idle_timeout(None).max_lifetime(None);
        let writer = single.connect_with(options.clone()).await.map_err(|error| refused(&error))?;
        let migrated = sqlx::migrate!("migrations/sqlite").run(&writer).await;
        migrated.map_err(|error| StoreError::Refused(format!("migrations: {error}")))?;
        let readers = match path {
            None => writer.clone(),
            Some(_) => pool(readers).connect_with(options.read_only(true)).await.map_err(|error| refused(&error))?,
        };
        Ok(Self { writer, readers })
    }
}

impl Database for File {
    fn session(&self) -> Later<'_, Result<Box<dyn Session>, Trouble>> {
        Box::pin(async {
            let connection = self.readers.acquire().await.map_err(|error| trouble(&error))?;
            Ok(Box::new(connection) as Box<dyn Session>)
        })
    }

    fn begin(&self) -> Later<'_, Result<Box<dyn Transaction>, Trouble>> {
        Box::pin(async {
            // Another process may write too: the lock is taken at once, not at the first write, which could not wait for it.
            let begun = self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(|error| trouble(&error))?;
            Ok(Box::new(begun) as Box<dyn Transaction>)
        })
    }

    fn dialect(&self) -> Dialect {
        Dialect { lock: "", within: "instr" }
    }
}

sessions!(sqlx::Sqlite, number = "INTEGER");
