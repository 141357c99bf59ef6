//! What is kept between requests, and the rule that one piece of work runs once.
//!
//! Knows keys and values, not pictures and not HTTP. Invariant: nothing here is read or awaited under a lock but maps.

pub mod config;
#[cfg(test)]
mod contract;
pub mod disk;
pub mod envelope;
pub mod flight;
pub mod guarded;
pub mod label;
mod latency;
pub mod lease;
pub mod ledger;
pub mod level;
pub mod marks;
pub mod memory;
pub mod object;
pub mod redis;
pub mod shares;
pub mod stock;
pub mod tier;
pub mod tiers;

pub use self::redis::Redis;
pub use envelope::Envelope;
pub use flight::{Flights, Interest, Role};
pub use label::{Label, Scope};
pub use lease::{Holding, Leases, Turn};
pub use ledger::{Heard, Ledger};
pub use level::{Event, Place};
pub use marks::{Marks, Since, Stamp};
pub use memory::Memory;
pub use shares::{Share, Shares};
pub use stock::Stock;
pub use tiers::Tiers;
