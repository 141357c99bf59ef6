//! Time-limited grants.

use super::record::{read, written};
use super::{Millis, Store, StoreError, on_pool};
use access::Action;

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRecord {
    /// Its name.
    pub id: String,
    /// In which tenant.
    pub tenant: String,
    /// To whom.
    pub subject: String,
    /// What.
    pub actions: Vec<Action>,
    /// Below which path; empty: anywhere.
    pub below: String,
    /// By whom.
    pub granted_by: String,
    /// When it was made.
    pub created: Millis,
    /// Until when.
    pub expires: Millis,
    /// When it was revoked.
    pub revoked: Option<Millis>,
}

type Row = (String, String, String, String, String, String, i64, i64, Option<i64>);

fn of((id, tenant, subject, actions, below, granted_by, created, expires, revoked): Row) -> GrantRecord {
    GrantRecord { id, tenant, subject, actions: read(&actions), below, granted_by, created, expires, revoked }
}

impl Store {
    /// Adds one.
    ///
    /// # Errors
    /// The database.
    pub async fn add_grant(&self, grant: &GrantRecord) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO grants (id, tenant, subject, actions, below, granted_by, created, expires) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        on_pool!(self, |pool| sqlx::query(SQL)
            .bind(&grant.id)
            .bind(&grant.tenant)
            .bind(&grant.subject)
            .bind(written(&grant.actions))
            .bind(&grant.below)
            .bind(&grant.granted_by)
            .bind(grant.created)
            .bind(grant.expires)
            .execute(pool)
            .await
            .map(|_| ())
            .map_err(Into::into))
    }

    /// Somebody's that hold now: those of `tenant` first, which others cannot crowd out; then those that end last.
    ///
    /// # Errors
    /// The database.
    pub async fn grants_of(
        &self,
        subject: &str,
        tenant: &str,
        now: Millis,
        limit: i64,
    ) -> Result<Vec<GrantRecord>, StoreError> {
        const SQL: &str = "SELECT id, tenant, subject, actions, below, granted_by, created, expires, revoked FROM grants \
             WHERE subject = $1 AND expires > $3 AND revoked IS NULL \
             ORDER BY CASE WHEN tenant = $2 THEN 0 ELSE 1 END, expires DESC, id LIMIT $4";
        let rows: Vec<Row> = on_pool!(self, |pool| sqlx::query_as(SQL)
            .bind(subject)
            .bind(tenant)
            .bind(now)
            .bind(limit)
            .fetch_all(pool)
            .await?);
        Ok(rows.into_iter().map(of).collect())
    }

    /// Those of a tenant, by id, after one.
    ///
    /// # Errors
    /// The database.
    pub async fn grants(&self, tenant: &str, after: &str, limit: i64) -> Result<Vec<GrantRecord>, StoreError> {
        const SQL: &str = "SELECT id, tenant, subject, actions, below, granted_by, created, expires, revoked FROM grants \
             WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
        let rows: Vec<Row> =
            on_pool!(self, |pool| sqlx::query_as(SQL).bind(tenant).bind(after).bind(limit).fetch_all(pool).await?);
        Ok(rows.into_iter().map(of).collect())
    }

    /// Revokes one; `false` where there was none to revoke.
    ///
    /// # Errors
    /// The database.
    pub async fn revoke_grant(&self, id: &str, tenant: &str, now: Millis) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE grants SET revoked = $3 WHERE id = $1 AND tenant = $2 AND revoked IS NULL";
        let changed = on_pool!(self, |pool| sqlx::query(SQL)
            .bind(id)
            .bind(tenant)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }
}
