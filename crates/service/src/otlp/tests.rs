//! Against a collector in the test, which reads what it is sent by the field numbers of opentelemetry-proto 1.x.

use super::*;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use testkit::collector::{Collector, all, attributes, number, one, text};
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt as _;

fn config(endpoint: &str) -> OtlpConfig {
    let sets = [format!("endpoint={endpoint}"), "authorization=Bearer let-me-in".to_owned(), "interval=1h".to_owned()];
    crate::config::load::<OtlpConfig>(None, [], &sets).expect("a sound config").config
}

#[tokio::test]
async fn spans_and_metrics_reach_a_collector() {
    let collector = Collector::start();
    let (layer, exporter) = open(&config(&collector.endpoint), "1.2.3").expect("sound").expect("configured");
    let only = tracing_subscriber::filter::filter_fn(|of| of.target() == TARGET);
    let subscriber = tracing_subscriber::registry().with(layer.expect("traces are on").with_filter(only));
    let caller = Propagation::W3c.read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let told = tracing::subscriber::with_default(subscriber, || {
        let request = enter(
            caller,
            || tracing::info_span!(target: TARGET, "request", status = tracing::field::Empty, failed = false),
        );
        let other = request.in_scope(|| tracing::info_span!("not one of ours"));
        let step = request.in_scope(|| {
            other.in_scope(|| tracing::info_span!(target: TARGET, "render", format = "avif", bytes = 7_u64))
        });
        let told = context_of(&request);
        assert_eq!(context_of(&other), None);
        let (field, value) = outgoing(&step).expect("recorded");
        assert!(field == TRACEPARENT && value.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"), "{field}: {value}");
        drop(step);
        request.record("status", 500_u64);
        request.record("failed", true);
        told
    });
    let mut registry = Registry::with_prefix("t");
    let (count, times) = (Counter::<u64>::default(), Histogram::new([0.1, 1.0]));
    count.inc_by(3);
    times.observe(0.05);
    times.observe(0.5);
    times.observe(5.0);
    registry.register("things", "Things counted", count);
    registry.register_with_unit("wait", "Waits", Unit::Seconds, times);
    let counts = exporter.counts();
    exporter.start(Arc::new(registry)).finish().await;
    assert_eq!(counts.failed.load(std::sync::atomic::Ordering::Relaxed), 0);

    let mut sent: Vec<_> = (0..2).map(|_| collector.next()).collect();
    sent.sort();
    let [(metrics_path, metrics), (traces_path, traces)] = &sent[..] else { panic!("two") };
    assert_eq!((metrics_path.as_str(), traces_path.as_str()), ("/v1/metrics", "/v1/traces"));
    spans_are_right(&one(traces, 1), told.expect("recorded"));
    metrics_are_right(&one(&one(metrics, 1), 2));
}

fn spans_are_right(group: &[u8], told: Context) {
    let resource = attributes(&one(group, 1), 1);
    assert!(resource.contains(&("service.name".into(), "tintype".into())), "{resource:?}");
    assert!(resource.contains(&("service.version".into(), "1.2.3".into())), "{resource:?}");
    let spans = all(&one(group, 2), 2);
    assert_eq!(spans.iter().map(|span| text(span, 5)).collect::<Vec<_>>(), ["render", "request"], "as they end");
    let (render, request) = (&spans[0], &spans[1]);
    for span in &spans {
        assert_eq!(one(span, 1), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes(), "the caller's trace");
        assert!(number(span, 7) <= number(span, 8) && number(span, 7) > Some(1_600_000_000_000_000_000));
        assert_eq!(number(span, 16), Some(1), "sampled");
    }
    assert_eq!(one(request, 2), told.span.to_be_bytes());
    assert_eq!(one(request, 4), 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes(), "below the caller");
    assert_eq!(one(render, 4), one(request, 2), "below the request");
    assert_eq!((number(request, 6), number(render, 6)), (Some(2), Some(1)), "server, internal");
    assert!(attributes(render, 9).contains(&("format".into(), "avif".into())));
    let status = all(request, 9).iter().find(|pair| text(pair, 1) == "status").map(|pair| number(&one(pair, 2), 3));
    assert_eq!(status, Some(Some(500)));
    assert_eq!(number(&one(request, 15), 3), Some(2), "an error");
    assert_eq!(number(&one(render, 15), 3), None);
}

fn metrics_are_right(scoped: &[u8]) {
    let metrics = all(scoped, 2);
    assert_eq!(metrics.iter().map(|metric| text(metric, 1)).collect::<Vec<_>>(), ["t_things", "t_wait_seconds"]);
    assert_eq!((text(&metrics[0], 2), text(&metrics[1], 3)), ("Things counted.".into(), "s".into()));
    let sum = one(&metrics[0], 7);
    assert_eq!((number(&sum, 2), number(&sum, 3)), (Some(2), Some(1)), "cumulative, monotonic");
    assert_eq!(number(&one(&sum, 1), 4).map(f64::from_bits), Some(3.0));
    let point = one(&one(&metrics[1], 9), 1);
    assert_eq!((number(&point, 4), number(&point, 5).map(f64::from_bits)), (Some(3), Some(5.55)));
    let eights =
        |field| one(&point, field).chunks(8).map(|b| u64::from_le_bytes(b.try_into().expect("8"))).collect::<Vec<_>>();
    assert_eq!(eights(6), [1, 1, 1]);
    assert_eq!(eights(7).into_iter().map(f64::from_bits).collect::<Vec<_>>(), [0.1, 1.0]);
}

#[tokio::test]
async fn a_collector_that_is_away_holds_nobody_up() {
    let (layer, exporter) = open(&config("http://127.0.0.1:9"), "1").expect("sound").expect("configured");
    let counts = exporter.counts();
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..5000 {
            drop(tracing::info_span!(target: TARGET, "request"));
        }
    });
    assert_eq!(counts.dropped.load(std::sync::atomic::Ordering::Relaxed), 5000 - 4096);
    exporter.start(Arc::new(Registry::default())).finish().await;
    assert_eq!(counts.sent.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn without_an_endpoint_it_is_off() {
    let off = crate::config::load::<OtlpConfig>(None, [], &[]).expect("the defaults").config;
    assert!(open(&off, "1").expect("sound").is_none());
    for wrong in ["https://collector", "ftp://x", "127.0.0.1", "http://x/?a=b"] {
        let set = format!("endpoint={wrong}");
        assert!(crate::config::load::<OtlpConfig>(None, [], &[set]).is_err(), "{wrong}");
    }
}
