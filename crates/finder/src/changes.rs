//! What tells that something in an index may have changed, so that kept answers are dropped.
//!
//! An *epoch* is a number per tenant, and one of all; who reads the same number before and after may keep what was
//! computed between. Invariant: the number is another one after every change that was acknowledged.

use crate::seam::Answer;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

/// Counts changes, for one process or for all that share an index.
pub trait Changes: Send + Sync {
    /// Something of these tenants (`None`: of any) has changed.
    fn bump<'a>(&'a self, tenants: Option<&'a [&'a str]>) -> Answer<'a, ()>;

    /// The number of these tenants; `None`: of all together.
    fn epoch<'a>(&'a self, tenants: Option<&'a [&'a str]>) -> Answer<'a, u64>;
}

/// Of one process.
#[derive(Debug)]
pub struct Local {
    /// By chance: another process, or the same one begun anew, has other numbers.
    seed: u64,
    counted: Mutex<Counted>,
}

impl Default for Local {
    fn default() -> Self {
        Self { seed: RandomState::new().hash_one(0), counted: Mutex::default() }
    }
}

#[derive(Debug, Default)]
struct Counted {
    now: u64,
    /// When all of them changed last.
    all: u64,
    tenants: HashMap<String, u64>,
}

impl Local {
    /// As [`Changes::bump`].
    pub fn changed(&self, tenants: Option<&[&str]>) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.now += 1;
        let now = counted.now;
        match tenants {
            None => counted.all = now,
            Some(tenants) => {
                for tenant in tenants {
                    counted.tenants.insert((*tenant).to_owned(), now);
                }
            }
        }
    }

    /// As [`Changes::epoch`].
    #[must_use]
    pub fn of(&self, tenants: Option<&[&str]>) -> u64 {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(tenants) = tenants else { return self.seed.wrapping_add(counted.now) };
        let last = tenants.iter().filter_map(|tenant| counted.tenants.get(*tenant)).max();
        self.seed.wrapping_add(last.copied().unwrap_or(0).max(counted.all))
    }
}

impl Changes for Local {
    fn bump<'a>(&'a self, tenants: Option<&'a [&'a str]>) -> Answer<'a, ()> {
        self.changed(tenants);
        Box::pin(async { Ok(()) })
    }

    fn epoch<'a>(&'a self, tenants: Option<&'a [&'a str]>) -> Answer<'a, u64> {
        let epoch = self.of(tenants);
        Box::pin(async move { Ok(epoch) })
    }
}

#[cfg(test)]
mod tests {
    use super::Local;

    #[test]
    fn only_what_changed_counts() {
        let local = Local::default();
        let (one, two) = (["a"], ["b"]);
        let before = (local.of(Some(&one)), local.of(Some(&two)), local.of(None));
        local.changed(Some(&one));
        let after = (local.of(Some(&one)), local.of(Some(&two)), local.of(None));
        assert!(after.0 != before.0 && after.1 == before.1 && after.2 != before.2);
        local.changed(None);
        assert_ne!(Local::default().of(None), local.of(None), "another process has other numbers");
        assert!(
            local.of(Some(&one)) != after.0 && local.of(Some(&two)) != after.1,
            "a switch is a change for everybody"
        );
    }
}
