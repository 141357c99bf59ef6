//! The first administrator: made where nobody is there yet, with a password that is told once.

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
        let mut password = random_text().map_err(|error| error.to_string())?;
        // 144 bits, which can be typed.
        password.truncate(24);
        let user = self.new_user(EMAIL.into(), "Administrator".into(), password.clone()).await;
        let user = user.map_err(|problem| problem.to_string())?;
        let roles = [(tenant.to_owned(), Role::Admin), ("*".to_owned(), Role::Operator)];
        let added = self.store.add_user(&user, &roles).await.map_err(|error| error.to_string())?;
        if added == Added::EmailTaken {
            // Another process was quicker.
            return Ok(None);
        }
        let caller = Caller::new(Kind::Service, "start", "", &[]);
        let from = From::default();
        let noted = self.note(&caller, tenant, "first-administrator", &user.id, Outcome::Done, EMAIL, &from).await;
        noted.map_err(|problem| problem.to_string())?;
        Ok(Some(FirstAdministrator { email: EMAIL.into(), password }))
    }
}
