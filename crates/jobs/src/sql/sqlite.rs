//! The queue of one machine: a SQLite file in WAL mode, for any number of processes on it.
//!
//! Invariants: what `send` said is on disk; within this process writers take turns, so that none of them sleeps in SQLite's
//! own back-off; a power failure may at worst undo that a job was taken or done, and it is done again.

use super::statements::sql_queue;
use crate::queue::QueueError;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, Notify};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a writer waits for those of other processes.
const BUSY: Duration = Duration::from_secs(10);
/// Readers: the HTTP face and metrics.
const READERS: u32 = 2;

/// Jobs in a file. Clones are not needed: it is shared behind an `Arc<dyn Queue>`.
#[derive(Debug)]
pub struct SqliteQueue {
    path: PathBuf,
    /// For what is promised: synced to disk.
    write: SqlitePool,
    /// For what may be undone by a power failure.
    work: SqlitePool,
    read: SqlitePool,
    turn: Mutex<()>,
    changed: Notify,
}

impl SqliteQueue {
    /// Opens the file, makes it where it is missing, and brings it to this release's form.
    ///
    /// # Errors
    /// The file cannot be opened, is no queue, or one of a later release.
    pub async fn open(path: &Path) -> Result<Self, QueueError> {
        let failed = |error: &dyn std::fmt::Display| QueueError::Store(format!("{}: {error}", path.display()));
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| failed(&error))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(BUSY);
        let pool = |connections| SqlitePoolOptions::new().max_connections(connections).acquire_timeout(BUSY * 2);
        let full = options.clone().synchronous(SqliteSynchronous::Full);
        let write = pool(1).connect_with(full).await.map_err(|error| failed(&error))?;
        let mut migrations = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
        migrations.dangerous_set_table_name("jobs_migrations");
        migrations.run(&write).await.map_err(|error| failed(&error))?;
        let normal = options.synchronous(SqliteSynchronous::Normal);
        let work = pool(1).connect_with(normal.clone()).await.map_err(|error| failed(&error))?;
        let read = pool(READERS).connect_lazy_with(normal.read_only(true));
        Ok(Self { path: path.to_owned(), write, work, read, turn: Mutex::new(()), changed: Notify::new() })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }
}

/// For each kind and priority the first few by the index, and of these the first few: what others wait for is not read.
macro_rules! take {
    () => {
        concat!(
        "SELECT j.seq FROM json_each($3) k CROSS JOIN (SELECT 0 AS rank UNION ALL SELECT 1 UNION ALL SELECT 2) p \
         CROSS JOIN jobs j WHERE j.seq IN (SELECT x.seq FROM jobs x WHERE x.state = 0 AND x.kind = k.value \
         AND x.priority = p.rank AND x.due <= CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER) AND x.stopping = 0 \
         ORDER BY x.due, x.seq LIMIT $4) ORDER BY j.priority, j.due, j.seq LIMIT $4"
        )
    };
}

sql_queue!(
    SqliteQueue,
    sqlx::Sqlite,
    name = "sqlite",
    now = "CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)",
    list = "(SELECT value FROM json_each(",
    end = "))",
    take = take!()
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;
    use crate::job::{JobKind, NewJob, Priority};
    use crate::queue::{Queue, Take};
    use serde_json::json;
    use std::sync::Arc;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_promises_hold() {
        let folder = tempfile::tempdir().unwrap();
        let number = std::sync::atomic::AtomicU32::new(0);
        contract::holds(Duration::from_millis(100), async || {
            let name = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let queue = SqliteQueue::open(&folder.path().join(format!("jobs/{name}.db"))).await.unwrap();
            Arc::new(queue) as Arc<dyn Queue>
        })
        .await;
    }

    /// What others wait for is not read, and nothing is sorted but the few that are taken.
    #[tokio::test]
    async fn taking_goes_by_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(&folder.path().join("jobs.db")).await.unwrap();
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(concat!("EXPLAIN QUERY PLAN ", take!()))
            .bind("")
            .bind(0)
            .bind("[]")
            .bind(1)
            .fetch_all(&queue.work)
            .await
            .unwrap();
        let steps: Vec<&str> = plan.iter().map(|step| step.3.as_str()).collect();
        let by_index = "SEARCH x USING INDEX jobs_due (state=? AND kind=? AND priority=? AND due<?)";
        assert!(steps.contains(&by_index), "{steps:?}");
        assert!(steps.iter().any(|step| step.starts_with("SEARCH j USING INTEGER PRIMARY KEY")), "{steps:?}");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_dead_and_nothing_else_suffers() {
        let folder = tempfile::tempdir().unwrap();
        let queue = SqliteQueue::open(&folder.path().join("jobs.db")).await.unwrap();
        let ids = queue.send((0..3).map(|n| NewJob::new(JobKind::INDEX, json!(n))).collect()).await.unwrap();
        let broken = "UPDATE jobs SET payload = '{\"a\":' WHERE id = $1";
        sqlx::query(broken).bind(ids[1].to_string()).execute(&queue.work).await.unwrap();
        let take = Take { kinds: vec![JobKind::INDEX], max: 10, lease: Duration::from_secs(60), wait: Duration::ZERO };
        assert_eq!(queue.receive(&take).await.unwrap().len(), 2);
        let seen = queue.get(ids[1]).await.unwrap().unwrap();
        assert_eq!(seen.state, crate::State::Dead);
        assert!(seen.reason.unwrap().starts_with("cannot be read: "));
    }

    #[tokio::test]
    async fn a_file_that_is_no_queue_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.db");
        std::fs::write(&path, "not a database, but long enough to be looked at by SQLite as one".repeat(20)).unwrap();
        let error = SqliteQueue::open(&path).await.unwrap_err().to_string();
        assert!(error.contains("jobs.db") && error.contains("not a database"), "{error}");
    }

    /// Another process on the same file sees the same jobs.
    #[tokio::test]
    async fn two_on_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("jobs.db");
        let (one, two) = (SqliteQueue::open(&path).await.unwrap(), SqliteQueue::open(&path).await.unwrap());
        one.send((0..50).map(|n| NewJob::new(JobKind::INDEX, json!(n)).priority(Priority::Low)).collect())
            .await
            .unwrap();
        let take =
            |max| Take { kinds: vec![JobKind::INDEX], max, lease: Duration::from_secs(60), wait: Duration::ZERO };
        let (some, take) = (take(20), take(50));
        let (some, rest) = (one.receive(&some).await.unwrap(), two.receive(&take).await.unwrap());
        assert_eq!((some.len(), rest.len()), (20, 30));
    }
}
