//! The catalog in an SQL database: SQLite or PostgreSQL, by the same statements.
//!
//! Owns the tables (`migrations/`) and the order in which a commit goes through them. Does not decide what a change does
//! (`plan`). Invariant: a record is locked before what follows from it is read, so that two commits to one asset come one
//! after the other on either database.

mod commit;
mod content;
mod driver;
mod outbox;
mod postgres;
mod queue;
mod read;
mod session;
mod sqlite;
mod survey;

use crate::asset::{Asset, StoredVersion};
use crate::change::{Change, Committed};
use crate::error::{CommitError, StoreError};
use crate::event::Event;
use crate::listing::{Cursor, Listing, Page};
use crate::name::{AssetId, AssetPath, ContentHash, TenantId};
use crate::store::{Catalog, Held, Lag, Later, Row, Unreferenced, Usage};
use crate::terms::{Terms, bounded, chance};
use jiff::Timestamp;
use queue::Queue;
use session::{Cell, Database, Line, Trouble, cells};
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How often a transaction is tried that others were in the way of.
const TRIES: u32 = 20;
/// Before the second try; grows with each.
const PAUSE: Duration = Duration::from_millis(2);

/// A catalog over SQL. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    database: Arc<dyn Database>,
    terms: Terms,
    /// Where commits wait for each other, if that is of use.
    queue: Option<Queue>,
}

impl Sql {
    /// A file, or memory.
    pub(crate) async fn sqlite(path: Option<&Path>, readers: u32, terms: Terms) -> Result<Self, StoreError> {
        let database = Arc::new(sqlite::File::open(path, readers, terms.patience).await?);
        Ok(Self { database, terms, queue: None }.queued())
    }

    /// A server.
    pub(crate) async fn postgres(options: PgConnectOptions, most: u32, terms: Terms) -> Result<Self, StoreError> {
        let pool = postgres::Pool { most, patience: terms.patience };
        let database = Arc::new(postgres::Server::open(options, pool).await?);
        Ok(Self { database, terms, queue: None })
    }

    /// One statement that reads.
    async fn read(&self, sql: &str, cells: Vec<Cell>) -> Result<Vec<Line>, StoreError> {
        let work = async {
            let mut session = self.database.session().await?;
            session.run(sql, cells).await
        };
        bounded(self.terms.patience, async { work.await.map_err(StoreError::from) }).await
    }

    /// One statement that writes, tried again where others were in the way.
    async fn write(&self, sql: &str, cells: Vec<Cell>) -> Result<Vec<Line>, StoreError> {
        let once = async || {
            let mut transaction = self.database.begin().await?;
            let lines = transaction.run(sql, cells.clone()).await?;
            transaction.commit().await?;
            Ok(lines)
        };
        bounded(self.terms.patience, async {
            for tried in 1.. {
                match once().await {
                    Err(Trouble::Again(_)) if tried < TRIES => pause(tried).await,
                    other => return other.map_err(StoreError::from),
                }
            }
            Err(StoreError::Late)
        })
        .await
    }
}

/// Longer each time, and not the same for all.
async fn pause(tried: u32) {
    let random = chance();
    tokio::time::sleep(PAUSE * tried + PAUSE * tried * random / 256).await;
}

/// A moment as columns have it.
fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A moment as columns had it.
fn moment(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| StoreError::Corrupt(format!("{micros}: {error}")))
}

/// A document of a column.
fn document<T: serde::de::DeserializeOwned>(line: &Line, column: usize, what: &str) -> Result<T, StoreError> {
    serde_json::from_str(line.text(column)?).map_err(|error| StoreError::Corrupt(format!("{what}: {error}")))
}

/// A document for a column.
fn written<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Refused(error.to_string()))
}

impl Catalog for Sql {
    fn commit(&self, change: Change) -> Later<'_, Result<Committed, CommitError>> {
        Box::pin(bounded(self.terms.patience, async move {
            match &self.queue {
                Some(queue) => queue::leave(queue, change).await,
                None => self.committed(&change).await,
            }
        }))
    }

    fn get<'a>(&'a self, tenant: &'a TenantId, id: AssetId) -> Later<'a, Result<Option<Asset>, StoreError>> {
        Box::pin(self.record(tenant, id))
    }

    fn find<'a>(&'a self, tenant: &'a TenantId, path: &'a AssetPath) -> Later<'a, Result<Option<Asset>, StoreError>> {
        Box::pin(self.holder(tenant, path))
    }

    fn list<'a>(&'a self, tenant: &'a TenantId, listing: &'a Listing) -> Later<'a, Result<Page<Asset>, StoreError>> {
        Box::pin(self.listed(tenant, listing))
    }

    fn versions<'a>(&'a self, tenant: &'a TenantId, id: AssetId) -> Later<'a, Result<Vec<StoredVersion>, StoreError>> {
        Box::pin(self.contents_of(tenant, id))
    }

    fn due(&self, now: Timestamp, limit: usize) -> Later<'_, Result<Vec<Asset>, StoreError>> {
        Box::pin(self.overdue(now, limit))
    }

    fn usage<'a>(&'a self, tenant: &'a TenantId) -> Later<'a, Result<Usage, StoreError>> {
        Box::pin(self.used(tenant))
    }

    fn hold<'a>(
        &'a self,
        tenant: &'a TenantId,
        hash: &'a ContentHash,
        bytes: u64,
        until: Timestamp,
    ) -> Later<'a, Result<Held, StoreError>> {
        Box::pin(self.held(tenant, hash, bytes, until))
    }

    fn references<'a>(&'a self, tenant: &'a TenantId, hash: &'a ContentHash) -> Later<'a, Result<u64, StoreError>> {
        Box::pin(self.referring(tenant, hash))
    }

    fn unreferenced(&self, before: Timestamp, limit: usize) -> Later<'_, Result<Vec<Unreferenced>, StoreError>> {
        Box::pin(self.left_over(before, limit))
    }

    fn condemn<'a>(
        &'a self,
        tenant: &'a TenantId,
        hash: &'a ContentHash,
        now: Timestamp,
    ) -> Later<'a, Result<bool, StoreError>> {
        Box::pin(self.condemned(tenant, hash, now))
    }

    fn forget<'a>(&'a self, tenant: &'a TenantId, hash: &'a ContentHash) -> Later<'a, Result<(), StoreError>> {
        Box::pin(self.forgotten(tenant, hash))
    }

    fn pending(&self, limit: usize) -> Later<'_, Result<Vec<Event>, StoreError>> {
        Box::pin(self.waiting(limit))
    }

    fn sent<'a>(&'a self, events: &'a [Event]) -> Later<'a, Result<(), StoreError>> {
        Box::pin(self.handed_on(events))
    }

    fn lag(&self) -> Later<'_, Result<Lag, StoreError>> {
        Box::pin(self.behind())
    }

    fn lead<'a>(&'a self, holder: &'a str, now: Timestamp, lease: Duration) -> Later<'a, Result<bool, StoreError>> {
        Box::pin(self.leading(holder, now, lease))
    }

    fn scan<'a>(&'a self, after: Option<&'a Cursor>, limit: usize) -> Later<'a, Result<Page<Asset>, StoreError>> {
        Box::pin(self.scanned(after, limit))
    }

    fn survey<'a>(&'a self, after: Option<&'a Cursor>, limit: usize) -> Later<'a, Result<Page<Row>, StoreError>> {
        Box::pin(self.surveyed(after, limit))
    }

    fn ready(&self) -> Later<'_, Result<(), StoreError>> {
        Box::pin(async {
            let here = "DELETE FROM leases WHERE name = 'nobody'";
            self.write(here, cells![]).await.map(drop)
        })
    }
}
