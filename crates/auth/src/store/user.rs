//! Users, and what they are in which tenant.

use super::{Millis, Store, StoreError, on_pool, transaction};
use access::Role;

/// A user.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// Stable: `subject` of callers.
    pub id: String,
    /// In lower case; unique.
    pub email: String,
    /// What people call them.
    pub name: String,
    /// The password's hash, with its parameters.
    pub password: String,
    /// Does not sign in.
    pub locked: bool,
    /// When it was made.
    pub created: Millis,
}

/// Without the hash.
impl std::fmt::Debug for UserRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRecord").field("id", &self.id).field("email", &self.email).finish_non_exhaustive()
    }
}

/// What came of adding one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// They are there now.
    Yes,
    /// The address is taken.
    EmailTaken,
}

type Row = (String, String, String, String, i64, i64);

fn of((id, email, name, password, locked, created): Row) -> UserRecord {
    UserRecord { id, email, name, password, locked: locked != 0, created }
}

impl Store {
    /// Adds one with roles, as (tenant, role).
    ///
    /// # Errors
    /// The database.
    pub async fn add_user(&self, user: &UserRecord, roles: &[(String, Role)]) -> Result<Added, StoreError> {
        const USER: &str = "INSERT INTO users (id, email, name, password, locked, created, changed) \
             VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (email) DO NOTHING";
        const MEMBER: &str = "INSERT INTO members (user_id, tenant, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        transaction!(self, |tx| {
            let added = sqlx::query(USER)
                .bind(&user.id)
                .bind(&user.email)
                .bind(&user.name)
                .bind(&user.password)
                .bind(i64::from(user.locked))
                .bind(user.created)
                .execute(&mut *tx)
                .await?
                .rows_affected();
            if added == 1 {
                for (tenant, role) in roles {
                    sqlx::query(MEMBER).bind(&user.id).bind(tenant).bind(role.as_str()).execute(&mut *tx).await?;
                }
            }
            if added == 1 { Added::Yes } else { Added::EmailTaken }
        })
    }

    /// By address.
    ///
    /// # Errors
    /// The database.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<UserRecord>, StoreError> {
        const SQL: &str = "SELECT id, email, name, password, locked, created FROM users WHERE email = $1";
        let row: Option<Row> = on_pool!(self, |pool| sqlx::query_as(SQL).bind(email).fetch_optional(pool).await?);
        Ok(row.map(of))
    }

    /// By id.
    ///
    /// # Errors
    /// The database.
    pub async fn user(&self, id: &str) -> Result<Option<UserRecord>, StoreError> {
        const SQL: &str = "SELECT id, email, name, password, locked, created FROM users WHERE id = $1";
        let row: Option<Row> = on_pool!(self, |pool| sqlx::query_as(SQL).bind(id).fetch_optional(pool).await?);
        Ok(row.map(of))
    }

    /// What those of a tenant are there, as (user, role), from one id to another.
    ///
    /// # Errors
    /// The database.
    pub async fn roles_between(
        &self,
        tenant: &str,
        first: &str,
        last: &str,
    ) -> Result<Vec<(String, Role)>, StoreError> {
        const SQL: &str = "SELECT user_id, role FROM members \
             WHERE tenant = $1 AND user_id >= $2 AND user_id <= $3 ORDER BY user_id, role";
        let rows: Vec<(String, String)> =
            on_pool!(self, |pool| sqlx::query_as(SQL).bind(tenant).bind(first).bind(last).fetch_all(pool).await?);
        Ok(rows.into_iter().filter_map(|(user, role)| Some((user, role.parse().ok()?))).collect())
    }

    /// Those of a tenant, by id, after one.
    ///
    /// # Errors
    /// The database.
    pub async fn users(&self, tenant: &str, after: &str, limit: i64) -> Result<Vec<UserRecord>, StoreError> {
        const SQL: &str = "SELECT id, email, name, password, locked, created FROM users WHERE id > $2 AND EXISTS \
             (SELECT 1 FROM members WHERE members.user_id = users.id AND members.tenant = $1) ORDER BY id LIMIT $3";
        let rows: Vec<Row> =
            on_pool!(self, |pool| sqlx::query_as(SQL).bind(tenant).bind(after).bind(limit).fetch_all(pool).await?);
        Ok(rows.into_iter().map(of).collect())
    }

    /// How many there are.
    ///
    /// # Errors
    /// The database.
    pub async fn count_users(&self) -> Result<i64, StoreError> {
        let (count,): (i64,) =
            on_pool!(self, |pool| sqlx::query_as("SELECT COUNT(*) FROM users").fetch_one(pool).await?);
        Ok(count)
    }

    /// What somebody is, as (tenant, role), in order.
    ///
    /// # Errors
    /// The database.
    pub async fn roles(&self, user: &str) -> Result<Vec<(String, Role)>, StoreError> {
        const SQL: &str = "SELECT tenant, role FROM members WHERE user_id = $1 ORDER BY tenant, role";
        let rows: Vec<(String, String)> = on_pool!(self, |pool| sqlx::query_as(SQL).bind(user).fetch_all(pool).await?);
        // A role of a later release is none here.
        Ok(rows.into_iter().filter_map(|(tenant, role)| Some((tenant, role.parse().ok()?))).collect())
    }

    /// Puts these roles in place of those that somebody has in a tenant. None: they are no longer of it.
    ///
    /// # Errors
    /// The database.
    pub async fn set_roles(&self, user: &str, tenant: &str, roles: &[Role]) -> Result<(), StoreError> {
        transaction!(self, |tx| {
            sqlx::query("DELETE FROM members WHERE user_id = $1 AND tenant = $2")
                .bind(user)
                .bind(tenant)
                .execute(&mut *tx)
                .await?;
            for role in roles {
                sqlx::query("INSERT INTO members (user_id, tenant, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
                    .bind(user)
                    .bind(tenant)
                    .bind(role.as_str())
                    .execute(&mut *tx)
                    .await?;
            }
        })
    }

    /// Changes name and lock; `false` where there is none.
    ///
    /// # Errors
    /// The database.
    pub async fn change_user(&self, id: &str, name: &str, locked: bool, now: Millis) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE users SET name = $2, locked = $3, changed = $4 WHERE id = $1";
        let changed = on_pool!(self, |pool| sqlx::query(SQL)
            .bind(id)
            .bind(name)
            .bind(i64::from(locked))
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }

    /// Puts another hash in place of this one; `false` where it is another already.
    ///
    /// # Errors
    /// The database.
    pub async fn set_password(&self, id: &str, old: &str, new: &str, now: Millis) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE users SET password = $3, changed = $4 WHERE id = $1 AND password = $2";
        let changed = on_pool!(self, |pool| sqlx::query(SQL)
            .bind(id)
            .bind(old)
            .bind(new)
            .bind(now)
            .execute(pool)
            .await?
            .rows_affected());
        Ok(changed == 1)
    }
}
