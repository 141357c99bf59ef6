//! A caller's trace and request id are found again wherever the request leads: its answer, ingest's log, the event, the jobs in
//! other processes, the purge at the edge.

use crate::fleet::Fleet;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use testkit::collector::{self, Collector};
use testkit::wire::{self, Connection, Reply};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const ID: &str = "proof-of-the-way-1";

fn send(address: SocketAddr, method: &str, target: &str, fields: &[(&str, &str)], body: &[u8]) -> Reply {
    let length = body.len().to_string();
    let fields = [fields, &[("content-length", length.as_str()), ("connection", "close")]].concat();
    let message = [wire::head(method, target, &fields).as_bytes(), body].concat();
    let asked = Connection::open(address).and_then(|mut connection| {
        connection.send(&message)?;
        connection.reply(method)
    });
    asked.unwrap_or_else(|error| panic!("{method} {target}: {error}"))
}

/// Services and names of the spans of our trace in an export; jobs with their kind.
fn spans(export: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for resource in collector::all(export, 1) {
        let about = collector::attributes(&collector::one(&resource, 1), 1);
        let service = about.iter().find(|(name, _)| name == "service.name").expect("a service").1.clone();
        for span in collector::all(&resource, 2).iter().flat_map(|scope| collector::all(scope, 2)) {
            let trace: String = collector::one(&span, 1).iter().map(|byte| format!("{byte:02x}")).collect();
            if trace == TRACE {
                let kind = collector::attributes(&span, 9).into_iter().find(|(name, _)| name == "kind");
                let kind = kind.map(|(_, kind)| format!(" {kind}")).unwrap_or_default();
                found.insert(format!("{service}: {}{kind}", collector::text(&span, 5)));
            }
        }
    }
    found
}

#[test]
fn one_trace_and_one_request_id_lead_through_all_processes() {
    let collector = Collector::start();
    let all = [
        format!("otlp.endpoint={}", collector.endpoint),
        "otlp.authorization=Bearer let-me-in".to_owned(),
        "otlp.metrics=false".to_owned(),
        "otlp.sample=0.0".to_owned(),
    ];
    // Nobody listens there, and it would not be asked: jobs that stay, with their events.
    let hook = ["ingest.webhooks.0.url=http://127.0.0.1:9/", "ingest.webhooks.0.secret=a secret of the webhook"];
    let Some(fleet) = Fleet::start(&all, &[], &hook.map(str::to_owned)) else { return };
    let address = fleet.gateway.address;
    let body = json!({ "email": "admin@localhost", "password": fleet.password }).to_string();
    let signed = send(address, "POST", "/auth/v1/sign-in", &[("content-type", "application/json")], body.as_bytes());
    let signed: Value = serde_json::from_slice(&signed.body).expect("JSON");
    let bearer = format!("Bearer {}", signed["accessToken"].as_str().expect("a token"));
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let fields = [("authorization", bearer.as_str()), ("x-request-id", ID), ("traceparent", &parent)];
    for seed in [1, 2] {
        let put = send(address, "PUT", "/ingest/v1/files/traced.png", &fields, &testkit::picture::noise(8, 8, seed));
        assert!(put.status < 300 && put.field("x-request-id") == ID, "{} {}", put.status, put.text());
    }

    let mut found = BTreeSet::new();
    let wanted = ["tintype-ingest: request", "tintype-ingest: job publish", "tintype-index: job index"];
    let began = Instant::now();
    while !wanted.iter().all(|wanted| found.contains(*wanted)) {
        assert!(began.elapsed() < Duration::from_secs(30), "{found:?}");
        let (path, export) = collector.next();
        assert_eq!(path, "/v1/traces");
        found.extend(spans(&export));
    }
    // The event says it too, and so does the job that tells of it.
    let jobs = send(address, "GET", "/index/v1/jobs?kind=webhook&tenant=main", &fields[..1], b"");
    let jobs: Value = serde_json::from_slice(&jobs.body).expect("JSON");
    let jobs = jobs["items"].as_array().expect("a page");
    assert!(!jobs.is_empty());
    for job in jobs {
        for place in [&job["trace"], &job["payload"]["event"]["trace"]] {
            assert!(place.as_str().is_some_and(|trace| trace.contains(TRACE)), "{job}");
        }
    }
    let [_auth, edge, ingest, ..] = &fleet.parts[..] else { panic!("five parts") };
    assert!(
        ingest.log().lines().any(|line| line.contains(ID) && line.contains("/ingest/v1/files")),
        "{}",
        ingest.log()
    );
    let purges = edge.log();
    let mut purges = purges.lines().filter(|line| line.contains("admin act") && line.contains("/purge"));
    assert!(purges.any(|line| line.contains(TRACE)), "{}", edge.log());
}
