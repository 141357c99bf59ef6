//! Tenants.

use super::{Millis, Store, StoreError, on_pool};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRecord {
    /// What it is called in URLs.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Nobody signs in for it.
    pub locked: bool,
    /// When it was made.
    pub created: Millis,
}

type Row = (String, String, i64, i64);

fn of((id, name, locked, created): Row) -> TenantRecord {
    TenantRecord { id, name, locked: locked != 0, created }
}

impl Store {
    /// Makes one; `false` where its id is taken.
    ///
    /// # Errors
    /// The database.
    pub async fn add_tenant(&self, tenant: &TenantRecord) -> Result<bool, StoreError> {
        const SQL: &str =
            "INSERT INTO tenants (id, name, locked, created) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING";
        let changed = on_pool!(self, |pool| sqlx::query(SQL)
            .bind(&tenant.id)
            .bind(&tenant.name)
            .bind(i64::from(tenant.locked))
            .bind(tenant.created)
            .execute(pool)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }

    /// One.
    ///
    /// # Errors
    /// The database.
    pub async fn tenant(&self, id: &str) -> Result<Option<TenantRecord>, StoreError> {
        const SQL: &str = "SELECT id, name, locked, created FROM tenants WHERE id = $1";
        let row: Option<Row> = on_pool!(self, |pool| sqlx::query_as(SQL).bind(id).fetch_optional(pool).await?);
        Ok(row.map(of))
    }

    /// All, by id, after one.
    ///
    /// # Errors
    /// The database.
    pub async fn tenants(&self, after: &str, limit: i64) -> Result<Vec<TenantRecord>, StoreError> {
        const SQL: &str = "SELECT id, name, locked, created FROM tenants WHERE id > $1 ORDER BY id LIMIT $2";
        let rows: Vec<Row> = on_pool!(self, |pool| sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(pool).await?);
        Ok(rows.into_iter().map(of).collect())
    }

    /// Changes name and lock; `false` where there is none.
    ///
    /// # Errors
    /// The database.
    pub async fn change_tenant(&self, id: &str, name: &str, locked: bool) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE tenants SET name = $2, locked = $3 WHERE id = $1";
        let changed = on_pool!(self, |pool| sqlx::query(SQL)
            .bind(id)
            .bind(name)
            .bind(i64::from(locked))
            .execute(pool)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }
}
