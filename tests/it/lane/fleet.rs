//! AVIF that is put off, in a fleet that shares a Redis: made once, found by all, and not lost with an instance.

use super::{AVIF, SETS, TARGET, is_quick, kind, photograph};
use crate::server::{Server, cache, sets};
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::{Folder, Process, Redis, wire};

const JOBS: &str = "ZCARD tintype:{lane}:jobs";

fn with(redis: &Redis, more: &[&str]) -> Vec<String> {
    let own = [format!("cache.redis.urls={}", redis.url()), "cache.redis.timeout=30s".to_owned()];
    SETS.iter().chain(more).map(|set| (*set).to_owned()).chain(own).collect()
}

fn instance(root: &Folder, sets: &[String]) -> Server {
    let root = format!("origins.0.root={}", root.root().display());
    Server::start(&sets.iter().map(String::as_str).chain([root.as_str()]).collect::<Vec<_>>())
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(90), "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn two_instances_make_it_once_and_both_come_to_give_it() {
    let Some(redis) = Redis::start(&[]) else { return };
    let folder = Folder::new();
    folder.put("a.png", photograph());
    let sets = with(&redis, &["routes.0.deferred_max_age=1s"]);
    let all = [instance(&folder, &sets), instance(&folder, &sets)];
    for server in &all {
        assert_eq!(server.get_with(TARGET, &AVIF).status, 200);
    }
    for server in &all {
        until("it never comes", || kind(&server.get_with(TARGET, &AVIF)) == "image/avif");
    }
    let sum = |metric: &str| all.iter().map(|server| server.metric(metric)).sum::<f64>();
    assert_eq!(sum("tintype_lane_jobs_total{result=\"made\"}"), 1.0);
    assert_eq!(sum("tintype_fills_total{format=\"avif\"}"), 1.0);
    assert_eq!(redis.tell(JOBS), ":0\r\n");
    let third = instance(&folder, &sets);
    let found = third.get_with(TARGET, &AVIF);
    assert_eq!((kind(&found), cache(&found).as_str()), ("image/avif", "tintype; hit; detail=redis"));
}

/// What one made and could not share, the other makes for itself.
#[test]
fn what_is_too_large_for_redis_is_made_by_each() {
    let Some(redis) = Redis::start(&[]) else { return };
    let folder = Folder::new();
    folder.put("a.png", photograph());
    let sets = with(&redis, &["routes.0.deferred_max_age=1s", "cache.redis.max_entry=1KiB"]);
    let target = "/img/a.png?w=300&f=auto&q-avif=50&q-webp=95";
    for server in [instance(&folder, &sets), instance(&folder, &sets)] {
        assert!(is_quick(&server.get_with(target, &AVIF)));
        until("it stays put off", || !is_quick(&server.get_with(target, &AVIF)));
        assert_eq!(
            server.metric("tintype_tier_events_total{tier=\"redis\",event=\"written\"}"),
            0.0,
            "nothing is small enough"
        );
    }
}

#[test]
fn a_redis_that_is_down_keeps_nobody_from_the_better_one() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    let folder = Folder::new();
    folder.put("a.png", photograph());
    let server = instance(&folder, &with(&redis, &["cache.redis.timeout=50ms"]));
    redis.kill();
    assert!(is_quick(&server.get_with(TARGET, &AVIF)));
    server.until("tintype_lane_jobs_total{result=\"made\"}", 1.0);
    assert_eq!(kind(&server.get_with(TARGET, &AVIF)), "image/avif");
}

#[test]
fn what_waits_in_redis_outlives_the_instance_that_put_it_off() {
    let Some(redis) = Redis::start(&[]) else { return };
    let folder = Folder::new();
    folder.put("a.png", photograph());
    let targets: Vec<_> = (0..6).map(|n| format!("/img/a.png?w={}&f=auto&q-avif=20&q-webp=90", 290 + n)).collect();
    let start = |effort: &str| {
        let more = with(&redis, &[effort]);
        let more: Vec<&str> = more.iter().map(String::as_str).collect();
        Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets(&folder, &more))
    };
    // Each of them would take seconds.
    let slow = start("render.lane.effort=10");
    for target in &targets {
        assert!(is_quick(&wire::get(slow.address, target, &AVIF)));
    }
    let waiting = || redis.tell(JOBS).trim_start_matches(':').trim().parse::<usize>().expect("a number");
    until("they are not queued", || waiting() >= targets.len() - 1);
    // As a crash does it.
    drop(slow);
    assert!(waiting() > 0, "all were done: the test proves nothing");

    let second = start("render.lane.effort=0");
    until("they are not done", || waiting() == 0);
    for target in &targets {
        let reply = wire::get(second.address, target, &AVIF);
        assert_eq!((reply.status, kind(&reply)), (200, "image/avif"), "{target}");
        assert!(cache(&reply).starts_with("tintype; hit"), "nobody had asked it: {}", cache(&reply));
    }
}
