//! The shape of files: their size, their names, and the words at their top.

use crate::source::{self, Source};
use crate::{assert_none, root};

/// Lines, tests included. Beyond it a file has outgrown its subject.
const MAX_LINES: usize = 800;

/// Names that say nothing about what is inside, so that everything ends up there.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "manager", "misc"];

fn violations(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines > MAX_LINES {
        found.push(format!("{}: {lines} lines, at most {MAX_LINES}", source.path));
    }
    let stem = source.path.trim_end_matches(".rs");
    if let Some(name) = stem.split('/').find(|part| EMPTY_NAMES.contains(part)) {
        found.push(format!("{}: `{name}` names no subject", source.path));
    }
    let in_src = source.path.starts_with("src/") || source.path.contains("/src/");
    let opens = source.text.lines().next().is_some_and(|line| line.starts_with("//! ") && line.len() > "//! ".len());
    if in_src && !opens {
        found.push(format!("{}: opens without `//!`: what it owns, what it does not know, its invariant", source.path));
    }
    found
}

#[test]
fn files_have_the_house_shape() {
    assert_none(&source::all(&root()).iter().flat_map(violations).collect::<Vec<_>>());
}

/// The first `1.2` or `1.2.3` behind `mark`, cut to major and minor.
fn version_after(text: &str, mark: &str) -> Option<String> {
    let rest = text.split_once(mark)?.1;
    let number: String =
        rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let mut parts = number.split('.');
    Some(format!("{}.{}", parts.next()?, parts.next()?))
}

#[test]
fn one_rust_version_everywhere() {
    let read = |file: &str| std::fs::read_to_string(root().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let toolchain = version_after(&read("rust-toolchain.toml"), "channel").expect("a channel");
    for (file, mark) in [("Cargo.toml", "rust-version"), ("docker/Dockerfile", "FROM rust:")] {
        assert_eq!(version_after(&read(file), mark).as_ref(), Some(&toolchain), "{file} and rust-toolchain.toml");
    }
}

#[cfg(test)]
mod tests {
    use super::{version_after, violations};
    use crate::source::Source;

    fn count(path: &str, text: &str) -> usize {
        violations(&Source { path: path.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn each_rule_finds_its_bad_example() {
        assert_eq!(count("src/handler.rs", "fn f() {}\n"), 1, "no words at the top");
        assert_eq!(count("src/handler.rs", "//!\nfn f() {}\n"), 1, "an empty line is no words");
        assert_eq!(count("src/utils.rs", "//! Words.\n"), 1);
        assert_eq!(count("crates/imaging/src/common/mod.rs", "//! Words.\n"), 1);
        assert_eq!(count("src/handler.rs", &"//! Words.\n".repeat(801)), 1);
    }

    #[test]
    fn versions_are_cut_to_major_and_minor() {
        assert_eq!(version_after("channel = \"1.95.0\"", "channel").as_deref(), Some("1.95"));
        assert_eq!(version_after("FROM rust:1.95-slim AS build", "FROM rust:").as_deref(), Some("1.95"));
        assert_eq!(version_after("channel = \"stable\"", "channel"), None);
    }

    #[test]
    fn what_is_allowed_passes() {
        assert_eq!(count("src/handler.rs", &"//! Words.\n".repeat(800)), 0);
        assert_eq!(count("fuzz/fuzz_targets/render.rs", "#![no_main]\n"), 0, "targets may open with their attribute");
    }
}
