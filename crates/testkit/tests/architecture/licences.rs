//! The lists of `deny.toml`, enforced without cargo-deny: licences, refused crates, duplicate versions, sources.
//! It reads the same file, so that the policy lives once. Dependencies of tests count for licences, not for duplicates.

use crate::metadata::{Follow, Metadata, Package};
use crate::{assert_none, root};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Policy {
    graph: Graph,
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Graph {
    targets: Vec<String>,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Entry>,
    skip: Vec<Entry>,
}

/// A crate, by `name` or `name@version`, where the version is a prefix in whole numbers.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "crate")]
    name: String,
    reason: String,
}

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

impl Entry {
    fn covers(&self, package: &Package) -> bool {
        match self.name.split_once('@') {
            Some((name, version)) => {
                name == package.name && format!("{}.", package.version).starts_with(&format!("{version}."))
            }
            None => self.name == package.name,
        }
    }
}

/// Whether a crate's licence expression can be met from the list. `MIT/Apache-2.0` is the old way to write `OR`.
fn is_allowed(expression: &str, allow: &[String]) -> bool {
    spdx::Expression::parse_mode(expression, spdx::ParseMode::LAX)
        .is_ok_and(|e| e.evaluate(|requirement| allow.contains(&requirement.to_string())))
}

fn violations(policy: &Policy, metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    let start: Vec<&str> = metadata.workspace_members.iter().map(String::as_str).collect();
    for package in metadata.reach(&start, Follow::All) {
        let name = format!("{} {}", package.name, package.version);
        match package.license.as_deref() {
            Some(expression) if is_allowed(expression, &policy.licenses.allow) => {}
            licence => found.push(format!("{name}: licence {licence:?} is not in deny.toml's list")),
        }
        if let Some(ban) = policy.bans.deny.iter().find(|entry| entry.covers(package)) {
            found.push(format!("{name}: refused: {}", ban.reason));
        }
        if package.source.as_deref().is_some_and(|source| source != REGISTRY) {
            found.push(format!("{name}: comes from {:?}, not from the registry", package.source));
        }
    }
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in metadata.reach(&start, Follow::NormalAndBuild) {
        if !policy.bans.skip.iter().any(|entry| entry.covers(package)) {
            versions.entry(&package.name).or_default().push(&package.version);
        }
    }
    let twice = versions.into_iter().filter(|(_, versions)| versions.len() > 1);
    found.extend(twice.map(|(name, versions)| format!("{name}: several versions ({})", versions.join(", "))));
    found
}

fn policy() -> Policy {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml lies at the root");
    toml::from_str(&text).unwrap_or_else(|e| panic!("deny.toml: {e}"))
}

#[test]
fn dependencies_keep_the_policy() {
    let policy = policy();
    assert!(!policy.graph.targets.is_empty(), "deny.toml says what we build for");
    for triple in &policy.graph.targets {
        assert_none(&violations(&policy, &Metadata::load(&root(), triple)));
    }
}

#[test]
fn every_exception_has_a_reason() {
    let bans = policy().bans;
    assert!(bans.deny.iter().chain(&bans.skip).all(|entry| entry.reason.len() > 10));
}

#[cfg(test)]
mod tests {
    use super::{is_allowed, policy, violations};
    use crate::metadata::Metadata;

    fn metadata(packages: &[(&str, &str, &str, &str)]) -> Metadata {
        let json: Vec<String> = packages
            .iter()
            .map(|(name, version, licence, source)| {
                format!(
                    r#"{{"id":"{name} {version}","name":"{name}","version":"{version}","license":"{licence}","source":"{source}","targets":[]}}"#
                )
            })
            .collect();
        let ids: Vec<String> = packages.iter().map(|(name, version, ..)| format!("\"{name} {version}\"")).collect();
        let nodes: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":{id},"deps":[]}}"#)).collect();
        let text = format!(
            r#"{{"packages":[{}],"workspace_members":[{}],"resolve":{{"nodes":[{}]}}}}"#,
            json.join(","),
            ids.join(","),
            nodes.join(",")
        );
        serde_json::from_str(&text).expect("the shape that cargo writes")
    }

    #[test]
    fn expressions_are_judged_by_what_can_be_chosen() {
        let allow: Vec<String> = ["MIT", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).to_vec();
        for (expression, expected) in [
            ("MIT", true),
            ("MIT OR GPL-3.0-only", true),
            ("MIT/Apache-2.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("Apache-2.0", false),
            ("MIT AND GPL-3.0-only", false),
            ("AGPL-3.0-or-later", false),
            ("no expression at all", false),
        ] {
            assert_eq!(is_allowed(expression, &allow), expected, "{expression}");
        }
    }

    #[test]
    fn each_rule_finds_its_bad_example() {
        let registry = super::REGISTRY;
        let count = |packages: &[_]| violations(&policy(), &metadata(packages)).len();
        assert_eq!(count(&[("a", "1.0.0", "MIT", registry)]), 0);
        assert_eq!(count(&[("a", "1.0.0", "GPL-3.0-only", registry)]), 1, "licence");
        assert_eq!(count(&[("openssl-sys", "0.9.1", "MIT", registry)]), 1, "refused crate");
        assert_eq!(count(&[("a", "1.0.0", "MIT", "git+https://example.org/a")]), 1, "source");
        assert_eq!(count(&[("a", "1.0.0", "MIT", registry), ("a", "2.0.0", "MIT", registry)]), 1, "duplicate");
        assert_eq!(count(&[("syn", "2.0.1", "MIT", registry), ("syn", "3.0.1", "MIT", registry)]), 0, "excused");
    }
}
