//! Holds the lines that `ARCHITECTURE.md` draws: who may name whom, who reads the clock, which licences come in.
//! Every rule is data with its reason; every check has a self-test with a bad example that it must find.
//! It reads sources as tokens and dependencies as `cargo metadata` tells them; it knows nothing of what the code does.

mod direction;
mod licences;
mod metadata;
mod shape;
mod source;
mod trees;

use std::path::PathBuf;

/// The workspace's root folder.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("crates/testkit lies two folders below the root").to_path_buf()
}

/// Fails with every violation on a line of its own.
fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "{} violation(s):\n  {}", violations.len(), violations.join("\n  "));
}
