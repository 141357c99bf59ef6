//! Who may name whom, by folder. A rule says which mentions it is about and where they are allowed; everywhere else in
//! its scope they are a violation. Folders that do not exist yet are no violation: the rule waits for them.

use crate::source::{self, Source};
use crate::{assert_none, root};

/// `names` (whole path prefixes, with `::` behind them where the bare word is no mention, or a single segment with `*::`) may appear in `scope` only below `allowed`.
struct Rule {
    names: &'static [&'static str],
    scope: &'static [&'static str],
    allowed: &'static [&'static str],
    reason: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        names: &["crate::cache"],
        scope: &["src/render", "src/semantics"],
        allowed: &[],
        reason: "only handler and fill compose cache, origin, render and semantics",
    },
    Rule {
        names: &["origin::"],
        scope: &["src/cache", "src/render", "src/semantics"],
        allowed: &[],
        reason: "only handler and fill compose cache, origin, render and semantics",
    },
    Rule {
        names: &["crate::render"],
        scope: &["src/cache", "src/semantics"],
        allowed: &[],
        reason: "only handler and fill compose cache, origin, render and semantics",
    },
    Rule {
        names: &["crate::semantics"],
        scope: &["src/cache", "src/render"],
        allowed: &[],
        reason: "only handler and fill compose cache, origin, render and semantics",
    },
    Rule {
        names: &["crate::server", "crate::handler", "crate::fill", "crate::making", "crate::app"],
        scope: &["src/cache", "src/render", "src/semantics", "src/error.rs"],
        allowed: &[],
        reason: "leaves do not know who calls them",
    },
    Rule {
        names: &["*::StatusCode"],
        scope: &["src"],
        allowed: &["src/semantics", "src/semantics.rs", "src/server", "src/server.rs"],
        reason: "errors know whose fault it is, not which status; one match in semantics maps them",
    },
    Rule {
        names: &["http", "hyper", "hyper_util"],
        scope: &["src/error.rs", "src/cache", "src/render"],
        allowed: &[],
        reason: "errors, tiers and the render pool know no HTTP",
    },
    Rule {
        names: &["tokio", "hyper_util"],
        scope: &["src/semantics", "src/semantics.rs"],
        allowed: &[],
        reason: "semantics are pure functions: no I/O, no timers",
    },
    Rule {
        names: &["moka"],
        scope: &["src", "crates"],
        allowed: &["src/cache/memory.rs", "src/cache/memory", "crates/search/src/kept.rs"],
        reason: "a concrete client is named in its tier's file only",
    },
    Rule {
        names: &["redis::"],
        scope: &["src", "crates"],
        allowed: &[
            "src/cache/redis",
            "crates/access/src/ended.rs",
            "crates/finder/src/shared.rs",
            "crates/testkit/src/lib.rs",
        ],
        reason: "a concrete client is named in its tier's file only",
    },
    Rule {
        names: &["aws_config", "aws_credential_types", "aws_smithy_http_client", "aws_smithy_runtime_api"],
        scope: &["src", "crates"],
        allowed: &["crates/aws"],
        reason: "one place configures clients of AWS services and reads their errors",
    },
    Rule {
        names: &["aws_sdk_s3"],
        scope: &["src", "crates"],
        allowed: &[
            "crates/aws",
            "src/cache/object.rs",
            "src/cache/object",
            "crates/origin/src/s3",
            "crates/store/src/s3",
        ],
        reason: "a concrete client is named in its tier's or origin's file only",
    },
    Rule {
        names: &["aws_sdk_secretsmanager"],
        scope: &["src"],
        allowed: &["src/secret/aws.rs"],
        reason: "a concrete client is named in one file only",
    },
    Rule {
        names: &["aws_sdk_cloudfront"],
        scope: &["src"],
        allowed: &["src/purge/cloudfront"],
        reason: "a concrete client is named in one place only",
    },
    Rule {
        names: &["aws_sdk_dynamodb"],
        scope: &["src", "crates"],
        allowed: &["crates/catalog/src/dynamodb"],
        reason: "a concrete client is named in one place only",
    },
    Rule {
        names: &["aws_sdk_sqs"],
        scope: &["src", "crates"],
        allowed: &["crates/jobs/src/sqs", "crates/ingest/src/arrivals"],
        reason: "a concrete client is named in one place only",
    },
    Rule {
        names: &["sqlx"],
        scope: &["src", "crates"],
        allowed: &["crates/catalog", "crates/jobs", "crates/auth", "crates/ingest"],
        reason: "databases are spoken to by the crates that own their tables",
    },
    Rule {
        names: &["tantivy"],
        scope: &["src", "crates"],
        allowed: &["crates/finder/src/tantivy"],
        reason: "a concrete engine is named in one place only",
    },
    Rule {
        names: &["prometheus_client::metrics", "prometheus_client::encoding"],
        scope: &["src"],
        allowed: &["src/metric.rs", "src/metric"],
        reason: "one place names metrics; others only hand the registry round",
    },
    Rule {
        names: &["unsafe"],
        scope: &["src", "crates"],
        allowed: &["crates/imaging", "crates/jpeg"],
        reason: "unsafe lives in the pixel crates, each block with its proof",
    },
];

/// Reading a clock: `now()` of either type, or `.elapsed()`.
const CLOCK: &[&str] = &["Instant::now", "SystemTime::now", ".elapsed"];

/// Who may read it. All other code takes `now` as an argument, so that tests and replays choose the time.
const CLOCK_READERS: &[(&str, &str)] = &[
    ("src/server", "sockets: idle and header timeouts, and the one `now` of each request"),
    ("src/cli", "a command tells how long it took"),
    ("src/main.rs", "start-up and drain are timed"),
    ("src/render/pool", "background: how long a job waited and worked"),
    ("src/metric.rs", "the process's start time"),
    ("src/cache/guarded.rs", "background: how long a tier is left alone"),
    ("crates/access", "tokens have an end"),
    ("crates/auth", "the server itself, and its background loops"),
    ("crates/catalog", "background: leases of the outbox"),
    ("crates/client", "a command tells how long it took"),
    ("crates/companion", "the server itself"),
    ("crates/finder", "background: commits and generations"),
    ("crates/index", "the server itself, and its background loops"),
    ("crates/ingest", "the server itself, and its background loops"),
    ("crates/jobs", "background: leases, back-off"),
    ("crates/search", "the server itself"),
    ("crates/standalone", "the server itself"),
    ("crates/store", "background: when uploads expire"),
    ("src/cache/contract.rs", "tests only"),
    ("crates/service", "drain deadlines, uptime, the timestamps of logs"),
    ("crates/testkit", "never shipped"),
    ("crates/imaging/src/limits.rs", "a render's deadline is asked between its steps"),
    ("crates/imaging/src/render.rs", "a rendition tells how long its stages took"),
];

fn below(path: &str, folder: &str) -> bool {
    path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/') || rest.starts_with('.'))
}

fn names(path: &str, wanted: &str) -> bool {
    let segments = |text: &str| text.split("::").map(str::to_owned).collect::<Vec<_>>();
    match wanted.strip_prefix("*::") {
        Some(segment) => segments(path).iter().any(|s| s == segment),
        None => match wanted.strip_suffix("::") {
            Some(root) => path.contains("::") && segments(path).starts_with(&segments(root)),
            None => segments(path).starts_with(&segments(wanted)),
        },
    }
}

/// Production code: `src/` and the crates' `src/`, without the modules of unit tests.
fn is_production(path: &str) -> bool {
    let in_src = path.starts_with("src/") || (path.starts_with("crates/") && path.contains("/src/"));
    in_src && !path.ends_with("/tests.rs") && !path.contains("/tests/")
}

fn violations(source: &Source) -> Vec<String> {
    let mentions = match source.mentions() {
        Ok(mentions) => mentions,
        Err(error) => return vec![error],
    };
    let mut found = Vec::new();
    for mention in mentions {
        let mut report =
            |reason: &str| found.push(format!("{}:{}: {}: {reason}", source.path, mention.line, mention.path));
        for rule in RULES {
            let hit = rule.names.iter().any(|name| names(&mention.path, name));
            let in_scope = rule.scope.iter().any(|folder| below(&source.path, folder));
            if hit && in_scope && !rule.allowed.iter().any(|folder| below(&source.path, folder)) {
                report(rule.reason);
            }
        }
        let reads = CLOCK.iter().any(|call| mention.path == *call || mention.path.ends_with(&format!("::{call}")));
        if reads && !CLOCK_READERS.iter().any(|(folder, _)| below(&source.path, folder)) {
            report("`now` is an argument; only the server and background loops read the clock (CLOCK_READERS)");
        }
    }
    found
}

#[test]
fn direction_holds() {
    let sources = source::all(&root());
    assert!(sources.iter().any(|s| s.path == "src/main.rs"), "the sources were not found");
    let production = sources.iter().filter(|s| is_production(&s.path));
    assert_none(&production.flat_map(violations).collect::<Vec<_>>());
}

#[cfg(test)]
mod tests {
    use super::violations;
    use crate::source::Source;

    fn count(path: &str, text: &str) -> usize {
        violations(&Source { path: path.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn each_rule_finds_its_bad_example() {
        for (path, text) in [
            ("src/render/pool.rs", "use crate::cache::Tier;"),
            ("src/render/pool.rs", "use super::super::cache;"),
            ("src/cache/memory.rs", "use origin::Original;"),
            ("src/semantics/range.rs", "fn f() { crate::render::pool() }"),
            ("src/render/pool.rs", "use crate::semantics::problem;"),
            ("src/render/pool.rs", "use tintype::semantics::problem;"),
            ("src/cache/tier.rs", "use crate::fill::fill;"),
            ("src/render/pool.rs", "use crate::making::Source;"),
            ("src/fill.rs", "use http::StatusCode;"),
            ("src/handler.rs", "fn f() { hyper::StatusCode::OK }"),
            ("src/error.rs", "use http::Method;"),
            ("src/semantics/range.rs", "use tokio::time::sleep;"),
            ("src/cache/tier.rs", "use moka::sync::Cache;"),
            ("src/cache/memory.rs", "use redis::Client;"),
            ("src/cache/object.rs", "use aws_config::Region;"),
            ("crates/origin/src/http/mod.rs", "use aws_sdk_s3::Client;"),
            ("src/handler.rs", "use prometheus_client::metrics::counter::Counter;"),
            ("src/server/conn.rs", "fn f() { unsafe { g() } }"),
            ("crates/service/src/drain.rs", "unsafe fn f() {}"),
            ("src/handler.rs", "fn f() { std::time::Instant::now() }"),
            ("src/cache/memory.rs", "use std::time::SystemTime; fn f() { SystemTime::now() }"),
            ("src/fill.rs", "fn f(t: Instant) { t.elapsed() }"),
            ("crates/cache-key/src/lib.rs", "fn f() { info!(at = Instant::now()) }"),
        ] {
            assert_eq!(count(path, text), 1, "{path}: {text}");
        }
    }

    #[test]
    fn what_is_allowed_passes() {
        for (path, text) in [
            ("src/handler.rs", "use crate::{cache, origin, render, semantics};"),
            ("src/fill.rs", "use crate::cache::Tier; use origin::Origin;"),
            ("src/semantics/problem.rs", "use http::StatusCode;"),
            ("src/app.rs", "use prometheus_client::registry::Registry;"),
            ("src/server/conn.rs", "fn f() { Instant::now() }"),
            ("src/cache/memory.rs", "use moka::sync::Cache; use super::tier::Tier;"),
            ("src/cache/memory.rs", "fn f(now: Instant) { cached(now) }"),
            ("crates/imaging/src/scratch.rs", "fn f() { unsafe { g() } }"),
            ("src/render/pool.rs", "#[cfg(test)] mod tests { use crate::cache; }"),
        ] {
            assert_eq!(count(path, text), 0, "{path}: {text}");
        }
    }

    #[test]
    fn a_file_that_is_not_rust_is_a_violation() {
        assert_eq!(count("src/handler.rs", "fn f( {"), 1);
    }
}
