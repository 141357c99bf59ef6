//! The first administrator: made where nobody is there yet, with a password that is told once; and what whoever runs the process
//! may do without signing in: a new password for somebody who lost theirs, a token for the process itself.
//!
//! Invariant: each of these is in the audit log before it holds.

use crate::Auth;
use crate::audit::Outcome;
use crate::http::from::From;
use crate::seal::random_text;
use crate::store::Added;
use access::{Caller, Kind, Role};
use std::fmt;

/// The address of the first administrator.
pub const EMAIL: &str = "admin@localhost";

/// Who was made, with the password. Told once: only its hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstAdministrator {
    /// What to sign in with.
    pub email: String,
    /// What to sign in with.
    pub password: String,
}

/// Without the password.
impl fmt::Debug for FirstAdministrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FirstAdministrator").field("email", &self.email).finish_non_exhaustive()
    }
}

impl Auth {
    /// Makes a tenant and an administrator for it, who is operator of the installation too. `None` where there are users
    /// already. Whoever calls it prints the password; it is in no log.
    ///
    /// # Errors
    /// In words: the database, or no random bytes.
    pub async fn first_administrator(&self, tenant: &str) -> Result<Option<FirstAdministrator>, String> {
        if self.store.count_users().await.map_err(|error| error.to_string())? > 0 {
            return Ok(None);
        }
        self.make_tenant(tenant).await.map_err(|problem| problem.to_string())?;
        let password = typed()?;
        let user = self.new_user(EMAIL.into(), "Administrator".into(), password.clone()).await;
        let user = user.map_err(|problem| problem.to_string())?;
        let roles = [(tenant.to_owned(), Role::Admin), ("*".to_owned(), Role::Operator)];
        let added = self.store.add_user(&user, &roles).await.map_err(|error| error.to_string())?;
        if added == Added::EmailTaken {
            // Another process was quicker.
            return Ok(None);
        }
        self.told("start", tenant, "first-administrator", &user.id, EMAIL).await?;
        Ok(Some(FirstAdministrator { email: EMAIL.into(), password }))
    }

    /// Gives an account a new password, and ends its sessions. `None` where there is no such account.
    ///
    /// # Errors
    /// In words: the database, no random bytes, or the password was changed by somebody else meanwhile.
    pub async fn reset_password(&self, email: &str) -> Result<Option<FirstAdministrator>, String> {
        let found = self.store.user_by_email(email).await.map_err(|error| error.to_string())?;
        let Some(user) = found else { return Ok(None) };
        let password = typed()?;
        let hash = self.hasher.hash(password.clone()).await.map_err(|error| error.to_string())?;
        self.told("command-line", "*", "reset-password", &user.id, email).await?;
        let now = self.millis();
        let set = self.store.set_password(&user.id, &user.password, &hash, now).await;
        if !set.map_err(|error| error.to_string())? {
            return Err("the password was changed by somebody else meanwhile; try again".to_owned());
        }
        let ended = self.store.end_sessions(&user.id, "", "password", now).await;
        self.refuse(&ended.map_err(|error| error.to_string())?).await;
        Ok(Some(FirstAdministrator { email: user.email, password }))
    }

    /// A token with which this process itself may put pictures into a tenant in an account's name, for some seconds; it is
    /// written nowhere. `None` where there is no such account, or it is locked.
    ///
    /// # Errors
    /// In words: the database, or there is no signing key.
    pub async fn token_of(&self, email: &str, tenant: &str, seconds: u64) -> Result<Option<String>, String> {
        let found = self.store.user_by_email(email).await.map_err(|error| error.to_string())?;
        let Some(user) = found.filter(|user| !user.locked) else { return Ok(None) };
        self.told("start", tenant, "token", &user.id, "for this process itself").await?;
        let session = format!("process-{}", uuid::Uuid::now_v7());
        let token = self.mint(&user.id, &session, tenant, &[Role::Editor], "", Vec::new(), seconds);
        token.map(Some).map_err(|problem| problem.to_string())
    }

    /// Notes what is done in nobody's name.
    async fn told(&self, who: &str, tenant: &str, act: &str, target: &str, detail: &str) -> Result<(), String> {
        let (caller, from) = (Caller::new(Kind::Service, who, "", &[]), From::default());
        let noted = self.note(&caller, tenant, act, target, Outcome::Done, detail, &from).await;
        noted.map_err(|problem| problem.to_string())
    }
}

/// A password of 144 random bits, which can be typed.
fn typed() -> Result<String, String> {
    let mut password = random_text().map_err(|error| error.to_string())?;
    password.truncate(24);
    Ok(password)
}
