//! The door's decision as the index's filter, clause by clause.
//!
//! Invariant: the filter shows a document exactly where the decision admits the asset.

use finder::{Grant, Owner, Reach, Tenants, Visibility};

/// The same reach in the index's types.
pub(crate) fn of(decided: &access::Reach) -> Reach {
    decided.clauses().iter().map(grant).fold(Reach::nothing(), Reach::with)
}

fn grant(clause: &access::Clause) -> Grant {
    Grant {
        tenants: match &clause.tenants {
            access::Tenants::One(tenant) => Tenants::One(tenant.clone()),
            access::Tenants::AllBut(others) => Tenants::AllBut(others.clone()),
        },
        visibility: clause.visibility.map(|visibility| match visibility {
            access::Visibility::Tenant => Visibility::Tenant,
            access::Visibility::Public => Visibility::Public,
        }),
        owner: clause.owner.as_ref().map(|owner| match owner {
            access::Owner::Is(subject) => Owner::Is(subject.clone()),
            access::Owner::IsNot(subject) => Owner::IsNot(subject.clone()),
        }),
        below: clause.below.clone(),
        beside: clause.beside.clone(),
    }
}
