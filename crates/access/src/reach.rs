//! How far a caller reaches: the same decision as for one picture, for all pictures at once, as a filter.
//!
//! Policies see no more of a picture than its tenant, the named folders it lies in, its visibility and whether it is the
//! caller's own. So there are finitely many cases; each is put to the policies, and those that are allowed are the filter.
//! Invariant: `reach.admits(x)` is what `may(x)` says, for every picture (a property of the tests).

use crate::grant::is_below;
use crate::policy::{Asked, Cell, Policies};
use crate::{Action, Caller, Resource, Visibility};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What may be listed, found or counted: whatever one of the clauses admits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    clauses: Vec<Clause>,
}

/// Pictures that fulfil all of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Whose.
    pub tenants: Tenants,
    /// Visible to whom; `None`: whichever.
    pub visibility: Option<Visibility>,
    /// Uploaded by whom; `None`: whoever.
    pub owner: Option<Owner>,
    /// In this folder (whole segments; the name itself counts too); `None`: anywhere.
    pub below: Option<String>,
    /// But in none of these.
    pub beside: Vec<String>,
}

/// Whose pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tenants {
    /// This one's.
    One(String),
    /// Everybody's but these.
    AllBut(Vec<String>),
}

/// Who uploaded them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This subject.
    Is(String),
    /// Anybody else, or nobody that is known.
    IsNot(String),
}

impl Tenants {
    /// Whether this tenant is among them.
    pub fn hold(&self, tenant: &str) -> bool {
        match self {
            Self::One(one) => one == tenant,
            Self::AllBut(others) => others.iter().all(|other| other != tenant),
        }
    }
}

impl Clause {
    /// Whether a picture fulfils it.
    pub fn admits(&self, asset: &Resource<'_>) -> bool {
        let owner = match &self.owner {
            None => true,
            Some(Owner::Is(subject)) => asset.owner == Some(subject),
            Some(Owner::IsNot(subject)) => asset.owner != Some(subject),
        };
        let Some(path) = asset.path else { return false };
        owner
            && self.tenants.hold(asset.tenant)
            && self.visibility.is_none_or(|visibility| visibility == asset.visibility)
            && self.below.as_deref().is_none_or(|folder| is_below(path, folder))
            && !self.beside.iter().any(|folder| is_below(path, folder))
    }
}

impl Reach {
    /// To nothing.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// To all pictures of one tenant, whoever asks: for work that a service does on its own account.
    pub fn whole_tenant(tenant: impl Into<String>) -> Self {
        let tenants = Tenants::One(tenant.into());
        Self { clauses: vec![Clause { tenants, visibility: None, owner: None, below: None, beside: Vec::new() }] }
    }

    /// Whether a picture is within.
    pub fn admits(&self, asset: &Resource<'_>) -> bool {
        self.clauses.iter().any(|clause| clause.admits(asset))
    }

    /// Whether nothing at all is within.
    pub fn is_nothing(&self) -> bool {
        self.clauses.is_empty()
    }

    /// What it consists of: any one of these is enough.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// The part in one tenant, whose clauses then name that tenant only.
    #[must_use]
    pub fn within(&self, tenant: &str) -> Self {
        let held = self.clauses.iter().filter(|clause| clause.tenants.hold(tenant));
        let clauses = held.map(|clause| Clause { tenants: Tenants::One(tenant.to_owned()), ..clause.clone() });
        Self { clauses: clauses.collect() }
    }

    /// Goes through all cases.
    pub(crate) fn of(policies: &Policies, caller: &Caller, action: Action, now: Timestamp) -> Self {
        let mut clauses = Vec::new();
        if !action.is_about_assets() {
            return Self { clauses };
        }
        let mut tenants = policies.tenants.clone();
        tenants.extend(caller.grants.iter().map(|grant| grant.tenant.clone()));
        if !caller.tenant.is_empty() {
            tenants.insert(caller.tenant.clone());
        }
        let survey = Survey { policies, caller, action, now };
        for tenant in &tenants {
            survey.tenant(tenant, &Tenants::One(tenant.clone()), &mut clauses);
        }
        // A name that no tenant has stands for all that are not named.
        survey.tenant("", &Tenants::AllBut(tenants.into_iter().collect()), &mut clauses);
        Self { clauses }
    }
}

/// Allowed or not for (tenant, public) × (another's, mine).
type Square = [[bool; 2]; 2];

struct Survey<'a> {
    policies: &'a Policies,
    caller: &'a Caller,
    action: Action,
    now: Timestamp,
}

impl Survey<'_> {
    fn tenant(&self, tenant: &str, tenants: &Tenants, clauses: &mut Vec<Clause>) {
        // Outer folders come before inner ones, so that a folder's surroundings are known before it.
        let mut folders: BTreeSet<&str> =
            self.policies.folders.iter().filter(|(of, _)| of == tenant).map(|(_, path)| path.as_str()).collect();
        let grants = self.caller.grants.iter().filter(|grant| grant.tenant == tenant && !grant.below.is_empty());
        folders.extend(grants.map(|grant| grant.below.as_str()));
        let mut kept: Vec<(Option<&str>, Square)> = vec![(None, self.square(tenant, None))];
        for folder in &folders {
            let square = self.square(tenant, Some(folder));
            let round = kept.iter().rev().find(|(at, _)| at.is_none_or(|outer| is_below(folder, outer)));
            if round.is_none_or(|(_, outer)| *outer != square) {
                kept.push((Some(folder), square));
            }
        }
        for (at, square) in &kept {
            let inner = kept.iter().filter_map(|(other, _)| *other);
            let beside: Vec<String> = inner
                .filter(|other| Some(*other) != *at && at.is_none_or(|outer| is_below(other, outer)))
                .map(str::to_owned)
                .collect();
            self.clauses(square, tenants, *at, &beside, clauses);
        }
    }

    fn square(&self, tenant: &str, folder: Option<&str>) -> Square {
        let mut square = Square::default();
        for (row, visibility) in [Visibility::Tenant, Visibility::Public].into_iter().enumerate() {
            for (column, mine) in [false, true].into_iter().enumerate() {
                // Nobody in particular owns nothing.
                if mine && self.caller.subject.is_empty() {
                    square[row][1] = square[row][0];
                    continue;
                }
                let owner = mine.then_some(self.caller.subject.as_str());
                let asset = Resource { tenant, path: Some(folder.unwrap_or("")), owner, visibility, parameters: &[] };
                square[row][column] = decide(self.policies, self.caller, self.action, &asset, self.now).allowed;
            }
        }
        square
    }

    fn clauses(
        &self,
        square: &Square,
        tenants: &Tenants,
        below: Option<&str>,
        beside: &[String],
        clauses: &mut Vec<Clause>,
    ) {
        let mut add = |visibility: Option<Visibility>, owner: Option<Owner>| {
            clauses.push(Clause {
                tenants: tenants.clone(),
                visibility,
                owner,
                below: below.map(str::to_owned),
                beside: beside.to_vec(),
            });
        };
        let me = || self.caller.subject.clone();
        let rows = [(Visibility::Tenant, square[0]), (Visibility::Public, square[1])];
        if square[0] == square[1] {
            match square[0] {
                [true, true] => add(None, None),
                [true, false] => add(None, Some(Owner::IsNot(me()))),
                [false, true] => add(None, Some(Owner::Is(me()))),
                [false, false] => {}
            }
            return;
        }
        for (visibility, row) in rows {
            match row {
                [true, true] => add(Some(visibility), None),
                [true, false] => add(Some(visibility), Some(Owner::IsNot(me()))),
                [false, true] => add(Some(visibility), Some(Owner::Is(me()))),
                [false, false] => {}
            }
        }
    }
}

/// The one way to a decision, for a picture or a tenant.
pub(crate) fn decide(
    policies: &Policies,
    caller: &Caller,
    action: Action,
    resource: &Resource<'_>,
    now: Timestamp,
) -> crate::policy::Explained {
    let mut full: Vec<String> = Vec::new();
    let cell = match resource.path {
        None => Cell::Tenant(resource.tenant),
        Some(path) => {
            let within = policies.folders.iter().filter(|(of, at)| of == resource.tenant && is_below(path, at));
            full.extend(within.map(|(of, at)| format!("{of}/{at}")));
            Cell::Asset {
                tenant: resource.tenant,
                folders: full.iter().map(String::as_str).collect(),
                visibility: resource.visibility,
                mine: resource.owner.is_some_and(|owner| !owner.is_empty() && owner == caller.subject),
            }
        }
    };
    let granted = caller.grants.iter().any(|grant| grant.covers(action, resource, now));
    policies.decide(&Asked { caller, action, cell, granted, parameters: resource.parameters, now })
}
