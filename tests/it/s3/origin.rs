//! What a bucket's answers become.

use super::{edge, png};
use crate::server::{Server, cache};
use testkit::certificate::Authority;
use testkit::s3::{Inside, Moto};
use testkit::{Act, Folder, Origin, picture};

/// A server at the place of S3 that says what the test wants, of the object `a.png`.
fn saying(acts: impl IntoIterator<Item = Act>, more: &[&str]) -> (Origin, Server) {
    let server = Origin::new();
    server.on(OBJECT, acts);
    let edge = edge(server.address, more);
    (server, edge)
}

const OBJECT: &str = "/originals/a.png?x-id=GetObject";

fn error(status: u16, code: &str) -> Act {
    Act::status(status, &[], format!("<Error><Code>{code}</Code><Message>in S3's words</Message></Error>"))
}

#[test]
fn odd_keys_are_signed_and_found() {
    let server = Inside::start(&["originals"]);
    for key in
        ["deep/er/a.png", "a b.png", "é/ü 😀.png", "a+b.png", "100%.png", "a&b=c;d,e.png", "a?b.png", "a#b'(c)!*~.png"]
    {
        server.put("originals", &format!("photos/{key}"), png());
    }
    let edge = edge(server.address, &["origins.1.prefix=photos/"]);
    for target in [
        "deep/er/a.png",
        "a%20b.png",
        "%C3%A9/%C3%BC%20%F0%9F%98%80.png",
        "a+b.png",
        "a%2Bb.png",
        "100%25.png",
        "a&b=c;d,e.png",
        "a%3Fb.png",
        "a%23b'(c)!*~.png",
    ] {
        let reply = edge.get(&format!("/media/{target}?w=9"));
        assert_eq!((reply.status, picture::png_size(&reply.body)), (200, Some((9, 6))), "{target}: {}", reply.text());
    }
    assert_eq!(edge.get("/raw/a%20b.png").body, png());
    server.put("originals", "secret.png", png());
    for target in ["none.png", "../secret.png", "%2e%2e/secret.png", "x/%2E%2e%2f%2e./secret.png", &"k".repeat(1020)] {
        let status = edge.get(&format!("/media/{target}?w=9")).status;
        assert!(matches!(status, 400 | 404), "{target}: {status}");
    }
}

#[test]
fn who_signs_with_a_wrong_key_gets_nothing() {
    let server = Inside::start(&["originals"]);
    server.put("originals", "a.png", png());
    let edge = edge(server.address, &["origins.1.s3.secret_access_key=guessed-wrongly"]);
    let reply = edge.get("/media/a.png?w=9");
    assert_eq!(reply.status, 502, "the config is wrong, not the URL");
    assert!(!reply.text().contains("guessed") && !reply.text().contains("127.0.0.1"), "{}", reply.text());
}

#[test]
fn an_object_says_how_long_it_is_fresh() {
    let Some(server) = Moto::start(&["originals"]) else { return };
    server.put("originals", "kept.png", &[("cache-control", "max-age=60"), ("content-type", "image/png")], png());
    server.put("originals", "silent.png", &[], png());
    server.put("originals", "never.png", &[("cache-control", "no-store")], png());
    let edge = edge(server.address, &[]);
    let asked = |result: &str| edge.metric(&format!("tintype_origin_requests_total{{result=\"{result}\"}}"));

    let first = edge.get("/media/kept.png?w=9");
    assert_eq!((cache(&first).as_str(), first.status), ("tintype; fwd=miss; stored", 200));
    assert_eq!(first.field("cache-control"), "public, max-age=60, stale-if-error=86400");
    assert!(first.header("last-modified").is_some());
    assert_eq!(cache(&edge.get("/media/kept.png?w=9")), "tintype; hit; detail=memory");
    assert_eq!(edge.get("/media/kept.png?w=8").status, 200);
    assert_eq!(asked("fetched"), 1.0, "ten sizes of one original fetch it once");

    assert_eq!(edge.get("/media/silent.png?w=9").field("cache-control"), "public, max-age=0, stale-if-error=86400");
    let again = edge.get("/media/silent.png?w=9");
    assert!(cache(&again).contains("fwd=stale") && cache(&again).contains("fwd-status=304"), "{}", cache(&again));
    assert_eq!((asked("fetched"), asked("not-modified")), (2.0, 1.0), "asked each time, with conditions");
    server.put("originals", "silent.png", &[], picture::alpha(60, 40));
    let changed = edge.get("/media/silent.png?w=9");
    assert_ne!(changed.body, again.body, "another original has other renditions");
    assert_eq!(asked("fetched"), 3.0);

    assert_eq!(edge.get("/media/never.png?w=9").field("cache-control"), "no-store");
    assert_eq!(edge.get("/media/never.png?w=9").status, 200);
    assert_eq!(asked("fetched"), 5.0, "kept by nobody");
}

#[test]
fn versions_are_named_where_the_config_says_so() {
    let Some(server) = Moto::start(&["originals"]) else { return };
    let versioning = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    assert_eq!(server.ask("PUT", "/originals?versioning", &[], versioning).status, 200);
    let put = |bytes| server.put("originals", "a.png", &[], bytes).field("x-amz-version-id").to_owned();
    let (old, new) = (put(png()), put(picture::gradient(30, 30)));
    let with = edge(server.address, &["origins.1.s3.versions=true"]);
    let size = |target: &str| picture::png_size(&with.get(target).body);
    assert_eq!(size("/raw/a.png"), Some((30, 30)));
    assert_eq!(size(&format!("/raw/a.png%3FversionId={old}")), Some((60, 40)));
    assert_eq!(size(&format!("/raw/a.png%3FversionId={new}")), Some((30, 30)));
    for query in ["versionId=no-such-version", "versionId=", "v=1", "versionId=a/b"] {
        assert_eq!(with.get(&format!("/raw/a.png%3F{query}")).status, 404, "{query}");
    }
    let without = edge(server.address, &[]);
    assert_eq!(without.get(&format!("/raw/a.png%3FversionId={old}")).status, 404, "there a ? is part of the key");
}

#[test]
fn a_public_bucket_is_asked_without_a_signature() {
    let Some(server) = Moto::start(&["originals"]) else { return };
    server.put("originals", "public.png", &[("x-amz-acl", "public-read")], png());
    server.put("originals", "private.png", &[], png());
    let own = super::origin(server.address, &["origins.1.s3.anonymous=true"]);
    let edge = super::start(&own.into_iter().filter(|set| !set.contains("access_key")).collect::<Vec<_>>());
    assert_eq!(edge.get("/media/public.png?w=9").status, 200);
    assert_eq!(edge.get("/media/private.png?w=9").status, 404, "AccessDenied");
}

#[test]
fn an_https_server_has_to_prove_who_it_is() {
    let (authority, folder) = (Authority::new(), Folder::new());
    folder.put("ca.pem", authority.pem()).put("other.pem", Authority::new().pem());
    let address = crate::origin::tls::serve(authority.server(&["localhost"], &[b"http/1.1"]));
    let endpoint = format!("origins.1.endpoint=https://localhost:{}", address.port());
    for (file, status) in [("ca.pem", 200), ("other.pem", 502)] {
        let trusted = format!("origins.1.s3.ca_file={}", folder.root().join(file).display());
        let reply = edge(address, &[&endpoint, &trusted]).get("/media/a.png?w=9");
        assert_eq!(reply.status, status, "{file}: {}", reply.text());
    }
}

#[test]
fn a_bucket_that_is_not_there_is_the_origins_fault() {
    let Some(server) = Moto::start(&[]) else { return };
    let reply = edge(server.address, &[]).get("/media/a.png?w=9");
    assert_eq!(reply.status, 502, "{}", reply.text());
}

#[test]
fn statuses_of_s3() {
    for (status, code, more, ours) in [
        (404, "NoSuchKey", &[][..], 404),
        (403, "AccessDenied", &[], 404),
        (403, "AccessDenied", &["origins.1.s3.forbidden=forbidden"], 403),
        (403, "SignatureDoesNotMatch", &[], 502),
        (403, "InvalidObjectState", &[], 502),
        (404, "NoSuchBucket", &[], 502),
        (301, "PermanentRedirect", &[], 502),
        (500, "InternalError", &["origins.1.s3.retries=0"], 502),
    ] {
        let (_server, edge) = saying([error(status, code)], more);
        let reply = edge.get("/media/a.png?w=9");
        assert_eq!(reply.status, ours, "{status} {code}: {}", reply.text());
        assert_eq!(reply.field("content-type"), "application/problem+json");
    }
}

#[test]
fn what_is_too_large_or_encoded_is_not_read() {
    let server = Inside::start(&["originals"]);
    server.put("originals", "a.png", picture::noise(80, 60, 1));
    let limited = edge(server.address, &["origins.1.max_bytes=1KiB"]);
    assert_eq!(limited.get("/media/a.png?w=9").status, 422);
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1000\r\n";
    let endless = [chunked.as_bytes(), &[b'x'; 0x1000], b"\r\n1000\r\n", &[b'x'; 0x1000]].concat();
    let (_lying, edge) = saying([Act::Hang(endless)], &["origins.1.max_bytes=1KiB"]);
    assert_eq!(edge.get("/media/a.png?w=9").status, 422, "whatever length is announced, or none");
    let (_packed, edge) = saying([Act::ok(&[("content-encoding", "gzip")], png())], &[]);
    let reply = edge.get("/media/a.png?w=9");
    assert!(reply.status == 502 && reply.text().contains("phase: body"), "{}", reply.text());
}

#[test]
fn a_throttled_bucket_is_asked_again_within_its_budget() {
    let busy = || error(503, "SlowDown");
    let (server, edge) = saying([busy(), busy(), Act::ok(&[("cache-control", "max-age=60")], png())], &[]);
    assert_eq!((edge.get("/media/a.png?w=9").status, server.count(OBJECT)), (200, 3));
    let (server, edge) = saying([busy()], &["origins.1.s3.retries=1"]);
    let reply = edge.get("/media/a.png?w=9");
    assert_eq!((reply.status, reply.field("retry-after"), server.count(OBJECT)), (502, "2", 2));
    let later = Act::status(503, &[("retry-after", "30")], "<Error><Code>SlowDown</Code></Error>");
    let (server, edge) = saying([later], &[]);
    let reply = edge.get("/media/a.png?w=9");
    assert_eq!(
        (reply.status, reply.field("retry-after"), server.count(OBJECT)),
        (502, "30", 1),
        "nobody waits so long"
    );
}
