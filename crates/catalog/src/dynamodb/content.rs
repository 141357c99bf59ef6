//! What refers to which content, and what nothing refers to.

use super::item::{self, BY_DUE, FREE, Item, Read, number, sortable, text};
use super::read::Range;
use super::{Dynamo, fault, unmet};
use crate::error::StoreError;
use crate::name::{ContentHash, TenantId};
use crate::store::{Held, Unreferenced};
use jiff::Timestamp;

/// Looks before giving up on an item that others keep changing.
const TRIES: usize = 20;
/// Questions to the service that one list may take; then it is short.
const ROUNDS: usize = 8;

impl Dynamo {
    pub(super) async fn held(
        &self,
        tenant: &TenantId,
        hash: &ContentHash,
        bytes: u64,
        until: Timestamp,
    ) -> Result<Held, StoreError> {
        let (key, micros) = (item::content(tenant, hash), until.as_microsecond());
        for _ in 0..TRIES {
            let found = self.item(key.clone()).await?;
            let done = match &found {
                Some(found) if found.maybe("condemned")?.is_some() => return Ok(Held::Condemned),
                Some(found) if found.number("held")? >= micros => return Ok(Held::Ready),
                Some(_) => {
                    let request = self.client().await?.update_item().table_name(&self.table).set_key(Some(key.clone()));
                    let request = request.update_expression("SET held = :until");
                    let request = request.condition_expression(
                        "attribute_exists(pk) AND attribute_not_exists(condemned) AND held < :until",
                    );
                    let sent = request.expression_attribute_values(":until", number(micros)).send().await;
                    sent.map(drop).map_err(|error| (unmet(&error), fault(&error)))
                }
                None => {
                    let request = self.client().await?.put_item().table_name(&self.table);
                    let request = request.set_item(Some(unreferred(tenant, hash, bytes, micros)));
                    let sent = request.condition_expression("attribute_not_exists(pk)").send().await;
                    sent.map(drop).map_err(|error| (unmet(&error), fault(&error)))
                }
            };
            match done {
                Ok(()) => return Ok(Held::Ready),
                Err((true, _)) => {}
                Err((false, error)) => return Err(error),
            }
        }
        Err(StoreError::Late)
    }

    pub(super) async fn referring(&self, tenant: &TenantId, hash: &ContentHash) -> Result<u64, StoreError> {
        self.item(item::content(tenant, hash)).await?.map_or(Ok(0), |found| found.count("refs"))
    }

    pub(super) async fn left_over(&self, before: Timestamp, limit: usize) -> Result<Vec<Unreferenced>, StoreError> {
        let micros = before.as_microsecond();
        let mut range = Range {
            index: Some(BY_DUE),
            partition: FREE.to_owned(),
            condition: Some(("#s < :s", sortable(micros))),
            forward: true,
            start: None,
        };
        let mut contents = Vec::new();
        for _ in 0..ROUNDS {
            let (items, next) = self.query(&range, limit).await?;
            for found in &items {
                let ripe = match found.maybe("condemned")? {
                    Some(condemned) => condemned < micros,
                    None => found.number("held")? < micros,
                };
                if ripe && contents.len() < limit {
                    contents.push(unreferenced(found)?);
                }
            }
            range.start = next;
            if range.start.is_none() || contents.len() >= limit {
                break;
            }
        }
        Ok(contents)
    }

    pub(super) async fn condemned(
        &self,
        tenant: &TenantId,
        hash: &ContentHash,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let request = self.client().await?.update_item().table_name(&self.table);
        let request = request.set_key(Some(item::content(tenant, hash))).update_expression("SET condemned = :now");
        let request = request.condition_expression("refs = :none AND (held <= :now OR attribute_exists(condemned))");
        let request = request.expression_attribute_values(":none", number(0));
        let request = request.expression_attribute_values(":now", number(now.as_microsecond()));
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if unmet(&error) => Ok(false),
            Err(error) => Err(fault(&error)),
        }
    }

    pub(super) async fn forgotten(&self, tenant: &TenantId, hash: &ContentHash) -> Result<(), StoreError> {
        let request = self.client().await?.delete_item().table_name(&self.table);
        let request = request.set_key(Some(item::content(tenant, hash)));
        let request = request.condition_expression("refs = :none AND attribute_exists(condemned)");
        match request.expression_attribute_values(":none", number(0)).send().await {
            Ok(_) => Ok(()),
            Err(error) if unmet(&error) => Ok(()),
            Err(error) => Err(fault(&error)),
        }
    }
}

/// A content that is held, and that nothing refers to yet.
fn unreferred(tenant: &TenantId, hash: &ContentHash, bytes: u64, until: i64) -> Item {
    let mut item = item::content(tenant, hash);
    for (name, value) in [("refs", 0), ("since", until), ("held", until)] {
        item.insert(name.to_owned(), number(value));
    }
    item.insert("bytes".to_owned(), number(bytes));
    item.insert(BY_DUE.hash.to_owned(), text(FREE));
    item.insert(BY_DUE.range.to_owned(), text(format_args!("{}#{tenant}#{hash}", sortable(until))));
    item
}

fn unreferenced(item: &Item) -> Result<Unreferenced, StoreError> {
    let (_, parts) = item::parts(item)?;
    let micros = item.number("since")?;
    let since = Timestamp::from_microsecond(micros);
    Ok(Unreferenced {
        tenant: item::parsed(parts.first())?,
        hash: item::parsed(parts.get(1))?,
        bytes: item.count("bytes")?,
        since: since.map_err(|error| StoreError::Corrupt(format!("{micros}: {error}")))?,
    })
}
