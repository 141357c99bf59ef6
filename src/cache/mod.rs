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
pub mod level;
pub mod memory;
pub mod redis;
pub mod tier;
pub mod tiers;

pub use self::redis::Redis;
pub use envelope::Envelope;
pub use flight::{Flights, Interest, Role};
pub use level::{Event, Place};
pub use memory::Memory;
pub use tiers::Tiers;
