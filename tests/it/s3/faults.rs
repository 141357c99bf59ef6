//! A bucket behind a proxy that does harm: an answer in time whatever it does, and the pictures again afterwards.

use super::{edge, png, start};
use crate::server::cache;
use std::time::{Duration, Instant};
use testkit::s3::Inside;
use testkit::{Fault, Folder, Proxy, picture};

const SHORT: [&str; 7] = [
    "origins.1.s3.timeout=2s",
    "origins.1.s3.connect_timeout=300ms",
    "origins.1.s3.response_timeout=300ms",
    "origins.1.s3.pause_timeout=300ms",
    "origins.1.s3.retries=0",
    "origins.1.s3.breaker_failures=0",
    "routes.1.fetch.stale_if_error=0s",
];

#[test]
fn an_origin_that_fails_in_any_way_is_answered_for_and_comes_back() {
    let server = Inside::start(&["originals"]);
    server.put("originals", "a.png", picture::noise(300, 300, 1));
    let proxy = Proxy::new(server.address);
    let edge = edge(proxy.address, &SHORT);
    for (fault, status) in [
        (Fault::Refuse, 502),
        (Fault::Reset(0), 502),
        (Fault::Reset(20_000), 502),
        (Fault::Truncate(20_000), 502),
        (Fault::Garbage(1), 502),
        (Fault::Silent, 504),
        (Fault::Delay(Duration::from_secs(5)), 504),
        (Fault::Throttle(20_000), 504),
    ] {
        proxy.set(fault);
        let reply = edge.get("/media/a.png?w=9");
        assert_eq!((reply.status, reply.field("content-type")), (status, "application/problem+json"), "{fault:?}");
        proxy.set(Fault::Pass);
        assert_eq!(until_well(&edge, "/media/a.png?w=9"), 200, "after {fault:?}");
    }
}

/// The status once it is no failure any more. A connection that broke may be met once more.
fn until_well(edge: &crate::server::Server, target: &str) -> u16 {
    let began = Instant::now();
    loop {
        let status = edge.get(target).status;
        if status < 500 || began.elapsed() > Duration::from_secs(30) {
            return status;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_bucket_that_keeps_failing_is_left_alone_and_taken_up_again() {
    let server = Inside::start(&["originals"]);
    server.put("originals", "a.png", png());
    let proxy = Proxy::new(server.address);
    let breaker = ["origins.1.s3.breaker_failures=2", "origins.1.s3.breaker_pause=200ms", "origins.1.s3.retries=0"];
    let edge = edge(proxy.address, &breaker);
    proxy.set(Fault::Refuse);
    let open = "tintype_origin_hosts_open{origin=\"media\"}";
    let began = Instant::now();
    while edge.metric(open) == 0.0 {
        assert_eq!(edge.get("/media/a.png?w=9").status, 502);
        assert!(began.elapsed() < Duration::from_secs(30), "it is never left alone");
        std::thread::sleep(Duration::from_millis(100));
    }
    proxy.set(Fault::Pass);
    assert_eq!(until_well(&edge, "/media/a.png?w=9"), 200);
    assert_eq!(edge.metric(open), 0.0);
}

#[test]
fn a_tier_that_dies_is_missed_by_nobody_and_taken_up_again() {
    let server = Inside::start(&["renditions"]);
    let proxy = Proxy::new(server.address);
    let folder = Folder::new();
    folder.put("a.png", picture::noise(80, 60, 1));
    let mut sets = testkit::s3::sets("cache.s3", "cache.s3", proxy.address, "renditions");
    let more = ["timeout=200ms", "connect_timeout=200ms", "retries=0", "failures=1", "pause=50ms"];
    sets.extend(more.iter().map(|set| format!("cache.s3.{set}")));
    sets.push(format!("origins.0.root={}", folder.root().display()));
    let edge = start(&sets);
    let mut width = 0;
    for fault in [Fault::Refuse, Fault::Silent, Fault::Garbage(1), Fault::Reset(10)] {
        proxy.set(fault);
        for _ in 0..5 {
            width += 1;
            let target = format!("/img/a.png?w={width}");
            let made = edge.get(&target);
            assert_eq!((made.status, cache(&made).as_str()), (200, "tintype; fwd=miss; stored"), "{fault:?}");
            assert_eq!(cache(&edge.get(&target)), "tintype; hit; detail=memory");
        }
    }
    assert!(edge.metric("tintype_tier_events_total{tier=\"object\",event=\"read-failed\"}") > 0.0);
    proxy.set(Fault::Pass);
    let began = Instant::now();
    while edge.metric("tintype_tier_events_total{tier=\"object\",event=\"written\"}") == 0.0 {
        width += 1;
        assert_eq!(edge.get(&format!("/img/a.png?w={width}&enlarge=1")).status, 200);
        assert!(began.elapsed() < Duration::from_secs(60), "it is not taken up again");
        std::thread::sleep(Duration::from_millis(10));
    }
}
