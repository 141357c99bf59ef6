//! The audit log: rows that are only ever added, each sealed together with the one before it.
//!
//! Invariant: `seq` has no gaps, and a row's hash is over all its fields and the hash before it; the function that makes it
//! is given in, since it needs a secret that the database does not have.

use super::{Millis, Store, StoreError, on_pool, transaction};

/// What is to be noted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewLink {
    /// When.
    pub at: Millis,
    /// In which tenant; `*`: none in particular.
    pub tenant: String,
    /// Who.
    pub actor: String,
    /// What was done or tried.
    pub act: String,
    /// To what.
    pub target: String,
    /// What came of it: `done`, `denied`, `failed`.
    pub outcome: String,
    /// More, in words. Never a secret.
    pub detail: String,
    /// From where.
    pub network: String,
    /// In which request.
    pub request: String,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its place, from 1.
    pub seq: i64,
    /// What was noted.
    pub noted: NewLink,
    /// Of this row and the one before.
    pub hash: String,
}

type Row = (i64, i64, String, String, String, String, String, String, String, String, String);

fn of(row: Row) -> Link {
    let (seq, at, tenant, actor, act, target, outcome, detail, network, request, hash) = row;
    Link { seq, noted: NewLink { at, tenant, actor, act, target, outcome, detail, network, request }, hash }
}

impl Store {
    /// Adds one. `seal` makes a row's hash of its place, itself and the hash before it.
    ///
    /// # Errors
    /// The database; nothing has been added then.
    pub async fn add_link(
        &self,
        link: &NewLink,
        seal: impl Fn(i64, &NewLink, &str) -> String,
    ) -> Result<i64, StoreError> {
        const HEAD: &str = "UPDATE audit_head SET seq = seq + 1 WHERE id = 0 RETURNING seq, hash";
        const ADD: &str = "INSERT INTO audit \
             (seq, at, tenant, actor, act, target, outcome, detail, network, request, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        transaction!(self, |tx| {
            // Locks the head until the end: links are added one after the other.
            let (seq, before): (i64, String) = sqlx::query_as(HEAD).fetch_one(&mut *tx).await?;
            let hash = seal(seq, link, &before);
            sqlx::query(ADD)
                .bind(seq)
                .bind(link.at)
                .bind(&link.tenant)
                .bind(&link.actor)
                .bind(&link.act)
                .bind(&link.target)
                .bind(&link.outcome)
                .bind(&link.detail)
                .bind(&link.network)
                .bind(&link.request)
                .bind(&hash)
                .execute(&mut *tx)
                .await?;
            sqlx::query("UPDATE audit_head SET hash = $1 WHERE id = 0").bind(&hash).execute(&mut *tx).await?;
            seq
        })
    }

    /// Those before a place, the newest first; of one tenant, or all where it is `*`.
    ///
    /// # Errors
    /// The database.
    pub async fn links_before(&self, tenant: &str, before: i64, limit: i64) -> Result<Vec<Link>, StoreError> {
        const SQL: &str = "SELECT seq, at, tenant, actor, act, target, outcome, detail, network, request, hash \
             FROM audit WHERE seq < $2 AND ($1 = '*' OR tenant = $1) ORDER BY seq DESC LIMIT $3";
        let rows: Vec<Row> =
            on_pool!(self, |pool| sqlx::query_as(SQL).bind(tenant).bind(before).bind(limit).fetch_all(pool).await?);
        Ok(rows.into_iter().map(of).collect())
    }

    /// All after a place, the oldest first.
    ///
    /// # Errors
    /// The database.
    pub async fn links_after(&self, after: i64, limit: i64) -> Result<Vec<Link>, StoreError> {
        const SQL: &str = "SELECT seq, at, tenant, actor, act, target, outcome, detail, network, request, hash \
             FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows: Vec<Row> = on_pool!(self, |pool| sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(pool).await?);
        Ok(rows.into_iter().map(of).collect())
    }

    /// The end of the chain: place and hash of the last row.
    ///
    /// # Errors
    /// The database.
    pub async fn head(&self) -> Result<(i64, String), StoreError> {
        Ok(on_pool!(self, |pool| sqlx::query_as("SELECT seq, hash FROM audit_head WHERE id = 0")
            .fetch_one(pool)
            .await?))
    }
}
