//! The order in which renders get their turn: tenant after tenant, and each one's as they came.
//!
//! Knows prices, not pictures, and reads no clock. Invariants: a tenant with a thousand requests delays another's next one
//! by one of its own; one that needs more memory than is free is passed over a few times only, then it is waited for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How often one that does not fit is passed over by others that do.
const MOST_PASSES: u8 = 8;

/// What one render is expected to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Price {
    /// Bytes.
    pub(super) memory: u64,
    /// Of one thread.
    pub(super) work: Duration,
}

/// Names one that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// One that waits, with what its turn is told through.
#[derive(Debug)]
pub(super) struct Waiter<T> {
    ticket: Ticket,
    passed: u8,
    pub(super) price: Price,
    pub(super) call: T,
}

#[derive(Debug)]
struct Tenant<T> {
    name: Arc<str>,
    waiting: VecDeque<Waiter<T>>,
}

/// All that wait: the tenants in the order of their turns.
#[derive(Debug)]
pub(super) struct Queue<T> {
    turns: VecDeque<Tenant<T>>,
    len: usize,
    next: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { turns: VecDeque::new(), len: 0, next: 0 }
    }
}

impl<T> Queue<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Work of all that wait.
    pub(super) fn work(&self) -> Duration {
        self.turns.iter().flat_map(|tenant| &tenant.waiting).map(|waiter| waiter.price.work).sum()
    }

    /// Joins the queue.
    pub(super) fn push(&mut self, tenant: &Arc<str>, price: Price, call: T) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.len += 1;
        let waiter = Waiter { ticket, passed: 0, price, call };
        match self.turns.iter_mut().find(|other| *other.name == **tenant) {
            Some(known) => known.waiting.push_back(waiter),
            None => self.turns.push_back(Tenant { name: Arc::clone(tenant), waiting: VecDeque::from([waiter]) }),
        }
        ticket
    }

    /// Work that comes before one who would join now.
    pub(super) fn ahead(&self, tenant: &str) -> Duration {
        let own = self.turns.iter().position(|other| *other.name == *tenant);
        let before = own.map_or(0, |own| self.turns[own].waiting.len());
        // Those whose turn is earlier in the round come once more.
        let rounds = |at| before + usize::from(own.is_none_or(|own| at < own));
        let ahead = self.turns.iter().enumerate().flat_map(|(at, other)| other.waiting.iter().take(rounds(at)));
        ahead.map(|waiter| waiter.price.work).sum()
    }

    /// Takes out whoever is next and fits. `None`: nobody waits, nobody fits, or one who was passed over often enough
    /// is being waited for.
    pub(super) fn next(&mut self, fits: impl Fn(Price) -> bool) -> Option<Waiter<T>> {
        let mut chosen = None;
        for (at, first) in self.turns.iter().enumerate().filter_map(|(at, tenant)| Some((at, tenant.waiting.front()?)))
        {
            if fits(first.price) {
                chosen = Some(at);
                break;
            }
            if first.passed >= MOST_PASSES {
                return None;
            }
        }
        let at = chosen?;
        for first in self.turns.iter_mut().take(at).filter_map(|tenant| tenant.waiting.front_mut()) {
            first.passed += 1;
        }
        let mut tenant = self.turns.remove(at)?;
        let waiter = tenant.waiting.pop_front()?;
        if !tenant.waiting.is_empty() {
            self.turns.push_back(tenant);
        }
        self.len -= 1;
        Some(waiter)
    }

    /// Leaves the queue; does nothing for one whose turn has come.
    pub(super) fn remove(&mut self, ticket: Ticket) {
        for at in 0..self.turns.len() {
            let waiting = &mut self.turns[at].waiting;
            // Tickets are given in order, and each tenant's are kept in it.
            let Ok(place) = waiting.binary_search_by_key(&ticket.0, |waiter| waiter.ticket.0) else { continue };
            waiting.remove(place);
            if waiting.is_empty() {
                self.turns.remove(at);
            }
            self.len -= 1;
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn price(memory: u64, millis: u64) -> Price {
        Price { memory, work: Duration::from_millis(millis) }
    }

    fn order<T>(queue: &mut Queue<T>, fits: impl Fn(Price) -> bool + Copy) -> Vec<T> {
        std::iter::from_fn(|| queue.next(fits).map(|waiter| waiter.call)).collect()
    }

    #[test]
    fn tenants_take_turns() {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut queue = Queue::default();
        for (tenant, call) in [(&a, "a1"), (&a, "a2"), (&a, "a3"), (&b, "b1"), (&b, "b2")] {
            queue.push(tenant, price(1, 10), call);
        }
        assert_eq!((queue.len(), queue.work()), (5, Duration::from_millis(50)));
        assert_eq!(order(&mut queue, |_| true), ["a1", "b1", "a2", "b2", "a3"]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn who_joins_is_told_what_comes_before() {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut queue = Queue::default();
        for _ in 0..10 {
            queue.push(&a, price(1, 10), ());
        }
        assert_eq!(queue.ahead("a"), Duration::from_millis(100));
        assert_eq!(queue.ahead("b"), Duration::from_millis(10), "one round");
        queue.push(&b, price(1, 10), ());
        assert_eq!(queue.ahead("b"), Duration::from_millis(30), "a, b, a");
        assert_eq!(queue.ahead("a"), Duration::from_millis(110));
    }

    #[test]
    fn one_that_does_not_fit_is_passed_over_but_not_for_ever() {
        let (large, small): (Arc<str>, Arc<str>) = ("large".into(), "small".into());
        let mut queue = Queue::default();
        queue.push(&large, price(100, 1), 0);
        for call in 1..20 {
            queue.push(&small, price(1, 1), call);
        }
        let room = |price: Price| price.memory <= 10;
        assert_eq!(order(&mut queue, room), (1..=i32::from(MOST_PASSES)).collect::<Vec<_>>(), "then it is waited for");
        assert_eq!(queue.next(|_| true).map(|waiter| waiter.call), Some(0));
    }

    #[test]
    fn whoever_leaves_is_gone() {
        let a: Arc<str> = "a".into();
        let mut queue = Queue::default();
        let tickets: Vec<_> = (0..3).map(|call| queue.push(&a, price(1, 1), call)).collect();
        queue.remove(tickets[1]);
        queue.remove(tickets[1]);
        assert_eq!((queue.len(), order(&mut queue, |_| true)), (2, vec![0, 2]));
        queue.remove(tickets[0]);
        assert_eq!((queue.len(), queue.work()), (0, Duration::ZERO));
    }

    proptest! {
        /// What was told on joining is what comes before, where all fit and nobody joins later.
        #[test]
        fn the_wait_is_foretold(joins in proptest::collection::vec((0usize..3, 1u64..50), 1..40)) {
            let names: [Arc<str>; 3] = ["a".into(), "b".into(), "c".into()];
            let mut queue = Queue::default();
            let (last, before) = joins.split_last().expect("not empty");
            for (tenant, millis) in before {
                queue.push(&names[*tenant], price(1, *millis), false);
            }
            let told = queue.ahead(&names[last.0]);
            queue.push(&names[last.0], price(1, last.1), true);
            let mut came = Duration::ZERO;
            while let Some(waiter) = queue.next(|_| true) {
                if waiter.call {
                    break;
                }
                came += waiter.price.work;
            }
            prop_assert_eq!(told, came);
        }

        #[test]
        fn the_count_is_right(steps in proptest::collection::vec((0usize..3, 0usize..4), 0..60)) {
            let names: [Arc<str>; 3] = ["a".into(), "b".into(), "c".into()];
            let mut queue = Queue::default();
            let mut tickets = Vec::new();
            for (tenant, step) in steps {
                match step {
                    0 => drop(queue.next(|price| price.memory < 3)),
                    1 if !tickets.is_empty() => queue.remove(tickets.swap_remove(tenant % tickets.len())),
                    _ => tickets.push(queue.push(&names[tenant], price(tenant as u64 + 1, 1), ())),
                }
                prop_assert_eq!(queue.work().as_millis(), queue.len() as u128);
            }
        }
    }
}
