//! What each crate may draw in: the pure crates stay pure through every level of their dependencies, binaries do not
//! depend on binaries, and test tools are not shipped.

use crate::metadata::{Follow, Metadata};
use crate::{assert_none, root};

/// Crates (by name, or by prefix with `*`) that may not be reached from `package` by normal dependencies.
struct Purity {
    package: &'static str,
    refused: &'static [&'static str],
    reason: &'static str,
}

const RUNTIME: &[&str] =
    &["tokio*", "futures*", "async-*", "mio", "smol", "hyper*", "h2", "http-body*", "reqwest", "tower*"];
const STORES: &[&str] = &["redis", "aws-*", "object_store", "moka", "rusqlite", "sqlx*"];
const PIXELS: &[&str] = &[
    "image",
    "image-*",
    "png",
    "gif",
    "zune-*",
    "fast_image_resize",
    "libwebp-sys",
    "libaom-sys",
    "mozjpeg*",
    "rav1*",
    "moxcms",
];
const HTTP: &[&str] = &["http", "httparse", "httpdate"];

const PURE: &[(&str, &[&[&str]], &str)] = &[
    ("tintype-cache-key", &[RUNTIME, STORES, PIXELS, HTTP], "keys are pure: no I/O, no async, no pixels"),
    ("tintype-signature", &[RUNTIME, STORES, PIXELS, HTTP], "signatures are pure: no I/O, no async, no pixels"),
    ("tintype-imaging", &[RUNTIME, STORES, HTTP], "pixels are synchronous and know no HTTP"),
    ("tintype-av1", &[RUNTIME, STORES, HTTP], "pixels are synchronous and know no HTTP"),
    ("tintype-jpeg", &[RUNTIME, STORES, HTTP], "pixels are synchronous and know no HTTP"),
];

fn matches(name: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(name == pattern, |prefix| name.starts_with(prefix))
}

fn impurities(metadata: &Metadata, rule: &Purity) -> Vec<String> {
    let Some(package) = metadata.member(rule.package) else { return Vec::new() };
    let reached = metadata.reach(&[package.id.as_str()], Follow::Normal);
    let refused = reached.iter().filter(|p| rule.refused.iter().any(|pattern| matches(&p.name, pattern)));
    refused.map(|p| format!("{} reaches {} {}: {}", rule.package, p.name, p.version, rule.reason)).collect()
}

/// Normal and build edges between members that should not be.
fn bad_edges(metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    for node in metadata.resolve.nodes.iter().filter(|n| metadata.workspace_members.contains(&n.id)) {
        let from = metadata.members().find(|p| p.id == node.id).expect("a member has its package");
        for dep in &node.deps {
            let shipped = dep.dep_kinds.iter().any(|k| k.kind.as_deref() != Some("dev"));
            let Some(to) = metadata.members().find(|p| p.id == dep.pkg).filter(|_| shipped) else { continue };
            if to.is_binary() && from.name != "tintype-standalone" {
                found.push(format!("{} depends on {}: binaries never depend on binaries", from.name, to.name));
            }
            if to.name == "tintype-testkit" {
                found.push(format!("{} depends on {}: a dev-dependency only", from.name, to.name));
            }
        }
    }
    found
}

fn pure() -> impl Iterator<Item = Purity> {
    PURE.iter().map(|(package, lists, reason)| Purity { package, refused: lists.concat().leak(), reason })
}

#[test]
fn dependency_trees_stay_pure() {
    let metadata = Metadata::load(&root(), "x86_64-unknown-linux-gnu");
    assert!(metadata.member("tintype-cache-key").is_some(), "the crate that the rule is about is there");
    let mut found: Vec<String> = pure().flat_map(|rule| impurities(&metadata, &rule)).collect();
    found.extend(bad_edges(&metadata));
    assert_none(&found);
}

#[cfg(test)]
mod tests {
    use super::{bad_edges, impurities, pure};
    use crate::metadata::Metadata;

    /// A workspace of two members where `from` depends on `to` in the way of `kind`.
    fn workspace(from: &str, to: &str, kind: &str, to_is_member: bool) -> Metadata {
        let package = |name: &str| {
            let source = if name == to && !to_is_member { "\"registry\"" } else { "null" };
            let target = if name == "tintype" { "bin" } else { "lib" };
            format!(
                r#"{{"id":"{name}","name":"{name}","version":"1.0.0","license":"MIT","source":{source},"targets":[{{"kind":["{target}"]}}]}}"#
            )
        };
        let members = if to_is_member { format!(r#""{from}","{to}""#) } else { format!(r#""{from}""#) };
        let text = format!(
            r#"{{"packages":[{},{}],"workspace_members":[{members}],"resolve":{{"nodes":[
                {{"id":"{from}","deps":[{{"pkg":"{to}","dep_kinds":[{{"kind":{kind}}}]}}]}},{{"id":"{to}","deps":[]}}]}}}}"#,
            package(from),
            package(to)
        );
        serde_json::from_str(&text).expect("the shape that cargo writes")
    }

    fn found(metadata: &Metadata) -> usize {
        pure().flat_map(|rule| impurities(metadata, &rule)).count() + bad_edges(metadata).len()
    }

    #[test]
    fn each_rule_finds_its_bad_example() {
        assert_eq!(found(&workspace("tintype-cache-key", "tokio-util", "null", false)), 1);
        assert_eq!(found(&workspace("tintype-signature", "png", "null", false)), 1);
        assert_eq!(found(&workspace("tintype-imaging", "http", "null", false)), 1);
        assert_eq!(found(&workspace("tintype-auth", "tintype", "null", true)), 1);
        assert_eq!(found(&workspace("tintype-service", "tintype-testkit", "null", true)), 1);
    }

    #[test]
    fn what_is_allowed_passes() {
        assert_eq!(found(&workspace("tintype-imaging", "png", "null", false)), 0);
        assert_eq!(found(&workspace("tintype-cache-key", "tokio", "\"dev\"", false)), 0);
        assert_eq!(found(&workspace("tintype-standalone", "tintype", "null", true)), 0);
        assert_eq!(found(&workspace("tintype-service", "tintype-testkit", "\"dev\"", true)), 0);
    }
}
