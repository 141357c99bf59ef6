//! A binary, and a library for standalone: keeps what can be found in step with the catalog.
//!
//! Owns the jobs `index` (an event: the record is read anew and written to the index), `rebuild` (a new index from the
//! catalog, without downtime) and `index-check`, and the face of all background work on HTTP. Knows neither how an engine
//! keeps a document nor who may search. Invariant: the index follows the catalog, at least once and never backwards.

mod build;
pub mod check;
mod config;
mod document;
mod face;
mod indexer;
pub mod lag;
mod metric;
mod rebuild;
mod writer;

pub use build::{NAME, Parts, build, work};
pub use config::Config;
pub use document::{Policy, document};
pub use face::{check_job, rebuild_job};
pub use indexer::Indexer;
pub use metric::Metrics;
pub use rebuild::Rebuilt;
