//! Purges: what is asked for, what becomes void, where it is cleared away at once, and who is told.
//!
//! Composes `cache`, routes and the CDN for the admin listener. Invariants: after the answer nothing older than the purge is
//! served by this instance, nor by another that could be told; what could not be done is said in the answer.

mod admin;
pub(crate) mod cloudfront;
pub(crate) mod config;
mod listen;
mod report;
mod request;
mod resolve;
mod sweep;

pub(crate) use admin::answer;
pub(crate) use cloudfront::Cloudfront;
pub(crate) use listen::Listener;
pub(crate) use request::MOST;
pub(crate) use sweep::Sweeper;

/// Where the admin listener takes purges.
pub(crate) const PATH: &str = "/purge";
