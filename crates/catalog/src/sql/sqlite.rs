//! SQLite: one file in WAL mode, one connection that writes, several that read.
//!
//! Knows no table. Invariant: a commit is on the disk when it is answered (`synchronous = FULL`), and no reader waits for
//! the writer.

use super::session::{Cell, Database, Dialect, Line, Session, Transaction, Trouble, trouble};
use crate::error::StoreError;
use crate::store::Later;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Row as _, Sqlite, TypeInfo as _, ValueRef as _};
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

impl Session for PoolConnection<Sqlite> {
    fn run<'a>(&'a mut self, sql: &'a str, cells: Vec<Cell>) -> Later<'a, Result<Vec<Line>, Trouble>> {
        Box::pin(run(self, sql, cells))
    }
}

impl Session for sqlx::Transaction<'static, Sqlite> {
    fn run<'a>(&'a mut self, sql: &'a str, cells: Vec<Cell>) -> Later<'a, Result<Vec<Line>, Trouble>> {
        Box::pin(run(self, sql, cells))
    }
}

impl Transaction for sqlx::Transaction<'static, Sqlite> {
    fn commit(self: Box<Self>) -> Later<'static, Result<(), Trouble>> {
        Box::pin(async { (*self).commit().await.map_err(|error| trouble(&error)) })
    }
}

async fn run(connection: &mut SqliteConnection, sql: &str, cells: Vec<Cell>) -> Result<Vec<Line>, Trouble> {
    // Texts come from this crate; what others say goes in as cells.
    let mut query = sqlx::query(AssertSqlSafe(sql.to_owned()));
    for cell in cells {
        query = match cell {
            Cell::Int(number) => query.bind(number),
            Cell::Text(text) => query.bind(text),
            Cell::NoInt => query.bind(None::<i64>),
            Cell::NoText => query.bind(None::<String>),
        };
    }
    let rows = query.fetch_all(connection).await.map_err(|error| trouble(&error))?;
    rows.iter().map(line).collect::<Result<_, _>>().map_err(|error| trouble(&error))
}

fn line(row: &SqliteRow) -> Result<Line, sqlx::Error> {
    let cell = |column: usize| {
        let value = row.try_get_raw(column)?;
        if value.is_null() {
            return Ok(Cell::NoText);
        }
        let number = value.type_info().name() == "INTEGER";
        if number { row.try_get(column).map(Cell::Int) } else { row.try_get(column).map(Cell::Text) }
    };
    (0..row.len()).map(cell).collect::<Result<_, _>>().map(Line)
}
