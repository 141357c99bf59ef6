//! Several binaries need it: queues, and the one runner of background work. Does not know what the work is.
//!
//! Owns jobs ([`Job`]), the trait of queues ([`Queue`]) with its implementations, and the [`Runner`] that calls handlers.
//! Invariants: what was sent is done at least once or seen to be dead; nobody else has a job within its lease.
//!
//! ```no_run
//! use jobs::{Ended, Failure, JobKind, NewJob, Queue, Runner, SqliteQueue, Work};
//! use std::{path::Path, sync::Arc};
//!
//! # async fn example(drain: service::drain::Drain) -> Result<(), jobs::QueueError> {
//! let queue: Arc<dyn Queue> = Arc::new(SqliteQueue::open(Path::new("data/jobs.db")).await?);
//! queue.send(vec![NewJob::new(JobKind::WARM, serde_json::json!({"url": "/a/main/cats/tom.jpg?w=640"}))]).await?;
//! Runner::new(queue)
//!     .on(JobKind::WARM, |work: Work| async move {
//!         if work.job.payload["url"].is_null() {
//!             return Err(Failure::never("it names no URL"));
//!         }
//!         Ok(Ended::Done)
//!     })
//!     .run(drain)
//!     .await;
//! # Ok(())
//! # }
//! ```

mod config;
#[cfg(test)]
mod contract;
mod job;
mod metric;
mod queue;
mod runner;
mod schedule;
mod sql;
mod sqs;

pub use config::{Backend, JobsConfig, PostgresConfig, SqsConfig};
pub use job::{Job, JobId, JobKind, Lease, Leased, MAX_KEY, MAX_PAYLOAD, MAX_REASON, NewJob, Priority};
pub use metric::Metrics;
pub use queue::{Cancel, Depth, Filter, Held, KindDepth, Later, MOST, Queue, QueueError, Seen, State, Take};
pub use runner::{Ended, Failure, Handler, Outcome, Policy, Runner, Stop, Then, Work};
pub use schedule::Schedule;
pub use sql::{PostgresQueue, SqliteQueue};
pub use sqs::SqsQueue;
