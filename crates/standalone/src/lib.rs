//! It is a binary: edge and companions in one process on embedded parts, with a console for people.
//!
//! Owns the console and the order in which parts are started and ended; everything else is the parts' own. Invariant: one
//! port for all that is public, one folder for all data.

pub mod cli;
pub mod config;
mod console;
mod edge;
mod platform;
mod serve;
mod session;
mod signing;
mod welcome;
