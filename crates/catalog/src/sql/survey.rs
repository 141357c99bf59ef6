//! Everything that is in the tables, one table after the other, for the checker.

use super::session::{Line, cells};
use super::{Sql, document};
use crate::error::StoreError;
use crate::listing::{Cursor, Listing, Page};
use crate::store::{Row, Usage};

/// Where a line stands: two texts of its key and a number.
type Place = (String, String, i64);

/// A table: the letter of its cursors, what is asked of it behind two texts and a number, and how its lines read.
struct Table {
    letter: char,
    sql: &'static str,
    row: fn(&Line) -> Result<Row, StoreError>,
    /// Where a line stands, for the next page.
    place: fn(&Line) -> Result<Place, StoreError>,
}

// Where two texts or one make the key, the rest is only spoken of: a comparison of rows with constants would not use its index.
const TABLES: [Table; 5] = [
    Table {
        letter: 'a',
        sql: "SELECT doc, tenant, id FROM assets WHERE (tenant, id) > ($1, $2) AND $3 >= 0 ORDER BY tenant, id LIMIT $4",
        row: |line| Ok(Row::Asset(Box::new(document(line, 0, "a record")?))),
        place: |line| Ok((line.text(1)?.to_owned(), line.text(2)?.to_owned(), 0)),
    },
    Table {
        letter: 'p',
        sql: "SELECT path, tenant, id FROM assets WHERE state = 'live' AND (tenant, id) > ($1, $2) AND $3 >= 0 \
              ORDER BY tenant, id LIMIT $4",
        row: |line| Ok(Row::Path { tenant: line.parsed(1)?, path: line.parsed(0)?, asset: line.parsed(2)? }),
        place: |line| Ok((line.text(1)?.to_owned(), line.text(2)?.to_owned(), 0)),
    },
    Table {
        letter: 'v',
        sql: "SELECT tenant, id, version, hash, bytes FROM versions WHERE (tenant, id, version) > ($1, $2, $3) \
              ORDER BY tenant, id, version LIMIT $4",
        row: |line| {
            let version = line.count(2)?.try_into();
            let version = version.map_err(|error| StoreError::Corrupt(format!("a version's number {error}")))?;
            let (tenant, asset, hash) = (line.parsed(0)?, line.parsed(1)?, line.parsed(3)?);
            Ok(Row::Version { tenant, asset, version, hash, bytes: line.count(4)? })
        },
        place: |line| Ok((line.text(0)?.to_owned(), line.text(1)?.to_owned(), line.int(2)?)),
    },
    Table {
        letter: 'c',
        sql: "SELECT tenant, hash, refs FROM contents WHERE (tenant, hash) > ($1, $2) AND $3 >= 0 \
              ORDER BY tenant, hash LIMIT $4",
        row: |line| Ok(Row::Content { tenant: line.parsed(0)?, hash: line.parsed(1)?, references: line.count(2)? }),
        place: |line| Ok((line.text(0)?.to_owned(), line.text(1)?.to_owned(), 0)),
    },
    Table {
        letter: 'u',
        sql: "SELECT tenant, assets, versions, bytes FROM usages WHERE tenant > $1 AND $2 >= '' AND $3 >= 0 \
              ORDER BY tenant LIMIT $4",
        row: |line| {
            let usage = Usage { assets: line.count(1)?, versions: line.count(2)?, bytes: line.count(3)? };
            Ok(Row::Usage { tenant: line.parsed(0)?, usage })
        },
        place: |line| Ok((line.text(0)?.to_owned(), String::new(), 0)),
    },
];

impl Sql {
    pub(super) async fn surveyed(&self, after: Option<&Cursor>, limit: usize) -> Result<Page<Row>, StoreError> {
        let size = limit.clamp(1, Listing::MOST);
        let position = after.map(|cursor| cursor.position('s')).transpose()?;
        let (index, (first, second, number)) = position.map_or(Ok((0, Default::default())), |text| read(&text))?;
        let Some(table) = TABLES.get(index) else { return Err(StoreError::BadCursor) };
        let lines = self.read(table.sql, cells![first, second, number, size]).await?;
        let next = match lines.last().filter(|_| lines.len() == size) {
            Some(last) => Some(write(index, (table.place)(last)?)),
            None => (index + 1 < TABLES.len()).then(|| write(index + 1, Default::default())),
        };
        Ok(Page { items: lines.iter().map(table.row).collect::<Result<_, _>>()?, next })
    }
}

fn write(index: usize, (first, second, number): Place) -> Cursor {
    let letter = TABLES.get(index).map_or('-', |table| table.letter);
    Cursor::new('s', &format!("{letter}/{first}/{second}/{number}"))
}

fn read(text: &str) -> Result<(usize, Place), StoreError> {
    let parts: Vec<&str> = text.split('/').collect();
    let &[letter, first, second, number] = &parts[..] else { return Err(StoreError::BadCursor) };
    let index = TABLES.iter().position(|table| letter.chars().eq([table.letter])).ok_or(StoreError::BadCursor)?;
    let number = number.parse().map_err(|_| StoreError::BadCursor)?;
    Ok((index, (first.to_owned(), second.to_owned(), number)))
}
