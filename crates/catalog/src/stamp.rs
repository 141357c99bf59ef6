//! Where and when a record was written last, and what that writing knew of: what regions need to agree without asking.
//!
//! Knows nothing of what is in a record, and reads no clock. Invariant: a stamp that comes behind another one by its vector
//! comes behind it by its moment too, so that "the last writer" and "who knew of the other" never contradict each other.

use crate::name::{Region, Revision};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How many commits of each region a record has seen. Absent regions have made none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = std::collections::BTreeMap<String, u64>, example = json!({"eu-central-1": 3, "us-east-1": 1}))]
pub struct VersionVector(BTreeMap<Region, u64>);

impl VersionVector {
    /// Of these regions.
    #[must_use]
    pub fn of(entries: impl IntoIterator<Item = (Region, u64)>) -> Self {
        Self(entries.into_iter().filter(|(_, count)| *count > 0).collect())
    }

    /// How many commits of that region.
    #[must_use]
    pub fn count(&self, region: &Region) -> u64 {
        self.0.get(region).copied().unwrap_or_default()
    }

    /// With one commit more of that region.
    #[must_use]
    pub fn bumped(&self, region: &Region) -> Self {
        let mut more = self.clone();
        let count = more.0.entry(region.clone()).or_default();
        *count = count.saturating_add(1);
        more
    }

    /// What both together have seen.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let mut all = self.0.clone();
        for (region, count) in &other.0 {
            let here = all.entry(region.clone()).or_default();
            *here = (*here).max(*count);
        }
        Self(all)
    }

    /// All commits together. This is the record's revision: it grows with every commit, and a merge of two records that did
    /// not know of each other has a larger one than either.
    #[must_use]
    pub fn revision(&self) -> Revision {
        let total = self.0.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
        Revision::try_from(total).unwrap_or(Revision::FIRST)
    }
}

impl PartialOrd for VersionVector {
    /// `Less`: the other has seen all of this and more. `None`: neither knew of the other.
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let below = |left: &Self, right: &Self| left.0.iter().all(|(region, count)| *count <= right.count(region));
        match (below(self, other), below(other, self)) {
            (true, true) => Some(Ordering::Equal),
            (true, false) => Some(Ordering::Less),
            (false, true) => Some(Ordering::Greater),
            (false, false) => None,
        }
    }
}

/// Who wrote last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stamp {
    /// In which region.
    pub region: Region,
    /// When: by that region's clock, but never before what it knew of.
    pub at: Timestamp,
    /// What it knew of, itself included.
    pub vector: VersionVector,
}

/// The least by which a later stamp is later.
const TICK: SignedDuration = SignedDuration::from_micros(1);

impl Stamp {
    /// Of a first commit.
    #[must_use]
    pub fn first(region: &Region, at: Timestamp) -> Self {
        Self { region: region.clone(), at, vector: VersionVector::default().bumped(region) }
    }

    /// Of the next commit, in `region` at `now` by its clock, which may be behind.
    #[must_use]
    pub fn next(&self, region: &Region, now: Timestamp) -> Self {
        let behind = self.at.checked_add(TICK).unwrap_or(Timestamp::MAX);
        Self { region: region.clone(), at: now.max(behind), vector: self.vector.bumped(region) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(name: &str) -> Region {
        name.parse().unwrap()
    }

    #[test]
    fn vectors_know_who_knew_of_whom() {
        let (eu, us) = (region("eu"), region("us"));
        let base = VersionVector::default().bumped(&eu);
        let (left, right) = (base.bumped(&eu), base.bumped(&us));
        assert_eq!(base.partial_cmp(&left), Some(Ordering::Less));
        assert_eq!(left.partial_cmp(&base), Some(Ordering::Greater));
        assert_eq!(left.partial_cmp(&right), None);
        let both = left.join(&right);
        assert!(both > left && both > right && both.revision() > left.revision());
        assert_eq!((both.revision().get(), both.count(&eu), both.count(&us)), (3, 2, 1));
    }

    #[test]
    fn a_clock_that_is_behind_does_not_turn_the_order() {
        let early: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let late: Timestamp = "2026-01-02T00:00:00Z".parse().unwrap();
        let first = Stamp::first(&region("eu"), late);
        let second = first.next(&region("us"), early);
        assert!(second.at > first.at && second.vector > first.vector);
        assert_eq!(
            first.next(&region("us"), "2026-01-03T00:00:00Z".parse().unwrap()).at.to_string(),
            "2026-01-03T00:00:00Z"
        );
    }
}
