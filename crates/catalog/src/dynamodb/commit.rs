//! One commit: read, decide, write everything in one transaction under conditions.
//!
//! Carries out what `plan` decides. Invariant: no item is written twice in a transaction, and none without the condition
//! that it is as it was read, but for the tenant's counters, which are added to.

use super::item::{self, BY_DUE, FREE, Item, Read, VERSION, document, number, sortable, text};
use super::{Dynamo, busy, fault};
use crate::asset::{Asset, StoredVersion};
use crate::change::{Change, Committed, Idempotency};
use crate::error::{CommitError, StoreError};
use crate::event::{Event, EventKind};
use crate::name::{AssetId, ContentHash, TenantId};
use crate::plan::{Delta, Plan, plan};
use crate::store::Usage;
use crate::terms::{Remembered, chance};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem, Update};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a commit begins again where others were in its way.
const TRIES: u32 = 30;
/// Before the second try; grows with each.
const PAUSE: Duration = Duration::from_millis(5);

/// The writes of one transaction.
#[derive(Default)]
struct Writes(Vec<TransactWriteItem>);

fn unfit(error: impl std::fmt::Display) -> StoreError {
    StoreError::Refused(error.to_string())
}

impl Writes {
    fn put(&mut self, table: &str, item: Item, condition: Option<(&str, Item)>) -> Result<(), StoreError> {
        let (expression, values) = condition.map(|(text, values)| (text.to_owned(), values)).unzip();
        let put = Put::builder().table_name(table).set_item(Some(item)).set_condition_expression(expression);
        let put = put.set_expression_attribute_values(values.filter(|values: &Item| !values.is_empty()));
        self.0.push(TransactWriteItem::builder().put(put.build().map_err(unfit)?).build());
        Ok(())
    }

    fn delete(&mut self, table: &str, key: Item, condition: Option<(&str, Item)>) -> Result<(), StoreError> {
        let (expression, values) = condition.map(|(text, values)| (text.to_owned(), values)).unzip();
        let delete = Delete::builder().table_name(table).set_key(Some(key)).set_condition_expression(expression);
        let delete = delete.set_expression_attribute_values(values);
        self.0.push(TransactWriteItem::builder().delete(delete.build().map_err(unfit)?).build());
        Ok(())
    }

    fn update(&mut self, table: &str, key: Item, text: &str, condition: &str, values: Item) -> Result<(), StoreError> {
        let update = Update::builder().table_name(table).set_key(Some(key)).update_expression(text);
        let condition = Some(condition.to_owned()).filter(|condition| !condition.is_empty());
        let update = update.set_condition_expression(condition).set_expression_attribute_values(Some(values));
        self.0.push(TransactWriteItem::builder().update(update.build().map_err(unfit)?).build());
        Ok(())
    }
}

fn values<const N: usize>(entries: [(&str, aws_sdk_dynamodb::types::AttributeValue); N]) -> Item {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

const NEW: &str = "attribute_not_exists(pk)";

impl Dynamo {
    /// Makes a change, as often as others are in its way.
    pub(super) async fn committed(&self, change: &Change) -> Result<Committed, CommitError> {
        for tried in 1..=TRIES {
            if let Some(committed) = self.attempt(change).await? {
                return Ok(committed);
            }
            let random = chance();
            tokio::time::sleep(PAUSE * tried.min(10) * (64 + random) / 256).await;
        }
        Err(StoreError::Late.into())
    }

    /// `None`: what was read had changed before it could be written.
    async fn attempt(&self, change: &Change) -> Result<Option<Committed>, CommitError> {
        let tenant = &change.asset.tenant;
        if let Some(idempotency) = &change.idempotency
            && let Some(committed) = self.repeated(tenant, idempotency, change.asset.changed).await?
        {
            return Ok(Some(committed));
        }
        let found = self.item(item::asset(tenant, change.asset.id)).await?;
        let current: Option<Asset> = found.as_ref().map(Read::document).transpose()?;
        let before = found.as_ref().map_or(Ok(0), |found| found.count("seq"))?;
        let Plan { asset, event, gone, takes, frees, adds } = plan(current.as_ref(), change, &self.terms.region)?;
        let seq = (before + 1).max(u64::try_from(event.at.as_microsecond()).unwrap_or_default());
        let event = Event { seq, ..event };
        let mut writes = Writes::default();
        let table = &self.table;
        if let Some(path) = &takes {
            if let Some(held) = self.item(item::path(tenant, path)).await? {
                return Err(CommitError::PathTaken(item::parsed(Some(&held.text("id")?))?));
            }
            let mut taken = item::path(tenant, path);
            taken.insert("id".to_owned(), text(asset.id));
            writes.put(table, taken, Some((NEW, Item::new())))?;
        }
        if let Some(path) = &frees {
            let mine = values([(":id", text(asset.id))]);
            writes.delete(table, item::path(tenant, path), Some(("id = :id", mine)))?;
        }
        self.write_record(&mut writes, current.as_ref(), &asset, (gone, seq))?;
        let plan = Plan { asset, event, gone, takes, frees, adds };
        let dropped = self.turn_over(&mut writes, &plan).await?;
        self.account(&mut writes, &plan, change, &dropped).await?;
        let mut posted = item::event(plan.asset.id, seq);
        posted.insert("doc".to_owned(), document(&plan.event)?);
        writes.put(table, posted, None)?;
        let Plan { asset, event, .. } = plan;
        if let Some(idempotency) = &change.idempotency {
            let remembered = Remembered { asset: asset.clone(), event: event.clone() };
            self.remember(&mut writes, idempotency, &remembered)?;
        }
        let done = self.transact(writes).await?;
        Ok(done.then_some(Committed { asset, event, repeated: false }))
    }

    fn write_record(
        &self,
        writes: &mut Writes,
        current: Option<&Asset>,
        asset: &Asset,
        (gone, seq): (bool, u64),
    ) -> Result<(), StoreError> {
        let seen = current.map(|now| ("rev = :seen", values([(":seen", number(now.revision))])));
        if gone {
            writes.delete(&self.table, item::asset(&asset.tenant, asset.id), seen)
        } else {
            writes.put(&self.table, item::record(asset, seq)?, Some(seen.unwrap_or((NEW, Item::new()))))
        }
    }

    async fn repeated(
        &self,
        tenant: &TenantId,
        idempotency: &Idempotency,
        now: Timestamp,
    ) -> Result<Option<Committed>, CommitError> {
        let found = self.item(item::idempotency(tenant, &idempotency.key)).await?;
        // The service takes its time to clear away what has expired.
        let Some(found) = found.filter(|found| found.number("ttl").is_ok_and(|ttl| ttl > now.as_second())) else {
            return Ok(None);
        };
        if found.text("fingerprint")? != idempotency.fingerprint.to_string() {
            return Err(CommitError::KeyReused);
        }
        Ok(Some(found.document::<Remembered>()?.into()))
    }

    fn remember(
        &self,
        writes: &mut Writes,
        idempotency: &Idempotency,
        remembered: &Remembered,
    ) -> Result<(), StoreError> {
        let now = remembered.asset.changed.as_second();
        let kept = i64::try_from(self.terms.idempotency.as_secs()).unwrap_or(i64::MAX);
        let mut key = item::idempotency(&remembered.asset.tenant, &idempotency.key);
        key.insert("fingerprint".to_owned(), text(idempotency.fingerprint));
        key.insert("doc".to_owned(), document(remembered)?);
        key.insert("ttl".to_owned(), number(now.saturating_add(kept)));
        let free = "attribute_not_exists(pk) OR #ttl <= :now";
        let put = Put::builder().table_name(&self.table).set_item(Some(key)).condition_expression(free);
        let put = put.expression_attribute_names("#ttl", "ttl").expression_attribute_values(":now", number(now));
        writes.0.push(TransactWriteItem::builder().put(put.build().map_err(unfit)?).build());
        Ok(())
    }

    /// Adds the plan's version and drops those that are too many, or all; how large the dropped ones were.
    async fn turn_over(&self, writes: &mut Writes, plan: &Plan) -> Result<Vec<u64>, CommitError> {
        let (tenant, id) = (&plan.asset.tenant, plan.asset.id);
        if !plan.gone && plan.adds.is_none() {
            return Ok(Vec::new());
        }
        let mut changes: BTreeMap<ContentHash, (i64, u64)> = BTreeMap::new();
        if let Some(version) = &plan.adds {
            changes.insert(version.content.hash, (1, version.content.bytes));
            writes.put(&self.table, stored(tenant, id, version)?, None)?;
        }
        let keep = if plan.gone { 0 } else { self.terms.versions.saturating_sub(1) };
        let mut dropped = Vec::new();
        // A new asset has no other version.
        let new = plan.event.kind == EventKind::Created;
        let before = if new { Vec::new() } else { self.contents_of(tenant, id).await? };
        for version in before.iter().skip(keep) {
            writes.delete(&self.table, item::version(tenant, id, version.version), None)?;
            dropped.push(version.content.bytes);
            changes.entry(version.content.hash).or_insert((0, version.content.bytes)).0 -= 1;
        }
        for (hash, (more, bytes)) in changes.into_iter().filter(|(_, (more, _))| *more != 0) {
            self.refer(writes, tenant, (hash, more, bytes), plan.asset.changed).await?;
        }
        Ok(dropped)
    }

    async fn refer(
        &self,
        writes: &mut Writes,
        tenant: &TenantId,
        (hash, more, bytes): (ContentHash, i64, u64),
        at: Timestamp,
    ) -> Result<(), CommitError> {
        let key = item::content(tenant, &hash);
        let Some(found) = self.item(key.clone()).await? else {
            let mut new = key;
            let facts = [("refs", more), ("held", 0), ("since", at.as_microsecond())];
            new.extend(facts.map(|(name, value)| (name.to_owned(), number(value))));
            new.insert("bytes".to_owned(), number(bytes));
            return Ok(writes.put(&self.table, new, Some((NEW, Item::new())))?);
        };
        if more > 0 && found.maybe("condemned")?.is_some() {
            return Err(CommitError::Condemned(hash));
        }
        let seen = found.number("refs")?;
        let left = seen.saturating_add(more);
        let mut values = values([(":seen", number(seen)), (":left", number(left))]);
        let condition = "refs = :seen AND attribute_not_exists(condemned)";
        let text = if left > 0 {
            format!("SET refs = :left REMOVE {}, {}", BY_DUE.hash, BY_DUE.range)
        } else {
            let since = at.as_microsecond();
            values.insert(":since".to_owned(), number(since));
            values.insert(":free".to_owned(), text(FREE));
            values.insert(":place".to_owned(), text(format_args!("{}#{tenant}#{hash}", sortable(since))));
            format!("SET refs = :left, since = :since, {} = :free, {} = :place", BY_DUE.hash, BY_DUE.range)
        };
        Ok(writes.update(&self.table, key, &text, condition, values)?)
    }

    async fn account(
        &self,
        writes: &mut Writes,
        plan: &Plan,
        change: &Change,
        dropped: &[u64],
    ) -> Result<(), CommitError> {
        let delta = Delta::of(plan, dropped);
        if delta.is_nothing() {
            return Ok(());
        }
        let tenant = &plan.asset.tenant;
        let quota = change.quota.unwrap_or(self.terms.quota);
        let mut values =
            values([(":a", number(delta.assets)), (":v", number(delta.versions)), (":b", number(delta.bytes))]);
        let mut conditions = Vec::new();
        if quota.assets.is_some() || quota.bytes.is_some() {
            let before: Usage = self.used(tenant).await?;
            delta.fits(before, quota)?;
            // Others may come first: then this begins again, and is refused if it has to be.
            for (name, more, limit) in [("a", delta.assets, quota.assets), ("b", delta.bytes, quota.bytes)] {
                if let Some(limit) = limit.filter(|_| more > 0) {
                    values.insert(format!(":most_{name}"), number(limit.saturating_sub(more.unsigned_abs())));
                    conditions.push(format!("(attribute_not_exists(#{name}) OR #{name} <= :most_{name})"));
                }
            }
        }
        let mut update = Update::builder().table_name(&self.table).set_key(Some(item::usage(tenant)));
        for (name, meant) in [("#a", "assets"), ("#v", "versions"), ("#b", "bytes")] {
            update = update.expression_attribute_names(name, meant);
        }
        let condition = Some(conditions.join(" AND ")).filter(|condition| !condition.is_empty());
        let update = update.update_expression("ADD #a :a, #v :v, #b :b").set_condition_expression(condition);
        let update = update.set_expression_attribute_values(Some(values)).build().map_err(unfit)?;
        writes.0.push(TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    /// `false`: a condition did not hold, or another transaction was at one of the items.
    async fn transact(&self, writes: Writes) -> Result<bool, StoreError> {
        let request = self.client().await?.transact_write_items().set_transact_items(Some(writes.0));
        let Err(error) = request.send().await else { return Ok(true) };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() {
            let codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
            let passing =
                |code: &str| matches!(code, "None" | "ConditionalCheckFailed" | "TransactionConflict") || busy(code);
            let bad = cancelled.cancellation_reasons().iter().find(|reason| !passing(reason.code().unwrap_or("None")));
            return match bad {
                Some(reason) => Err(StoreError::Refused(format!("{reason:?}"))),
                None => {
                    let codes: Vec<&str> = codes.filter(|code| *code != "None").collect();
                    tracing::debug!(?codes, "a commit begins again");
                    Ok(false)
                }
            };
        }
        match fault(&error) {
            StoreError::Unreachable(why) if why.contains("TransactionInProgress") => Ok(false),
            error => Err(error),
        }
    }
}

fn stored(tenant: &TenantId, id: AssetId, version: &StoredVersion) -> Result<Item, StoreError> {
    let mut item = item::version(tenant, id, version.version);
    debug_assert!(item.text("sk").is_ok_and(|sk| sk.starts_with(VERSION)), "versions are found by it");
    item.insert("doc".to_owned(), document(version)?);
    Ok(item)
}
