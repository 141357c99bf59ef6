//! What a picture's URL gives: bytes, fields, conditions, ranges, one rendition for all spellings.

use crate::server::{Server, cache};
use std::time::Duration;
use testkit::picture;

fn server() -> Server {
    let server = Server::start(&[]);
    server.folder.put("a.png", picture::gradient(300, 200)).put("sub/b c.png", picture::alpha(64, 64));
    server
}

#[test]
fn a_miss_then_a_hit_of_the_same_bytes() {
    let server = server();
    let first = server.get("/img/a.png?w=60");
    assert_eq!((first.status, cache(&first).as_str()), (200, "tintype; fwd=miss; stored"), "{}", first.text());
    assert_eq!((first.field("content-type"), picture::png_size(&first.body)), ("image/png", Some((60, 40))));
    assert_eq!(first.header("age"), None);
    let second = server.get("/img/a.png?w=60");
    assert_eq!((second.status, cache(&second).as_str()), (200, "tintype; hit; detail=memory"));
    assert_eq!(second.body, first.body);
    assert!(second.header("age").is_some());
    for name in ["etag", "content-length", "cache-control", "last-modified", "accept-ranges", "cache-tag", "link"] {
        assert_eq!(first.field(name), second.field(name), "{name}");
    }
    assert_eq!(server.fills(), 1.0);
    assert_eq!(
        first.field("cache-control"),
        "public, max-age=86400, stale-while-revalidate=3600, stale-if-error=86400"
    );
    assert_eq!(first.field("cache-tag"), "src:a.png,route:/img/,tenant:default");
    assert_eq!(first.field("link"), "</img/a.png>; rel=\"canonical\"");
    assert_eq!(first.field("x-content-type-options"), "nosniff");
    assert_eq!(first.header("vary"), None);
    assert_eq!(first.header("server-timing"), None);
}

#[test]
fn equal_content_has_an_equal_tag_on_every_instance() {
    let (one, two) = (server(), server());
    let (one, two) = (one.get("/img/a.png?w=60&f=webp"), two.get("/img/a.png?w=60&f=webp"));
    assert_eq!(one.body, two.body);
    assert_eq!(one.field("etag"), two.field("etag"));
}

#[test]
fn head_is_get_without_a_body() {
    let server = server();
    let get = server.get("/img/a.png?w=50");
    let mut connection = server.connect();
    let head = connection.ask("HEAD", "/img/a.png?w=50", &[]).expect("a whole head");
    assert!(head.body.is_empty());
    for name in ["content-type", "content-length", "etag", "cache-control", "cache-tag", "last-modified"] {
        assert_eq!(head.field(name), get.field(name), "{name}");
    }
    let next = connection.ask("GET", "/img/a.png?w=50", &[]).expect("no byte of a body was in the way");
    assert_eq!(next.body, get.body);
    let miss = server.ask("HEAD", "/img/a.png?w=51", &[]);
    assert_eq!((miss.status, cache(&miss).as_str()), (200, "tintype; fwd=miss; stored"), "HEAD may be first");
}

#[test]
fn conditions() {
    let server = server();
    let whole = server.get("/img/a.png?w=60");
    let etag = whole.field("etag");
    let weak = format!("W/{etag}");
    for value in [etag, &weak, "*", &format!("\"other\", {etag}")] {
        let reply = server.get_with("/img/a.png?w=60", &[("if-none-match", value)]);
        assert_eq!((reply.status, reply.body.len()), (304, 0), "{value}");
        for name in ["etag", "cache-control", "cache-status", "cache-tag"] {
            assert!(reply.header(name).is_some(), "{name}");
        }
        for name in ["content-type", "content-length", "last-modified", "link"] {
            assert_eq!(reply.header(name), None, "{name}");
        }
    }
    let since = whole.field("last-modified");
    assert_eq!(server.get_with("/img/a.png?w=60", &[("if-modified-since", since)]).status, 304);
    let other = [("if-none-match", "\"other\""), ("if-modified-since", since)];
    assert_eq!(server.get_with("/img/a.png?w=60", &other).status, 200, "the tag decides, not the date");
    assert_eq!(server.get_with("/img/a.png?w=60", &[("if-match", "\"other\"")]).status, 412);
    let fresh = server.get_with("/img/a.png?w=61", &[("if-none-match", "*")]);
    assert_eq!(fresh.status, 304, "a condition holds for a rendition that was just made");
}

#[test]
fn ranges() {
    let server = server();
    let whole = server.get("/img/a.png?w=60");
    let length = whole.body.len();
    let ask = |fields: &[(&str, &str)]| server.get_with("/img/a.png?w=60", fields);
    let part = ask(&[("range", "bytes=10-19")]);
    assert_eq!((part.status, &part.body[..]), (206, &whole.body[10..20]));
    assert_eq!(part.field("content-range"), format!("bytes 10-19/{length}"));
    assert_eq!(part.field("etag"), whole.field("etag"));
    let tail = ask(&[("range", "bytes=-5")]);
    assert_eq!((tail.status, &tail.body[..]), (206, &whole.body[length - 5..]));
    let beyond = ask(&[("range", &format!("bytes={length}-"))]);
    assert_eq!((beyond.status, beyond.field("content-range")), (416, format!("bytes */{length}").as_str()));
    assert_eq!(ask(&[("range", "bytes=0-1,3-4")]).status, 200);
    assert_eq!(ask(&[("range", "apples=0-1")]).status, 200);
    let current = ask(&[("range", "bytes=0-9"), ("if-range", whole.field("etag"))]);
    assert_eq!((current.status, current.body.len()), (206, 10));
    let outdated = ask(&[("range", "bytes=0-9"), ("if-range", "\"outdated\"")]);
    assert_eq!((outdated.status, outdated.body), (200, whole.body));
}

#[test]
fn all_spellings_share_one_rendition() {
    let server = server();
    let first = server.get("/img/a.png?w=100&h=50");
    assert_eq!(cache(&first), "tintype; fwd=miss; stored");
    for target in ["/img/a.png?h=50&w=100.0", "/img/%61.png?w=100&h=50", "/img/a.png?h=50&w=100&fit=scale-down"] {
        let reply = server.get(target);
        assert_eq!((reply.status, cache(&reply).as_str()), (200, "tintype; hit; detail=memory"), "{target}");
        assert_eq!(reply.body, first.body);
    }
    assert_eq!(server.fills(), 1.0);
}

#[test]
fn unknown_parameters_are_named_and_left_out() {
    let server = server();
    let plain = server.get("/img/a.png?w=60");
    let reply = server.get("/img/a.png?w=60&utm_source=x&fbclid=y");
    assert_eq!(reply.field("tintype-ignored"), "\"utm_source\", \"fbclid\"");
    assert_eq!((cache(&reply).as_str(), reply.body), ("tintype; hit; detail=memory", plain.body.clone()));
    assert_eq!(plain.header("tintype-ignored"), None);
}

#[test]
fn downloads_and_tags_belong_to_the_response_alone() {
    let server = server();
    let plain = server.get("/img/sub/b%20c.png?w=20&f=webp");
    assert_eq!(plain.header("content-disposition"), None);
    let named = server.get("/img/sub/b%20c.png?w=20&f=webp&dl=x.exe&tags=spring,sale");
    assert_eq!(named.field("content-disposition"), "attachment; filename=\"x.exe.webp\"");
    assert!(named.field("cache-tag").contains("spring,sale"), "{}", named.field("cache-tag"));
    assert_eq!((cache(&named).as_str(), &named.body), ("tintype; hit; detail=memory", &plain.body));
    let own = server.get("/img/sub/b%20c.png?w=20&f=webp&dl");
    assert_eq!(own.field("content-disposition"), "attachment; filename=\"b c.webp\"");
}

#[test]
fn a_changed_original_gives_a_new_rendition() {
    let server = Server::start(&["cache.check=0s"]);
    server.folder.put("a.png", picture::gradient(300, 200));
    let before = server.get("/img/a.png?w=60");
    server.folder.put("a.png", picture::alpha(300, 300));
    let after = server.get("/img/a.png?w=60");
    assert_eq!((after.status, cache(&after).as_str()), (200, "tintype; fwd=miss; stored"));
    assert_ne!(before.field("etag"), after.field("etag"));
    assert_eq!(picture::png_size(&after.body), Some((60, 60)));
}

#[test]
fn between_two_checks_an_original_counts_as_unchanged() {
    let server = Server::start(&["cache.check=1h"]);
    server.folder.put("a.png", picture::gradient(300, 200));
    let before = server.get("/img/a.png?w=60");
    server.folder.put("a.png", picture::alpha(300, 300));
    std::thread::sleep(Duration::from_millis(20));
    let after = server.get("/img/a.png?w=60");
    assert_eq!((cache(&after).as_str(), after.body), ("tintype; hit; detail=memory", before.body));
}
