//! The whole edge over buckets: an origin in one, renditions in another, and who it asks as.

use super::{origin, png, start};
use crate::server::{cache, sets};
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::s3::{Inside, KEY_ID, Moto, SECRET};
use testkit::{Folder, Process, wire};

const TARGET: &str = "/media/a.png?w=40&f=webp";

#[test]
fn what_one_instance_made_another_finds_in_the_bucket() {
    let server = Inside::start(&["originals", "renditions"]);
    server.put("originals", "a.png", png());
    let mut all = origin(server.address, &["routes.1.fetch.implicit_fresh=1h", "cache.s3.timeout=30s"]);
    all.extend(testkit::s3::sets("cache.s3", "cache.s3", server.address, "renditions"));
    let first = start(&all);
    let made = first.get(TARGET);
    assert_eq!((made.status, cache(&made).as_str()), (200, "tintype; fwd=miss; stored"));
    first.until("tintype_tier_events_total{tier=\"object\",event=\"written\"}", 1.0);
    drop(first);

    let second = start(&all);
    let found = second.get(TARGET);
    assert!(cache(&found).ends_with("detail=object"), "{}", cache(&found));
    assert_eq!(second.fills(), 0.0, "nothing was rendered");
    assert_eq!((&found.body, found.header("etag")), (&made.body, made.header("etag")));
    assert_eq!(cache(&second.get(TARGET)), "tintype; hit; detail=memory", "promoted");

    let keys = server.keys("renditions");
    let [key] = &keys[..] else { panic!("{keys:?}") };
    let altered = server.path("renditions", key);
    let mut bytes = std::fs::read(&altered).expect("an object");
    *bytes.last_mut().expect("a body") ^= 1;
    std::fs::write(&altered, bytes).expect("writable");
    let third = start(&all);
    let again = third.get(TARGET);
    assert_eq!((again.status, again.body), (200, second.get(TARGET).body), "made again");
    assert_eq!(third.metric("tintype_tier_events_total{tier=\"object\",event=\"damaged\"}"), 1.0);
}

/// What the tier wrote has a checksum that S3 knows: an origin in the same bucket is held to it.
#[test]
fn an_object_that_is_not_what_was_put_there_is_not_served() {
    let server = Inside::start(&["originals"]);
    let mut all = origin(server.address, &["cache.s3.timeout=30s", "origins.1.s3.retries=0"]);
    all.extend(testkit::s3::sets("cache.s3", "cache.s3", server.address, "originals"));
    let edge = start(&all);
    edge.folder.put("b.png", png());
    assert_eq!(edge.get("/img/b.png?w=9").status, 200);
    edge.until("tintype_tier_events_total{tier=\"object\",event=\"written\"}", 1.0);
    let keys = server.keys("originals");
    let [key] = &keys[..] else { panic!("{keys:?}") };
    assert_eq!(edge.get(&format!("/raw/{key}")).status, 200);
    let path = server.path("originals", key);
    let mut bytes = std::fs::read(&path).expect("an object");
    bytes[100] ^= 1;
    std::fs::write(&path, bytes).expect("writable");
    let reply = start(&all).get(&format!("/raw/{key}"));
    assert!(reply.status == 502 && reply.text().contains("phase: body"), "{} {}", reply.status, reply.text());
}

#[test]
fn an_object_that_has_had_its_time_is_made_again() {
    let Some(server) = Moto::start(&["originals", "renditions"]) else { return };
    server.put("originals", "a.png", &[("cache-control", "max-age=600")], png());
    let mut all = origin(server.address, &["cache.s3.timeout=30s", "cache.s3.keep=1s"]);
    all.extend(testkit::s3::sets("cache.s3", "cache.s3", server.address, "renditions"));
    let first = start(&all);
    assert_eq!(first.get(TARGET).status, 200);
    first.until("tintype_tier_events_total{tier=\"object\",event=\"written\"}", 1.0);
    std::thread::sleep(Duration::from_millis(1100));
    let second = start(&all);
    assert_eq!(second.get(TARGET).status, 200);
    assert_eq!(second.fills(), 1.0, "no rule of the bucket had to take it away");
}

/// The standard chain reads the environment: a process of its own.
#[test]
fn credentials_come_from_the_environment_or_a_profile_and_their_lack_is_said() {
    let server = Inside::start(&["originals"]);
    server.put("originals", "a.png", png());
    let own: Vec<String> = origin(server.address, &[]).into_iter().filter(|set| !set.contains("access_key")).collect();
    let folder = Folder::new();
    let all = sets(&folder, &own.iter().map(String::as_str).collect::<Vec<_>>());
    let home = folder.root().display().to_string();
    let nobody = [
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("HOME", home.as_str()),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
    ];
    let somebody = [("AWS_ACCESS_KEY_ID", KEY_ID), ("AWS_SECRET_ACCESS_KEY", SECRET)];
    let binary = Path::new(env!("CARGO_BIN_EXE_tintype"));

    let with = Process::serve_in(binary, &[], &all, &[&nobody[..4], &somebody[..]].concat());
    let reply = wire::get(with.address, "/media/a.png?w=9", &[]);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(!with.log().contains(SECRET), "never in the log");

    let file = folder.root().join("credentials");
    let pair = format!("[images]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n");
    std::fs::write(&file, pair).expect("a file");
    let path = file.display().to_string();
    let profile = [&all[..], &["origins.1.s3.profile=images".to_owned()]].concat();
    let home = [&nobody[..3], &[("AWS_SHARED_CREDENTIALS_FILE", path.as_str())]].concat();
    let named = Process::serve_in(binary, &[], &profile, &home);
    assert_eq!(wire::get(named.address, "/media/a.png?w=9", &[]).status, 200);

    let without = Process::serve_in(binary, &[], &all, &nobody);
    let reply = wire::get(without.address, "/media/a.png?w=9", &[]);
    assert!(reply.status == 502 && reply.text().contains("phase: credentials"), "{}", reply.text());
    let began = Instant::now();
    while !without.log().contains("no AWS credentials") {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", without.log());
        std::thread::sleep(Duration::from_millis(20));
    }
}
