//! The catalog in one table of DynamoDB: transactions of conditional writes, three indexes, TTL for idempotency records.
//!
//! Knows the service by its client. Does not decide what a change does (`plan`). Invariant: a commit reads consistently,
//! decides, and writes under the condition that nothing of what it read has changed; else it begins again.

mod commit;
mod content;
mod item;
mod outbox;
mod read;
mod survey;
mod table;

use crate::asset::{Asset, StoredVersion};
use crate::change::{Change, Committed};
use crate::config::DynamoConfig;
use crate::error::{CommitError, StoreError};
use crate::event::Event;
use crate::listing::{Cursor, Listing, Page};
use crate::name::{AssetId, AssetPath, ContentHash, TenantId};
use crate::store::{Catalog, Held, Lag, Later, Row, Unreferenced, Usage};
use crate::terms::{Terms, bounded};
use aws::{Aws, Fault, Service};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use item::Item;
use jiff::Timestamp;
use std::time::Duration;

/// A catalog in a table.
#[derive(Debug)]
pub(crate) struct Dynamo {
    service: Service<Client>,
    table: String,
    terms: Terms,
}

/// Reads what the SDK says.
fn fault<E>(error: &SdkError<E>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    said(Fault::of(error))
}

fn said(fault: Fault) -> StoreError {
    match fault {
        Fault::Late => StoreError::Late,
        Fault::Broken(why) => StoreError::Unreachable(why),
        Fault::Credentials(why) | Fault::Config(why) => StoreError::Refused(why),
        Fault::Answered(answer) if answer.status >= 500 || busy(&answer.code) => {
            StoreError::Unreachable(Fault::Answered(answer).to_string())
        }
        answered => StoreError::Refused(answered.to_string()),
    }
}

fn busy(code: &str) -> bool {
    matches!(
        code,
        "ThrottlingException"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "TransactionInProgressException"
    )
}

/// Whether a condition did not hold.
fn unmet<E>(error: &SdkError<E>) -> bool
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    Fault::of(error).code() == "ConditionalCheckFailedException"
}

impl Dynamo {
    /// Asks for the table, and makes it where that is wanted.
    pub(crate) async fn open(config: &DynamoConfig, aws: &Aws, terms: Terms) -> Result<Self, StoreError> {
        aws.check(&config.access).map_err(StoreError::Refused)?;
        let service = Service::new(aws, config.access.clone(), config.patience, Client::new);
        let catalog = Self { service, table: config.table.as_str().to_owned(), terms };
        catalog.ensure(config.create).await?;
        Ok(catalog)
    }

    async fn client(&self) -> Result<&Client, StoreError> {
        self.service.client().await.map_err(said)
    }

    /// One item, as it is now.
    async fn item(&self, key: Item) -> Result<Option<Item>, StoreError> {
        let request = self.client().await?.get_item().table_name(&self.table).set_key(Some(key)).consistent_read(true);
        request.send().await.map(|output| output.item).map_err(|error| fault(&error))
    }
}

impl Catalog for Dynamo {
    fn commit(&self, change: Change) -> Later<'_, Result<Committed, CommitError>> {
        Box::pin(async move { bounded(self.terms.patience, self.committed(&change)).await })
    }

    fn get<'a>(&'a self, tenant: &'a TenantId, id: AssetId) -> Later<'a, Result<Option<Asset>, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.record(tenant, id)))
    }

    fn find<'a>(&'a self, tenant: &'a TenantId, path: &'a AssetPath) -> Later<'a, Result<Option<Asset>, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.holder(tenant, path)))
    }

    fn list<'a>(&'a self, tenant: &'a TenantId, listing: &'a Listing) -> Later<'a, Result<Page<Asset>, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.listed(tenant, listing)))
    }

    fn versions<'a>(&'a self, tenant: &'a TenantId, id: AssetId) -> Later<'a, Result<Vec<StoredVersion>, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.contents_of(tenant, id)))
    }

    fn due(&self, now: Timestamp, limit: usize) -> Later<'_, Result<Vec<Asset>, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.overdue(now, limit)))
    }

    fn usage<'a>(&'a self, tenant: &'a TenantId) -> Later<'a, Result<Usage, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.used(tenant)))
    }

    fn hold<'a>(
        &'a self,
        tenant: &'a TenantId,
        hash: &'a ContentHash,
        bytes: u64,
        until: Timestamp,
    ) -> Later<'a, Result<Held, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.held(tenant, hash, bytes, until)))
    }

    fn references<'a>(&'a self, tenant: &'a TenantId, hash: &'a ContentHash) -> Later<'a, Result<u64, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.referring(tenant, hash)))
    }

    fn unreferenced(&self, before: Timestamp, limit: usize) -> Later<'_, Result<Vec<Unreferenced>, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.left_over(before, limit)))
    }

    fn condemn<'a>(
        &'a self,
        tenant: &'a TenantId,
        hash: &'a ContentHash,
        now: Timestamp,
    ) -> Later<'a, Result<bool, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.condemned(tenant, hash, now)))
    }

    fn forget<'a>(&'a self, tenant: &'a TenantId, hash: &'a ContentHash) -> Later<'a, Result<(), StoreError>> {
        Box::pin(bounded(self.terms.patience, self.forgotten(tenant, hash)))
    }

    fn pending(&self, limit: usize) -> Later<'_, Result<Vec<Event>, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.waiting(limit)))
    }

    fn sent<'a>(&'a self, events: &'a [Event]) -> Later<'a, Result<(), StoreError>> {
        Box::pin(bounded(self.terms.patience, self.handed_on(events)))
    }

    fn lag(&self) -> Later<'_, Result<Lag, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.behind()))
    }

    fn lead<'a>(&'a self, holder: &'a str, now: Timestamp, lease: Duration) -> Later<'a, Result<bool, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.leading(holder, now, lease)))
    }

    fn scan<'a>(&'a self, after: Option<&'a Cursor>, limit: usize) -> Later<'a, Result<Page<Asset>, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.scanned(after, limit)))
    }

    fn survey<'a>(&'a self, after: Option<&'a Cursor>, limit: usize) -> Later<'a, Result<Page<Row>, StoreError>> {
        Box::pin(bounded(self.terms.patience, self.surveyed(after, limit)))
    }

    fn ready(&self) -> Later<'_, Result<(), StoreError>> {
        Box::pin(bounded(self.terms.patience, self.ensure(false)))
    }
}
