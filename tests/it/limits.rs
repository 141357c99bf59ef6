//! Rate limits: of misses only, by client network and by key; beyond them 429 and when to come back.

use crate::server::{Server, cache};
use crate::signing::signed;
use testkit::{Redis, Reply, picture, wire};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn server(more: &[&str]) -> Server {
    let server = Server::start(more);
    server.folder.put("a.png", picture::gradient(200, 100));
    server
}

fn assert_limited(reply: &Reply) {
    assert_eq!(reply.status, 429, "{}", reply.text());
    assert!(reply.text().contains("#too-many-requests\""), "{}", reply.text());
    let retry: u64 = reply.field("retry-after").parse().expect("seconds");
    assert!((900..=1000).contains(&retry), "{retry}");
    assert_eq!(reply.field("cache-control"), "no-store");
}

#[test]
fn misses_are_limited_and_hits_are_not() {
    let server = server(&["limits.network_rate=0.001", "limits.network_burst=2"]);
    for width in [10, 11] {
        assert_eq!(server.get(&format!("/img/a.png?w={width}")).status, 200);
    }
    assert_limited(&server.get("/img/a.png?w=12"));
    for _ in 0..20 {
        assert_eq!(cache(&server.get("/img/a.png?w=10")), "tintype; hit; detail=memory");
    }
    assert_eq!(server.metric("tintype_limited_total{scope=\"network\"}"), 1.0);
    assert_eq!(server.fills(), 2.0);
}

#[test]
fn clients_behind_a_proxy_that_is_believed_are_told_apart() {
    let server = server(&["limits.network_rate=0.001", "limits.network_burst=1", "server.trusted_proxies=127.0.0.0/8"]);
    let ask = |from, width| server.get_with(&format!("/img/a.png?w={width}"), &[("x-forwarded-for", from)]);
    assert_eq!(ask("192.0.2.1", 10).status, 200);
    assert_limited(&ask("192.0.2.99", 11));
    assert_eq!(ask("198.51.100.1", 12).status, 200);
    assert_eq!(ask("2001:db8::1", 13).status, 200);
    assert_limited(&ask("2001:db8:0:ff::1", 14));
}

#[test]
fn what_a_tier_below_has_is_a_hit() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = format!("cache.disk.path={}", folder.path().display());
    let server = server(&["limits.network_rate=0.001", "limits.network_burst=2", "cache.memory.bytes=0B", &path]);
    assert_eq!(server.get("/img/a.png?w=10").status, 200);
    server.until("tintype_tier_events_total{tier=\"disk\",event=\"written\"}", 1.0);
    for _ in 0..10 {
        assert_eq!(server.get("/img/a.png?w=10").status, 200);
    }
    assert_eq!(server.fills(), 1.0);
    assert_eq!(server.get("/img/a.png?w=11").status, 200, "there was a token left");
    assert_limited(&server.get("/img/a.png?w=12"));
}

#[test]
fn keys_have_limits_of_their_own() {
    let secret = format!("signing.keys.0.secret={KEY}");
    let sets = [
        "signing.mode=optional",
        "signing.keys.0.kid=k1",
        "signing.keys.0.tenant=shop",
        &secret,
        "limits.key_rate=0.001",
        "limits.key_burst=1",
    ];
    let server = server(&sets);
    let ask = |width: u32| server.get(&signed(&format!("/img/a.png?w={width}"), KEY, None));
    let first = ask(10);
    assert_eq!(first.status, 200, "{}", first.text());
    assert_limited(&ask(11));
    assert_eq!(server.get("/img/a.png?w=12").status, 200, "no key, no limit");
}

#[test]
fn the_fleet_counts_together() {
    let Some(redis) = Redis::start(&[]) else { return };
    let url = format!("cache.redis.urls={}", redis.url());
    let sets = ["limits.network_rate=0.001", "limits.network_burst=3", &url, "cache.redis.timeout=30s"];
    let (one, two) = (server(&sets), server(&sets));
    for (number, instance) in [&one, &two, &one].into_iter().enumerate() {
        assert_eq!(instance.get(&format!("/img/a.png?w={}", 10 + number)).status, 200);
    }
    assert_limited(&two.get("/img/a.png?w=20"));
    assert_eq!(wire::get(one.address, "/img/a.png?w=10", &[]).status, 200, "a hit");
}
