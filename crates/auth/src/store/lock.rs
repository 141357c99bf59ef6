//! Failures to sign in, counted by whatever text is given: an account, a network, both.

use super::{Millis, Store, StoreError, on_pool};

impl Store {
    /// Counts one failure; those that began before `since` are forgotten. Gives the number.
    ///
    /// # Errors
    /// The database.
    pub async fn count_failure(&self, subject: &str, now: Millis, since: Millis) -> Result<i64, StoreError> {
        const SQL: &str = "INSERT INTO failures (subject, count, since) VALUES ($1, 1, $2) \
             ON CONFLICT (subject) DO UPDATE SET \
             count = CASE WHEN failures.since < $3 THEN 1 ELSE failures.count + 1 END, \
             since = CASE WHEN failures.since < $3 THEN $2 ELSE failures.since END \
             RETURNING count";
        let (count,): (i64,) =
            on_pool!(self, |pool| sqlx::query_as(SQL).bind(subject).bind(now).bind(since).fetch_one(pool).await?);
        Ok(count)
    }

    /// How many there were since, and when the first was.
    ///
    /// # Errors
    /// The database.
    pub async fn failures(&self, subject: &str, since: Millis) -> Result<(i64, Millis), StoreError> {
        const SQL: &str = "SELECT count, since FROM failures WHERE subject = $1 AND since >= $2";
        let row: Option<(i64, i64)> =
            on_pool!(self, |pool| sqlx::query_as(SQL).bind(subject).bind(since).fetch_optional(pool).await?);
        Ok(row.unwrap_or((0, 0)))
    }

    /// Forgets those of a subject.
    ///
    /// # Errors
    /// The database.
    pub async fn forget_failures(&self, subject: &str) -> Result<(), StoreError> {
        on_pool!(self, |pool| sqlx::query("DELETE FROM failures WHERE subject = $1")
            .bind(subject)
            .execute(pool)
            .await?
            .rows_affected());
        Ok(())
    }

    /// Forgets all that began before a time.
    ///
    /// # Errors
    /// The database.
    pub async fn forget_old_failures(&self, before: Millis) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM failures WHERE since < $1";
        Ok(on_pool!(self, |pool| sqlx::query(SQL).bind(before).execute(pool).await?.rows_affected()))
    }
}
