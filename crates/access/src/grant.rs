//! Grants: one subject may do some things below one path until a time, whatever their roles say.
//!
//! Invariant: a grant that has ended, or is about another tenant or path, changes nothing. A policy that forbids is stronger.

use crate::{Action, Resource};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is granted. Short names, since tokens carry it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// In which tenant.
    pub tenant: String,
    /// What may be done.
    pub actions: Vec<Action>,
    /// Below which path, of whole segments; empty: anywhere in the tenant.
    #[serde(default)]
    pub below: String,
    /// Until when.
    pub until: Timestamp,
}

impl Grant {
    /// Most that one token carries.
    pub const MOST: usize = 16;

    /// Whether it allows this now.
    pub fn covers(&self, action: Action, resource: &Resource<'_>, now: Timestamp) -> bool {
        now < self.until
            && self.tenant == resource.tenant
            && self.actions.contains(&action)
            && (self.below.is_empty() || resource.path.is_some_and(|path| is_below(path, &self.below)))
    }
}

/// Whether `path` is `folder` or lies in it: whole segments count.
pub fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_segments_count() {
        assert!(is_below("a/b", "a") && is_below("a", "a") && is_below("a/b/c", "a/b"));
        assert!(!is_below("ab", "a") && !is_below("a", "a/b") && !is_below("b/a", "a"));
    }

    #[test]
    fn a_grant_ends_with_its_time_its_tenant_and_its_path() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let later = now + jiff::SignedDuration::from_secs(60);
        let grant = Grant { tenant: "a".into(), actions: vec![Action::AssetRead], below: "cats".into(), until: later };
        let tom = Resource::asset("a", "cats/tom.jpg");
        assert!(grant.covers(Action::AssetRead, &tom, now));
        assert!(!grant.covers(Action::AssetRead, &tom, later));
        assert!(!grant.covers(Action::AssetEdit, &tom, now));
        assert!(!grant.covers(Action::AssetRead, &Resource::asset("b", "cats/tom.jpg"), now));
        assert!(!grant.covers(Action::AssetRead, &Resource::asset("a", "catsup.jpg"), now));
        assert!(!grant.covers(Action::AssetRead, &Resource::tenant("a"), now));
    }
}
