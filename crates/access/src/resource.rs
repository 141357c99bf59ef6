//! What something is done to: a picture, a tenant, or the whole installation, as far as policies look at it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who may see a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// The tenant's own people.
    #[default]
    Tenant,
    /// Everybody.
    Public,
}

impl Visibility {
    /// The name in policies.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Public => "public",
        }
    }
}

/// What something is done to.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// Whose it is; `*` is the whole installation.
    pub tenant: &'a str,
    /// The published name within the tenant; without it the tenant itself is meant.
    pub path: Option<&'a str>,
    /// Subject of whoever uploaded it.
    pub owner: Option<&'a str>,
    /// Who may see it.
    pub visibility: Visibility,
    /// What a URL asks for: names and values of a canonical transform. For `url:sign`.
    pub parameters: &'a [(&'a str, &'a str)],
}

/// The tenant that stands for all: no tenant can have this name.
pub(crate) const INSTALLATION: &str = "*";

impl<'a> Resource<'a> {
    /// A tenant as a whole: its users, keys, jobs, audit log.
    pub const fn tenant(tenant: &'a str) -> Self {
        Self { tenant, path: None, owner: None, visibility: Visibility::Tenant, parameters: &[] }
    }

    /// All tenants at once: making one, rebuilding the whole index.
    pub const fn installation() -> Self {
        Self::tenant(INSTALLATION)
    }

    /// A picture that is visible to its tenant and has no owner.
    pub const fn asset(tenant: &'a str, path: &'a str) -> Self {
        Self { path: Some(path), ..Self::tenant(tenant) }
    }

    /// Whoever uploaded it.
    #[must_use]
    pub const fn owned_by(mut self, subject: &'a str) -> Self {
        self.owner = Some(subject);
        self
    }

    /// Who may see it.
    #[must_use]
    pub const fn visible_to(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// What its URL asks for.
    #[must_use]
    pub const fn with_parameters(mut self, parameters: &'a [(&'a str, &'a str)]) -> Self {
        self.parameters = parameters;
        self
    }
}
