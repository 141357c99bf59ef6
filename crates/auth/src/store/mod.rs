//! What is kept: users, sessions, keys, grants, locks, the audit log. SQLite and PostgreSQL by the same statements.
//!
//! Knows no HTTP and no clock; hashes come in as texts, secrets never. Invariants: what belongs together is one transaction;
//! a statement that decides a race (a token used, a link added) does so by the rows that it changes.

mod audit;
mod grant;
mod key;
mod lock;
mod record;
mod session;
mod tenant;
mod user;

pub use audit::{Link, NewLink};
pub use grant::GrantRecord;
pub use key::{KeyRecord, SigningRecord};
pub use record::Millis;
pub(crate) use record::time;
pub use session::{Refreshed, SessionRecord};
pub use tenant::TenantRecord;
pub use user::{Added, UserRecord};

use sqlx::migrate::Migrator;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{PgPool, SqlitePool};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

static MIGRATIONS: Migrator = sqlx::migrate!();
/// Longest wait for a connection, and for SQLite's lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// The database is not there, or does not do what it is told.
#[derive(Debug)]
pub struct StoreError(sqlx::Error);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the database: {}", self.0)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self(error)
    }
}

/// Where it is kept.
#[derive(Clone)]
pub enum Place {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// In memory, until the process ends: for tests.
    Memory,
    /// A server of PostgreSQL, as `postgres://user@host/database`.
    Postgres(String),
}

/// Without the URL, which may have a password.
impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.debug_tuple("Sqlite").field(path).finish(),
            Self::Memory => f.write_str("Memory"),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

#[derive(Clone, Debug)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Either database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: Pool,
}

/// The same statements in a transaction of either database. The block has `tx`, and may end early with `?`: what was done
/// is undone then.
macro_rules! transaction {
    ($store:expr, |$tx:ident| $body:block) => {
        match &$store.pool {
            $crate::store::Pool::Sqlite(pool) => {
                // It will write: to begin as a reader could only fail later.
                let mut $tx = pool.begin_with("BEGIN IMMEDIATE").await?;
                let done = $body;
                $tx.commit().await?;
                Ok(done)
            }
            $crate::store::Pool::Postgres(pool) => {
                let mut $tx = pool.begin().await?;
                let done = $body;
                $tx.commit().await?;
                Ok(done)
            }
        }
    };
}

/// One statement on either database.
macro_rules! on_pool {
    ($store:expr, |$pool:ident| $body:expr) => {
        match &$store.pool {
            $crate::store::Pool::Sqlite($pool) => $body,
            $crate::store::Pool::Postgres($pool) => $body,
        }
    };
}

use {on_pool, transaction};

impl Store {
    /// Opens it, and brings its tables up to date.
    ///
    /// # Errors
    /// It cannot be opened, or is of a later release.
    pub async fn open(place: &Place) -> Result<Self, StoreError> {
        let pool = match place {
            Place::Sqlite(path) => {
                keep_to_ourselves(path)?;
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    .busy_timeout(PATIENCE);
                let pool = SqlitePoolOptions::new().max_connections(4).acquire_timeout(PATIENCE);
                Pool::Sqlite(pool.connect_with(options).await?)
            }
            Place::Memory => {
                let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
                let pool = SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None);
                Pool::Sqlite(pool.connect_with(options).await?)
            }
            Place::Postgres(url) => {
                let pool = PgPoolOptions::new().max_connections(16).acquire_timeout(PATIENCE);
                Pool::Postgres(pool.connect(url).await?)
            }
        };
        match &pool {
            Pool::Sqlite(pool) => MIGRATIONS.run(pool).await,
            Pool::Postgres(pool) => MIGRATIONS.run(pool).await,
        }
        .map_err(|error| StoreError(error.into()))?;
        Ok(Self { pool })
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ready(&self) -> Result<(), StoreError> {
        on_pool!(self, |pool| sqlx::query("SELECT 1").execute(pool).await.map(|_| ()).map_err(Into::into))
    }
}

/// Makes the file for our own user alone where there is none: it has hashes of passwords. SQLite's other files take after it.
fn keep_to_ourselves(path: &std::path::Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(StoreError(sqlx::Error::Io(error))),
        _ => Ok(()),
    }
}
