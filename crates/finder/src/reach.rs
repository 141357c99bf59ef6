//! What a caller may read: the filter without which no query exists.
//!
//! Knows no roles and no policies; `access` decides them, and whoever answers callers turns its decision into this.
//! Invariant: an empty reach finds nothing; nothing but what was granted is ever found.

use crate::document::{Document, Visibility};
use crate::record::Field;
use std::collections::BTreeSet;

/// The union of what was granted. Starts empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reach {
    grants: BTreeSet<Grant>,
}

/// Assets that fulfil all of this.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// Whose.
    pub tenants: Tenants,
    /// Visible to whom; `None`: whichever.
    pub visibility: Option<Visibility>,
    /// Owned by whom; `None`: whoever.
    pub owner: Option<Owner>,
    /// In this folder, or with just this path; `None`: anywhere.
    pub below: Option<String>,
    /// But in none of these.
    pub beside: Vec<String>,
}

/// Whose assets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tenants {
    /// This one's.
    One(String),
    /// Everybody's but these.
    AllBut(Vec<String>),
}

/// Who owns them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// This subject.
    Is(String),
    /// Anybody else.
    IsNot(String),
}

/// A grant in words of the index: all of the first, none of the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) all: Vec<(Field, String)>,
    pub(crate) none: Vec<(Field, String)>,
}

/// A word that every document has and no tombstone.
const LIVE: &str = "live";

impl Grant {
    /// All of one tenant.
    #[must_use]
    pub fn tenant(tenant: &str) -> Self {
        let tenants = Tenants::One(tenant.to_owned());
        Self { tenants, visibility: None, owner: None, below: None, beside: Vec::new() }
    }

    /// All of any tenant: to be narrowed.
    fn anywhere() -> Self {
        Self { tenants: Tenants::AllBut(Vec::new()), ..Self::tenant("") }
    }

    fn includes(&self, tenant: &str, owner: &str, visibility: Visibility, path: &str) -> bool {
        let tenants = match &self.tenants {
            Tenants::One(one) => one == tenant,
            Tenants::AllBut(others) => others.iter().all(|other| other != tenant),
        };
        let owned = match &self.owner {
            None => true,
            Some(Owner::Is(subject)) => subject == owner,
            Some(Owner::IsNot(subject)) => subject != owner,
        };
        let visible = self.visibility.is_none_or(|wanted| wanted == visibility);
        let below = |folder: &str| {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || folder.is_empty())
        };
        tenants
            && owned
            && visible
            && self.below.as_deref().is_none_or(below)
            && !self.beside.iter().any(|at| below(at))
    }

    /// Whether it is given to everybody, and not to the caller as a member or owner.
    fn is_public(&self) -> bool {
        let somebody = matches!(self.owner, Some(Owner::Is(_)));
        !somebody && (self.visibility == Some(Visibility::Public) || matches!(self.tenants, Tenants::AllBut(_)))
    }

    fn terms(&self) -> Terms {
        let reach = |word: String| (Field::Reach, word);
        let (mut all, mut none) = (Vec::new(), Vec::new());
        match &self.tenants {
            Tenants::One(tenant) => all.push(reach(tenant_word(tenant))),
            Tenants::AllBut(others) => {
                all.push(reach(LIVE.to_owned()));
                none.extend(others.iter().map(|other| reach(tenant_word(other))));
            }
        }
        match &self.owner {
            None => {}
            Some(Owner::Is(subject)) => all.push((Field::Owner, subject.clone())),
            Some(Owner::IsNot(subject)) => none.push((Field::Owner, subject.clone())),
        }
        all.extend(self.visibility.map(|visibility| reach(visibility_word(visibility).to_owned())));
        all.extend(self.below.iter().filter(|folder| !folder.is_empty()).map(|folder| (Field::Folder, folder.clone())));
        none.extend(self.beside.iter().map(|folder| (Field::Folder, folder.clone())));
        Terms { all, none }
    }
}

fn tenant_word(tenant: &str) -> String {
    format!("t/{tenant}")
}

fn visibility_word(visibility: Visibility) -> &'static str {
    match visibility {
        Visibility::Public => "public",
        Visibility::Tenant => "tenant",
    }
}

impl Reach {
    /// Nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Also what this grants.
    #[must_use]
    pub fn with(mut self, grant: Grant) -> Self {
        self.grants.insert(grant);
        self
    }

    /// Also everything of this tenant.
    #[must_use]
    pub fn tenant(self, tenant: &str) -> Self {
        self.with(Grant::tenant(tenant))
    }

    /// Also what `subject` owns in this tenant.
    #[must_use]
    pub fn owned(self, tenant: &str, subject: &str) -> Self {
        self.with(Grant { owner: Some(Owner::Is(subject.to_owned())), ..Grant::tenant(tenant) })
    }

    /// Also what is public in this tenant.
    #[must_use]
    pub fn public_of(self, tenant: &str) -> Self {
        self.with(Grant { visibility: Some(Visibility::Public), ..Grant::tenant(tenant) })
    }

    /// Also what is public in any tenant.
    #[must_use]
    pub fn public(self) -> Self {
        self.with(Grant { visibility: Some(Visibility::Public), ..Grant::anywhere() })
    }

    /// Whether nothing was granted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    /// The same without what everybody reaches.
    #[must_use]
    pub fn members_only(&self) -> Self {
        Self { grants: self.grants.iter().filter(|grant| !grant.is_public()).cloned().collect() }
    }

    /// The tenants in question; `None` where they cannot be listed.
    #[must_use]
    pub fn tenants(&self) -> Option<BTreeSet<&str>> {
        let tenants = self.grants.iter().map(|grant| match &grant.tenants {
            Tenants::One(tenant) => Some(tenant.as_str()),
            Tenants::AllBut(_) => None,
        });
        tenants.collect()
    }

    /// Whether a document is within reach: what engines must agree with.
    #[must_use]
    pub fn shows(&self, document: &Document) -> bool {
        let Document { tenant, owner, visibility, path, .. } = document;
        self.grants.iter().any(|grant| grant.includes(tenant, owner, *visibility, path))
    }

    /// One text for equal reaches: part of the key under which answers are kept.
    #[must_use]
    pub fn class(&self) -> String {
        format!("{:?}", self.grants)
    }

    /// What is within reach, in words of the index: any of these.
    pub(crate) fn terms(&self) -> Vec<Terms> {
        self.grants.iter().map(Grant::terms).collect()
    }

    /// The words of a document in the field of this name.
    pub(crate) fn words_of(tenant: &str, visibility: Visibility) -> Vec<String> {
        vec![LIVE.to_owned(), tenant_word(tenant), visibility_word(visibility).to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use crate::write::Write;
    use proptest::prelude::*;

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![Just("a"), Just("b"), Just("public"), Just("live")].prop_map(str::to_owned)
    }

    fn folder() -> impl Strategy<Value = String> {
        prop_oneof![Just("x"), Just("x/y"), Just("xy"), Just("x/y/z.jpg")].prop_map(str::to_owned)
    }

    fn visibility() -> impl Strategy<Value = Visibility> {
        prop_oneof![Just(Visibility::Public), Just(Visibility::Tenant)]
    }

    fn grant() -> impl Strategy<Value = Grant> {
        let tenants = prop_oneof![
            name().prop_map(Tenants::One),
            proptest::collection::vec(name(), 0..3).prop_map(Tenants::AllBut)
        ];
        let owner = prop_oneof![name().prop_map(Owner::Is), name().prop_map(Owner::IsNot)];
        let rest = (proptest::option::of(folder()), proptest::collection::vec(folder(), 0..2));
        (tenants, proptest::option::of(visibility()), proptest::option::of(owner), rest).prop_map(
            |(tenants, visibility, owner, (below, beside))| Grant { tenants, visibility, owner, below, beside },
        )
    }

    fn document(tenant: &str, owner: &str, visibility: Visibility, path: &str) -> Document {
        let text = format!(
            r#"{{"tenant":"{tenant}","id":"00000000-0000-0000-0000-000000000001","revision":1,"path":"{path}",
            "mediaType":"image/png","width":1,"height":1,"bytes":1,"created":"2026-01-01T00:00:00Z",
            "changed":"2026-01-01T00:00:00Z","visibility":"tenant","owner":"{owner}"}}"#
        );
        let document: Document = serde_json::from_str(&text).expect("a document");
        Document { visibility, ..document }
    }

    fn finds(reach: &Reach, record: &Record) -> bool {
        let has = |(field, word): &(Field, String)| {
            record.words.iter().any(|(of, words)| of == field && words.contains(word))
        };
        reach.terms().iter().any(|terms| terms.all.iter().all(has) && !terms.none.iter().any(has))
    }

    proptest! {
        #[test]
        fn words_say_what_the_reach_says(
            grants in proptest::collection::vec(grant(), 0..4),
            tenant in name(), owner in name(), visibility in visibility(), path in folder(),
        ) {
            let reach = grants.into_iter().fold(Reach::nothing(), Reach::with);
            let document = document(&tenant, &owner, visibility, &path);
            let removal = Write::Remove { tenant, id: document.id, revision: 2 };
            prop_assert!(!finds(&reach, &removal.into()), "a tombstone is found");
            prop_assert!(!reach.members_only().shows(&document) || reach.shows(&document));
            let shows = reach.shows(&document);
            prop_assert_eq!(finds(&reach, &Write::Put(Box::new(document)).into()), shows);
        }
    }

    #[test]
    fn what_everybody_reaches_is_not_a_members() {
        let reach = Reach::nothing().tenant("a").owned("b", "ann").public_of("c").public();
        assert_eq!(reach.members_only(), Reach::nothing().tenant("a").owned("b", "ann"));
        assert!(Reach::nothing().is_empty() && Reach::nothing().terms().is_empty());
    }
}
