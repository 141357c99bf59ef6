//! Originals that two instances share by way of Redis: fetched once, of one age, asked about by either, and kept to
//! themselves where an origin or the configuration wants that.

use super::{Web, kept, png};
use crate::server::{Server, cache};
use std::thread;
use testkit::{Act, Origin, Redis, Reply, picture};

/// Two instances with one origin and one Redis.
struct Two {
    origin: Origin,
    all: [Server; 2],
    _redis: Redis,
}

const WRITTEN: &str = "tintype_tier_events_total{tier=\"originals\",event=\"written\"}";
const FOUND: &str = "tintype_tier_events_total{tier=\"originals\",event=\"hit\"}";

impl Two {
    fn with(more: &[&str]) -> Option<Self> {
        let redis = Redis::start(&[])?;
        let origin = Origin::new();
        let url = format!("cache.redis.urls={}", redis.url());
        let sets = [&[url.as_str(), "cache.redis.timeout=30s"], more].concat();
        let all = [Web::beside(&origin, &sets), Web::beside(&origin, &sets)];
        Some(Self { origin, all, _redis: redis })
    }

    fn count(&self) -> usize {
        self.origin.count("/a.png")
    }
}

fn age(reply: &Reply) -> u64 {
    reply.field("age").parse().expect("seconds")
}

#[test]
fn ten_sizes_on_two_instances_fetch_a_new_original_once() {
    let Some(two) = Two::with(&[]) else { return };
    two.origin.on("/a.png", [kept("max-age=60").held()]);
    thread::scope(|scope| {
        for width in 10..20 {
            let server = &two.all[width % 2];
            scope.spawn(move || {
                let reply = server.get(&format!("/web/a.png?w={width}"));
                assert_eq!(picture::png_size(&reply.body).map(|size| size.0 as usize), Some(width), "{}", reply.text());
            });
        }
        two.origin.until("/a.png", 1);
        two.origin.release();
    });
    assert_eq!(two.count(), 1);
    assert_eq!(two.all.iter().map(Server::fills).sum::<f64>(), 10.0);
    assert!(two.all.iter().any(|server| server.metric(FOUND) >= 2.0), "the head and the bytes");
}

#[test]
fn it_is_no_fresher_for_the_other() {
    let Some(two) = Two::with(&[]) else { return };
    let fields = [("cache-control", "max-age=60"), ("age", "20"), ("etag", "\"one\"")];
    two.origin.on("/a.png", [Act::ok(&fields, png())]);
    let [first, second] = &two.all;
    let one = first.get("/web/a.png?w=9");
    first.until(WRITTEN, 2.0);
    let other = second.get("/web/a.png?w=8");
    assert_eq!((other.status, cache(&other).as_str(), two.count()), (200, "tintype; fwd=miss; stored", 1));
    assert!(age(&other) >= age(&one) && age(&one) >= 20, "{} and {}", age(&one), age(&other));
    for field in ["cache-control", "date", "last-modified"] {
        assert_eq!(one.header(field), other.header(field), "{field}");
    }
    // Its age on arrival was a minute: nobody may use it unasked.
    two.origin.on("/old.png", vec![Act::ok(&[("cache-control", "max-age=60"), ("age", "60")], png()); 2]);
    assert_eq!((first.get("/web/old.png?w=9").status, second.get("/web/old.png?w=8").status), (200, 200));
    assert_eq!(two.origin.count("/old.png"), 2);
}

#[test]
fn either_asks_about_it_and_the_other_hears_the_answer() {
    let Some(two) = Two::with(&[]) else { return };
    let tag = [("cache-control", "no-cache"), ("etag", "\"one\"")];
    let renewed = [("cache-control", "max-age=60"), ("etag", "\"one\"")];
    two.origin.on("/a.png", [Act::ok(&tag, png()), Act::status(304, &renewed, "")]);
    let [first, second] = &two.all;
    assert_eq!(first.get("/web/a.png?w=9").status, 200);
    first.until(WRITTEN, 2.0);
    // The second has never had it, and asks with the first one's tag; the bytes come out of Redis.
    let asked = second.get("/web/a.png?w=8");
    assert_eq!((asked.status, two.count()), (200, 2), "{}", asked.text());
    assert_eq!(two.origin.asked()[1].field("if-none-match"), Some("\"one\""));
    second.until(WRITTEN, 1.0);
    let told = first.get("/web/a.png?w=7");
    assert_eq!((told.status, two.count()), (200, 2), "it has heard of the 304: max-age=60");
    assert_eq!(told.field("cache-control"), asked.field("cache-control"));
}

#[test]
fn what_is_nobody_elses_business_stays_here() {
    for (more, control) in [
        (&[][..], "no-store"),
        (&[], "private, max-age=60"),
        (&["cache.originals.redis=0B"], "max-age=60"),
        (&["origins.1.http.headers.0.name=authorization", "origins.1.http.headers.0.value=Bearer x"], "max-age=60"),
    ] {
        let Some(two) = Two::with(more) else { return };
        two.origin.on("/a.png", vec![kept(control); 3]);
        for (width, server) in two.all.iter().enumerate() {
            assert_eq!(server.get(&format!("/web/a.png?w={}", 8 + width)).status, 200);
        }
        assert_eq!((two.count(), two.all[0].metric(WRITTEN)), (2, 0.0), "{control} {more:?}");
    }
}

#[test]
fn one_that_is_too_large_is_told_of_and_fetched_by_each() {
    let Some(two) = Two::with(&["cache.originals.redis=1KiB"]) else { return };
    let large = picture::noise(100, 80, 3);
    two.origin.on("/a.png", vec![Act::ok(&[("cache-control", "max-age=60")], large); 2]);
    let [first, second] = &two.all;
    assert_eq!(first.get("/web/a.png?w=9").status, 200);
    first.until(WRITTEN, 1.0);
    assert_eq!((second.get("/web/a.png?w=8").status, two.count()), (200, 2));
    assert_eq!(cache(&second.get("/web/a.png?w=9")), "tintype; hit; detail=redis", "renditions are found by the head");
}
