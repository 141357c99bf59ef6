//! AVIF that is put off, on one server: what the first gets, what the next get, and what is not put off.

use super::{AVIF, TARGET, is_quick, kind, server};
use crate::server::cache;
use testkit::{Reply, picture};

/// `Cache-Control` of what stands in: short, and never stale.
fn assert_brief(reply: &Reply, seconds: u64) {
    assert_eq!((reply.status, kind(reply)), (200, "image/webp"), "{}", reply.text());
    let control = reply.field("cache-control");
    let most = control.trim_start_matches("public, max-age=").parse::<u64>().expect("max-age and nothing else");
    let age = reply.header("age").map_or(0, |age| age.parse().expect("a number"));
    assert!(most - age <= seconds, "{control} at {age}");
    assert_eq!(reply.field("vary"), "accept");
}

fn made(result: &str) -> String {
    format!("tintype_lane_jobs_total{{result=\"{result}\"}}")
}

#[test]
fn the_first_gets_what_is_quick_and_the_next_what_is_better() {
    let server = server(&["routes.0.deferred_max_age=7s", "cache.check=1h"]);
    let first = server.get_with(TARGET, &AVIF);
    assert_brief(&first, 7);
    assert_eq!(cache(&first), "tintype; fwd=miss; stored; detail=deferred");
    let ttl = first.field("cache-status").split("; ").find_map(|part| part.strip_prefix("ttl="));
    assert!(ttl.and_then(|ttl| ttl.parse::<u64>().ok()).is_some_and(|ttl| ttl <= 7), "{}", first.field("cache-status"));
    server.until(&made("made"), 1.0);

    let second = server.get_with(TARGET, &AVIF);
    assert_eq!((kind(&second), cache(&second).as_str()), ("image/avif", "tintype; hit; detail=memory"));
    assert_ne!(second.field("etag"), first.field("etag"));
    assert_eq!((second.field("vary"), second.field("cache-control").contains("stale-while")), ("accept", true));
    assert!(second.body.len() < first.body.len());
    let condition = [AVIF[0], ("if-none-match", first.field("etag"))];
    assert_eq!(server.get_with(TARGET, &condition).status, 200, "what was quick is not what is there now");
    let condition = [AVIF[0], ("if-none-match", second.field("etag"))];
    assert_eq!(server.get_with(TARGET, &condition).status, 304);

    let webp = server.get_with(TARGET, &[("accept", "image/webp")]);
    assert_eq!((cache(&webp).as_str(), &webp.body), ("tintype; hit; detail=memory", &first.body), "under its own key");
    assert_eq!((server.fills(), server.metric(&made("queued"))), (2.0, 1.0));
}

#[test]
fn until_it_is_there_all_get_what_is_quick_and_it_is_made_once() {
    // Some seconds of work.
    let server = server(&["render.lane.effort=9"]);
    let (mut quick, mut last) = (0, server.get_with(TARGET, &AVIF));
    while is_quick(&last) {
        assert_brief(&last, 10);
        quick += 1;
        std::thread::sleep(std::time::Duration::from_millis(2));
        last = server.get_with(TARGET, &AVIF);
    }
    assert!(quick > 1, "{quick}");
    assert_eq!((kind(&last), server.metric(&made("made"))), ("image/avif", 1.0));
    assert_eq!(server.metric("tintype_requests_total{cache=\"deferred\",status=\"200\"}"), f64::from(quick));
    assert_eq!(server.fills(), 2.0);
}

#[test]
fn what_came_out_larger_gives_way() {
    let server = server(&[]);
    let target = "/img/a.png?w=300&f=auto&q-avif=95&q-webp=5";
    let first = server.get_with(target, &AVIF);
    assert!(is_quick(&first));
    server.until(&made("gave-way"), 1.0);
    let second = server.get_with(target, &AVIF);
    assert_eq!((cache(&second).as_str(), &second.body), ("tintype; hit; detail=memory", &first.body));
    assert_eq!((kind(&second), second.field("etag")), ("image/webp", first.field("etag")));
    assert!(second.field("cache-control").contains("stale-while"), "{}", second.field("cache-control"));
}

#[test]
fn what_is_asked_by_name_or_takes_no_time_is_not_put_off() {
    let server = server(&["render.lane.quick=5s"]);
    let at_once = |target: &str, kind: &str| {
        let reply = server.get_with(target, &AVIF);
        assert_eq!((super::kind(&reply), cache(&reply).as_str()), (kind, "tintype; fwd=miss; stored"), "{target}");
    };
    at_once("/img/a.png?w=120&f=auto", "image/avif");
    at_once("/img/a.png?w=300&f=avif&effort=0", "image/avif");
    at_once("/img/a.png?w=300&f=webp", "image/webp");
    assert_eq!(server.metric("tintype_lane_jobs_total"), 0.0);
    for off in ["routes.0.deferred_avif=false", "render.lane.threads=0", "render.lane.memory=64KiB"] {
        let server = super::server(&[off]);
        assert_eq!(kind(&server.get_with("/img/a.png?w=90&f=auto", &AVIF)), "image/avif", "{off}");
    }
}

#[test]
fn a_route_without_webp_gives_what_everybody_reads() {
    let server = server(&["routes.0.webp=false"]);
    let first = server.get_with(TARGET, &AVIF);
    assert!(is_quick(&first) && picture::png_size(&first.body).is_none());
    assert_eq!(kind(&first), "image/jpeg");
    server.until(&made("made"), 1.0);
    assert_eq!(kind(&server.get_with(TARGET, &AVIF)), "image/avif");
}

#[test]
fn an_original_that_cannot_be_drawn_is_refused_as_ever() {
    let server = server(&[]);
    server.folder.put("bad.png", "no picture");
    let reply = server.get_with("/img/bad.png?w=100&f=auto", &AVIF);
    assert!((400..500).contains(&reply.status), "{}", reply.status);
    assert_eq!(server.get_with("/img/none.png?w=100&f=auto", &AVIF).status, 404);
    assert_eq!(server.metric("tintype_lane_jobs_total"), 0.0);
}
