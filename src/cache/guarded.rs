//! Calls to something that may fail: each within a deadline, and none at all while a breaker leaves the thing alone.
//!
//! Knows neither what is asked nor of whom. Invariant: a call ends within its limit; whoever shares the guard learns from
//! all others' failures.

use super::latency::Latency;
use super::tier::Failure;
use service::breaker::{Breaker, Limits};
use std::time::{Duration, Instant};

/// One guarded thing.
#[derive(Debug)]
pub struct Guarded {
    name: &'static str,
    breaker: Breaker,
}

impl Guarded {
    /// `name` is for the log; it is left alone for `pause` after `failures` in a row.
    pub fn new(name: &'static str, failures: u32, pause: Duration) -> Self {
        Self { name, breaker: Breaker::new(Limits { failures, lasting: Duration::ZERO, pause }) }
    }

    /// Whether it is left alone at the moment.
    pub fn is_open(&self) -> bool {
        self.breaker.is_open()
    }

    /// As [`Self::call`]; calls that were in fact made are counted by the time that they took.
    ///
    /// # Errors
    /// The same.
    pub async fn timed<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, Failure>>,
        latency: &Latency,
    ) -> Result<T, Failure> {
        let began = Instant::now();
        let result = self.call(limit, call).await;
        if !matches!(result, Err(Failure::Open)) {
            latency.observe(began.elapsed());
        }
        result
    }

    /// The call's result, or why there is none.
    ///
    /// # Errors
    /// The call's own, [`Failure::Timeout`] after `limit`, [`Failure::Open`] without having asked.
    pub async fn call<T>(&self, limit: Duration, call: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        // A guard reads the clock itself: how long something is left alone is no answer's business.
        let now = Instant::now;
        if self.breaker.admit(now()).is_err() {
            return Err(Failure::Open);
        }
        let result = tokio::time::timeout(limit, call).await.unwrap_or(Err(Failure::Timeout));
        match &result {
            Err(failure) if failure.counts() => {
                if self.breaker.failed(now()) {
                    tracing::warn!(tier = self.name, %failure, "left alone for a while");
                }
            }
            // Mostly refused before anybody was asked: it says nothing.
            Err(Failure::TooLarge) => {}
            _ => {
                if self.breaker.succeeded() {
                    tracing::info!(tier = self.name, "answers again");
                }
            }
        }
        result
    }
}
