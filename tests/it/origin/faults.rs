//! Origins that hang, drip, break off, lie and send too much: an answer in time, with the phase in its words, every time.

use super::{Web, kept, png};
use std::net::TcpListener;
use std::time::Duration;
use testkit::{Act, Origin};

/// Short times; a busy machine may need longer for a whole answer, but no answer here is whole.
const SHORT: [&str; 4] = [
    "origins.1.http.response_timeout=200ms",
    "origins.1.http.pause_timeout=200ms",
    "origins.1.http.connect_timeout=200ms",
    "origins.1.http.retries=0",
];

/// Status and text of the answer for an origin that does this.
fn answer(act: Act, more: &[&str]) -> (u16, String) {
    let web = Web::with(&[&SHORT, more].concat());
    web.origin.on("/a.png", [act]);
    let reply = web.get("/web/a.png?w=9");
    let text = reply.text();
    assert_eq!(reply.field("content-type"), "application/problem+json", "{text}");
    (reply.status, text)
}

fn head(length: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n{length}\r\n").as_bytes(), body].concat()
}

fn assert_phase(act: Act, more: &[&str], status: u16, phase: &str) {
    let shown = format!("{act:?}").chars().take(60).collect::<String>();
    let (got, text) = answer(act, more);
    assert!(got == status && text.contains(&format!("phase: {phase}")), "{shown}: {got} {text}");
}

#[test]
fn silence() {
    assert_phase(Act::Hang(Vec::new()), &[], 504, "response");
    assert_phase(Act::Hang(b"HTTP/1.1 200 OK\r\nconte".to_vec()), &[], 504, "response");
    assert_phase(Act::Hang(head("content-length: 9999\r\n", b"begun")), &[], 504, "body");
}

#[test]
fn drips_end_with_the_whole() {
    let pause = Duration::from_millis(20);
    assert_phase(Act::Drip(head("", &png()), pause), &["origins.1.http.timeout=400ms"], 504, "response");
    let drip = Act::Drip(head("", &[b'x'; 10_000]), pause);
    let web = Web::with(&["origins.1.http.timeout=30s", "routes.1.fetch.timeout=300ms", "origins.1.http.retries=0"]);
    web.origin.on("/a.png", [drip]);
    assert_eq!(web.get("/web/a.png?w=9").status, 504, "the route's own limit");
}

#[test]
fn broken_off() {
    assert_phase(Act::Reset(Vec::new()), &[], 502, "response");
    assert_phase(Act::Reset(b"HTTP/1.1 200 OK\r\n".to_vec()), &[], 502, "response");
    assert_phase(Act::Raw(Vec::new()), &[], 502, "response");
    assert_phase(Act::Raw(head("content-length: 9999\r\n", b"short")), &[], 502, "body");
    assert_phase(Act::Raw(head("transfer-encoding: chunked\r\n", b"5\r\nshort")), &[], 502, "body");
}

#[test]
fn garbage() {
    for bytes in
        [&b"\x16\x03\x01\x00\x00"[..], b"SSH-2.0-OpenSSH_9\r\n", b"HTTP/1.1 two OK\r\n\r\n", b"\0\0\0\0\r\n\r\n"]
    {
        assert_phase(Act::Raw(bytes.to_vec()), &[], 502, "response");
    }
    let wide = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(200_000));
    assert_phase(Act::Raw(wide.into_bytes()), &[], 502, "response");
    let lines = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(2_000));
    assert_phase(Act::Raw(lines.into_bytes()), &[], 502, "response");
    assert_phase(Act::Raw(head("transfer-encoding: chunked\r\n", b"zz\r\n")), &[], 502, "body");
    assert_phase(Act::ok(&[("content-encoding", "gzip")], "\x1f\u{8b}"), &[], 502, "body");
}

#[test]
fn too_much() {
    let small = ["origins.1.max_bytes=1KiB"];
    for act in [
        Act::ok(&[], vec![0; 1025]),
        Act::Hang(head("content-length: 99999999999\r\n", b"")),
        Act::Hang(head("", &[0; 1025])),
        Act::Hang(head("transfer-encoding: chunked\r\n", &[&b"fff\r\n"[..], &[0; 2000]].concat())),
    ] {
        let (status, text) = answer(act, &small);
        assert!(status == 422 && text.contains("the limit is 1024"), "{status} {text}");
    }
}

#[test]
fn lies_about_type_do_not_matter() {
    let web = Web::new();
    web.origin.on("/a.png", [Act::ok(&[("content-type", "application/pdf")], png())]);
    web.origin.on("/b.png", [Act::ok(&[("content-type", "image/png")], "<html>")]);
    assert_eq!(web.get("/web/a.png?w=9").field("content-type"), "image/png");
    assert_eq!(web.get("/web/b.png?w=9").status, 415);
}

#[test]
fn nobody_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("origins.1.base=http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let web = Web::with(&[&SHORT[..], &[&base]].concat());
    let reply = web.get("/web/a.png?w=9");
    assert!(reply.status == 502 && reply.text().contains("phase: connect"), "{}", reply.text());
    let unknown = Web::with(
        &[&SHORT[..], &["origins.1.base=http://nowhere.invalid/", "origins.1.http.connect_timeout=1m"]].concat(),
    );
    let reply = unknown.get("/web/a.png?w=9");
    assert!(reply.status == 502 && reply.text().contains("phase: resolve"), "{}", reply.text());
}

#[test]
fn hits_do_not_wait_for_an_origin_that_hangs() {
    let web = Web::with(&["origins.1.http.requests=1", "routes.2.fetch.timeout=100ms"]);
    web.origin.on("/a.png", [kept("max-age=60")]).on("/slow.png", [Act::Hang(Vec::new())]);
    assert_eq!(web.get("/web/a.png?w=9").status, 200);
    let mut waiting = web.server.connect();
    waiting.request("GET", "/web/slow.png?w=9", &[]).unwrap();
    web.origin.until("/slow.png", 1);
    let hit = web.get("/web/a.png?w=9");
    assert_eq!((hit.status, hit.field("cache-status").contains("hit")), (200, true));
    let second = web.get("/raw/other.png");
    assert!(second.status == 504 && second.text().contains("phase: queue"), "{}", second.text());
}

#[test]
fn a_host_that_keeps_failing_is_left_alone() {
    let more = ["origins.1.http.breaker_failures=3", "origins.1.http.breaker_pause=10m", "origins.1.http.retries=0"];
    let origin = Origin::new();
    let web = Web::of(origin, &more);
    web.origin.on("/a.png", [Act::status(503, &[], "")]);
    // They count when they go on for more than a second.
    let began = std::time::Instant::now();
    let refused = loop {
        let reply = web.get("/web/a.png?w=9");
        assert_eq!(reply.status, 502);
        if reply.text().contains("left alone") {
            break reply;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{}", reply.text());
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(refused.field("retry-after").parse::<u64>().unwrap() > 500);
    let asked = web.count();
    assert_eq!(web.get("/web/a.png?w=9").status, 502);
    assert_eq!(web.count(), asked);
    assert_eq!(web.server.metric("tintype_origin_hosts_open{origin=\"web\"}"), 1.0);
}
