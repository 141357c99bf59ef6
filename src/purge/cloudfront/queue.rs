//! Tags and paths that wait to be told.
//!
//! Invariants: each is in there once; together they are never more than the limit; what is under way counts.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Items of one request; CloudFront has at most 3,000 paths of a distribution in progress at once.
const BATCH: usize = 1000;
/// Of them with a wildcard: 15 may be in progress at once.
const WILDCARDS: usize = 10;

/// What waits.
#[derive(Debug)]
pub(crate) struct Queue {
    most: usize,
    state: Mutex<State>,
    filled: Notify,
}

#[derive(Debug, Default)]
struct State {
    order: VecDeque<String>,
    /// The same, for looking up.
    waiting: HashSet<String>,
    /// All that wait or are under way.
    known: HashSet<String>,
    /// Of batches that were refused whole: told one half after the other, until the one that is wrong is alone.
    suspects: VecDeque<Vec<String>>,
}

impl Queue {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, state: Mutex::default(), filled: Notify::new() }
    }

    /// Adds what is not there yet; how many that were named are there now.
    ///
    /// # Errors
    /// They do not all fit; none was added.
    pub(crate) fn add(&self, items: impl Iterator<Item = String>) -> Result<usize, String> {
        let items: BTreeSet<String> = items.collect();
        let mut state = self.lock();
        let new = items.iter().filter(|item| !state.waiting.contains(*item)).count();
        if state.known.len() + new > self.most {
            let (waiting, most) = (state.known.len(), self.most);
            return Err(format!("{waiting} wait to be told already, and at most {most} may"));
        }
        let count = items.len();
        for item in items {
            // One that is under way may be too early for this purge: it is told again.
            if state.waiting.insert(item.clone()) {
                state.known.insert(item.clone());
                state.order.push_back(item);
            }
        }
        drop(state);
        self.filled.notify_one();
        Ok(count)
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().known.len()
    }

    /// Ends when there is something to tell.
    pub(super) async fn filled(&self) {
        while self.is_idle() {
            self.filled.notified().await;
        }
    }

    fn is_idle(&self) -> bool {
        let state = self.lock();
        state.order.is_empty() && state.suspects.is_empty()
    }

    /// The next batch, in the order in which they came.
    pub(super) fn next(&self) -> Option<Vec<String>> {
        let mut state = self.lock();
        if let Some(suspects) = state.suspects.pop_front() {
            return Some(suspects);
        }
        let (mut batch, mut later, mut wildcards) = (Vec::new(), VecDeque::new(), 0);
        while batch.len() < BATCH
            && let Some(item) = state.order.pop_front()
        {
            let wild = item.ends_with('*');
            if wild && wildcards == WILDCARDS {
                later.push_back(item);
                continue;
            }
            wildcards += usize::from(wild);
            state.waiting.remove(&item);
            batch.push(item);
        }
        later.append(&mut state.order);
        state.order = later;
        (!batch.is_empty()).then_some(batch)
    }

    /// The batch has been told.
    pub(super) fn done(&self, batch: &[String]) {
        let mut state = self.lock();
        for item in batch {
            if !state.waiting.contains(item) {
                state.known.remove(item);
            }
        }
    }

    /// The batch was refused: the one that is wrong is let go, the others are told without it.
    pub(super) fn refused(&self, mut batch: Vec<String>) {
        if batch.len() < 2 {
            return self.done(&batch);
        }
        let second = batch.split_off(batch.len() / 2);
        self.lock().suspects.extend([batch, second]);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
        range.map(|number| format!("#t{number:04}"))
    }

    #[test]
    fn each_once_and_all_within_the_limit() {
        let queue = Queue::new(1500);
        assert_eq!((queue.add(names(0..1200)), queue.add(names(0..5)), queue.len()), (Ok(1200), Ok(5), 1200));
        assert!(queue.add(names(2000..2301)).expect_err("too many").contains("at most 1500"));
        let first = queue.next().expect("some");
        assert_eq!((first.len(), queue.len()), (1000, 1200), "what is under way counts");
        queue.add(names(0..1)).expect("it fits");
        queue.done(&first);
        assert_eq!(queue.len(), 201, "one was purged again meanwhile");
        assert_eq!(queue.next().map(|batch| batch.len()), Some(201));
        assert_eq!(queue.next(), None);
    }

    #[test]
    fn wildcards_are_few_in_a_request() {
        let queue = Queue::new(100);
        let wild = (0..12).map(|number| format!("/{number:02}/*"));
        queue.add(wild.chain(["/z".to_owned()])).expect("they fit");
        let first = queue.next().expect("some");
        assert_eq!((first.len(), first.last().map(String::as_str)), (11, Some("/z")));
        assert_eq!(queue.next().expect("the rest"), ["/10/*", "/11/*"]);
    }

    #[test]
    fn one_that_is_wrong_does_not_take_the_others_along() {
        let queue = Queue::new(100);
        queue.add(names(0..9)).expect("they fit");
        let mut told = BTreeSet::new();
        while let Some(batch) = queue.next() {
            if batch.contains(&"#t0004".to_owned()) {
                queue.refused(batch);
            } else {
                queue.done(&batch);
                told.extend(batch);
            }
        }
        assert_eq!((told.len(), queue.len()), (8, 0));
    }
}
