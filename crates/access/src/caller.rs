//! Who asks: what a token or key says of its bearer once it has been found good.
//!
//! Only [`crate::Door`] makes them of requests. Invariant: no secret is in one, so that it may be logged.

use crate::{Grant, Role, Scopes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What sort of caller it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person who signed in.
    User,
    /// A program with an API key.
    Key,
    /// Another part of the platform.
    Service,
    /// Nobody in particular: no credentials came along.
    Anonymous,
}

impl Kind {
    /// The name in policies and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Key => "key",
            Self::Service => "service",
            Self::Anonymous => "anonymous",
        }
    }
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// Stable name of the user, or of whom the key belongs to; with `issuer|` before it where another issuer knows them.
    /// Empty: nobody.
    pub subject: String,
    /// The tenant that the credentials are for; empty where they are for none, as an operator's may be.
    pub tenant: String,
    /// What they are in that tenant (and, for `operator` and `service`, everywhere).
    pub roles: BTreeSet<Role>,
    /// What the credentials are limited to.
    #[serde(default)]
    pub scopes: Scopes,
    /// What was granted to them besides.
    #[serde(default)]
    pub grants: Vec<Grant>,
    /// What sort of caller it is.
    pub kind: Kind,
    /// Which credentials they were: the session or the key. Empty: none.
    pub id: String,
}

impl Caller {
    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self {
            subject: String::new(),
            tenant: String::new(),
            roles: BTreeSet::new(),
            scopes: Scopes::unlimited(),
            grants: Vec::new(),
            kind: Kind::Anonymous,
            id: String::new(),
        }
    }

    /// Somebody with roles in a tenant: for tests, and for work that a service does on its own account.
    pub fn new(kind: Kind, subject: impl Into<String>, tenant: impl Into<String>, roles: &[Role]) -> Self {
        let roles = roles.iter().copied().collect();
        Self { subject: subject.into(), tenant: tenant.into(), roles, kind, ..Self::anonymous() }
    }

    /// Whether no credentials came along.
    pub fn is_anonymous(&self) -> bool {
        self.kind == Kind::Anonymous
    }

    /// Whether they have a role.
    pub fn is(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}
