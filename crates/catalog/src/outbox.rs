//! Hands events on from the outbox, to whatever takes them: mostly a queue.
//!
//! Owns the loop and its pace. Does not know what becomes of events. Invariant: an event is marked as sent only after the
//! sink has taken it, and only whoever leads hands events on; so each goes out at least once, those of one asset in their
//! order, and again only where a leader dies between the two or stalls for longer than its lease.

use crate::error::StoreError;
use crate::event::Event;
use crate::store::{Catalog, Lag, Later};
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Takes events.
pub trait Sink: Send + Sync {
    /// Takes all of these, in this order, or says why not; then they come again, as they do where nobody knows.
    fn take<'a>(&'a self, events: &'a [Event]) -> Later<'a, Result<(), String>>;
}

/// How a dispatcher goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two looks at an outbox in which nothing was.
    pub idle: Duration,
    /// Events that are handed on together.
    pub batch: usize,
    /// How long a leader may say nothing before another dispatcher takes over. A batch has half of it to be taken.
    pub lease: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { idle: Duration::from_millis(500), batch: 100, lease: Duration::from_secs(30) }
    }
}

/// The longest pause after failures.
const LONGEST: Duration = Duration::from_secs(30);

/// One of perhaps several dispatchers of a catalog; one at a time works.
pub struct Dispatcher {
    catalog: Arc<dyn Catalog>,
    sink: Arc<dyn Sink>,
    pace: Pace,
    holder: String,
    bell: Arc<Notify>,
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").field("holder", &self.holder).field("pace", &self.pace).finish_non_exhaustive()
    }
}

/// Tells a dispatcher of this process that there is something new, so that it does not wait for its next look.
#[derive(Clone, Debug)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// There is something new.
    pub fn ring(&self) {
        self.0.notify_one();
    }
}

/// What came of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Another dispatcher leads.
    Standby,
    /// So many events were handed on.
    Sent(usize),
}

/// Why events were not handed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The catalog did not answer.
    Catalog(StoreError),
    /// The sink did not take them.
    Sink(String),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalog(error) => fmt::Display::fmt(error, f),
            Self::Sink(why) => write!(f, "events were not taken: {why}"),
        }
    }
}

impl From<StoreError> for Obstacle {
    fn from(error: StoreError) -> Self {
        Self::Catalog(error)
    }
}

impl Dispatcher {
    /// `holder` tells it from other dispatchers of the same catalog: a host's name and a process id, or something random.
    pub fn new(catalog: Arc<dyn Catalog>, sink: Arc<dyn Sink>, holder: impl Into<String>, pace: Pace) -> Self {
        Self { catalog, sink, pace, holder: holder.into(), bell: Arc::default() }
    }

    /// To be rung after a commit of this process.
    pub fn bell(&self) -> Bell {
        Bell(Arc::clone(&self.bell))
    }

    /// What is waiting, as a number for metrics.
    ///
    /// # Errors
    /// The catalog did not answer.
    pub async fn lag(&self) -> Result<Lag, StoreError> {
        self.catalog.lag().await
    }

    /// Works until `drain` ends; then gives up the lead, so that another need not wait for it.
    pub async fn run(self, drain: impl Future<Output = ()>) {
        let mut drain = std::pin::pin!(drain);
        let mut failures = 0_u32;
        loop {
            let round = self.round(Timestamp::now()).await;
            let pause = match round {
                Ok(Round::Sent(count)) if count >= self.pace.batch => Duration::ZERO,
                Ok(_) => self.pace.idle,
                Err(ref obstacle) => {
                    tracing::warn!(failures, "the outbox stands still: {obstacle}");
                    (self.pace.idle * 2_u32.saturating_pow(failures.min(10))).min(LONGEST)
                }
            };
            failures = if round.is_err() { failures.saturating_add(1) } else { 0 };
            // A failure is not hurried by new events: they would fail too.
            let rung = async { if failures == 0 { self.bell.notified().await } else { std::future::pending().await } };
            tokio::select! {
                biased;
                () = &mut drain => break,
                () = rung => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        if let Err(error) = self.catalog.lead(&self.holder, Timestamp::now(), Duration::ZERO).await {
            tracing::debug!("the lead of the outbox ends by itself: {error}");
        }
    }

    /// One look: takes the lead if it is free, and hands on one batch.
    ///
    /// # Errors
    /// What was in the way. Nothing is lost by it.
    pub async fn round(&self, now: Timestamp) -> Result<Round, Obstacle> {
        if !self.catalog.lead(&self.holder, now, self.pace.lease).await? {
            return Ok(Round::Standby);
        }
        let events = self.catalog.pending(self.pace.batch).await?;
        if events.is_empty() {
            return Ok(Round::Sent(0));
        }
        let taken = tokio::time::timeout(self.pace.lease / 2, self.sink.take(&events)).await;
        taken.unwrap_or_else(|_| Err("it took too long".to_owned())).map_err(Obstacle::Sink)?;
        self.catalog.sent(&events).await?;
        Ok(Round::Sent(events.len()))
    }
}
