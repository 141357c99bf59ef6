//! Reaches that were worked out: a search asks for the same one with every letter that is typed.
//!
//! Invariants: a reach is remembered only where it follows from the caller and the policies alone, so neither with grants nor
//! with policies about the time; policies that were exchanged are others, whatever is still being worked out; so many are
//! remembered and no more.

use crate::{Action, Caller, Kind, Policies, Reach, Role};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Most reaches that are remembered.
const MOST: usize = 4096;

/// Everything that a reach follows from.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Name {
    generation: u64,
    subject: String,
    tenant: String,
    kind: Kind,
    roles: Vec<Role>,
    scopes: String,
    action: Action,
}

#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<HashMap<Name, Reach>>);

impl Remembered {
    pub(crate) fn of(
        &self,
        policies: &Policies,
        caller: &Caller,
        action: Action,
        work_out: impl FnOnce() -> Reach,
    ) -> Reach {
        if !caller.grants.is_empty() || policies.look_at_time() {
            return work_out();
        }
        let name = Name {
            generation: policies.generation,
            subject: caller.subject.clone(),
            tenant: caller.tenant.clone(),
            kind: caller.kind,
            roles: caller.roles.iter().copied().collect(),
            scopes: caller.scopes.written(),
            action,
        };
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name) {
            return known.clone();
        }
        let reach = work_out();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(name, reach.clone());
        reach
    }
}
