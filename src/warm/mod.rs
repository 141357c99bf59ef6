//! Warm-up: renditions made before anybody asks, from a list, in the lane, and told of while it lasts.
//!
//! Owns the runs: their lists, counts and failures. Knows neither how a rendition is made nor how it is asked for over
//! HTTP. Invariants: what waits in all runs together is bounded, so are the runs that are remembered and the failures of
//! each; a run that is cancelled begins nothing more.

pub(crate) mod admin;
pub(crate) mod list;
mod run;

pub(crate) use run::{Item, Report, Run};

use crate::lane::job::Job;
use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Runs that are remembered; the oldest that has ended goes first.
const MOST_RUNS: usize = 64;

/// All runs.
#[derive(Debug)]
pub(crate) struct Runs {
    /// In the order of their coming; the front is served next.
    all: Mutex<VecDeque<Arc<Run>>>,
    most: usize,
}

/// Why a run was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// So many may wait, and so many do.
    Full { most: usize, waiting: usize },
    /// So many runs are under way.
    Runs(usize),
}

impl Runs {
    /// In which at most `most` items wait.
    pub(crate) fn new(most: usize) -> Self {
        Self { all: Mutex::default(), most }
    }

    /// Takes in a run of `jobs`; `refused` are those of its list that cannot be made, with the reasons.
    pub(crate) fn add(&self, jobs: Vec<Job>, refused: Vec<(String, String)>) -> Result<Arc<Run>, Refused> {
        let mut all = self.lock();
        let waiting: usize = all.iter().map(|run| run.waiting()).sum();
        if waiting + jobs.len() > self.most {
            return Err(Refused::Full { most: self.most, waiting });
        }
        if all.len() >= MOST_RUNS {
            let ended = all.iter().position(|run| run.has_ended()).ok_or(Refused::Runs(MOST_RUNS))?;
            all.remove(ended);
        }
        let run = Arc::new(Run::new(id(all.len()), jobs, refused));
        all.push_back(Arc::clone(&run));
        Ok(run)
    }

    /// By its id.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Run>> {
        self.lock().iter().find(|run| run.id() == id).map(Arc::clone)
    }

    /// All that are remembered.
    pub(crate) fn all(&self) -> Vec<Arc<Run>> {
        self.lock().iter().map(Arc::clone).collect()
    }

    /// The next item, of one run after the other.
    pub(crate) fn next(&self) -> Option<Item> {
        let mut all = self.lock();
        for _ in 0..all.len() {
            // Whoever has been served goes to the end.
            all.rotate_left(1);
            if let Some(item) = all.back().and_then(Run::take) {
                return Some(item);
            }
        }
        None
    }

    /// Items that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.lock().iter().map(|run| run.waiting()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Run>>> {
        // Every change is one call.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unlike that of any other run, of this process or another.
fn id(salt: usize) -> String {
    format!("{:012x}", RandomState::new().hash_one(salt) >> 16)
}

#[cfg(test)]
mod tests;
