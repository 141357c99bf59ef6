//! The edge as a shared cache of originals (RFC 9111), as seen on the wire at both ends.

use super::{Web, kept, other_png, png};
use crate::server::cache;
use std::thread;
use testkit::{Act, picture};

#[test]
fn ten_sizes_of_a_new_original_fetch_it_once() {
    let web = Web::new();
    web.origin.on("/a.png", [kept("max-age=60").held()]);
    thread::scope(|scope| {
        for width in 10..20 {
            let web = &web;
            scope.spawn(move || {
                let reply = web.get(&format!("/web/a.png?w={width}"));
                assert_eq!(picture::png_size(&reply.body).map(|size| size.0), Some(width), "{}", reply.text());
            });
        }
        web.origin.until("/a.png", 1);
        web.origin.release();
    });
    assert_eq!((web.count(), web.server.fills()), (1, 10.0));
}

#[test]
fn a_fresh_original_is_not_asked_about() {
    let web = Web::new();
    web.origin.on("/a.png", [Act::ok(&[("cache-control", "max-age=60"), ("age", "20")], png())]);
    let first = web.get("/web/a.png?w=9");
    assert_eq!((first.status, cache(&first).as_str()), (200, "tintype; fwd=miss; stored"), "{}", first.text());
    assert_eq!(first.field("cache-control"), "public, max-age=60, stale-if-error=86400");
    let second = web.get("/web/a.png?w=9");
    assert_eq!((cache(&second).as_str(), web.count()), ("tintype; hit; detail=memory", 1));
    let age: u64 = second.field("age").parse().unwrap();
    assert!((20..80).contains(&age), "{age}");
    assert_eq!((first.field("date"), first.field("etag")), (second.field("date"), second.field("etag")));
    assert_eq!(cache(&web.get("/web/a.png?w=8")), "tintype; fwd=miss; stored");
    assert_eq!(web.count(), 1, "another size is made of the original that is kept");
}

#[test]
fn a_stale_original_is_revalidated_and_its_renditions_stay() {
    let web = Web::new();
    let (tag, day) = ("\"one\"", "Wed, 01 Jan 2020 00:00:00 GMT");
    let fields = [("cache-control", "no-cache"), ("etag", tag), ("last-modified", day)];
    let renewed = [("cache-control", "max-age=60"), ("etag", tag)];
    web.origin.on("/a.png", [Act::ok(&fields, png()), Act::status(304, &renewed, "")]);
    assert_eq!(web.get("/web/a.png?w=9").field("cache-control"), "public, no-cache");
    let second = web.get("/web/a.png?w=9");
    assert_eq!(cache(&second), "tintype; fwd=stale; fwd-status=304; detail=memory");
    assert_eq!(second.field("last-modified"), day);
    let asked = &web.origin.asked()[1];
    assert_eq!((asked.field("if-none-match"), asked.field("if-modified-since")), (Some(tag), Some(day)));
    let third = web.get("/web/a.png?w=9");
    assert_eq!(cache(&third), "tintype; hit; detail=memory", "the 304 said max-age=60");
    assert_eq!(third.field("cache-control"), "public, max-age=60, stale-if-error=86400");
    assert_eq!((web.count(), web.server.fills()), (2, 1.0));
}

#[test]
fn the_content_decides_not_the_tag() {
    let web = Web::new();
    let with = |tag, body| Act::ok(&[("cache-control", "no-cache"), ("etag", tag)], body);
    web.origin.on("/a.png", [with("\"1\"", png()), with("\"2\"", png()), with("\"2\"", other_png())]);
    let replies = [(); 3].map(|()| web.get("/web/a.png?w=9"));
    assert_eq!(replies[0].body, replies[1].body);
    assert_eq!(cache(&replies[1]), "tintype; fwd=stale; fwd-status=200; detail=memory");
    assert_ne!(replies[1].field("etag"), replies[2].field("etag"));
    assert_eq!((web.count(), web.server.fills()), (3, 2.0), "equal bytes under another tag need no new rendition");
}

#[test]
fn what_must_not_be_kept_is_not() {
    for (value, said) in [("no-store", "no-store"), ("private, max-age=60", "private, max-age=60")] {
        let web = Web::new();
        web.origin.on("/a.png", [kept(value)]);
        for _ in 0..2 {
            let reply = web.get("/web/a.png?w=9");
            assert_eq!((reply.status, cache(&reply).as_str()), (200, "tintype; fwd=miss"));
            assert_eq!(reply.field("cache-control"), said);
        }
        assert_eq!((web.count(), web.server.fills()), (2, 2.0));
        web.server.until("tintype_cache_memory_entries", 0.0);
    }
}

#[test]
fn stale_while_revalidate_does_not_wait() {
    let web = Web::new();
    let changed = Act::ok(&[("cache-control", "max-age=60")], other_png()).held();
    web.origin.on("/a.png", [kept("max-age=0, stale-while-revalidate=60"), changed]);
    let first = web.get("/web/a.png?w=9");
    let second = web.get("/web/a.png?w=9");
    assert_eq!((cache(&second).as_str(), &second.body), ("tintype; hit; detail=memory", &first.body));
    assert!(second.field("cache-status").contains("ttl=0") || second.field("cache-status").contains("ttl=-"));
    web.origin.until("/a.png", 2);
    assert_eq!(web.get("/web/a.png?w=9").body, first.body, "still being asked about, by one request");
    web.origin.release();
    web.server.until("tintype_origin_requests_total{result=\"fetched\"}", 2.0);
    let last = web.get("/web/a.png?w=9");
    assert_ne!(last.body, first.body);
    assert_eq!(web.count(), 2);
}

#[test]
fn stale_if_error_covers_for_an_origin_that_fails() {
    let failing = [Act::status(500, &[], ""), Act::Reset(Vec::new()), Act::Raw(b"garbage\r\n\r\n".to_vec())];
    for act in failing {
        let web = Web::new();
        web.origin.on("/a.png", [kept("max-age=0, stale-if-error=60"), act.clone()]);
        let first = web.get("/web/a.png?w=9");
        let second = web.get("/web/a.png?w=9");
        assert_eq!((second.status, cache(&second).as_str()), (200, "tintype; fwd=stale; detail=memory"), "{act:?}");
        assert_eq!(second.body, first.body);
        let asked = web.count();
        assert_eq!(web.get("/web/a.png?w=9").status, 200);
        assert_eq!(web.count(), asked, "it is left alone for a moment");
    }
    let web = Web::new();
    web.origin.on("/a.png", [kept("max-age=0, must-revalidate, stale-if-error=60"), Act::status(500, &[], "")]);
    assert_eq!(web.get("/web/a.png?w=9").status, 200);
    assert_eq!(web.get("/web/a.png?w=9").status, 502, "the origin forbids stale use");
}

#[test]
fn absence_is_remembered() {
    for status in [404, 410] {
        let web = Web::new();
        web.origin.on("/a.png", [Act::status(status, &[], "gone"), kept("max-age=60")]);
        assert_eq!([(); 3].map(|()| web.get("/web/a.png?w=9").status), [404; 3]);
        assert_eq!(web.count(), 1);
    }
    let web = Web::with(&["routes.1.fetch.negative=0s"]);
    web.origin.on("/a.png", [Act::status(404, &[], ""), kept("max-age=60")]);
    assert_eq!([(); 2].map(|()| web.get("/web/a.png?w=9").status), [404, 200]);
}

#[test]
fn a_route_has_its_say() {
    let web = Web::with(&["routes.1.fetch.implicit_fresh=1h", "routes.1.fetch.max_fresh=2h"]);
    web.origin.on("/a.png", [Act::ok(&[], png())]).on("/b.png", [kept("max-age=999999")]);
    assert!(web.get("/web/a.png?w=9").field("cache-control").starts_with("public, max-age=3600,"));
    assert!(web.get("/web/b.png?w=9").field("cache-control").starts_with("public, max-age=7200,"));
    let own = Web::with(&["routes.1.fetch.inherit=false", "routes.1.max_age=5m", "routes.1.stale_if_error=0s"]);
    own.origin.on("/a.png", [kept("max-age=7")]).on("/b.png", [kept("no-store")]);
    assert_eq!(own.get("/web/a.png?w=9").field("cache-control"), "public, max-age=300, stale-while-revalidate=3600");
    assert_eq!(own.get("/web/b.png?w=9").field("cache-control"), "no-store", "whatever the route says");
}

#[test]
fn cdns_and_others_are_told_apart() {
    let web = Web::new();
    let fields = [("cache-control", "max-age=5, must-revalidate"), ("cdn-cache-control", "max-age=600")];
    web.origin.on("/a.png", [Act::ok(&fields, png())]);
    let reply = web.get("/web/a.png?w=9");
    assert_eq!(reply.field("cache-control"), "public, max-age=5, must-revalidate");
    assert_eq!(reply.field("cdn-cache-control"), "max-age=600, stale-if-error=86400");
}

#[test]
fn without_room_for_originals_renditions_stay_hits() {
    let web = Web::with(&["cache.originals.bytes=0"]);
    web.origin.on("/a.png", [kept("max-age=60")]);
    assert_eq!(web.get("/web/a.png?w=9").status, 200);
    assert_eq!(cache(&web.get("/web/a.png?w=9")), "tintype; hit; detail=memory");
    assert_eq!(web.count(), 1);
    assert_eq!(web.get("/web/a.png?w=8").status, 200);
    assert_eq!(web.count(), 2, "a new size needs the bytes again");
}
