//! The jobs of this process: each once, the oldest first, and never more than may be.
//!
//! Knows neither Redis nor what jobs are. Invariant: a job that waits or is under way is not taken in again.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

/// What became of a job that was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It waits.
    Queued,
    /// It waits already, or is under way.
    Known,
    /// There is no room.
    Full,
}

/// Jobs that wait.
#[derive(Debug)]
pub(crate) struct Queue<J> {
    waiting: VecDeque<J>,
    /// Those that wait and those under way.
    known: HashSet<J>,
    most: usize,
}

impl<J: Clone + Eq + Hash> Queue<J> {
    pub(crate) fn new(most: usize) -> Self {
        Self { waiting: VecDeque::new(), known: HashSet::new(), most }
    }

    pub(crate) fn put(&mut self, job: J) -> Put {
        if self.known.contains(&job) {
            return Put::Known;
        }
        if self.waiting.len() >= self.most {
            return Put::Full;
        }
        self.known.insert(job.clone());
        self.waiting.push_back(job);
        Put::Queued
    }

    /// The oldest. It stays known until [`Self::done`].
    pub(crate) fn take(&mut self) -> Option<J> {
        self.waiting.pop_front()
    }

    pub(crate) fn done(&mut self, job: &J) {
        self.known.remove(job);
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_once_and_in_order_and_no_more_than_may_be() {
        let mut queue = Queue::new(2);
        assert_eq!((queue.put('a'), queue.put('a'), queue.put('b')), (Put::Queued, Put::Known, Put::Queued));
        assert_eq!((queue.put('c'), queue.len()), (Put::Full, 2));
        assert_eq!((queue.take(), queue.put('a')), (Some('a'), Put::Known), "under way");
        assert_eq!(queue.put('c'), Put::Queued);
        queue.done(&'a');
        assert_eq!((queue.put('a'), queue.take(), queue.take(), queue.take()), (Put::Full, Some('b'), Some('c'), None));
    }
}
