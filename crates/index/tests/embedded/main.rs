//! The companion on its embedded parts: a catalog and a queue in SQLite, an index in tantivy.

mod bench;
mod document;
mod face;
mod follow;
mod kill;
mod rebuild;
