//! What a handler is given, and what it says at the end.
//!
//! Knows neither queue nor lease. Invariant: what is said of progress is kept with the next heartbeat at the latest.

use crate::job::Job;
use serde_json::Value;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A job under way. Clones are of the same job.
#[derive(Clone, Debug)]
pub struct Work {
    /// What is to be done.
    pub job: Job,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    progress: Mutex<Option<Value>>,
    stop: watch::Sender<Option<Stop>>,
}

/// Why a handler shall come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Somebody cancelled the job: what it has not done shall not be done.
    Cancelled,
    /// The process ends: what is not done soon is begun again elsewhere.
    Draining,
}

impl Work {
    pub(super) fn new(job: Job) -> Self {
        let shared = Shared { progress: Mutex::new(None), stop: watch::Sender::new(None) };
        Self { job, shared: Arc::new(shared) }
    }

    /// How far it has come, for people who look at the job; small, since it is written with each heartbeat.
    pub fn progress(&self, progress: Value) {
        *self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner) = Some(progress);
    }

    /// Whether it shall come to an end, and why. Long work asks between its steps, and then gives [`Failure::stopped`].
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        *self.shared.stop.borrow()
    }

    /// Returns when it shall come to an end.
    pub async fn stopping(&self) -> Stop {
        let mut told = self.shared.stop.subscribe();
        loop {
            if let Some(stop) = *told.borrow_and_update() {
                return stop;
            }
            // Cannot fail: `self` holds the sender.
            let _ = told.changed().await;
        }
    }

    /// Tells the handler; a cancellation outweighs the end of the process.
    pub(super) fn tell(&self, stop: Stop) {
        self.shared.stop.send_if_modified(|told| {
            let news = told.is_none() || (*told == Some(Stop::Draining) && stop == Stop::Cancelled);
            if news {
                *told = Some(stop);
            }
            news
        });
    }

    /// What was said since the last time.
    pub(super) fn said(&self) -> Option<Value> {
        self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// How a job ended that ended well.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Nobody needs to see it any more.
    Done,
    /// This is to be seen for a while.
    Report(Value),
}

/// How an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why, for people: no secrets.
    pub reason: String,
    /// What follows.
    pub then: Then,
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Another attempt by the kind's policy.
    Retry,
    /// Another attempt after this rest at least.
    After(Duration),
    /// No other attempt: the job is dead.
    Bury,
    /// It stopped because it was told to.
    Stopped,
}

impl Failure {
    /// It may go well later.
    pub fn later(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string(), then: Then::Retry }
    }

    /// It may go well after a while: another service said when.
    pub fn after(rest: Duration, reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string(), then: Then::After(rest) }
    }

    /// It never goes well: the job itself is wrong.
    pub fn never(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string(), then: Then::Bury }
    }

    /// It was told to stop, and has.
    #[must_use]
    pub fn stopped() -> Self {
        Self { reason: "stopped".to_owned(), then: Then::Stopped }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}

/// What a handler comes to.
pub type Outcome = Result<Ended, Failure>;

/// Does the jobs of a kind. It may be called again for what it has done already, and be dropped at any await.
pub trait Handler: Send + Sync + 'static {
    /// Does one.
    fn handle(&self, work: Work) -> Pin<Box<dyn Future<Output = Outcome> + Send>>;
}

impl<F, R> Handler for F
where
    F: Fn(Work) -> R + Send + Sync + 'static,
    R: Future<Output = Outcome> + Send + 'static,
{
    fn handle(&self, work: Work) -> Pin<Box<dyn Future<Output = Outcome> + Send>> {
        Box::pin(self(work))
    }
}
