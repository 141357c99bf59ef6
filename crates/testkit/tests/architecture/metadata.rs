//! `cargo metadata`, reduced to what the rules ask: packages, and who depends on whom in which way.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_members: Vec<String>,
    pub(crate) resolve: Resolve,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) targets: Vec<Target>,
}

#[derive(Deserialize)]
pub(crate) struct Target {
    pub(crate) kind: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Resolve {
    pub(crate) nodes: Vec<Node>,
}

#[derive(Deserialize)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) deps: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) pkg: String,
    pub(crate) dep_kinds: Vec<DepKind>,
}

#[derive(Deserialize)]
pub(crate) struct DepKind {
    /// `None` is a normal dependency.
    pub(crate) kind: Option<String>,
}

/// What a walk over the dependencies follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Follow {
    /// What is linked into the product.
    Normal,
    /// That, and what runs while it is built.
    NormalAndBuild,
    /// Tests and benches too.
    All,
}

impl Metadata {
    /// Asks cargo, for one target triple.
    pub(crate) fn load(root: &Path, triple: &str) -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version=1", "--locked", "--filter-platform", triple])
            .current_dir(root)
            .output()
            .expect("cargo runs: it started this test");
        assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("cargo's own format")
    }

    /// The packages that are reached from `start` (itself included).
    pub(crate) fn reach<'a>(&'a self, start: &[&str], follow: Follow) -> Vec<&'a Package> {
        let nodes: BTreeMap<&str, &Node> = self.resolve.nodes.iter().map(|n| (n.id.as_str(), n)).collect();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = start.to_vec();
        while let Some(id) = open.pop() {
            let Some((id, node)) = nodes.get_key_value(id) else { continue };
            if !seen.insert(id) {
                continue;
            }
            let wanted = |kind: &DepKind| match kind.kind.as_deref() {
                None => true,
                Some("build") => follow != Follow::Normal,
                // Another package's own tests are never built here: cargo leaves them out of the graph.
                Some(_) => follow == Follow::All,
            };
            open.extend(node.deps.iter().filter(|d| d.dep_kinds.iter().any(wanted)).map(|d| d.pkg.as_str()));
        }
        self.packages.iter().filter(|p| seen.contains(p.id.as_str())).collect()
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|p| self.workspace_members.contains(&p.id))
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Package> {
        self.members().find(|p| p.name == name)
    }
}

impl Package {
    pub(crate) fn is_binary(&self) -> bool {
        self.targets.iter().any(|t| t.kind.iter().any(|k| k == "bin"))
    }
}
