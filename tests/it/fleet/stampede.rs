//! Many clients of many instances want new renditions at once: each is made once in the whole fleet.
//!
//! `TINTYPE_STAMPEDE=10000` makes it the full size, which wants a release build: see docs/performance.md.

use super::{Instance, shared, web};
use std::collections::HashMap;
use std::sync::{Arc, Barrier};
use std::thread;
use testkit::s3::Inside;
use testkit::{Act, Connection, Origin, Redis, picture, wire};

const INSTANCES: usize = 8;

fn sizes() -> (usize, usize) {
    let full = std::env::var("TINTYPE_STAMPEDE").ok().and_then(|text| text.parse().ok());
    full.map_or((800, 20), |requests: usize| (requests, 100))
}

#[test]
fn eight_instances_make_each_rendition_once() {
    let Some(redis) = Redis::start(&["--maxclients", "5000"]) else { return };
    let (requests, renditions) = sizes();
    let origin = Origin::new();
    origin.on(
        "/a.png",
        std::iter::repeat_n(Act::ok(&[("cache-control", "max-age=60")], picture::noise(700, 500, 1)), INSTANCES),
    );
    let bucket = Inside::start(&["renditions"]);
    let s3 = testkit::s3::sets("cache.s3", "cache.s3", bucket.address, "renditions");
    let sets = [&shared(&redis)[..], &web(&origin), &s3, &["render.queue=20000".to_owned()]];
    let instances: Vec<Instance> = (0..INSTANCES).map(|_| Instance::start(&sets)).collect();
    for instance in &instances {
        instance.until("tintype_fleet_heard", 1.0);
    }
    // Each client has one connection to one instance; all send at once, then all read.
    let threads = 16;
    let barrier = Arc::new(Barrier::new(threads));
    let clients: Vec<_> = (0..threads)
        .map(|thread| {
            let addresses: Vec<_> = instances.iter().map(|instance| instance.process.address).collect();
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                let own: Vec<usize> = (0..requests).filter(|number| number % threads == thread).collect();
                let open = |number: &usize| {
                    // Another instance for each of a rendition's clients.
                    let address = addresses[(number / renditions) % addresses.len()];
                    (number % renditions, Connection::open(address).expect("it listens"))
                };
                let mut connections: Vec<_> = own.iter().map(open).collect();
                barrier.wait();
                for (rendition, connection) in &mut connections {
                    let target = format!("/web/a.png?w={}&f=webp", 100 + *rendition);
                    connection.send(wire::head("GET", &target, &[])).expect("connected");
                }
                let read = |(rendition, mut connection): (usize, Connection)| {
                    let reply = connection.reply("GET").expect("a whole response");
                    assert_eq!(reply.status, 200, "{}", reply.text());
                    (rendition, reply.field("etag").to_owned())
                };
                connections.into_iter().map(read).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut tags = HashMap::new();
    let mut answers = 0;
    for client in clients {
        for (rendition, tag) in client.join().expect("no error") {
            answers += 1;
            assert_eq!(tags.entry(rendition).or_insert_with(|| tag.clone()), &tag, "all get the same bytes");
        }
    }
    assert_eq!((answers, tags.len()), (requests, renditions));
    let sum = |metric: &str| instances.iter().map(|instance| instance.metric(metric)).sum::<f64>();
    let count = |event: &str| sum(&format!("tintype_lease_events_total{{event=\"{event}\"}}"));
    let events = ["won", "waited", "waited-in-vain", "alone", "unavailable", "lost"].map(|event| (event, count(event)));
    println!(
        "{requests} requests, {renditions} renditions, {} renders, {} fetches: {events:?}",
        sum("tintype_fills_total"),
        origin.count("/a.png")
    );
    assert_eq!(sum("tintype_fills_total"), renditions as f64, "{events:?}");
    assert!(origin.count("/a.png") <= INSTANCES, "each instance fetches the original once at most");
}
