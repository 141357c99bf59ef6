//! What the real process tells of itself: traces and metrics to a collector, the access log, the page of all metrics.

use crate::server::sets;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::collector::{Collector, all, attributes, number, one, text};
use testkit::{Act, Folder, Origin, Process, picture, wire};

const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

fn process(more: &[&str]) -> (Process, Folder) {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(60, 40));
    (Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets(&folder, more)), folder)
}

/// With an HTTP origin at `/web/`.
fn web(origin: &Origin) -> [String; 6] {
    [
        "origins.1.name=web".to_owned(),
        "origins.1.kind=http".to_owned(),
        format!("origins.1.base={}", origin.base()),
        "origins.1.allow_private=127.0.0.0/8".to_owned(),
        "routes.1.prefix=/web/".to_owned(),
        "routes.1.origin=web".to_owned(),
    ]
}

#[test]
fn a_request_and_its_steps_are_one_trace_from_the_caller_to_the_origin() {
    let (collector, origin) = (Collector::start(), Origin::new());
    origin.on("/b.png", [Act::ok(&[("cache-control", "max-age=60")], picture::gradient(60, 40))]);
    let endpoint = format!("otlp.endpoint={}", collector.endpoint);
    let web = web(&origin);
    let sets = [&endpoint[..], "otlp.authorization=Bearer let-me-in", "otlp.sample=0.0", "otlp.metrics=false"];
    let (process, _folder) = process(&[&sets[..], &web.each_ref().map(String::as_str)].concat());
    assert_eq!(wire::get(process.address, "/web/b.png?w=20", &[]).status, 200, "not recorded");
    let sampled = [("traceparent", CALLER)];
    assert_eq!(wire::get(process.address, "/web/b.png?w=21", &sampled).status, 200);
    let not = [("traceparent", &*CALLER.replace("-01", "-00"))];
    assert_eq!(wire::get(process.address, "/web/b.png?w=22", &not).status, 200);
    assert_eq!(wire::get(process.address, "/web/c.png?w=22", &sampled).status, 404);
    process.terminate();
    let (status, log) = process.wait(Duration::from_secs(60));
    assert!(status.success(), "{log}");

    let mut spans = Vec::new();
    let named = |spans: &[Vec<u8>], name: &str| spans.iter().filter(|span| text(span, 5) == name).count();
    while named(&spans, "request") < 2 {
        let (path, body) = collector.next();
        assert_eq!(path, "/v1/traces");
        for scoped in all(&one(&body, 1), 2) {
            spans.extend(all(&scoped, 2));
        }
    }
    assert!(spans.iter().all(|span| one(span, 1) == TRACE.to_be_bytes()), "the caller's trace only");
    let names: BTreeSet<String> = spans.iter().map(|span| text(span, 5)).collect();
    let expected = ["fetch", "look below", "original", "queue", "render", "request"];
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    let whole = |span: &&Vec<u8>| text(span, 5) == "request";
    let statuses: BTreeSet<_> = spans.iter().filter(whole).flat_map(|span| all(span, 9)).collect();
    let of = |value| {
        statuses
            .iter()
            .any(|pair| text(pair, 1) == "http.response.status_code" && number(&one(pair, 2), 3) == Some(value))
    };
    assert!(of(200) && of(404));
    let ids: BTreeSet<_> = spans.iter().map(|span| one(span, 2)).collect();
    let caller = 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes().to_vec();
    assert!(spans.iter().all(|span| ids.contains(&one(span, 4)) || one(span, 4) == caller), "each has its parent");
    let render = spans.iter().find(|span| text(span, 5) == "render").expect("there is one");
    assert!(attributes(render, 9).contains(&("format".to_owned(), "png".to_owned())));
    // The origin is told which step asked it.
    let told: Vec<_> = origin.asked().iter().map(|asked| asked.field("traceparent").map(str::to_owned)).collect();
    let fetches = spans.iter().filter(|span| text(span, 5) == "fetch").count();
    let of_ours = told.iter().flatten().filter(|told| told.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-")).count();
    assert_eq!((of_ours, told.iter().flatten().count()), (fetches, fetches), "{told:?}");
    assert_eq!(told.first(), Some(&None), "the first request was not recorded");
}

#[test]
fn metrics_reach_a_collector_and_buckets_name_traces() {
    let collector = Collector::start();
    let endpoint = format!("otlp.endpoint={}", collector.endpoint);
    let sets = ["otlp.authorization=Bearer let-me-in", "otlp.sample=1.0", "otlp.propagation=xray", "otlp.interval=1h"];
    let (process, _folder) = process(&[&[&endpoint[..]], &sets[..]].concat());
    assert_eq!(wire::get(process.address, "/img/a.png?w=20", &[]).status, 200);
    let page = wire::get(process.admin, "/metrics", &[]).text();
    assert!(page.contains("# {trace_id=\""), "{page}");
    process.terminate();
    assert!(process.wait(Duration::from_secs(60)).0.success());
    let metrics = loop {
        let (path, body) = collector.next();
        if path == "/v1/metrics" {
            break all(&one(&one(&body, 1), 2), 2);
        }
    };
    let fills = metrics.iter().find(|metric| text(metric, 1) == "tintype_fills").expect("a rendition was made");
    let point = one(&one(fills, 7), 1);
    assert_eq!(attributes(&point, 7), [("format".to_owned(), "png".to_owned())]);
    assert_eq!(number(&point, 4).map(f64::from_bits), Some(1.0));
}

#[test]
fn the_access_log_has_a_line_for_each_request_and_all_errors_whatever_the_sample() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("access.log");
    let file = format!("access_log.file={}", path.display());
    let (process, _originals) = process(&["access_log.format=json", "access_log.sample=0.0", &file]);
    assert_eq!(wire::get(process.address, "/img/a.png?w=20", &[]).status, 200);
    assert_eq!(wire::get(process.address, "/img/none.png?w=20&s=secret", &[("user-agent", "it\"s me")]).status, 404);
    process.terminate();
    assert!(process.wait(Duration::from_secs(60)).0.success());
    let text = std::fs::read_to_string(&path).expect("a log");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let [line] = &lines[..] else { panic!("the error alone: {text}") };
    assert_eq!((&line["status"], &line["target"]), (&404.into(), &"/img/none.png?w=20&s=…".into()));
    assert_eq!((&line["user_agent"], &line["client"]), (&"it\"s me".into(), &"127.0.0.1".into()));

    let other = folder.path().join("combined.log");
    let file = format!("access_log.file={}", other.display());
    let (process, _originals) = self::process(&["access_log.format=combined", &file]);
    assert_eq!(wire::get(process.address, "/img/a.png?w=20", &[]).status, 200);
    let began = Instant::now();
    while !std::fs::read_to_string(&other).expect("a log").contains("\"GET /img/a.png?w=20 HTTP/1.1\" 200 ") {
        assert!(began.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(5));
    }
}
