//! HTTP/1 as it comes: pipelined, old, wrong, too large. Each byte on the wire is meant.

use crate::server::Server;
use testkit::{picture, wire};

fn server() -> Server {
    let server = Server::start(&[]);
    server.folder.put("a.png", picture::gradient(60, 40));
    server
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    for runtime in ["server.runtime=per-core", "server.runtime=multi-thread"] {
        let server = Server::start(&[runtime]);
        server.folder.put("a.png", picture::gradient(60, 40));
        let mut connection = server.connect();
        let widths = [10, 40, 20, 10, 30];
        let requests: String = widths.iter().map(|w| wire::head("GET", &format!("/img/a.png?w={w}"), &[])).collect();
        connection.send(requests).expect("connected");
        for width in widths {
            let reply = connection.reply("GET").expect("a whole response");
            assert_eq!(picture::png_size(&reply.body).map(|size| size.0), Some(width));
        }
    }
}

#[test]
fn http_1_0() {
    let server = server();
    let mut connection = server.connect();
    connection.send("GET /img/a.png?w=20 HTTP/1.0\r\n\r\n").expect("connected");
    let reply = connection.reply("GET").expect("a response");
    assert_eq!((reply.status, picture::png_size(&reply.body)), (200, Some((20, 13))));
    assert!(connection.is_ended(), "HTTP/1.0 ends the connection");
    let mut kept = server.connect();
    for _ in 0..2 {
        kept.send("GET /img/a.png?w=20 HTTP/1.0\r\nconnection: keep-alive\r\n\r\n").expect("kept");
        assert_eq!(kept.reply("GET").expect("a response").status, 200);
    }
}

#[test]
fn what_is_no_http_is_refused_and_closed() {
    let server = server();
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS greeting\r\n\r\n"[..],
        b"HELO example.org\r\n\r\n",
        b"GET /img/a.png\r\n\r\n",
        b"GET /img/a.png HTTP/9.9\r\n\r\n",
        b"GET  /img/a.png HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /img/a.png HTTP/1.1\r\nhost : a\r\n\r\n",
        b"GET /img/a.png HTTP/1.1\r\n folded: a\r\n\r\n",
        b"GET /img/\x00 HTTP/1.1\r\nhost: a\r\n\r\n",
        b"GET /img/a.png HTTP/1.1\r\nhost: a\r\nx: \x00\r\n\r\n",
        b"GET /img/a.png HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
        b"GET /img/a.png HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n",
        b"GET /img/a.png HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n",
    ] {
        let shown = String::from_utf8_lossy(bytes).into_owned();
        let mut connection = server.connect();
        connection.send(bytes).expect("connected");
        let reply = connection.reply("GET").unwrap_or_else(|error| panic!("{shown:?}: {error}"));
        assert_eq!(reply.status, 400, "{shown:?}");
        assert!(connection.is_ended(), "{shown:?}");
    }
    assert_eq!(server.get("/img/a.png?w=20").status, 200, "others are served");
}

#[test]
fn a_body_is_never_the_next_request() {
    let server = server();
    let smuggled = wire::head("GET", "/img/a.png?w=11", &[]);
    let mut connection = server.connect();
    let length = smuggled.len().to_string();
    let next = wire::head("GET", "/img/a.png?w=22", &[]);
    for (method, status) in [("POST", 405), ("GET", 200)] {
        let head = wire::head(method, "/img/a.png?w=33", &[("content-length", &length)]);
        let sent = connection.send(format!("{head}{smuggled}{next}"));
        sent.unwrap_or_else(|error| panic!("{method}: {error}"));
        let first = connection.reply(method).expect("an answer to the first");
        assert_eq!(first.status, status);
        // The server may end the connection instead of reading a body that it does not want.
        if let Ok(second) = connection.reply("GET") {
            assert_eq!(picture::png_size(&second.body).map(|size| size.0), Some(22));
        }
        connection = server.connect();
    }
}

#[test]
fn heads_and_targets_have_limits() {
    let server = server();
    for (what, fields) in [
        ("bytes", vec![("x-large".to_owned(), "a".repeat(80_000))]),
        ("fields", (0..200).map(|n| (format!("x-{n}"), "a".to_owned())).collect()),
    ] {
        let mut connection = server.connect();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        // The answer may come before the head's end.
        let _cut = connection.request("GET", "/img/a.png?w=20", &fields);
        assert_eq!(connection.reply("GET").expect("an answer").status, 431, "too many {what}");
        assert!(connection.is_ended());
    }
    let within = format!("/img/a.png?w=20&x={}", "a".repeat(7000));
    assert_eq!(server.get(&within).status, 200);
    for bytes in [9_000, 20_000] {
        let reply = server.get(&format!("/img/a.png?w=20&x={}", "a".repeat(bytes)));
        assert_eq!((reply.status, reply.field("content-type")), (414, "application/problem+json"));
    }
    let mut connection = server.connect();
    let _cut = connection.request("GET", &format!("/img/{}", "a".repeat(70_000)), &[]);
    let status = connection.reply("GET").expect("an answer").status;
    assert!(matches!(status, 414 | 431), "{status}");
}

#[test]
fn methods() {
    let server = server();
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PURGE"] {
        let reply = server.ask(method, "/img/a.png?w=20", &[]);
        assert_eq!((reply.status, reply.field("allow")), (405, "GET, HEAD, OPTIONS"), "{method}");
        assert_eq!(reply.field("cache-control"), "no-store");
    }
    assert_eq!(server.ask("CONNECT", "a.example:443", &[]).status, 405);
    assert_eq!(server.fills(), 0.0);
    let preflight = [("origin", "https://shop.example"), ("access-control-request-method", "GET")];
    let reply = server.ask("OPTIONS", "/img/a.png?w=20", &preflight);
    assert_eq!((reply.status, reply.field("access-control-allow-origin")), (204, "*"));
    assert_eq!(reply.field("access-control-allow-methods"), "GET, HEAD, OPTIONS");
    let get = server.get_with("/img/a.png?w=20", &[("origin", "https://shop.example")]);
    assert_eq!((get.field("access-control-allow-origin"), get.header("vary")), ("*", None));
    assert_eq!(get.field("timing-allow-origin"), "*");
    assert!(get.field("access-control-expose-headers").contains("cache-status"));
}
