//! The tiers below memory, as a client sees them: a second server finds what the first has made, and no tier's death or
//! lies change an answer.

use crate::server::{Server, cache};
use std::fs;
use testkit::{Folder, Redis, picture};

const TARGET: &str = "/img/a.png?w=40&f=webp";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.put("a.png", picture::noise(80, 60, 1));
    folder
}

fn with_redis(server: &Redis, more: &[&str]) -> Vec<String> {
    let mut sets = vec![format!("cache.redis.urls={}", server.url()), "cache.redis.timeout=30s".to_owned()];
    sets.extend(more.iter().map(|set| (*set).to_owned()));
    sets
}

fn start(folder: &Folder, sets: &[String]) -> Server {
    let root = format!("origins.0.root={}", folder.root().display());
    let sets: Vec<&str> = sets.iter().map(String::as_str).chain([root.as_str()]).collect();
    Server::start(&sets)
}

#[test]
fn what_one_instance_made_another_finds_in_redis() {
    let Some(redis) = Redis::start(&[]) else { return };
    let (folder, sets) = (folder(), with_redis(&redis, &[]));
    let first = start(&folder, &sets);
    let made = first.get(TARGET);
    assert_eq!((made.status, cache(&made).as_str()), (200, "tintype; fwd=miss; stored"));
    first.until("tintype_tier_events_total{tier=\"redis\",event=\"written\"}", 1.0);

    let second = start(&folder, &sets);
    let found = second.get(TARGET);
    assert_eq!(cache(&found), "tintype; hit; detail=redis");
    assert_eq!(second.fills(), 0.0, "nothing was rendered");
    for field in ["etag", "last-modified", "content-type", "content-length", "cache-control", "cache-tag"] {
        assert_eq!(found.field(field), made.field(field), "{field}");
    }
    assert_eq!(found.body, made.body);
    assert_eq!(cache(&second.get(TARGET)), "tintype; hit; detail=memory", "promoted");
}

#[test]
fn a_redis_that_dies_is_missed_by_nobody_and_taken_up_again() {
    let Some(mut redis) = Redis::start(&[]) else { return };
    let sets = with_redis(&redis, &["cache.redis.timeout=200ms", "cache.redis.pause=50ms", "cache.redis.failures=1"]);
    let folder = folder();
    let server = start(&folder, &sets);
    redis.kill();
    for width in 1..20 {
        let reply = server.get(&format!("/img/a.png?w={width}"));
        assert_eq!((reply.status, cache(&reply).as_str()), (200, "tintype; fwd=miss; stored"));
    }
    assert!(server.metric("tintype_tier_events_total{tier=\"redis\",event=\"read-failed\"}") > 0.0);
    redis.restart();
    let mut width = 20;
    let written = "tintype_tier_events_total{tier=\"redis\",event=\"written\"}";
    while server.metric(written) == 0.0 {
        assert_eq!(server.get(&format!("/img/a.png?w={width}&enlarge=1")).status, 200);
        width += 1;
        assert!(width < 2000, "it is not taken up again");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn what_was_altered_on_disk_is_made_again() {
    let (folder, kept) = (folder(), tempfile::tempdir().expect("a folder"));
    let sets = [format!("cache.disk.path={}", kept.path().display()), "cache.disk.timeout=30s".to_owned()];
    let first = start(&folder, &sets);
    let made = first.get(TARGET);
    let written = "tintype_tier_events_total{tier=\"disk\",event=\"written\"}";
    first.until(written, 1.0);
    assert_eq!(cache(&start(&folder, &sets).get(TARGET)), "tintype; hit; detail=disk");

    let mut dirs = fs::read_dir(kept.path()).expect("a folder");
    let dir = dirs.next().expect("one entry").expect("readable").path();
    let file = fs::read_dir(dir).expect("a folder").next().expect("one file").expect("readable").path();
    let mut bytes = fs::read(&file).expect("readable");
    let times = fs::metadata(&file).and_then(|metadata| metadata.modified()).expect("times");
    *bytes.last_mut().expect("a body") ^= 0x20;
    fs::write(&file, bytes).expect("writable");
    fs::File::options().append(true).open(&file).and_then(|file| file.set_modified(times)).expect("its expiry");

    let third = start(&folder, &sets);
    let again = third.get(TARGET);
    assert_eq!(cache(&again), "tintype; fwd=miss; stored");
    assert_eq!(again.body, made.body);
    assert_eq!(third.metric("tintype_tier_events_total{tier=\"disk\",event=\"damaged\"}"), 1.0);
}
