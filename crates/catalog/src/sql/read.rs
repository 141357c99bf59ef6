//! Questions about assets.

use super::session::{Cell, Line, cells};
use super::{Sql, document, micros};
use crate::asset::{Asset, StoredVersion};
use crate::error::StoreError;
use crate::listing::{Cursor, Filter, Listing, Order, Page};
use crate::name::{AssetId, AssetPath, TenantId};
use crate::store::Usage;
use jiff::Timestamp;

fn assets(lines: &[Line]) -> Result<Vec<Asset>, StoreError> {
    lines.iter().map(|line| document(line, 0, "a record")).collect()
}

/// Conditions, and the cells that they speak of.
struct Conditions {
    sql: String,
    cells: Vec<Cell>,
}

impl Conditions {
    fn of(tenant: &TenantId) -> Self {
        Self { sql: "tenant = $1".to_owned(), cells: cells![tenant.as_str()] }
    }

    /// `…` of the condition stands for the cell.
    fn and(&mut self, condition: &str, cell: impl Into<Cell>) {
        self.cells.push(cell.into());
        let number = format!("${}", self.cells.len());
        self.sql = format!("{} AND {}", self.sql, condition.replace('…', &number));
    }

    fn filter(&mut self, filter: &Filter, within: &str) {
        if let Some(prefix) = &filter.prefix {
            self.and("path >= …", prefix.as_str());
            if let Some(end) = prefix.end() {
                self.and("path < …", end);
            }
        }
        if let Some(tag) = &filter.tag {
            self.and(&format!("{within}(tags, …) > 0"), format!(",{tag},"));
        }
        if let Some(owner) = &filter.owner {
            self.and("owner = …", owner.as_str());
        }
        if let Some(visibility) = filter.visibility {
            self.and("visibility = …", visibility.as_str());
        }
        if let Some(since) = filter.changed_since {
            self.and("changed >= …", micros(since));
        }
    }

    fn states(&mut self, filter: &Filter, order: Order) {
        let names = crate::StateKind::ALL.into_iter().filter(|kind| filter.states.contains(kind));
        let names: Vec<String> = names.map(|kind| format!("'{}'", kind.as_str())).collect();
        let states = match (order, names.len()) {
            // Written so that the index of live paths serves.
            (Order::Path, _) if filter.states.contains(&crate::StateKind::Live) => "state = 'live'".to_owned(),
            (Order::Path, _) | (_, 0) => "1 = 0".to_owned(),
            (_, 3) => return,
            _ => format!("state IN ({})", names.join(", ")),
        };
        self.sql = format!("{} AND {states}", self.sql);
    }
}

impl Sql {
    pub(super) async fn record(&self, tenant: &TenantId, id: AssetId) -> Result<Option<Asset>, StoreError> {
        let sql = "SELECT doc FROM assets WHERE tenant = $1 AND id = $2";
        Ok(assets(&self.read(sql, cells![tenant.as_str(), id.to_string()]).await?)?.pop())
    }

    pub(super) async fn holder(&self, tenant: &TenantId, path: &AssetPath) -> Result<Option<Asset>, StoreError> {
        let sql = "SELECT doc FROM assets WHERE tenant = $1 AND path = $2 AND state = 'live'";
        Ok(assets(&self.read(sql, cells![tenant.as_str(), path.as_str()]).await?)?.pop())
    }

    pub(super) async fn listed(&self, tenant: &TenantId, listing: &Listing) -> Result<Page<Asset>, StoreError> {
        let Listing { order, filter, .. } = listing;
        let mut conditions = Conditions::of(tenant);
        conditions.states(filter, *order);
        let (behind, sorted) = match order {
            Order::Newest => ("id < …", "id DESC"),
            Order::Oldest => ("id > …", "id"),
            Order::Path => ("path > …", "path"),
        };
        if let Some(position) = listing.position()? {
            conditions.and(behind, position);
        }
        conditions.filter(filter, self.database.dialect().within);
        let size = listing.size();
        let Conditions { sql, cells } = conditions;
        // One more than asked for says whether there is another page.
        let sql = format!("SELECT doc FROM assets WHERE {sql} ORDER BY {sorted} LIMIT {}", size + 1);
        let mut items = assets(&self.read(&sql, cells).await?)?;
        let more = items.len() > size;
        items.truncate(size);
        let next = items.last().filter(|_| more).map(|last| Cursor::behind(*order, last));
        Ok(Page { items, next })
    }

    pub(super) async fn contents_of(&self, tenant: &TenantId, id: AssetId) -> Result<Vec<StoredVersion>, StoreError> {
        let sql = "SELECT doc FROM versions WHERE tenant = $1 AND id = $2 ORDER BY version DESC";
        let lines = self.read(sql, cells![tenant.as_str(), id.to_string()]).await?;
        lines.iter().map(|line| document(line, 0, "a version")).collect()
    }

    pub(super) async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<Asset>, StoreError> {
        let sql = "SELECT doc FROM assets WHERE state = 'deleted' AND until <= $1 ORDER BY until LIMIT $2";
        assets(&self.read(sql, cells![micros(now), limit]).await?)
    }

    pub(super) async fn used(&self, tenant: &TenantId) -> Result<Usage, StoreError> {
        let sql = "SELECT assets, versions, bytes FROM usages WHERE tenant = $1";
        let lines = self.read(sql, cells![tenant.as_str()]).await?;
        let Some(line) = lines.first() else { return Ok(Usage::default()) };
        Ok(Usage { assets: line.count(0)?, versions: line.count(1)?, bytes: line.count(2)? })
    }

    pub(super) async fn scanned(&self, after: Option<&Cursor>, limit: usize) -> Result<Page<Asset>, StoreError> {
        let position = after.map(|cursor| cursor.position('a')).transpose()?.unwrap_or_default();
        let (tenant, id) = position.split_once('/').unwrap_or_default();
        let size = limit.clamp(1, Listing::MOST);
        let sql = "SELECT doc FROM assets WHERE (tenant, id) > ($1, $2) ORDER BY tenant, id LIMIT $3";
        let items = assets(&self.read(sql, cells![tenant, id, size]).await?)?;
        let last = items.last().filter(|_| items.len() == size);
        let next = last.map(|last| Cursor::new('a', &format!("{}/{}", last.tenant, last.id)));
        Ok(Page { items, next })
    }
}
