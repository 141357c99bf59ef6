//! The bucket that renditions are kept in is slow, breaks off, lies, refuses, is throttled, is gone.

use super::{Edge, PATIENCE, right};
use crate::server::cache;
use std::time::{Duration, Instant};
use testkit::s3::{Inside, Moto};
use testkit::{Fault, Proxy};

const FAULTS: [Fault; 10] = [
    Fault::Refuse,
    Fault::Reset(0),
    Fault::Reset(5000),
    Fault::Truncate(0),
    Fault::Truncate(5000),
    Fault::Silent,
    Fault::Delay(Duration::from_secs(1)),
    Fault::Throttle(1000),
    Fault::Garbage(1),
    Fault::Garbage(997),
];

/// Short times: what is too slow here is a miss, which is right too.
fn sets(address: std::net::SocketAddr) -> Vec<String> {
    let mut sets = testkit::s3::sets("cache.s3", "cache.s3", address, "renditions");
    let own = ["timeout=150ms", "connect_timeout=150ms", "pause=50ms", "failures=2", "retries=0"];
    sets.extend(own.iter().map(|set| format!("cache.s3.{set}")));
    sets
}

fn edge(sets: &[String]) -> Edge {
    Edge::start(&sets.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn hits_do_not_notice_and_nothing_wrong_is_served() {
    let server = Inside::start(&["renditions"]);
    let proxy = Proxy::new(server.address);
    let edge = edge(&sets(proxy.address));
    // It keeps nothing in memory: whatever it is asked for, it asks the bucket.
    let forgetful = edge.other(&["cache.memory.bytes=0"]);
    let known: Vec<u32> = (0..4).map(|_| edge.miss().0).collect();
    edge.recovers("object");
    for fault in FAULTS {
        edge.hits_hold(&format!("{fault:?}"), |on| proxy.set(if on { fault } else { Fault::Pass }));
        for number in &known {
            right(&forgetful, *number);
        }
        proxy.set(Fault::Pass);
        edge.recovers("object");
    }
    edge.is_shared("object");
    let began = Instant::now();
    while cache(&right(&forgetful, known[0])) != "tintype; hit; detail=object" {
        assert!(began.elapsed() < PATIENCE, "it is not asked again: {}", edge.events("object"));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_bucket_that_refuses_is_missed_by_nobody() {
    let server = Inside::start(&["renditions"]);
    let edge = edge(&sets(server.address));
    edge.recovers("object");
    for refusal in [(503, "SlowDown"), (403, "AccessDenied"), (404, "NoSuchBucket"), (500, "InternalError")] {
        edge.hits_hold(refusal.1, |on| server.refuse(on.then_some(refusal)));
        server.refuse(None);
        edge.recovers("object");
    }
    edge.is_shared("object");
}

#[test]
fn a_bucket_that_is_taken_away_and_made_again() {
    let Some(server) = Moto::start(&["renditions"]) else { return };
    // moto takes its time.
    let mut sets = sets(server.address);
    sets.push("cache.s3.timeout=30s".to_owned());
    let edge = edge(&sets);
    edge.recovers("object");
    let failed = "tintype_tier_events_total{tier=\"object\",event=\"write-failed\"}";
    let listed = server.ask("GET", "/renditions?list-type=2", &[], b"").text();
    for key in listed.split("<Key>").skip(1).filter_map(|rest| rest.split('<').next()) {
        assert_eq!(server.ask("DELETE", &format!("/renditions/{key}"), &[], b"").status, 204);
    }
    assert_eq!(server.ask("DELETE", "/renditions", &[], b"").status, 204, "an empty bucket");
    let began = Instant::now();
    while edge.server.metric(failed) == 0.0 {
        edge.miss();
        assert!(began.elapsed() < PATIENCE, "nobody notices: {}", edge.events("object"));
    }
    assert_eq!(server.ask("PUT", "/renditions", &[], b"").status, 200);
    edge.recovers("object");
}
