//! The edge server.
