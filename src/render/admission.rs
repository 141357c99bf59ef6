//! Permits to render: a worker and a share of the memory budget, for whoever is next in the queue.
//!
//! The queue lives here, in front of the pool, so that what waits holds no thread and can be given up for free. It is
//! bounded in number and by time: a request whose wait would be longer than its patience, as far as the prices of what
//! comes before it tell, is refused at once rather than after that wait.

use super::queue::{Price, Queue, Ticket};
use super::speed::Speed;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, oneshot};

/// Longest time after which anybody is told to come back.
const LONGEST_RETRY: Duration = Duration::from_secs(120);
/// Shortest, likewise.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);

/// Why no permit was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shed {
    /// As many wait already as may.
    QueueFull {
        /// When there should be room.
        retry: Duration,
    },
    /// It would wait longer than it may.
    TooLate {
        /// As expected.
        wait: Duration,
        /// When the wait should have become short enough.
        retry: Duration,
    },
    /// None came free in time, against what was expected.
    TooLong {
        /// When the queue should have emptied.
        retry: Duration,
    },
    /// It would need more memory than all renders together may have.
    TooDear {
        /// Bytes predicted.
        needs: u64,
        /// The budget.
        budget: u64,
    },
}

impl Shed {
    /// The name in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull { .. } => "queue_full",
            Self::TooLate { .. } => "queue_deadline",
            Self::TooLong { .. } => "queue_timeout",
            Self::TooDear { .. } => "memory_budget",
        }
    }

    /// When to ask again, where that would help.
    pub const fn retry(self) -> Option<Duration> {
        match self {
            Self::QueueFull { retry } | Self::TooLate { retry, .. } | Self::TooLong { retry } => Some(retry),
            Self::TooDear { .. } => None,
        }
    }
}

/// The budgets.
#[derive(Clone, Copy, Debug)]
pub struct Budgets {
    /// Renders at once.
    pub threads: usize,
    /// Bytes that they may use together.
    pub memory: u64,
    /// Requests that may wait.
    pub queue: usize,
    /// How long each of them may.
    pub patience: Duration,
}

/// Who asks for a permit, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Whose turn it takes.
    pub tenant: &'a Arc<str>,
    /// Bytes predicted.
    pub memory: u64,
    /// Time on one thread predicted, by the price list: what this machine makes of it is learnt here.
    pub work: Duration,
}

/// Gives permits. Clones share the budgets.
#[derive(Clone, Debug)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    budgets: Budgets,
    tick: fn() -> Instant,
    state: Mutex<State>,
    /// Told whenever something comes back or a wait ends.
    eased: Notify,
}

#[derive(Debug)]
struct State {
    free: usize,
    memory: u64,
    running: Vec<Running>,
    queue: Queue<oneshot::Sender<Permit>>,
    speed: Speed,
    next: u64,
}

/// A render under way.
#[derive(Clone, Copy, Debug)]
struct Running {
    number: u64,
    began: Instant,
    work: Duration,
}

/// The right to render, until dropped.
#[derive(Debug)]
pub struct Permit {
    shared: Option<Arc<Shared>>,
    number: u64,
    memory: u64,
    work: Duration,
}

impl Permit {
    /// Tells how long the render took in fact: the next predictions are made of it.
    pub fn took(&self, took: Duration) {
        if let Some(shared) = &self.shared {
            shared.lock().speed.learn(self.work, took);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            let mut state = shared.lock();
            state.give_back(self.number, self.memory);
            shared.give(&mut state);
            drop(state);
            shared.eased.notify_waiters();
        }
    }
}

/// Memory of the budget that those who wait have left over, until dropped. It takes no worker.
#[derive(Debug)]
pub struct LeftOver {
    shared: Arc<Shared>,
    memory: u64,
}

impl Drop for LeftOver {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.memory += self.memory;
        self.shared.give(&mut state);
        drop(state);
        self.shared.eased.notify_waiters();
    }
}

/// Leaves the queue when the wait ends, also by cancellation.
struct Waiting<'a> {
    shared: &'a Shared,
    ticket: Ticket,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.lock().queue.remove(self.ticket);
        self.shared.eased.notify_waiters();
    }
}

impl State {
    /// Whether nobody waits and a worker is idle.
    fn is_quiet(&self) -> bool {
        self.queue.len() == 0 && self.free > 0
    }

    fn give_back(&mut self, number: u64, memory: u64) {
        self.free += 1;
        self.memory += memory;
        self.running.retain(|running| running.number != number);
    }

    /// How long work that comes after `ahead` of the queue would wait, as far as can be told.
    fn wait(&self, ahead: Duration, threads: usize, now: Instant) -> Duration {
        let left = |running: &Running| {
            let expected = self.speed.expect(running.work);
            expected.saturating_sub(now.saturating_duration_since(running.began))
        };
        let under_way: Duration = self.running.iter().map(left).sum();
        (under_way + self.speed.expect(ahead)) / u32::try_from(threads.max(1)).unwrap_or(u32::MAX)
    }
}

impl Shared {
    /// A poisoned state is still whole: nothing here panics half-way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fits(state: &State, price: Price) -> bool {
        state.free > 0 && price.memory <= state.memory
    }

    fn permit(self: &Arc<Self>, state: &mut State, price: Price) -> Permit {
        let number = state.next;
        state.next += 1;
        state.free -= 1;
        state.memory -= price.memory;
        state.running.push(Running { number, began: (self.tick)(), work: price.work });
        Permit { shared: Some(Arc::clone(self)), number, memory: price.memory, work: price.work }
    }

    /// Gives permits to those whose turn it is, as long as there is room.
    fn give(self: &Arc<Self>, state: &mut State) {
        while state.free > 0 {
            let memory = state.memory;
            let Some(waiter) = state.queue.next(|price| price.memory <= memory) else { return };
            let permit = self.permit(state, waiter.price);
            // Whoever left in this very moment: the permit must not come back by its `Drop`, which would lock again.
            if let Err(mut unwanted) = waiter.call.send(permit) {
                unwanted.shared = None;
                state.give_back(unwanted.number, unwanted.memory);
            }
        }
    }
}

impl Admission {
    /// `tick` tells the time.
    pub fn new(budgets: Budgets, tick: fn() -> Instant) -> Self {
        let state = State {
            free: budgets.threads,
            memory: budgets.memory,
            running: Vec::with_capacity(budgets.threads),
            queue: Queue::default(),
            speed: Speed::default(),
            next: 0,
        };
        Self(Arc::new(Shared { budgets, tick, state: Mutex::new(state), eased: Notify::new() }))
    }

    /// Waits for a permit, as long as there is hope. May be dropped at any time.
    ///
    /// # Errors
    /// See [`Shed`].
    pub async fn admit(&self, ask: Ask<'_>) -> Result<Permit, Shed> {
        let Budgets { threads, memory: budget, queue, patience } = self.0.budgets;
        if ask.memory > budget {
            return Err(Shed::TooDear { needs: ask.memory, budget });
        }
        let price = Price { memory: ask.memory, work: ask.work };
        let (ticket, permit) = {
            let mut state = self.0.lock();
            if state.queue.len() == 0 && Shared::fits(&state, price) {
                return Ok(self.0.permit(&mut state, price));
            }
            let wait = state.wait(state.queue.ahead(ask.tenant), threads, (self.0.tick)());
            if state.queue.len() >= queue {
                return Err(Shed::QueueFull { retry: bounded(wait) });
            }
            if wait > patience {
                return Err(Shed::TooLate { wait, retry: bounded(wait - patience) });
            }
            let (call, permit) = oneshot::channel();
            let ticket = state.queue.push(ask.tenant, price, call);
            // It may be small enough to pass those that wait for memory.
            self.0.give(&mut state);
            (ticket, permit)
        };
        let _waiting = Waiting { shared: &self.0, ticket };
        match tokio::time::timeout(patience, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_gone)) => unreachable!("only this call takes its waiter out of the queue unserved"),
            Err(_elapsed) => {
                let state = self.0.lock();
                Err(Shed::TooLong { retry: bounded(state.wait(state.queue.work(), threads, (self.0.tick)())) })
            }
        }
    }

    /// Waits, for as long as it takes, until nobody waits for a permit, a worker is idle and so many bytes are left over:
    /// the moment for what nobody waits for. May be dropped at any time. More than the budget never comes.
    pub async fn left_over(&self, memory: u64) -> LeftOver {
        loop {
            let mut eased = pin!(self.0.eased.notified());
            // Enlisted before the look, so that what comes back in between is not missed.
            eased.as_mut().enable();
            {
                let mut state = self.0.lock();
                if state.is_quiet() && memory <= state.memory {
                    state.memory -= memory;
                    return LeftOver { shared: Arc::clone(&self.0), memory };
                }
            }
            eased.await;
        }
    }

    /// Whether nobody waits for a permit and a worker is idle.
    pub fn is_quiet(&self) -> bool {
        self.0.lock().is_quiet()
    }

    /// Waits until it [is](Self::is_quiet).
    pub async fn quiet(&self) {
        drop(self.left_over(0).await);
    }

    /// Whether who asks for a permit now would wait more than half of what anybody may, as far as can be told.
    pub fn is_pressed(&self, tenant: &Arc<str>) -> bool {
        let Budgets { threads, patience, .. } = self.0.budgets;
        let state = self.0.lock();
        state.free == 0 && state.wait(state.queue.ahead(tenant), threads, (self.0.tick)()) > patience / 2
    }

    /// Requests that wait now.
    pub fn waiting(&self) -> usize {
        self.0.lock().queue.len()
    }

    /// Renders under way now.
    pub fn rendering(&self) -> usize {
        self.0.budgets.threads.saturating_sub(self.0.lock().free)
    }

    /// Renders that may be under way at once.
    pub fn threads(&self) -> usize {
        self.0.budgets.threads
    }

    /// Bytes of the budget in use now.
    pub fn memory(&self) -> u64 {
        self.0.budgets.memory.saturating_sub(self.0.lock().memory)
    }

    /// How long what waits now keeps one thread busy, as expected.
    pub fn backlog(&self) -> Duration {
        let state = self.0.lock();
        state.speed.expect(state.queue.work())
    }

    /// Seconds that a render takes for each second of its price, as learnt.
    pub fn slowness(&self) -> f64 {
        self.0.lock().speed.factor()
    }
}

fn bounded(retry: Duration) -> Duration {
    retry.clamp(SHORTEST_RETRY, LONGEST_RETRY)
}

#[cfg(test)]
mod tests;
