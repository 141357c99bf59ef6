//! The edge server.

pub mod semantics;
