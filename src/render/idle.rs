//! Permits for what nobody waits for: given when live work leaves something over, within a share of its own.
//!
//! Its renders have threads of their own at the lowest priority, so that none of them ever keeps live work from a worker;
//! their memory comes out of the one budget, and never more of it than the share. Invariant: while a live render waits, or
//! all workers are busy, nothing is begun here.

use super::admission::{Admission, LeftOver, Shed};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The share is counted in these, so that one of terabytes fits a semaphore.
const UNIT: u64 = 64 << 10;

/// Gives them. Clones share the share.
#[derive(Clone, Debug)]
pub struct Idle {
    live: Admission,
    threads: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    share: u64,
    count: usize,
}

/// The right to render while it is quiet, until dropped.
#[derive(Debug)]
pub struct IdlePermit {
    _share: OwnedSemaphorePermit,
    _memory: LeftOver,
    _thread: OwnedSemaphorePermit,
}

impl Idle {
    /// `threads` renders at once, which have `share` bytes of the budget of `live` between them.
    pub fn new(live: Admission, threads: usize, share: u64) -> Self {
        let units = usize::try_from(share / UNIT).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        Self {
            live,
            threads: Arc::new(Semaphore::new(threads)),
            memory: Arc::new(Semaphore::new(units)),
            share,
            count: threads,
        }
    }

    /// Waits, for as long as it takes, until it is quiet and there is room. May be dropped at any time.
    ///
    /// # Errors
    /// [`Shed::TooDear`] for what could never be begun here.
    pub async fn admit(&self, memory: u64) -> Result<IdlePermit, Shed> {
        self.fits(memory)?;
        let units = u32::try_from(memory.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let closed = |_| unreachable!("nobody closes these semaphores");
        let thread = Arc::clone(&self.threads).acquire_owned().await.unwrap_or_else(closed);
        let share = Arc::clone(&self.memory).acquire_many_owned(units).await.unwrap_or_else(closed);
        let memory = self.live.left_over(memory).await;
        Ok(IdlePermit { _share: share, _memory: memory, _thread: thread })
    }

    /// Whether work of so much memory can be done here at all.
    ///
    /// # Errors
    /// [`Shed::TooDear`] where not.
    pub fn fits(&self, memory: u64) -> Result<(), Shed> {
        let most = if self.count == 0 { 0 } else { self.share / UNIT * UNIT };
        if memory > most { Err(Shed::TooDear { needs: memory, budget: most }) } else { Ok(()) }
    }

    /// Renders at once.
    pub fn threads(&self) -> usize {
        self.count
    }

    /// Renders under way now.
    pub fn rendering(&self) -> usize {
        self.count.saturating_sub(self.threads.available_permits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::admission::{Ask, Budgets, Permit};
    use std::time::{Duration, Instant};

    const MIB: u64 = 1 << 20;
    const LONG: Duration = Duration::from_secs(60);

    /// Two workers, ten megabytes, of which four are for what nobody waits for, on one thread.
    fn both() -> (Admission, Idle) {
        let budgets = Budgets { threads: 2, memory: 10 * MIB, queue: 4, patience: LONG };
        let live = Admission::new(budgets, Instant::now);
        (live.clone(), Idle::new(live, 1, 4 * MIB))
    }

    async fn admit(live: &Admission, memory: u64) -> Result<Permit, Shed> {
        live.admit(Ask { tenant: &"a".into(), memory, work: Duration::from_millis(1) }).await
    }

    /// Lets all tasks that can do something do it.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn nothing_is_begun_before_it_is_quiet() {
        let (live, idle) = both();
        let busy = [admit(&live, MIB).await.expect("room"), admit(&live, MIB).await.expect("room")];
        let waiting = tokio::spawn({
            let idle = idle.clone();
            async move { idle.admit(MIB).await.map(drop) }
        });
        settle().await;
        assert!(!waiting.is_finished() && !live.is_quiet(), "all workers are busy");
        let [first, second] = busy;
        let next = tokio::spawn({
            let live = live.clone();
            async move { admit(&live, MIB).await }
        });
        settle().await;
        assert_eq!(live.waiting(), 1);
        drop(first);
        let third = next.await.expect("no panic").expect("room");
        settle().await;
        assert!(!waiting.is_finished(), "live work went first");
        drop(second);
        assert_eq!(waiting.await.expect("no panic"), Ok(()));
        drop(third);
        assert_eq!((live.memory(), idle.rendering()), (0, 0));
    }

    #[tokio::test]
    async fn it_keeps_to_its_share_and_live_work_to_all_else() {
        let (live, idle) = both();
        assert_eq!(idle.fits(5 * MIB), Err(Shed::TooDear { needs: 5 * MIB, budget: 4 * MIB }));
        let own = idle.admit(4 * MIB).await.expect("quiet");
        assert_eq!((idle.rendering(), live.memory(), live.rendering()), (1, 4 * MIB, 0), "no worker is taken");
        let more = tokio::time::timeout(Duration::from_millis(5), idle.admit(MIB)).await;
        assert!(more.is_err(), "one at once");
        let busy = [admit(&live, 3 * MIB).await.expect("room"), admit(&live, 3 * MIB).await.expect("room")];
        drop((own, busy));
        assert_eq!(live.memory(), 0, "all comes back, also from a wait that was dropped");
        assert!(idle.admit(4 * MIB).await.is_ok());
    }

    #[tokio::test]
    async fn memory_that_live_work_has_is_waited_for() {
        let (live, idle) = both();
        let large = admit(&live, 8 * MIB).await.expect("room");
        let waiting = tokio::spawn({
            let idle = idle.clone();
            async move { idle.admit(4 * MIB).await.map(drop) }
        });
        settle().await;
        assert!(live.is_quiet() && !waiting.is_finished());
        drop(large);
        assert_eq!(waiting.await.expect("no panic"), Ok(()));
    }

    #[tokio::test]
    async fn without_threads_nothing_fits() {
        let (live, _) = both();
        assert_eq!(Idle::new(live, 0, MIB).fits(1), Err(Shed::TooDear { needs: 1, budget: 0 }));
    }
}
