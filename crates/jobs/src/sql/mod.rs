//! Queues in tables: SQLite for one machine, PostgreSQL for a fleet.
//!
//! Owns the statements, which both share but for a few words. Times are the database's own, so that no two instances
//! disagree. Invariant: who may have a job is decided by one statement; what is in between is seen by nobody.

pub(crate) mod postgres;
mod row;
pub(crate) mod sqlite;
mod statements;

pub use postgres::PostgresQueue;
pub use sqlite::SqliteQueue;

use crate::queue::QueueError;

pub(crate) fn failed(error: impl std::fmt::Display) -> QueueError {
    QueueError::Store(error.to_string())
}
