//! Who may ask: signed, unsigned, expired, tampered with; and what a signature does to caching and to the log.

use crate::server::{Server, sets};
use signature::{Key, Request, sign};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use testkit::{Folder, Process, Reply, picture, wire};

pub(crate) const SECRET: &str = "a secret of the tests, 32 bytes and more";

pub(crate) fn keys(mode: &str) -> Vec<String> {
    let mode = format!("signing.mode={mode}");
    let secret = format!("signing.keys.0.secret={SECRET}");
    vec![mode, "signing.keys.0.kid=k1".to_owned(), secret, "signing.keys.0.tenant=shop".to_owned()]
}

fn server(mode: &str) -> Server {
    let keys = keys(mode);
    let server = Server::start(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    server.folder.put("a.png", picture::gradient(60, 40));
    server
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The target, signed with the server's key or with another secret.
pub(crate) fn signed(target: &str, secret: &str, expires: Option<u64>) -> String {
    let key = Key::new("k1", "shop", secret.as_bytes()).expect("a long secret");
    let (path, query) = target.split_once('?').expect("a query");
    sign(&key, &Request { method: "GET", host: None, path, query: Some(query) }, expires).expect("nothing forbids it")
}

pub(crate) fn kind(reply: &Reply) -> String {
    let document: serde_json::Value = serde_json::from_slice(&reply.body).expect("a problem document");
    document["type"].as_str().and_then(|kind| kind.rsplit('#').next()).expect("a type").to_owned()
}

#[test]
fn required() {
    let server = server("required");
    let good = signed("/img/a.png?w=20", SECRET, None);
    let reply = server.get(&good);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(reply.field("cache-tag").contains("tenant:shop"));
    assert_eq!(server.ask("HEAD", &good, &[]).status, 200, "HEAD is covered by GET's signature");
    for bad in [
        "/img/a.png?w=20".to_owned(),
        signed("/img/a.png?w=20", "another secret that is long enough, too", None),
        good.replace("w=20", "w=21"),
        good.replace("w=20", "w=20.0"),
        good.replace("a.png", "b.png"),
        good.replace("a.png", "%61.png"),
        good.replace("kid=k1", "kid=k2"),
        format!("{good}&h=5"),
        format!("{good}A"),
    ] {
        let reply = server.get(&bad);
        assert_eq!((reply.status, kind(&reply).as_str()), (403, "bad-signature"), "{bad}");
    }
    let unknown = server.get(&signed("/img/a.png?w=20&utm_source=x", SECRET, None));
    assert_eq!((unknown.status, kind(&unknown).as_str()), (400, "unknown-parameter"));
    let unreadable = server.get("/img/a.png?w=none");
    assert_eq!(unreadable.status, 403, "nothing is parsed before it is verified");
}

#[test]
fn optional_and_disabled() {
    let optional = server("optional");
    let good = signed("/img/a.png?w=20", SECRET, None);
    let unsigned = optional.get("/img/a.png?w=20&utm_source=x");
    assert_eq!((unsigned.status, unsigned.field("tintype-ignored")), (200, "\"utm_source\""));
    assert!(unsigned.field("cache-tag").contains("tenant:default"));
    assert_eq!(optional.get(&good).status, 200);
    assert_eq!(optional.fills(), 2.0, "tenants do not share renditions");
    assert_eq!(optional.get(&good.replace("w=20", "w=21")).status, 403);
    let disabled = server("disabled");
    assert_eq!(disabled.get(&good.replace("w=20", "w=21")).status, 200);
}

#[test]
fn expiry() {
    let server = server("required");
    let past = server.get(&signed("/img/a.png?w=20", SECRET, Some(now() - 1)));
    assert_eq!((past.status, kind(&past).as_str()), (403, "expired"));
    let soon = server.get(&signed("/img/a.png?w=20", SECRET, Some(now() + 100)));
    assert_eq!(soon.status, 200, "{}", soon.text());
    let control = soon.field("cache-control");
    let seconds = |text: &str, name: &str| {
        let value = text.split(", ").find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        value.map(|value| value.parse::<u64>().expect("a number"))
    };
    let age = soon.header("age").map_or(0, |age| age.parse().expect("a number"));
    let fresh = seconds(control, "max-age").expect("it may be kept") - age;
    assert!((90..=100).contains(&fresh), "{control}");
    for stale in ["stale-while-revalidate", "stale-if-error"] {
        assert!(seconds(control, stale).is_none_or(|more| fresh + more <= 100), "{control}");
    }
    let far = server.get(&signed("/img/a.png?w=20", SECRET, Some(now() + 10_000_000)));
    assert_eq!(far.field("cache-status").split("; ").nth(1), Some("hit"), "the time is no part of the key");
}

#[test]
fn no_signature_reaches_the_log() {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(60, 40));
    let keys = keys("required");
    let sets = sets(&folder, &keys.iter().map(String::as_str).collect::<Vec<_>>());
    let process = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets);
    let good = signed("/img/a.png?w=20", SECRET, None);
    let seal = good.split("s=").last().expect("a signature").to_owned();
    let bad = good.replace("w=20", "w=21");
    for (target, status) in [(&good, 200), (&good, 200), (&bad, 403)] {
        assert_eq!(wire::get(process.address, target, &[]).status, status);
    }
    process.terminate();
    let (status, log) = process.wait(Duration::from_secs(60));
    assert!(status.success());
    assert_eq!(log.matches("/img/a.png?w=2").count(), 3, "each is logged: {log}");
    assert!(!log.contains(&seal) && !log.contains(SECRET), "{log}");
}
