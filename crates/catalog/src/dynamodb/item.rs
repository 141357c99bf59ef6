//! Items of the table: their keys, and their attributes read and written.
//!
//! Owns the names of keys and attributes (docs/catalog.md lists them). Asks nothing. Invariant: tenant, hash and id hold no
//! `#`, so that no two things have one key.

use crate::asset::{Asset, State};
use crate::error::StoreError;
use crate::name::{AssetId, AssetPath, ContentHash, IdempotencyKey, TenantId, Version};
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use std::fmt::Display;

/// An item, or the key of one.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The index that lists assets by their making.
pub(super) const BY_TENANT: Index = Index { name: "by_tenant", hash: "g1", range: "g1s" };
/// The index of what is due: deleted assets by their end, contents by the loss of their last reference.
pub(super) const BY_DUE: Index = Index { name: "by_due", hash: "g2", range: "g2s" };
/// The index that lists live assets by their path.
pub(super) const BY_PATH: Index = Index { name: "by_path", hash: "g3", range: "g3s" };

/// A global secondary index.
#[derive(Clone, Copy)]
pub(super) struct Index {
    pub(super) name: &'static str,
    pub(super) hash: &'static str,
    pub(super) range: &'static str,
}

/// Of [`BY_DUE`]: deleted assets.
pub(super) const DUE: &str = "DUE";
/// Of [`BY_DUE`]: contents that nothing refers to.
pub(super) const FREE: &str = "FREE";
/// The range key of records.
pub(super) const RECORD: &str = "R";
/// What the range keys of versions begin with.
pub(super) const VERSION: &str = "V#";
/// Partitions of the outbox: one takes a thousand writes in a second.
pub(super) const SHARDS: u8 = 8;

pub(super) fn text(value: impl Display) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

pub(super) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A key of these two.
pub(super) fn key(pk: impl Display, sk: impl Display) -> Item {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

pub(super) fn asset(tenant: &TenantId, id: AssetId) -> Item {
    key(format_args!("A#{tenant}#{id}"), RECORD)
}

pub(super) fn version(tenant: &TenantId, id: AssetId, version: Version) -> Item {
    key(format_args!("A#{tenant}#{id}"), format_args!("{VERSION}{:020}", version.get()))
}

pub(super) fn path(tenant: &TenantId, path: &AssetPath) -> Item {
    key(format_args!("P#{tenant}#{path}"), "P")
}

pub(super) fn content(tenant: &TenantId, hash: &ContentHash) -> Item {
    key(format_args!("C#{tenant}#{hash}"), "C")
}

pub(super) fn usage(tenant: &TenantId) -> Item {
    key(format_args!("U#{tenant}"), "U")
}

pub(super) fn idempotency(tenant: &TenantId, name: &IdempotencyKey) -> Item {
    key(format_args!("I#{tenant}#{name}"), "I")
}

pub(super) fn outbox(shard: u8) -> String {
    format!("O#{shard:02}")
}

/// Events of one asset are in one shard, so that they stay in order.
pub(super) fn event(id: AssetId, seq: u64) -> Item {
    let last = id.as_uuid().as_bytes().last().copied().unwrap_or_default();
    key(outbox(last % SHARDS), format_args!("{seq:020}#{id}"))
}

/// The attributes of a record.
pub(super) fn record(asset: &Asset, seq: u64) -> Result<Item, StoreError> {
    let mut item = self::asset(&asset.tenant, asset.id);
    let mut set = |name: &str, value| item.insert(name.to_owned(), value);
    set("doc", document(asset)?);
    set("rev", number(asset.revision));
    set("seq", number(seq));
    set(BY_TENANT.hash, text(format_args!("T#{}", asset.tenant)));
    set(BY_TENANT.range, text(asset.id));
    match &asset.state {
        State::Live => {
            set(BY_PATH.hash, text(format_args!("P#{}", asset.tenant)));
            set(BY_PATH.range, text(&asset.path));
        }
        State::Deleted { until } => {
            set(BY_DUE.hash, text(DUE));
            set(BY_DUE.range, text(format_args!("{}#{}#{}", sortable(until.as_microsecond()), asset.tenant, asset.id)));
        }
        State::Quarantined { .. } => {}
    }
    Ok(item)
}

/// A number of microseconds as a text that sorts as it does.
pub(super) fn sortable(micros: i64) -> String {
    format!("{:020}", u64::try_from(micros).unwrap_or_default())
}

pub(super) fn document<T: serde::Serialize>(value: &T) -> Result<AttributeValue, StoreError> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|error| StoreError::Refused(error.to_string()))
}

/// What reads an item's attributes.
pub(super) trait Read {
    /// A text.
    fn text(&self, name: &str) -> Result<&str, StoreError>;
    /// A number, where there is one.
    fn maybe(&self, name: &str) -> Result<Option<i64>, StoreError>;

    /// A number.
    fn number(&self, name: &str) -> Result<i64, StoreError> {
        self.maybe(name)?.ok_or_else(|| StoreError::Corrupt(format!("an item without {name}")))
    }

    /// A number that counts something; 0 where there is none.
    fn count(&self, name: &str) -> Result<u64, StoreError> {
        let number = self.maybe(name)?.unwrap_or_default();
        u64::try_from(number).map_err(|_| StoreError::Corrupt(format!("{name} is {number}, below nothing")))
    }

    /// A document.
    fn document<T: serde::de::DeserializeOwned>(&self) -> Result<T, StoreError> {
        let json = self.text("doc")?;
        serde_json::from_str(json).map_err(|error| StoreError::Corrupt(format!("a document: {error}")))
    }
}

impl Read for Item {
    fn text(&self, name: &str) -> Result<&str, StoreError> {
        let value = self.get(name).and_then(|value| value.as_s().ok());
        value.map(String::as_str).ok_or_else(|| StoreError::Corrupt(format!("an item without {name}")))
    }

    fn maybe(&self, name: &str) -> Result<Option<i64>, StoreError> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let number = value.as_n().ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| StoreError::Corrupt(format!("{name} of an item is no number")))
    }
}

/// Reads the parts of a key behind its letter.
pub(super) fn parts(item: &Item) -> Result<(char, Vec<&str>), StoreError> {
    let pk = item.text("pk")?;
    let mut parts = pk.splitn(3, '#');
    let letter = parts.next().and_then(|part| part.chars().next()).unwrap_or(' ');
    Ok((letter, parts.collect()))
}

/// A part of a key as what it stands for.
pub(super) fn parsed<T: std::str::FromStr<Err: Display>>(part: Option<&&str>) -> Result<T, StoreError> {
    let part = part.copied().unwrap_or_default();
    part.parse().map_err(|error| StoreError::Corrupt(format!("{part:?} {error}")))
}
