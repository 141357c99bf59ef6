//! Roles, which say what somebody is in a tenant, and scopes, which narrow what a key or token may do.
//!
//! Invariant: a scope never adds to what the roles allow.

use crate::{Action, UnknownName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

/// What somebody is. What follows from it is in the policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sees the tenant's pictures.
    Viewer,
    /// Changes them, too.
    Editor,
    /// Manages the tenant's users and keys, too.
    Admin,
    /// Runs the installation: all tenants, no pictures.
    Operator,
    /// Another part of the platform.
    Service,
}

impl Role {
    /// All of them, the weakest first.
    pub const ALL: &'static [Self] = &[Self::Viewer, Self::Editor, Self::Admin, Self::Operator, Self::Service];

    /// The name in tokens, policies and requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Service => "service",
        }
    }

    /// Whether it holds within one tenant; the others hold everywhere.
    pub const fn is_of_tenant(self) -> bool {
        matches!(self, Self::Viewer | Self::Editor | Self::Admin)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|role| role.as_str() == text);
        let allowed = "viewer, editor, admin, operator, service";
        found.copied().ok_or_else(|| UnknownName { value: text.to_owned(), allowed })
    }
}

/// An action, all of a family (`asset:*`), or all (`*`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, example = "asset:*")]
pub struct Scope(Box<str>);

impl Scope {
    /// Whether it holds this action.
    pub fn covers(&self, action: Action) -> bool {
        match self.0.strip_suffix('*') {
            Some(family) => action.as_str().starts_with(family),
            None => action.as_str() == &*self.0,
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let family = |action: &Action| action.as_str().split_once(':').map(|(family, _)| family);
        let known = match text.strip_suffix(":*") {
            Some(name) => Action::ALL.iter().any(|action| family(action) == Some(name)),
            None => text == "*" || text.parse::<Action>().is_ok(),
        };
        let allowed = "an action such as asset:read, a family such as asset:*, or *";
        if known { Ok(Self(text.into())) } else { Err(UnknownName { value: text.to_owned(), allowed }) }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Scope {
    type Error = UnknownName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0.into()
    }
}

/// Which actions a token or key is limited to; none named: to none but what the roles allow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(pub BTreeSet<Scope>);

impl Scopes {
    /// No limit.
    pub fn unlimited() -> Self {
        Self::default()
    }

    /// Reads a list with blanks between, as in a token's `scope`. Scopes that are not of this platform are left out: where
    /// all are, nothing is left that could be allowed, so that the second value tells whether any was known.
    pub fn read(text: &str) -> (Self, bool) {
        let known: BTreeSet<Scope> = text.split_ascii_whitespace().filter_map(|one| one.parse().ok()).collect();
        let any = !known.is_empty();
        (Self(known), any)
    }

    /// Whether the action is within.
    pub fn cover(&self, action: Action) -> bool {
        self.0.is_empty() || self.0.iter().any(|scope| scope.covers(action))
    }

    /// With blanks between, as in a token.
    pub fn written(&self) -> String {
        self.0.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}
