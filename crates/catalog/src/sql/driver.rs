//! The seam over sqlx, written once: `sessions!` makes it for a database.
//!
//! Knows no table. Invariant: what others say goes in as cells, never as text of a statement.

/// Sessions and transactions over a database of sqlx; `number` is its name for the type of whole numbers.
macro_rules! sessions {
    ($database:ty, number = $number:literal) => {
        const _: () = {
            use crate::sql::session::{Cell, Line, Session, Transaction, Trouble, trouble};
            use crate::store::Later;
            use sqlx::{AssertSqlSafe, Row as _, TypeInfo as _, ValueRef as _};

            impl Session for sqlx::pool::PoolConnection<$database> {
                fn run<'a>(&'a mut self, sql: &'a str, cells: Vec<Cell>) -> Later<'a, Result<Vec<Line>, Trouble>> {
                    Box::pin(run(self, sql, cells))
                }
            }

            impl Session for sqlx::Transaction<'static, $database> {
                fn run<'a>(&'a mut self, sql: &'a str, cells: Vec<Cell>) -> Later<'a, Result<Vec<Line>, Trouble>> {
                    Box::pin(run(self, sql, cells))
                }
            }

            impl Transaction for sqlx::Transaction<'static, $database> {
                fn commit(self: Box<Self>) -> Later<'static, Result<(), Trouble>> {
                    Box::pin(async { (*self).commit().await.map_err(|error| trouble(&error)) })
                }
            }

            async fn run(
                connection: &mut <$database as sqlx::Database>::Connection,
                sql: &str,
                cells: Vec<Cell>,
            ) -> Result<Vec<Line>, Trouble> {
                // Texts come from this crate; what others say goes in as cells.
                let mut query = sqlx::query::<$database>(AssertSqlSafe(sql.to_owned()));
                for cell in cells {
                    query = match cell {
                        Cell::Int(number) => query.bind(number),
                        Cell::Text(text) => query.bind(text),
                        Cell::NoInt => query.bind(None::<i64>),
                        Cell::NoText => query.bind(None::<String>),
                    };
                }
                let rows = query.fetch_all(connection).await.map_err(|error| trouble(&error))?;
                rows.iter().map(line).collect::<Result<_, _>>().map_err(|error| trouble(&error))
            }

            fn line(row: &<$database as sqlx::Database>::Row) -> Result<Line, sqlx::Error> {
                let cell = |column: usize| {
                    let value = row.try_get_raw(column)?;
                    if value.is_null() {
                        return Ok(Cell::NoText);
                    }
                    let number = value.type_info().name() == $number;
                    if number { row.try_get(column).map(Cell::Int) } else { row.try_get(column).map(Cell::Text) }
                };
                (0..row.len()).map(cell).collect::<Result<_, _>>().map(Line)
            }
        };
    };
}
pub(super) use sessions;
