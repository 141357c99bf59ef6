//! Questions about assets. Lists come from indexes, which follow the table within moments; single records do not.

use super::item::{self, BY_DUE, BY_PATH, BY_TENANT, DUE, Index, Item, Read, VERSION, sortable, text};
use super::{Dynamo, fault};
use crate::asset::{Asset, StateKind, StoredVersion};
use crate::error::StoreError;
use crate::listing::{Cursor, Listing, Order, Page};
use crate::name::{AssetId, AssetPath, PathPrefix, TenantId};
use crate::store::Usage;
use jiff::Timestamp;

/// Questions to the service that one page may take; then it is short.
const ROUNDS: usize = 8;

/// A part of an index or of a partition, in order.
pub(super) struct Range {
    pub(super) index: Option<Index>,
    /// The partition.
    pub(super) partition: String,
    /// What is asked of the range key, where it is `:s`.
    pub(super) condition: Option<(&'static str, String)>,
    pub(super) forward: bool,
    /// The key behind which it begins.
    pub(super) start: Option<Item>,
}

impl Dynamo {
    /// Up to `limit` items of a range, and the key behind which there are more.
    pub(super) async fn query(&self, range: &Range, limit: usize) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let (hash, sort) = range.index.map_or(("pk", "sk"), |index| (index.hash, index.range));
        let mut request = self.client().await?.query().table_name(&self.table);
        request = request.set_index_name(range.index.map(|index| index.name.to_owned()));
        request = request.consistent_read(range.index.is_none()).scan_index_forward(range.forward);
        request =
            request.expression_attribute_names("#p", hash).expression_attribute_values(":p", text(&range.partition));
        let mut expression = "#p = :p".to_owned();
        if let Some((condition, value)) = &range.condition {
            request = request.expression_attribute_names("#s", sort).expression_attribute_values(":s", text(value));
            expression = format!("{expression} AND {condition}");
        }
        request = request.key_condition_expression(expression).set_exclusive_start_key(range.start.clone());
        let limit = i32::try_from(limit.clamp(1, Listing::MOST)).unwrap_or(1);
        let output = request.limit(limit).send().await.map_err(|error| fault(&error))?;
        let next = output.last_evaluated_key.filter(|key| !key.is_empty());
        Ok((output.items.unwrap_or_default(), next))
    }

    pub(super) async fn record(&self, tenant: &TenantId, id: AssetId) -> Result<Option<Asset>, StoreError> {
        self.item(item::asset(tenant, id)).await?.as_ref().map(Read::document).transpose()
    }

    pub(super) async fn holder(&self, tenant: &TenantId, path: &AssetPath) -> Result<Option<Asset>, StoreError> {
        // Between the two looks it may have moved: the second round sees that.
        for _ in 0..2 {
            let Some(held) = self.item(item::path(tenant, path)).await? else { return Ok(None) };
            let id = item::parsed(Some(&held.text("id")?))?;
            let found = self.record(tenant, id).await?.filter(|asset| asset.is_live() && asset.path == *path);
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    pub(super) async fn listed(&self, tenant: &TenantId, listing: &Listing) -> Result<Page<Asset>, StoreError> {
        let size = listing.size();
        let mut range = listed(tenant, listing)?;
        let mut items: Vec<Asset> = Vec::new();
        let mut last = None;
        if listing.order == Order::Path && !listing.filter.states.contains(&StateKind::Live) {
            return Ok(Page { items, next: None });
        }
        let end = listing.filter.prefix.as_ref().and_then(PathPrefix::end).filter(|_| listing.order == Order::Path);
        for _ in 0..ROUNDS {
            let (found, next) = self.query(&range, size - items.len()).await?;
            for item in &found {
                let asset: Asset = item.document()?;
                if end.as_deref().is_some_and(|end| asset.path.as_str() >= end) {
                    return Ok(Page { items, next: None });
                }
                last = Some(Cursor::behind(listing.order, &asset));
                items.extend(Some(asset).filter(|asset| listing.filter.takes(asset)));
            }
            range.start = next;
            if range.start.is_none() {
                return Ok(Page { items, next: None });
            }
            if items.len() >= size {
                break;
            }
        }
        // The service says that there is more before it has looked whether there is.
        Ok(Page { items, next: last.or_else(|| listing.after.clone()) })
    }

    pub(super) async fn contents_of(&self, tenant: &TenantId, id: AssetId) -> Result<Vec<StoredVersion>, StoreError> {
        let mut range = Range {
            index: None,
            partition: format!("A#{tenant}#{id}"),
            condition: Some(("begins_with(#s, :s)", VERSION.to_owned())),
            forward: false,
            start: None,
        };
        let mut versions = Vec::new();
        loop {
            let (items, next) = self.query(&range, Listing::MOST).await?;
            for item in &items {
                versions.push(item.document()?);
            }
            range.start = next;
            if range.start.is_none() {
                return Ok(versions);
            }
        }
    }

    pub(super) async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<Asset>, StoreError> {
        let range = Range {
            index: Some(BY_DUE),
            partition: DUE.to_owned(),
            // `~` sorts behind `#`: the moment itself is meant too.
            condition: Some(("#s <= :s", format!("{}~", sortable(now.as_microsecond())))),
            forward: true,
            start: None,
        };
        let (items, _) = self.query(&range, limit).await?;
        items.iter().map(Read::document).collect()
    }

    pub(super) async fn used(&self, tenant: &TenantId) -> Result<Usage, StoreError> {
        let Some(found) = self.item(item::usage(tenant)).await? else { return Ok(Usage::default()) };
        usage(&found)
    }
}

/// Reads the counters of a tenant.
pub(super) fn usage(item: &Item) -> Result<Usage, StoreError> {
    Ok(Usage { assets: item.count("assets")?, versions: item.count("versions")?, bytes: item.count("bytes")? })
}

/// Where a listing is in its index.
fn listed(tenant: &TenantId, listing: &Listing) -> Result<Range, StoreError> {
    let position = listing.position()?;
    let prefix = listing.filter.prefix.as_ref().filter(|prefix| !prefix.as_str().is_empty());
    let range = match listing.order {
        Order::Newest | Order::Oldest => {
            let forward = listing.order == Order::Oldest;
            let behind = if forward { "#s > :s" } else { "#s < :s" };
            let condition = position.map(|position| (behind, position));
            Range { index: Some(BY_TENANT), partition: format!("T#{tenant}"), condition, forward, start: None }
        }
        Order::Path => {
            // One condition only: behind the position or within the prefix. What lies behind the prefix ends the list.
            let condition = match (&position, prefix) {
                (Some(position), _) => Some(("#s > :s", position.clone())),
                (None, Some(prefix)) => Some(("begins_with(#s, :s)", prefix.as_str().to_owned())),
                (None, None) => None,
            };
            Range { index: Some(BY_PATH), partition: format!("P#{tenant}"), condition, forward: true, start: None }
        }
    };
    Ok(range)
}
