//! What is kept between requests, and the rule that one piece of work runs once.
//!
//! Knows keys and values, not pictures and not HTTP. Invariant: nothing here is read or awaited under a lock but maps.

pub mod config;
pub mod flight;
pub mod memory;

pub use flight::{Flights, Interest, Role};
pub use memory::Memory;
