//! One warm-up: what is left of its list, and what has become of the rest.
//!
//! Invariants: every item is counted once; of the failures the first are kept in words, all in number.

use crate::error::Error;
use crate::lane::Made;
use crate::lane::job::Job;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Failures that are kept in words.
const MOST_FAILURES: usize = 200;

/// A warm-up.
#[derive(Debug)]
pub(crate) struct Run {
    id: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiting: VecDeque<Job>,
    under_way: usize,
    cancelled: bool,
    report: Report,
}

/// How it stands, as it is told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) id: String,
    /// waiting, running, done, cancelled.
    pub(crate) state: String,
    pub(crate) total: usize,
    pub(crate) waiting: usize,
    pub(crate) running: usize,
    /// By what became of them: made, found, gave-way, not-kept.
    pub(crate) done: BTreeMap<String, usize>,
    pub(crate) failed: usize,
    /// The first of them.
    pub(crate) failures: Vec<Failure>,
}

/// What could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub(crate) url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) class: Option<String>,
    pub(crate) error: String,
}

/// One of its renditions, under way.
#[derive(Debug)]
pub(crate) struct Item {
    run: Arc<Run>,
    job: Option<Job>,
}

impl Run {
    pub(super) fn new(id: String, jobs: Vec<Job>, refused: Vec<(String, String)>) -> Self {
        let mut report = Report { id: id.clone(), total: jobs.len() + refused.len(), ..Report::default() };
        for (url, error) in refused {
            report.fail(Failure { url, class: None, error });
        }
        Self { id, state: Mutex::new(State { waiting: jobs.into(), under_way: 0, cancelled: false, report }) }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    pub(super) fn has_ended(&self) -> bool {
        let state = self.lock();
        state.waiting.is_empty() && state.under_way == 0
    }

    pub(super) fn take(run: &Arc<Self>) -> Option<Item> {
        let mut state = run.lock();
        let job = state.waiting.pop_front()?;
        state.under_way += 1;
        Some(Item { run: Arc::clone(run), job: Some(job) })
    }

    /// Begins nothing more; what is under way ends. Whether there was anything left.
    pub(crate) fn cancel(&self) -> bool {
        let mut state = self.lock();
        let left = !state.waiting.is_empty();
        state.cancelled |= left;
        state.waiting = VecDeque::new();
        left
    }

    /// How it stands.
    pub(crate) fn report(&self) -> Report {
        let state = self.lock();
        let name = match (state.under_way, state.waiting.len(), state.cancelled) {
            (0, 0, true) => "cancelled",
            (0, 0, false) => "done",
            (0, _, _) if state.report.done.is_empty() => "waiting",
            _ => "running",
        };
        Report {
            state: name.to_owned(),
            waiting: state.waiting.len(),
            running: state.under_way,
            ..state.report.clone()
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Report {
    fn fail(&mut self, failure: Failure) {
        self.failed += 1;
        if self.failures.len() < MOST_FAILURES {
            self.failures.push(failure);
        }
    }
}

impl Item {
    /// What to make.
    pub(crate) fn job(&self) -> Option<&Job> {
        self.job.as_ref()
    }

    /// What became of it. `None`: it was not begun.
    pub(crate) fn ended(mut self, made: Option<Result<Made, Error>>) {
        let Some(job) = self.job.take() else { return };
        let mut state = self.run.lock();
        state.under_way -= 1;
        match made {
            Some(Ok(made)) => *state.report.done.entry(made.as_str().to_owned()).or_default() += 1,
            Some(Err(error)) => {
                state.report.fail(Failure { url: job.target, class: Some(job.class), error: error.to_string() });
            }
            None => state.waiting.push_front(job),
        }
    }
}

impl Drop for Item {
    /// One that a panic took: it is not tried again.
    fn drop(&mut self) {
        let Some(job) = self.job.take() else { return };
        let mut state = self.run.lock();
        state.under_way -= 1;
        let error = "making it ended in a fault of the server".to_owned();
        state.report.fail(Failure { url: job.target, class: Some(job.class), error });
    }
}
