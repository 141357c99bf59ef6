//! The edge server of Tintype.
//!
//! The life of a request: `server` reads it off a socket and hands it to `answer`, which finds its route. `handler`
//! verifies its signature, parses what it asks into a canonical transform, negotiates the format, and asks the cache for
//! the rendition of that key: mostly it is there, and `semantics` makes a response of it. If not, `fill` joins or starts
//! the one flight of that key: it fetches the original, asks for a permit priced by the original's header, has
//! `render` make the picture on a thread of its own, stores it, and answers everybody who waited.
//!
//! `cache`, `origin`, `render` and `semantics` do not know each other; only `handler` and `fill` compose them, and
//! [`app`] builds them from the config.

mod access;
mod access_log;
mod admin;
mod answer;
pub mod app;
pub mod cache;
pub mod cli;
pub mod config;
mod deferred;
mod error;
mod fill;
mod fleet;
mod guard;
mod handler;
mod kept;
mod lane;
pub mod limit;
mod making;
mod metric;
mod original;
mod page;
pub mod pressure;
mod purge;
mod reading;
mod refusal;
pub mod reload;
pub mod render;
mod route;
pub mod sandbox;
pub mod secret;
pub mod semantics;
pub mod server;
mod shelf;
mod srcset;
mod stand_in;
mod stats;
mod step;
mod tenant;
mod warm;
