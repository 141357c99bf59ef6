//! Redis dies, freezes, refuses, drips, breaks off, lies.

use super::{Edge, right};
use crate::server::cache;
use std::time::Duration;
use testkit::{Fault, Proxy, Redis};

const FAULTS: [Fault; 10] = [
    Fault::Refuse,
    Fault::Reset(0),
    Fault::Reset(100),
    Fault::Truncate(0),
    Fault::Truncate(100),
    Fault::Silent,
    Fault::Delay(Duration::from_secs(1)),
    Fault::Throttle(1000),
    Fault::Garbage(1),
    Fault::Garbage(997),
];

/// Short times: what is too slow here is a miss, which is right too.
fn sets(address: std::net::SocketAddr) -> Vec<String> {
    let times = "cache.redis.timeout=100ms cache.redis.connect_timeout=200ms cache.redis.pause=50ms";
    let more = "cache.redis.failures=2 cache.redis.connections=2";
    let url = format!("cache.redis.urls=redis://{address}");
    times.split(' ').chain(more.split(' ')).map(str::to_owned).chain([url]).collect()
}

fn edge(address: std::net::SocketAddr) -> Edge {
    let sets = sets(address);
    Edge::start(&sets.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn hits_do_not_notice_and_nothing_wrong_is_served() {
    let Some(redis) = Redis::start(&[]) else { return };
    let proxy = Proxy::new(redis.address);
    let edge = edge(proxy.address);
    // It keeps nothing in memory: whatever it is asked for, it asks Redis.
    let forgetful = edge.other(&["cache.memory.bytes=0"]);
    let known: Vec<u32> = (0..8).map(|_| edge.miss().0).collect();
    edge.recovers("redis");
    for fault in FAULTS {
        edge.hits_hold(&format!("{fault:?}"), |on| proxy.set(if on { fault } else { Fault::Pass }));
        for number in &known {
            right(&forgetful, *number);
        }
        proxy.set(Fault::Pass);
        edge.recovers("redis");
    }
    edge.is_shared("redis");
    let began = std::time::Instant::now();
    while cache(&right(&forgetful, known[0])) != "tintype; hit; detail=redis" {
        assert!(began.elapsed() < super::PATIENCE, "it is not asked again");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A flipped byte within a long answer leaves the protocol whole: only the checksum tells.
#[test]
fn what_comes_back_altered_is_made_again() {
    let Some(redis) = Redis::start(&[]) else { return };
    let proxy = Proxy::new(redis.address);
    // With time for a busy machine: here every answer has to come.
    let mut sets = sets(proxy.address);
    sets.extend(["cache.redis.timeout=30s".to_owned(), "cache.redis.failures=1000".to_owned()]);
    let edge = Edge::start(&sets.iter().map(String::as_str).collect::<Vec<_>>());
    let forgetful = edge.other(&["cache.memory.bytes=0"]);
    let damaged = "tintype_tier_events_total{tier=\"redis\",event=\"damaged\"}";
    let (number, _) = edge.miss();
    edge.server.until("tintype_tier_events_total{tier=\"redis\",event=\"written\"}", 1.0);
    assert_eq!(cache(&right(&forgetful, number)), "tintype; hit; detail=redis");
    proxy.set(Fault::Garbage(5000));
    assert_eq!(cache(&right(&forgetful, number)), "tintype; fwd=miss; stored");
    assert_eq!(forgetful.metric(damaged), 1.0);
}

/// Another entry's bytes, whole and sound, under this name: as after a connection that lost count, or a bad restore.
#[test]
fn entries_under_each_others_names_are_served_to_nobody() {
    let Some(redis) = Redis::start(&[]) else { return };
    let url = format!("cache.redis.urls={}", redis.url());
    let edge = Edge::start(&[&url, "cache.redis.timeout=30s"]);
    let written = "tintype_tier_events_total{tier=\"redis\",event=\"written\"}";
    let numbers = [edge.miss().0, edge.miss().0];
    edge.server.until(written, 2.0);
    let keys: Vec<String> =
        redis.tell("KEYS tintype:*").lines().filter(|line| line.contains(':')).map(str::to_owned).collect();
    let [one, two] = &keys[..] else { panic!("two entries: {keys:?}") };
    for (from, to) in [(one.as_str(), "x"), (two, one), ("x", two)] {
        assert!(redis.tell(&format!("RENAME {from} {to}")).starts_with("+OK"));
    }
    let other = edge.other(&[]);
    for number in numbers {
        assert_eq!(cache(&right(&other, number)), "tintype; fwd=miss; stored");
    }
    assert_eq!(other.metric("tintype_tier_events_total{tier=\"redis\",event=\"damaged\"}"), 2.0);
}

#[test]
fn killed_and_frozen() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    let edge = edge(redis.address);
    edge.recovers("redis");
    edge.hits_hold("a frozen Redis", |on| if on { redis.freeze() } else { redis.thaw() });
    redis.thaw();
    edge.recovers("redis");
    edge.hits_hold("a dead Redis", |on| if on { redis.kill() } else { redis.restart() });
    redis.restart();
    edge.recovers("redis");
    edge.is_shared("redis");
}

#[test]
fn full() {
    let full = ["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"];
    let Some(redis) = Redis::start(&full) else { return };
    let edge = edge(redis.address);
    let began = std::time::Instant::now();
    let dropped = |edge: &Edge| edge.server.metric("tintype_tier_events_total{tier=\"redis\",event=\"write-failed\"}");
    while dropped(&edge) == 0.0 {
        assert!(began.elapsed() < super::PATIENCE, "it is not full");
        edge.miss();
    }
    let memory = |bytes| assert!(redis.tell(&format!("CONFIG SET maxmemory {bytes}")).starts_with("+OK"));
    edge.hits_hold("a full Redis", |on| memory(if on { "1mb" } else { "100mb" }));
    memory("100mb");
    edge.recovers("redis");
}
