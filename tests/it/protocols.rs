//! One table for all protocols: what is asked, and what comes back, is the same on each.

use crate::doors::Doors;
use bytes::Bytes;
use http::{Method, Response};
use testkit::Protocol;

/// Method, target, fields, status.
type Row<'a> = (Method, &'a str, &'a [(&'a str, &'a str)], u16);

/// Fields that tell of a response; those of single protocols are not among them.
const FIELDS: [&str; 12] = [
    "content-type",
    "content-length",
    "content-range",
    "accept-ranges",
    "etag",
    "last-modified",
    "cache-control",
    "cache-tag",
    "vary",
    "link",
    "allow",
    "x-content-type-options",
];

/// What of a response has to be the same. The texts of problems name what is wrong, and nothing else.
fn told(response: &Response<Bytes>) -> (u16, Vec<(&'static str, Option<String>)>, Bytes) {
    let field = |name: &'static str| {
        let value = response.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        (name, value)
    };
    (response.status().as_u16(), FIELDS.iter().map(|name| field(name)).collect(), response.body().clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_answers_on_every_protocol() {
    for runtime in ["server.runtime=per-core", "server.runtime=multi-thread"] {
        let doors = Doors::open(&[runtime]);
        let first = doors.client(Protocol::Http1).await.get("/img/a.png?w=20").await;
        let etag = first.headers()["etag"].to_str().expect("ASCII").to_owned();
        let long = format!("/img/a.png?x={}", "a".repeat(9000));
        let get = Method::GET;
        let table: [Row<'_>; 22] = [
            (get.clone(), "/img/a.png?w=20", &[], 200),
            (Method::HEAD, "/img/a.png?w=20", &[], 200),
            (get.clone(), "/img/a.png?w=30&f=auto", &[("accept", "image/avif,image/webp,*/*")], 200),
            (get.clone(), "/img/large.png?w=1500&f=webp&q=90", &[], 200),
            (get.clone(), "/img/a.png?w=20", &[("if-none-match", &etag)], 304),
            (Method::HEAD, "/img/a.png?w=20", &[("if-none-match", &etag)], 304),
            (get.clone(), "/img/a.png?w=20", &[("if-match", "\"other\"")], 412),
            (get.clone(), "/img/a.png?w=20", &[("range", "bytes=0-9")], 206),
            (get.clone(), "/img/a.png?w=20", &[("range", "bytes=-5")], 206),
            (get.clone(), "/img/a.png?w=20", &[("range", "bytes=0-9"), ("if-range", "\"other\"")], 200),
            (get.clone(), "/img/a.png?w=20", &[("range", "bytes=999999-")], 416),
            (Method::HEAD, "/img/a.png?w=20", &[("range", "bytes=0-9")], 200),
            (get.clone(), "/img/a.png?w=0", &[], 400),
            (Method::HEAD, "/img/a.png?w=0", &[], 400),
            (get.clone(), "/img/%2e%2e/secret.png", &[], 400),
            (get.clone(), "/img/none.png", &[], 404),
            (get.clone(), "/nowhere", &[], 404),
            (get.clone(), &long, &[], 414),
            (Method::POST, "/img/a.png?w=20", &[], 405),
            (Method::DELETE, "/img/a.png?w=20", &[], 405),
            (Method::OPTIONS, "/img/a.png", &[], 204),
            (get, "/", &[], 404),
        ];
        for (method, target, fields, status) in table {
            let mut known = None;
            for protocol in Protocol::ALL {
                let shown = format!("{protocol:?} {method} {target:.60} {fields:?}");
                let response = doors.client(protocol).await.ask(method.clone(), target, fields).await;
                let response = response.unwrap_or_else(|error| panic!("{shown}: {error}"));
                assert_eq!(response.status().as_u16(), status, "{shown}");
                assert!(response.headers().contains_key("date"), "{shown}");
                let told = told(&response);
                assert_eq!(*known.get_or_insert_with(|| told.clone()), told, "{shown}");
            }
        }
        assert_eq!(doors.server.fills(), 3.0, "one rendition for all of them");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_carries_many_requests() {
    let doors = Doors::open(&["routes.1.prefix=/raw/", "routes.1.origin=folder", "routes.1.originals=true"]);
    let large: Vec<u8> = (0..3_000_000u32).map(|n| (n / 7) as u8).collect();
    doors.server.folder.put("large.bin", &large);
    for protocol in Protocol::ALL {
        let client = doors.client(protocol).await;
        for round in 0..30 {
            let width = 1 + round % 3;
            assert_eq!(client.get(&format!("/img/a.png?w={width}")).await.status().as_u16(), 200, "{protocol:?}");
        }
        let whole = client.get("/raw/large.bin").await;
        assert!(whole.body()[..] == large[..], "{protocol:?}");
        let range = [("range", "bytes=1000000-2000000")];
        let part = client.ask(Method::GET, "/raw/large.bin", &range).await.expect("a part");
        assert!(part.body()[..] == large[1_000_000..=2_000_000], "{protocol:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_finishes_requests_and_says_goodbye() {
    for protocol in Protocol::ALL {
        let doors = Doors::open(&[]);
        let client = std::sync::Arc::new(doors.client(protocol).await);
        let under_way = tokio::spawn({
            let client = std::sync::Arc::clone(&client);
            async move { client.get("/img/large.png?w=2500&f=webp").await }
        });
        while doors.server.metric("tintype_render_busy") < 1.0 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        doors.server.stop();
        assert_eq!(under_way.await.expect("no panic").status().as_u16(), 200, "{protocol:?}");
        let client = std::sync::Arc::into_inner(client).expect("the other user has ended");
        assert!(client.end().await, "{protocol:?}: an orderly end");
        doors.server.while_above("tintype_connections", 0.0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_connection_is_closed() {
    let doors = Doors::open(&["server.idle_timeout=300ms"]);
    for protocol in Protocol::ALL {
        let client = doors.client(protocol).await;
        assert_eq!(client.get("/img/a.png?w=20").await.status().as_u16(), 200);
        assert!(client.end().await, "{protocol:?}: an orderly end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_encrypted_answers_tell_of_http_3() {
    let doors = Doors::open(&[]);
    for (protocol, told) in
        [(Protocol::Http1, false), (Protocol::Http2, false), (Protocol::Http1Tls, true), (Protocol::Http2Tls, true)]
    {
        let response = doors.client(protocol).await.get("/img/a.png?w=20").await;
        let alt_svc = response.headers().get("alt-svc").map(|value| value.to_str().expect("text").to_owned());
        let expected = told.then(|| format!("h3=\":{}\"; ma=86400", doors.secure().port()));
        assert_eq!(alt_svc, expected, "{protocol:?}");
    }
    let elsewhere = Doors::open(&["tls.alt_svc_port=443"]);
    let response = elsewhere.client(Protocol::Http2Tls).await.get("/img/a.png?w=20").await;
    assert_eq!(response.headers()["alt-svc"], "h3=\":443\"; ma=86400");
    let without = Doors::open(&["tls.http3=false"]);
    let response = without.client(Protocol::Http2Tls).await.get("/img/a.png?w=20").await;
    assert!(!response.headers().contains_key("alt-svc"));
}
