//! Sessions and their refresh tokens. A session is the family of all refresh tokens that came of one sign-in.
//!
//! Invariant: of one refresh token comes at most one other: who wins is decided by the row that is changed.

use super::{Millis, Store, StoreError, on_pool, transaction};

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// `sid` of tokens.
    pub id: String,
    /// Whose.
    pub user: String,
    /// For which tenant; empty: none.
    pub tenant: String,
    /// From where it was begun.
    pub network: String,
    /// With which program.
    pub agent: String,
    /// When it was begun.
    pub created: Millis,
    /// When it was last refreshed.
    pub seen: Millis,
    /// When it ends, if it is not refreshed.
    pub expires: Millis,
    /// When it was ended.
    pub ended: Option<Millis>,
}

/// What came of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// Another one, for this session.
    Yes(SessionRecord),
    /// It was exchanged a moment ago: by another tab, or before an answer was lost.
    JustNow(SessionRecord),
    /// It was exchanged long ago: somebody has a copy. The session has been ended.
    Reused(SessionRecord),
    /// There is none, or its session is over.
    No,
}

type Row = (String, String, String, String, String, i64, i64, i64, Option<i64>);

fn of((id, user, tenant, network, agent, created, seen, expires, ended): Row) -> SessionRecord {
    SessionRecord { id, user, tenant, network, agent, created, seen, expires, ended }
}

impl Store {
    /// Begins one, with its first refresh token.
    ///
    /// # Errors
    /// The database.
    pub async fn begin_session(&self, session: &SessionRecord, refresh: &str) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO sessions (id, user_id, tenant, network, agent, created, seen, expires) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        transaction!(self, |tx| {
            sqlx::query(SQL)
                .bind(&session.id)
                .bind(&session.user)
                .bind(&session.tenant)
                .bind(&session.network)
                .bind(&session.agent)
                .bind(session.created)
                .bind(session.seen)
                .bind(session.expires)
                .execute(&mut *tx)
                .await?;
            sqlx::query("INSERT INTO refreshes (hash, session_id, created) VALUES ($1, $2, $3)")
                .bind(refresh)
                .bind(&session.id)
                .bind(session.created)
                .execute(&mut *tx)
                .await?;
        })
    }

    /// Exchanges a refresh token for another. One that was exchanged before `now - grace` ends the session.
    ///
    /// # Errors
    /// The database.
    pub async fn refresh(
        &self,
        hash: &str,
        next: &str,
        now: Millis,
        grace: Millis,
        expires: Millis,
    ) -> Result<Refreshed, StoreError> {
        const FIND: &str = "SELECT s.id, s.user_id, s.tenant, s.network, s.agent, s.created, s.seen, s.expires, s.ended \
             FROM refreshes r JOIN sessions s ON s.id = r.session_id WHERE r.hash = $1";
        const USE: &str = "UPDATE refreshes SET used = $2 WHERE hash = $1 AND used IS NULL";
        const USED: &str = "SELECT used FROM refreshes WHERE hash = $1";
        const SEEN: &str = "UPDATE sessions SET seen = $2, expires = $3 WHERE id = $1";
        const ADD: &str = "INSERT INTO refreshes (hash, session_id, created) VALUES ($1, $2, $3)";
        const END: &str = "UPDATE sessions SET ended = $2, why = 'reuse' WHERE id = $1 AND ended IS NULL";
        transaction!(self, |tx| {
            // The row first: whoever else has the same token waits here, and then sees that it was used.
            let won = sqlx::query(USE).bind(hash).bind(now).execute(&mut *tx).await?.rows_affected() == 1;
            let row: Option<Row> = sqlx::query_as(FIND).bind(hash).fetch_optional(&mut *tx).await?;
            match row.map(of) {
                None => Refreshed::No,
                Some(session) if session.ended.is_some() || session.expires <= now => Refreshed::No,
                Some(session) => {
                    let used: Option<(Option<i64>,)> = sqlx::query_as(USED).bind(hash).fetch_optional(&mut *tx).await?;
                    let used = used.and_then(|(used,)| used).unwrap_or(now);
                    if won || now.saturating_sub(used) < grace {
                        sqlx::query(ADD).bind(next).bind(&session.id).bind(now).execute(&mut *tx).await?;
                        sqlx::query(SEEN).bind(&session.id).bind(now).bind(expires).execute(&mut *tx).await?;
                        if won { Refreshed::Yes(session) } else { Refreshed::JustNow(session) }
                    } else {
                        sqlx::query(END).bind(&session.id).bind(now).execute(&mut *tx).await?;
                        Refreshed::Reused(session)
                    }
                }
            }
        })
    }

    /// One.
    ///
    /// # Errors
    /// The database.
    pub async fn session(&self, id: &str) -> Result<Option<SessionRecord>, StoreError> {
        const SQL: &str = "SELECT id, user_id, tenant, network, agent, created, seen, expires, ended FROM sessions \
             WHERE id = $1";
        let row: Option<Row> = on_pool!(self, |pool| sqlx::query_as(SQL).bind(id).fetch_optional(pool).await?);
        Ok(row.map(of))
    }

    /// Somebody's that are not over, the newest first.
    ///
    /// # Errors
    /// The database.
    pub async fn sessions(&self, user: &str, now: Millis) -> Result<Vec<SessionRecord>, StoreError> {
        const SQL: &str = "SELECT id, user_id, tenant, network, agent, created, seen, expires, ended FROM sessions \
             WHERE user_id = $1 AND ended IS NULL AND expires > $2 ORDER BY created DESC LIMIT 200";
        let rows: Vec<Row> = on_pool!(self, |pool| sqlx::query_as(SQL).bind(user).bind(now).fetch_all(pool).await?);
        Ok(rows.into_iter().map(of).collect())
    }

    /// Ends one of somebody's; `false` where there was none to end.
    ///
    /// # Errors
    /// The database.
    pub async fn end_session(&self, id: &str, user: &str, why: &str, now: Millis) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE sessions SET ended = $3, why = $4 WHERE id = $1 AND user_id = $2 AND ended IS NULL";
        let changed = on_pool!(self, |pool| sqlx::query(SQL)
            .bind(id)
            .bind(user)
            .bind(now)
            .bind(why)
            .execute(pool)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }

    /// Ends all of somebody's but one (`""`: all), and says which.
    ///
    /// # Errors
    /// The database.
    pub async fn end_sessions(&self, user: &str, but: &str, why: &str, now: Millis) -> Result<Vec<String>, StoreError> {
        const SQL: &str = "UPDATE sessions SET ended = $3, why = $4 \
             WHERE user_id = $1 AND id <> $2 AND ended IS NULL RETURNING id";
        let ended: Vec<(String,)> =
            on_pool!(self, |pool| sqlx::query_as(SQL).bind(user).bind(but).bind(now).bind(why).fetch_all(pool).await?);
        Ok(ended.into_iter().map(|(id,)| id).collect())
    }

    /// Forgets sessions that were over before a time, with their refresh tokens.
    ///
    /// # Errors
    /// The database.
    pub async fn forget_sessions(&self, before: Millis) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM sessions WHERE expires < $1 OR ended < $1";
        Ok(on_pool!(self, |pool| sqlx::query(SQL).bind(before).execute(pool).await?.rows_affected()))
    }
}
