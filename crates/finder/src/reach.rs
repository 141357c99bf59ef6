//! What a caller may read: the filter without which no query exists.
//!
//! Knows no roles and no policies; `access` decides them, and whoever answers callers turns its decision into this.
//! Invariant: an empty reach finds nothing; nothing but what was granted is ever found.

use std::collections::BTreeSet;

/// The union of what was granted. Starts empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reach {
    grants: BTreeSet<Grant>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Grant {
    /// All of a tenant.
    Tenant(String),
    /// What one subject owns in a tenant.
    Owner(String, String),
    /// What is public in a tenant.
    PublicOf(String),
    /// What is public anywhere.
    Public,
}

impl Reach {
    /// Nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Also everything of this tenant.
    #[must_use]
    pub fn tenant(self, tenant: &str) -> Self {
        self.with(Grant::Tenant(tenant.to_owned()))
    }

    /// Also what `subject` owns in this tenant.
    #[must_use]
    pub fn owned(self, tenant: &str, subject: &str) -> Self {
        self.with(Grant::Owner(tenant.to_owned(), subject.to_owned()))
    }

    /// Also what is public in this tenant.
    #[must_use]
    pub fn public_of(self, tenant: &str) -> Self {
        self.with(Grant::PublicOf(tenant.to_owned()))
    }

    /// Also what is public in any tenant.
    #[must_use]
    pub fn public(self) -> Self {
        self.with(Grant::Public)
    }

    /// Whether nothing was granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    /// The same without what is only public: what of it belongs to tenants whose member the caller is.
    #[must_use]
    pub fn members_only(&self) -> Self {
        let member = |grant: &&Grant| matches!(grant, Grant::Tenant(_) | Grant::Owner(..));
        Self { grants: self.grants.iter().filter(member).cloned().collect() }
    }

    /// The tenants in question; `None` where it is all of them.
    #[must_use]
    pub fn tenants(&self) -> Option<BTreeSet<&str>> {
        let tenants = self.grants.iter().map(|grant| match grant {
            Grant::Tenant(tenant) | Grant::Owner(tenant, _) | Grant::PublicOf(tenant) => Some(tenant.as_str()),
            Grant::Public => None,
        });
        tenants.collect()
    }

    /// Whether an asset of this tenant, owner and visibility is within reach: what engines must agree with.
    #[must_use]
    pub fn includes(&self, tenant: &str, owner: &str, public: bool) -> bool {
        self.grants.iter().any(|grant| match grant {
            Grant::Tenant(granted) => granted == tenant,
            Grant::Owner(granted, subject) => granted == tenant && subject == owner,
            Grant::PublicOf(granted) => public && granted == tenant,
            Grant::Public => public,
        })
    }

    /// One text for equal reaches: part of the key under which answers are kept.
    #[must_use]
    pub fn class(&self) -> String {
        self.tokens().join("\n")
    }

    /// A document is within reach if it has one of these.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let token = |grant: &Grant| match grant {
            Grant::Tenant(tenant) => format!("t/{tenant}"),
            Grant::Owner(tenant, subject) => format!("o/{tenant}/{subject}"),
            Grant::PublicOf(tenant) => format!("p/{tenant}"),
            Grant::Public => "p".to_owned(),
        };
        self.grants.iter().map(token).collect()
    }

    /// The tokens of a document: what grants would show it.
    pub(crate) fn tokens_of(tenant: &str, owner: &str, public: bool) -> Vec<String> {
        let mut tokens = vec![format!("t/{tenant}"), format!("o/{tenant}/{owner}")];
        if public {
            tokens.extend([format!("p/{tenant}"), "p".to_owned()]);
        }
        tokens
    }

    fn with(mut self, grant: Grant) -> Self {
        self.grants.insert(grant);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Reach;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![Just("a"), Just("b"), Just("a/b"), Just("p"), Just("")].prop_map(str::to_owned)
    }

    /// Tenants' names have no slash.
    fn tenant() -> impl Strategy<Value = String> {
        prop_oneof![Just("a"), Just("b"), Just("p")].prop_map(str::to_owned)
    }

    fn reach() -> impl Strategy<Value = Reach> {
        proptest::collection::vec((0..4, tenant(), name()), 0..4).prop_map(|grants| {
            grants.iter().fold(Reach::nothing(), |reach, (kind, tenant, subject)| match kind {
                0 => reach.tenant(tenant),
                1 => reach.owned(tenant, subject),
                2 => reach.public_of(tenant),
                _ => reach.public(),
            })
        })
    }

    proptest! {
        #[test]
        fn tokens_say_what_the_reach_says(reach in reach(), tenant in tenant(), owner in name(), public: bool) {
            let of = Reach::tokens_of(&tenant, &owner, public);
            let meets = reach.tokens().iter().any(|token| of.contains(token));
            prop_assert_eq!(meets, reach.includes(&tenant, &owner, public));
        }

        #[test]
        fn members_reach_nothing_that_is_only_public(reach in reach(), tenant in tenant(), owner in name()) {
            let members = reach.members_only();
            prop_assert_eq!(members.includes(&tenant, &owner, true), members.includes(&tenant, &owner, false));
            prop_assert_eq!(members.includes(&tenant, &owner, false), reach.includes(&tenant, &owner, false));
        }
    }

    #[test]
    fn nothing_reaches_nothing() {
        assert!(Reach::nothing().is_empty() && !Reach::nothing().includes("a", "b", true));
    }
}
