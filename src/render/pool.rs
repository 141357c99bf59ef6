//! The render threads: few, of lower priority than the sockets' threads, each with its own scratch buffers.
//!
//! The pool has no queue to speak of: admission lets no more jobs in than there are threads.
//! Invariants: a job that panics costs its own result and nothing else; a thread that has nothing to do keeps no buffers.

use imaging::{Error, Scratch};
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long a thread keeps its buffers for a next job: long under load, and short for memory that nobody uses.
const KEPT: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce(&mut Scratch) + Send>;

/// Threads that render.
pub struct Pool {
    queue: Arc<Queue>,
    threads: usize,
}

/// Jobs that no thread has taken yet.
#[derive(Default)]
struct Queue {
    jobs: Mutex<(VecDeque<Job>, bool)>,
    /// There is a job, or there will be none any more.
    changed: Condvar,
}

/// What a thread does next.
enum Next {
    Work(Job),
    /// Nothing, for so long.
    Rest,
    End,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, (VecDeque<Job>, bool)> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for at most `patience`; without one for ever.
    fn next(&self, patience: Option<Duration>) -> Next {
        let nothing = |(jobs, over): &mut (VecDeque<Job>, bool)| jobs.is_empty() && !*over;
        let mut state = match patience {
            Some(limit) => {
                let waited = self.changed.wait_timeout_while(self.lock(), limit, nothing);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.changed.wait_while(self.lock(), nothing).unwrap_or_else(PoisonError::into_inner),
        };
        match (state.0.pop_front(), state.1) {
            (Some(job), _) => Next::Work(job),
            (None, true) => Next::End,
            (None, false) => Next::Rest,
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.queue.lock().1 = true;
        self.queue.changed.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts `threads` threads at `nice` (0–19, added to the process's own), each keeping up to `scratch` bytes of
    /// buffers between jobs, as long as jobs come. They end when the pool is dropped.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(threads: usize, nice: i32, scratch: usize) -> std::io::Result<Self> {
        Self::keeping(threads, nice, scratch, KEPT)
    }

    fn keeping(threads: usize, nice: i32, scratch: usize, kept: Duration) -> std::io::Result<Self> {
        let pool = Self { queue: Arc::default(), threads };
        let busy = Arc::new(AtomicUsize::new(0));
        for number in 0..threads {
            let (queue, busy) = (Arc::clone(&pool.queue), Arc::clone(&busy));
            thread::Builder::new().name(format!("render-{number}")).spawn(move || {
                lower_priority(nice);
                work(&queue, Scratch::new(scratch), kept, (&busy, threads));
            })?;
        }
        Ok(pool)
    }

    /// Runs `job` on a render thread.
    ///
    /// # Errors
    /// The job's own, or [`Error::Internal`] when it panicked or when more jobs came than there are threads.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Scratch) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |scratch| {
            // Third-party decoders have panicked on hostile files; one picture must not take a thread with it. What
            // the panic leaves behind is the scratch space, which is replaced, and the caller's values, which end here.
            let result = catch_unwind(AssertUnwindSafe(|| job(scratch))).unwrap_or_else(|panic| {
                *scratch = scratch.fresh();
                Err(Error::Internal(format!("a render panicked: {}", message(&*panic))))
            });
            let _nobody_waits = reply.send(result);
        });
        {
            let mut state = self.queue.lock();
            if state.0.len() >= self.threads {
                return Err(Error::Internal("more renders admitted than threads".to_owned()));
            }
            state.0.push_back(job);
        }
        self.queue.changed.notify_one();
        answer.await.unwrap_or_else(|_| Err(Error::Internal("a render thread ended".to_owned())))
    }
}

/// A job that begins while all other threads are idle may use as many more.
fn work(queue: &Queue, mut scratch: Scratch, kept: Duration, (busy, threads): (&AtomicUsize, usize)) {
    let mut patience = None;
    loop {
        match queue.next(patience) {
            Next::Work(job) => {
                let others = busy.fetch_add(1, Ordering::Relaxed);
                scratch.set_helpers(if others == 0 { threads - 1 } else { 0 });
                job(&mut scratch);
                busy.fetch_sub(1, Ordering::Relaxed);
                patience = Some(kept);
            }
            Next::Rest => {
                scratch = scratch.fresh();
                patience = None;
            }
            Next::End => return,
        }
    }
}

/// On Linux the priority of a thread is its own. Where it cannot be lowered the server still works, only less smoothly.
fn lower_priority(nice: i32) {
    let thread = Some(rustix::thread::gettid());
    if let Err(error) = rustix::process::setpriority_process(thread, nice) {
        tracing::debug!(%error, nice, "render thread keeps its priority");
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_costs_its_own_result_only() {
        let pool = Pool::start(1, 10, 1 << 20).unwrap();
        let lost = pool.run(|_| -> Result<(), Error> { panic!("as a test") }).await;
        assert_eq!(lost, Err(Error::Internal("a render panicked: as a test".to_owned())));
        assert_eq!(pool.run(|_| Ok(7)).await, Ok(7));
    }

    #[test]
    fn a_queue_tells_work_from_rest_and_end() {
        let queue = Queue::default();
        assert!(matches!(queue.next(Some(Duration::ZERO)), Next::Rest));
        queue.lock().0.push_back(Box::new(|_| ()));
        queue.lock().1 = true;
        assert!(matches!(queue.next(None), Next::Work(_)), "what was let in is done");
        assert!(matches!(queue.next(None), Next::End) && matches!(queue.next(Some(KEPT)), Next::End));
    }

    #[tokio::test]
    async fn who_rests_keeps_no_buffers() {
        let pool = Pool::keeping(1, 0, 1 << 20, Duration::from_millis(5)).unwrap();
        // A buffer that was kept has what was written into it; a fresh one is clear.
        let write = |scratch: &mut Scratch| {
            let mut room = scratch.take(1 << 10);
            let before = room[0];
            room.fill(7);
            scratch.give(room);
            Ok(before)
        };
        assert_eq!(pool.run(write).await, Ok(0));
        let mut found = 7;
        for _ in 0..500 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            found = pool.run(write).await.unwrap();
            if found == 0 {
                break;
            }
        }
        assert_eq!(found, 0);
    }

    #[tokio::test]
    async fn threads_run_at_lower_priority() {
        let pool = Pool::start(1, 10, 0).unwrap();
        let nice = pool
            .run(|_| {
                let own = rustix::process::getpriority_process(Some(rustix::thread::gettid()));
                own.map_err(|error| Error::Internal(error.to_string()))
            })
            .await;
        assert_eq!(nice, Ok(10));
    }
}
