//! API keys, and the keys that sign tokens.

use super::record::{read, written};
use super::{Millis, Store, StoreError, on_pool};
use access::{Role, Scope};

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The part of the key that is no secret.
    pub id: String,
    /// For which tenant.
    pub tenant: String,
    /// What people call it.
    pub name: String,
    /// Who made it.
    pub owner: String,
    /// Of the whole key.
    pub hash: String,
    /// What its bearer is.
    pub roles: Vec<Role>,
    /// What it is limited to; empty: nothing but its roles.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created: Millis,
    /// When it ends.
    pub expires: Option<Millis>,
    /// When it was revoked.
    pub revoked: Option<Millis>,
    /// When it was last used, to the minute.
    pub used: Option<Millis>,
}

/// A key that signs tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningRecord {
    /// Its thumbprint.
    pub kid: String,
    /// The private key, sealed.
    pub sealed: String,
    /// When it was made.
    pub created: Millis,
    /// When it begins to sign: a while after it was published.
    pub begins: Millis,
    /// When its tokens are over.
    pub ends: Option<Millis>,
}

type Row = (String, String, String, String, String, String, String, i64, Option<i64>, Option<i64>, Option<i64>);

fn of(row: Row) -> KeyRecord {
    let (id, tenant, name, owner, hash, roles, scopes, created, expires, revoked, used) = row;
    // Scopes that cannot be read must not become none, which is no limit: such a key has no roles either.
    let roles = if serde_json::from_str::<Vec<Scope>>(&scopes).is_ok() { read(&roles) } else { Vec::new() };
    KeyRecord { id, tenant, name, owner, hash, roles, scopes: read(&scopes), created, expires, revoked, used }
}

impl Store {
    /// Adds one.
    ///
    /// # Errors
    /// The database.
    pub async fn add_key(&self, key: &KeyRecord) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO api_keys (id, tenant, name, owner, hash, roles, scopes, created, expires) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        on_pool!(self, |pool| sqlx::query(SQL)
            .bind(&key.id)
            .bind(&key.tenant)
            .bind(&key.name)
            .bind(&key.owner)
            .bind(&key.hash)
            .bind(written(&key.roles))
            .bind(written(&key.scopes))
            .bind(key.created)
            .bind(key.expires)
            .execute(pool)
            .await
            .map(|_| ())
            .map_err(Into::into))
    }

    /// One.
    ///
    /// # Errors
    /// The database.
    pub async fn key(&self, id: &str) -> Result<Option<KeyRecord>, StoreError> {
        const SQL: &str = "SELECT id, tenant, name, owner, hash, roles, scopes, created, expires, revoked, used \
             FROM api_keys WHERE id = $1";
        let row: Option<Row> = on_pool!(self, |pool| sqlx::query_as(SQL).bind(id).fetch_optional(pool).await?);
        Ok(row.map(of))
    }

    /// Those of a tenant, by id, after one.
    ///
    /// # Errors
    /// The database.
    pub async fn keys(&self, tenant: &str, after: &str, limit: i64) -> Result<Vec<KeyRecord>, StoreError> {
        const SQL: &str = "SELECT id, tenant, name, owner, hash, roles, scopes, created, expires, revoked, used \
             FROM api_keys WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
        let rows: Vec<Row> =
            on_pool!(self, |pool| sqlx::query_as(SQL).bind(tenant).bind(after).bind(limit).fetch_all(pool).await?);
        Ok(rows.into_iter().map(of).collect())
    }

    /// Revokes one; `false` where there was none to revoke.
    ///
    /// # Errors
    /// The database.
    pub async fn revoke_key(&self, id: &str, tenant: &str, now: Millis) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE api_keys SET revoked = $3 WHERE id = $1 AND tenant = $2 AND revoked IS NULL";
        let changed = on_pool!(self, |pool| sqlx::query(SQL)
            .bind(id)
            .bind(tenant)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }

    /// Notes that one was used; at most once a minute, so that reading does not become writing.
    ///
    /// # Errors
    /// The database.
    pub async fn touch_key(&self, id: &str, now: Millis) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE api_keys SET used = $2 WHERE id = $1 AND (used IS NULL OR used < $2 - 60000)";
        on_pool!(self, |pool| sqlx::query(SQL).bind(id).bind(now).execute(pool).await?.rows_affected());
        Ok(())
    }

    /// The keys that sign tokens and have not ended, the oldest first.
    ///
    /// # Errors
    /// The database.
    pub async fn signing_keys(&self, now: Millis) -> Result<Vec<SigningRecord>, StoreError> {
        const SQL: &str = "SELECT kid, sealed, created, begins, ends FROM signing_keys \
             WHERE ends IS NULL OR ends > $1 ORDER BY begins, kid";
        let rows: Vec<(String, String, i64, i64, Option<i64>)> =
            on_pool!(self, |pool| sqlx::query_as(SQL).bind(now).fetch_all(pool).await?);
        let of = |(kid, sealed, created, begins, ends)| SigningRecord { kid, sealed, created, begins, ends };
        Ok(rows.into_iter().map(of).collect())
    }

    /// Adds a key that signs from `begins` on; those before it end at `others_end`. Where `first` is set, only if there is
    /// none that has not ended.
    ///
    /// # Errors
    /// The database.
    pub async fn add_signing_key(
        &self,
        key: &SigningRecord,
        others_end: Millis,
        first: bool,
    ) -> Result<bool, StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM signing_keys WHERE ends IS NULL OR ends > $1";
        const END: &str = "UPDATE signing_keys SET ends = $1 WHERE ends IS NULL";
        const ADD: &str = "INSERT INTO signing_keys (kid, sealed, created, begins) VALUES ($1, $2, $3, $4)";
        super::transaction!(self, |tx| {
            // The one row that everybody locks: two that start at once do not both make a first key.
            sqlx::query("UPDATE audit_head SET seq = seq WHERE id = 0").execute(&mut *tx).await?;
            let (live,): (i64,) = sqlx::query_as(COUNT).bind(key.created).fetch_one(&mut *tx).await?;
            let wanted = !first || live == 0;
            if wanted {
                sqlx::query(END).bind(others_end).execute(&mut *tx).await?;
                sqlx::query(ADD)
                    .bind(&key.kid)
                    .bind(&key.sealed)
                    .bind(key.created)
                    .bind(key.begins)
                    .execute(&mut *tx)
                    .await?;
            }
            wanted
        })
    }
}
