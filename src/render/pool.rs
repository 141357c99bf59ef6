//! The render threads: few, of lower priority than the sockets' threads, each with its own scratch buffers.
//!
//! The pool has no queue to speak of: admission lets no more jobs in than there are threads.
//! Invariant: a job that panics costs its own result and nothing else.

use imaging::{Error, Scratch};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Scratch) + Send>;

/// Threads that render.
pub struct Pool {
    jobs: SyncSender<Job>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts `threads` threads at `nice` (0–19, added to the process's own), each keeping up to `scratch` bytes of
    /// buffers between jobs. They end when the pool is dropped.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(threads: usize, nice: i32, scratch: usize) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel::<Job>(threads);
        let queue = Arc::new(Mutex::new(queue));
        let busy = Arc::new(AtomicUsize::new(0));
        for number in 0..threads {
            let (queue, busy) = (Arc::clone(&queue), Arc::clone(&busy));
            thread::Builder::new().name(format!("render-{number}")).spawn(move || {
                lower_priority(nice);
                work(&queue, Scratch::new(scratch), &busy, threads);
            })?;
        }
        Ok(Self { jobs })
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
        self.jobs.try_send(job).map_err(|_| Error::Internal("more renders admitted than threads".to_owned()))?;
        answer.await.unwrap_or_else(|_| Err(Error::Internal("a render thread ended".to_owned())))
    }
}

/// A job that begins while all other threads are idle may use as many more.
fn work(queue: &Mutex<Receiver<Job>>, mut scratch: Scratch, busy: &AtomicUsize, threads: usize) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => {
                let others = busy.fetch_add(1, Ordering::Relaxed);
                scratch.set_helpers(if others == 0 { threads - 1 } else { 0 });
                job(&mut scratch);
                busy.fetch_sub(1, Ordering::Relaxed);
            }
            Err(_pool_dropped) => return,
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
