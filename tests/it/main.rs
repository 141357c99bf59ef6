//! The real server over real sockets: one binary, a module per subject.
//!
//! No test here judges by wall time alone: counts come from the server's own metrics, and waits end by events.

mod access;
mod cli;
mod corpus;
mod damaged;
mod doors;
mod drain;
mod engines;
mod faults;
mod fleet;
mod h2;
mod heads;
mod hints;
mod info;
mod keys;
mod lane;
mod layers;
mod limits;
mod managed;
mod origin;
mod overload;
mod path;
mod patience;
mod platform;
mod problem;
mod protocol;
mod protocols;
mod rendition;
mod s3;
mod sandbox;
mod server;
mod signals;
mod signing;
mod stampede;
mod stats;
mod tenants;
mod tiers;
mod varnish;
