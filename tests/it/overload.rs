//! More work than there is room for: refused at once and in words, while what is stored is still served.

use crate::server::{Server, cache, sets};
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::{Folder, Process, Reply, picture, wire};

fn server(more: &[&str]) -> Server {
    let server = Server::start(&[&["render.threads=1"], more].concat());
    server.folder.put("large.png", picture::noise(3000, 2000, 3)).put("small.png", picture::gradient(60, 40));
    server
}

fn assert_kind(reply: &Reply, status: u16, kind: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert!(reply.text().contains(&format!("#{kind}\"")), "{}", reply.text());
}

#[test]
fn a_full_queue_refuses_with_a_time_to_come_back() {
    let server = server(&["render.queue=1"]);
    assert_eq!(server.get("/img/small.png?w=20").status, 200);
    let mut clients: Vec<_> = (0..12).map(|_| server.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.request("GET", &format!("/img/large.png?w={}&f=webp", 900 + number), &[]).expect("connected");
    }
    server.until("tintype_shed_total{reason=\"queue_full\"}", 1.0);
    assert_eq!(cache(&server.get("/img/small.png?w=20")), "tintype; hit; detail=memory", "hits need no room");
    let mut refused = 0;
    for client in &mut clients {
        let reply = client.reply("GET").expect("an answer to each");
        if reply.status == 503 {
            refused += 1;
            assert_kind(&reply, 503, "overloaded");
            let retry: u64 = reply.field("retry-after").parse().expect("seconds");
            assert!((1..=120).contains(&retry), "{retry}");
            assert_eq!(reply.field("cache-control"), "no-store");
        } else {
            assert_eq!(reply.status, 200);
        }
    }
    assert!((1..=10).contains(&refused), "{refused} of 12: one renders, one waits");
    assert_eq!(server.metric("tintype_shed_total"), f64::from(refused));
    assert_eq!(server.get("/img/large.png?w=950&f=webp").status, 200, "afterwards there is room");
}

#[test]
fn whoever_waits_too_long_is_refused() {
    let server = server(&["render.queue_timeout=10ms"]);
    let mut first = server.connect();
    first.request("GET", "/img/large.png?w=2900&f=webp", &[]).expect("connected");
    server.until("tintype_render_busy", 1.0);
    let second = server.get("/img/large.png?w=901&f=webp");
    assert_kind(&second, 503, "overloaded");
    assert!(second.header("retry-after").is_some());
    assert_eq!(first.reply("GET").expect("an answer").status, 200);
    assert_eq!(server.metric("tintype_shed_total"), 1.0, "at once or after the wait");
}

#[test]
fn who_would_wait_too_long_is_refused_before_that_wait() {
    let server = server(&["render.queue_timeout=100ms"]);
    let mut first = server.connect();
    // Some seconds of work by its price, whatever this machine makes of it.
    first.request("GET", "/img/large.png?w=2900&f=avif&effort=5", &[]).expect("connected");
    server.until("tintype_render_busy", 1.0);
    let second = server.get("/img/large.png?w=901&f=webp");
    assert_kind(&second, 503, "overloaded");
    assert_eq!(server.metric("tintype_shed_total{reason=\"queue_deadline\"}"), 1.0);
    assert_eq!(server.metric("tintype_shed_total{reason=\"queue_timeout\"}"), 0.0);
}

#[test]
fn avif_gives_way_while_there_is_too_little_room() {
    let server = server(&["render.queue_timeout=500ms"]);
    let (target, avif) = ("/img/large.png?w=600&f=auto", [("accept", "image/avif,image/webp,*/*")]);
    let webp = server.get_with(target, &[("accept", "image/webp")]);
    let mut first = server.connect();
    // Some seconds of work by its price, whatever this machine makes of it.
    first.request("GET", "/img/large.png?w=900&f=avif&effort=8", &[]).expect("connected");
    server.until("tintype_render_busy", 1.0);
    let quick = server.get_with(target, &avif);
    assert_eq!((quick.status, quick.field("content-type")), (200, "image/webp"), "{}", quick.text());
    assert_eq!((cache(&quick).as_str(), &quick.body), ("tintype; hit; detail=deferred", &webp.body));
    let control = quick.field("cache-control");
    let most = control.rsplit_once("max-age=").and_then(|(_, seconds)| seconds.parse::<u64>().ok()).expect("a max-age");
    assert!(most <= 10 + quick.header("age").map_or(0, |age| age.parse().expect("seconds")), "{control}");
    assert_eq!(server.get_with("/img/large.png?w=600&f=avif", &avif).status, 503, "what is asked for by name does not");
    // Nobody waits for it any more: it makes room.
    drop(first);
    let mut later = server.get_with(target, &avif);
    while later.status == 503 || later.field("content-type") == "image/webp" {
        std::thread::sleep(Duration::from_millis(50));
        later = server.get_with(target, &avif);
    }
    assert_eq!((later.status, later.field("content-type")), (200, "image/avif"), "{}", later.text());
    assert!(server.metric("tintype_gave_way_total") >= 1.0);
}

#[test]
fn what_changed_is_shown_as_it_was_while_there_is_no_room() {
    let server = server(&["render.queue=0", "cache.check=0s"]);
    let before = server.get("/img/small.png?w=20");
    assert_eq!(before.status, 200);
    let mut first = server.connect();
    first.request("GET", "/img/large.png?w=2900&f=webp", &[]).expect("connected");
    server.until("tintype_render_busy", 1.0);
    server.folder.put("small.png", picture::gradient(64, 44));
    let stale = server.get("/img/small.png?w=20");
    assert_eq!((stale.status, &stale.body), (200, &before.body), "{}", stale.text());
    assert!(stale.field("cache-status").starts_with("tintype; fwd=stale; "), "{}", stale.field("cache-status"));
    let age: u64 = stale
        .field("cache-control")
        .split("max-age=")
        .nth(1)
        .and_then(|rest| rest.split(',').next())
        .and_then(|seconds| seconds.parse().ok())
        .expect("a max-age");
    assert!(age <= 60, "others keep it briefly: {}", stale.field("cache-control"));
    assert_eq!(server.get("/img/small.png?w=21").status, 503, "of this one there is none");
    assert_eq!(first.reply("GET").expect("an answer").status, 200);
    let after = server.get("/img/small.png?w=20");
    assert_eq!((after.status, cache(&after)), (200, "tintype; fwd=miss; stored".to_owned()));
    assert_ne!(after.body, before.body);
}

#[test]
fn a_render_whose_client_left_makes_room_for_others() {
    let server = server(&[]);
    let mut first = server.connect();
    first.request("GET", "/img/large.png?w=2900&f=avif&effort=5", &[]).expect("connected");
    server.until("tintype_render_busy", 1.0);
    let mut second = server.connect();
    second.request("GET", "/img/small.png?w=20", &[]).expect("connected");
    server.until("tintype_render_queue", 1.0);
    drop(first);
    assert_eq!(second.reply("GET").expect("an answer").status, 200);
    assert_eq!((server.metric("tintype_given_up_total"), server.fills()), (1.0, 1.0));
}

#[test]
fn a_render_whose_client_left_is_finished_where_nobody_waits() {
    let server = server(&[]);
    let mut first = server.connect();
    first.request("GET", "/img/large.png?w=900&f=webp", &[]).expect("connected");
    server.until("tintype_render_busy", 1.0);
    drop(first);
    server.until("tintype_fills_total", 1.0);
    assert_eq!(cache(&server.get("/img/large.png?w=900&f=webp")), "tintype; hit; detail=memory");
}

#[test]
fn caches_shrink_when_memory_is_short() {
    let folder = Folder::new();
    folder.put("small.png", picture::gradient(60, 40));
    // Less than the program itself takes: always short.
    let sets = sets(&folder, &["memory.limit=64MiB", "memory.high=0.2", "memory.low=0.1"]);
    let process = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets);
    let metrics = || wire::get(process.admin, "/metrics", &[]).text();
    let began = Instant::now();
    let mut width = 10;
    while !metrics().lines().any(|line| line.starts_with("tintype_cache_shrunk_bytes_total ") && !line.ends_with(" 0"))
    {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", metrics());
        assert_eq!(wire::get(process.address, &format!("/img/small.png?w={width}"), &[]).status, 200);
        width = 10 + (width + 1) % 50;
    }
    assert!(metrics().contains("\ntintype_memory_short 1\n"));
    assert!(process.log().contains("memory is short: caches shrink"), "{}", process.log());
}

#[test]
fn a_render_has_a_deadline() {
    let server = server(&["render.deadline=100ms"]);
    let reply = server.get("/img/large.png?w=3000&f=avif&q=90");
    assert_kind(&reply, 503, "render-timeout");
    assert!(reply.header("retry-after").is_some());
    server.while_above("tintype_render_busy", 0.0);
    assert_eq!(server.get("/img/small.png?w=20").status, 200, "the thread is free again");
}

#[test]
fn memory_is_refused_by_the_header_alone() {
    let server = server(&["render.memory=64MiB", "render.limits.memory=64MiB", "render.lane.memory=16MiB"]);
    server.folder.put("huge.png", picture::promise(9000, 9000));
    // Trimming has to see all of it; without that its rows would go through the resize as they come.
    for target in ["/img/huge.png?w=20&trim", "/img/small.png?w=8000&h=8000&fit=fill&enlarge=1"] {
        let reply = server.get(target);
        assert_kind(&reply, 422, "too-large");
    }
    assert_eq!(server.metric("tintype_stage_seconds_count{stage=\"decode\"}"), 0.0);
    assert_eq!(server.metric("tintype_render_memory_bytes"), 0.0);
    assert_eq!(server.get("/img/small.png?w=20").status, 200);
}
