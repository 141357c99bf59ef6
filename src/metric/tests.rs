//! The page of all metrics, held against what a server registers.

use super::*;
use crate::app::App;
use crate::config::Config;
use crate::server::tls::Listener;
use crate::server::{Clock, Event, Handshake, Refusal};
use std::collections::BTreeSet;

/// `docs/metrics.md` lists every metric of a server that has done everything: `TINTYPE_BLESS=1` writes it anew.
#[test]
fn the_page_of_metrics_is_complete() {
    let disk = tempfile::tempdir().expect("a folder");
    let path = format!("cache.disk.path={}", disk.path().display());
    let root = format!("origins.0.root={}", disk.path().display());
    let config = service::config::load::<Config>(None, [], &[path, root]).expect("a sound config").config;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _within = runtime.enter();
    let mut registry = Registry::with_prefix("tintype");
    service::admin::register_build(&mut registry, "edge", "0");
    let app = App::build(&config, &mut registry, Clock::SYSTEM).expect("sound");
    let metrics = &app.metrics;
    metrics.request("hit", 200, 1, Duration::ZERO);
    metrics.stage("fetch", Duration::ZERO);
    metrics.fill("png".into());
    for count in [Metrics::fetch, Metrics::shed, Metrics::reload, Metrics::limited, Metrics::failure] {
        count(metrics, "x");
    }
    metrics.given_up();
    let ends = Event::CertificatesEnd(Listener::Public, std::time::UNIX_EPOCH);
    for event in [Event::Refused(Refusal::Connections), Event::Handshake(Handshake::Full), Event::Reloaded(true), ends]
    {
        metrics.doors.note(event);
    }
    let mut page = String::new();
    prometheus_client::encoding::text::encode(&mut page, &registry).expect("text");
    let written = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let fresh = table(&page);
    if std::env::var_os("TINTYPE_BLESS").is_some() {
        std::fs::write(written, &fresh).expect("docs/metrics.md can be written");
    }
    let text = std::fs::read_to_string(written).unwrap_or_default();
    assert_eq!(text, fresh, "TINTYPE_BLESS=1 cargo test -p tintype --lib metric:: writes it anew");
}

/// Name, type, labels and help of each family, by name.
fn table(page: &str) -> String {
    let mut rows = BTreeSet::new();
    let families = page.split("# HELP ").skip(1);
    for family in families {
        let (head, rest) = family.split_once('\n').expect("a type follows");
        let (name, help) = head.split_once(' ').expect("a help text");
        let kind = rest.split_once("# TYPE ").and_then(|(_, kind)| kind.lines().next()).unwrap_or_default();
        let kind = kind.rsplit(' ').next().unwrap_or_default();
        let suffix = if kind == "counter" { "_total" } else { "" };
        let mut labels = BTreeSet::new();
        for sample in rest.lines().filter(|line| !line.starts_with('#')) {
            let inside = sample
                .split_once('{')
                .filter(|(name, _)| !name.contains(' '))
                .and_then(|(_, rest)| rest.split_once('}'));
            for pair in inside.map_or("", |(pairs, _)| pairs).split(',').filter(|pair| pair.contains('=')) {
                labels.insert(pair.split('=').next().unwrap_or_default().to_owned());
            }
        }
        labels.remove("le");
        let labels = labels.into_iter().collect::<Vec<_>>().join(", ");
        rows.insert(format!("| `{name}{suffix}` | {kind} | {labels} | {help} |\n"));
    }
    let rows: String = rows.into_iter().collect();
    format!(
        "# Metrics\n\nAt `/metrics` of the admin listener, in the OpenMetrics text format, and by OTLP (docs/signals.md). This page is \
         written by a test.\nTiers, origins and leases are there where they are configured.\n\n\
         | metric | type | labels | what it tells |\n|---|---|---|---|\n{rows}"
    )
}
