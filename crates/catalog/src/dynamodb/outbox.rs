//! The outbox, in a few partitions by asset, and who may hand it on.

use super::item::{self, Item, Read, SHARDS, key, number, text};
use super::read::Range;
use super::{Dynamo, fault, unmet};
use crate::error::StoreError;
use crate::event::Event;
use crate::listing::Listing;
use crate::store::Lag;
use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use jiff::Timestamp;
use std::time::Duration;

/// Deletions that the service takes at once.
const BATCH: usize = 25;
/// Before what was not taken is sent again.
const PAUSE: Duration = Duration::from_millis(50);

fn shard(number: u8) -> Range {
    Range { index: None, partition: item::outbox(number), condition: None, forward: true, start: None }
}

impl Dynamo {
    pub(super) async fn waiting(&self, limit: usize) -> Result<Vec<Event>, StoreError> {
        let mut events: Vec<Event> = Vec::new();
        for number in 0..SHARDS {
            let (items, _) = self.query(&shard(number), limit).await?;
            for item in &items {
                events.push(item.document()?);
            }
        }
        events.sort_by_key(|event| (event.seq, event.asset));
        events.truncate(limit);
        Ok(events)
    }

    pub(super) async fn handed_on(&self, events: &[Event]) -> Result<(), StoreError> {
        for some in events.chunks(BATCH) {
            let delete = |event: &Event| {
                let request = DeleteRequest::builder().set_key(Some(item::event(event.asset, event.seq))).build();
                let request = request.map_err(|error| StoreError::Refused(error.to_string()))?;
                Ok(WriteRequest::builder().delete_request(request).build())
            };
            let mut left: Vec<WriteRequest> = some.iter().map(delete).collect::<Result<_, StoreError>>()?;
            while !left.is_empty() {
                let request = self.client().await?.batch_write_item().request_items(&self.table, left);
                let output = request.send().await.map_err(|error| fault(&error))?;
                left = output.unprocessed_items.and_then(|mut left| left.remove(&self.table)).unwrap_or_default();
                if !left.is_empty() {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        Ok(())
    }

    pub(super) async fn behind(&self) -> Result<Lag, StoreError> {
        let mut lag = Lag::default();
        for number in 0..SHARDS {
            let (items, _) = self.query(&shard(number), Listing::MOST).await?;
            lag.events += u64::try_from(items.len()).unwrap_or(u64::MAX);
            if let Some(first) = items.first() {
                let event: Event = first.document()?;
                lag.oldest = Some(lag.oldest.map_or(event.at, |oldest| oldest.min(event.at)));
            }
        }
        Ok(lag)
    }

    pub(super) async fn leading(&self, holder: &str, now: Timestamp, lease: Duration) -> Result<bool, StoreError> {
        let length = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
        let now = now.as_microsecond();
        let mut lease: Item = key("L#outbox", "L");
        lease.insert("holder".to_owned(), text(holder));
        lease.insert("until".to_owned(), number(now.saturating_add(length)));
        let request = self.client().await?.put_item().table_name(&self.table).set_item(Some(lease));
        let request = request.condition_expression("attribute_not_exists(pk) OR #h = :h OR #u <= :now");
        let request = request.expression_attribute_names("#h", "holder").expression_attribute_names("#u", "until");
        let request = request.expression_attribute_values(":h", text(holder));
        match request.expression_attribute_values(":now", number(now)).send().await {
            Ok(_) => Ok(true),
            Err(error) if unmet(&error) => Ok(false),
            Err(error) => Err(fault(&error)),
        }
    }
}
