//! Everything that is in the table, in the order of its partitions, which nobody chooses.

use super::item::{self, Item, RECORD, Read, VERSION, key};
use super::read::usage;
use super::{Dynamo, fault};
use crate::asset::{Asset, StoredVersion};
use crate::error::StoreError;
use crate::listing::{Cursor, Listing, Page};
use crate::store::Row;

impl Dynamo {
    pub(super) async fn scanned(&self, after: Option<&Cursor>, limit: usize) -> Result<Page<Asset>, StoreError> {
        let (items, next) = self.walk(after, 'a', limit).await?;
        let records = items.iter().filter(|item| item.text("sk") == Ok(RECORD));
        Ok(Page { items: records.map(Read::document).collect::<Result<_, _>>()?, next })
    }

    pub(super) async fn surveyed(&self, after: Option<&Cursor>, limit: usize) -> Result<Page<Row>, StoreError> {
        let (items, next) = self.walk(after, 's', limit).await?;
        let rows = items.iter().filter_map(|item| row(item).transpose());
        Ok(Page { items: rows.collect::<Result<_, _>>()?, next })
    }

    /// So many items of all kinds, behind a cursor of that kind.
    async fn walk(
        &self,
        after: Option<&Cursor>,
        kind: char,
        limit: usize,
    ) -> Result<(Vec<Item>, Option<Cursor>), StoreError> {
        let position = after.map(|cursor| cursor.position(kind)).transpose()?;
        // A partition's key may hold anything a path may; a range key holds no line break.
        let start = match position.as_deref().map(|position| position.rsplit_once('\n')) {
            Some(Some((pk, sk))) => Some(key(pk, sk)),
            Some(None) => return Err(StoreError::BadCursor),
            None => None,
        };
        let request = self.client().await?.scan().table_name(&self.table).consistent_read(true);
        let limit = i32::try_from(limit.clamp(1, Listing::MOST)).unwrap_or(1);
        let request = request.limit(limit).set_exclusive_start_key(start);
        let output = request.send().await.map_err(|error| fault(&error))?;
        let next = output.last_evaluated_key.filter(|key| !key.is_empty());
        let next = match next {
            Some(next) => Some(Cursor::new(kind, &format!("{}\n{}", next.text("pk")?, next.text("sk")?))),
            None => None,
        };
        Ok((output.items.unwrap_or_default(), next))
    }
}

fn row(item: &Item) -> Result<Option<Row>, StoreError> {
    let (letter, parts) = item::parts(item)?;
    let sk = item.text("sk")?;
    let row = match letter {
        'A' if sk == RECORD => Row::Asset(Box::new(item.document()?)),
        'A' if sk.starts_with(VERSION) => {
            let version: StoredVersion = item.document()?;
            let (tenant, asset) = (item::parsed(parts.first())?, item::parsed(parts.get(1))?);
            let content = version.content;
            Row::Version { tenant, asset, version: version.version, hash: content.hash, bytes: content.bytes }
        }
        'P' => {
            let (tenant, path) = (item::parsed(parts.first())?, item::parsed(parts.get(1))?);
            Row::Path { tenant, path, asset: item::parsed(Some(&item.text("id")?))? }
        }
        'C' => {
            let (tenant, hash) = (item::parsed(parts.first())?, item::parsed(parts.get(1))?);
            Row::Content { tenant, hash, references: item.count("refs")? }
        }
        'U' => Row::Usage { tenant: item::parsed(parts.first())?, usage: usage(item)? },
        _ => return Ok(None),
    };
    Ok(Some(row))
}
