//! Clients of HTTP/2 that keep its letter and not its spirit, each byte on the wire as they would send it.

use crate::server::Server;
use std::thread::sleep;
use std::time::Duration;
use testkit::{Connection, picture};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn server(more: &[&str]) -> Server {
    let server = Server::start(more);
    server.folder.put("a.png", picture::gradient(60, 40)).put("large.png", picture::noise(3000, 2000, 9));
    server
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame").to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field as a literal that nobody remembers (RFC 7541 §6.2.2).
fn field(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        let mut length = text.len();
        let mut out = vec![u8::try_from(length.min(127)).expect("seven bits")];
        if length >= 127 {
            length -= 127;
            while length >= 128 {
                out.push(u8::try_from(length % 128).expect("seven bits") | 0x80);
                length /= 128;
            }
            out.push(u8::try_from(length).expect("seven bits"));
        }
        out.extend(text.as_bytes());
        out
    };
    [vec![0], text(name), text(value)].concat()
}

fn head(target: &str) -> Vec<u8> {
    [(":method", "GET"), (":scheme", "http"), (":authority", "a.example"), (":path", target)]
        .iter()
        .flat_map(|(name, value)| field(name, value))
        .collect()
}

fn get(stream: u32, target: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &head(target))
}

/// With these settings of the client.
fn open(server: &Server, settings: &[(u16, u32)]) -> Connection {
    let mut connection = server.connect();
    let pairs: Vec<u8> =
        settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
    connection
        .send([b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), frame(SETTINGS, 0, 0, &pairs)].concat())
        .expect("connected");
    connection
}

/// What came until the end, and `None` where there is none: frames' kinds and payloads.
fn frames(connection: &mut Connection) -> Vec<(u8, Vec<u8>)> {
    let mut bytes = Vec::new();
    while let Ok(more) = connection.read(1 << 16) {
        if more.is_empty() {
            break;
        }
        bytes.extend(more);
    }
    let mut found = Vec::new();
    let mut rest = &bytes[..];
    while rest.len() >= 9 {
        let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
        if rest.len() < 9 + length {
            break;
        }
        found.push((rest[3], rest[9..9 + length].to_vec()));
        rest = &rest[9 + length..];
    }
    found
}

fn is_served(server: &Server) -> bool {
    server.get("/img/a.png?w=20").status == 200
}

fn refused(server: &Server, reason: &str) -> f64 {
    server.metric(&format!("tintype_refused_connections_total{{reason=\"{reason}\"}}"))
}

#[test]
fn resets_in_a_row_end_the_connection() {
    let server = server(&[]);
    let mut connection = open(&server, &[]);
    let pairs = (0..20_000u32).map(|n| 2 * n + 1);
    let flood: Vec<u8> = pairs
        .flat_map(|stream| {
            let target = format!("/img/large.png?w={}", 100 + stream % 2000);
            [get(stream, &target), frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())].concat()
        })
        .collect();
    let _cut = connection.send(flood);
    let found = frames(&mut connection);
    let goodbye = found.iter().find(|(kind, _)| *kind == GOAWAY);
    assert!(goodbye.is_none_or(|(_, payload)| payload[4..8] == 11u32.to_be_bytes()), "ENHANCE_YOUR_CALM");
    server.while_above("tintype_connections", 0.0);
    assert!(is_served(&server));
    assert!(server.fills() < 300.0, "hardly any work was done: {}", server.fills());
}

#[test]
fn who_gives_up_what_it_asked_for_again_and_again_is_cut_off() {
    let server = server(&["server.max_resets=10"]);
    let mut connection = open(&server, &[]);
    let mut given_up = 0;
    for stream in (1..400).step_by(2) {
        // Slowly enough that each is begun.
        let asked = connection.send(get(stream, &format!("/img/large.png?w={}&f=webp", 500 + stream)));
        sleep(Duration::from_millis(20));
        let reset = connection.send(frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()));
        if asked.and(reset).is_err() {
            break;
        }
        given_up += 1;
    }
    assert!(given_up < 100, "{given_up}");
    server.until("tintype_refused_connections_total{reason=\"resets\"}", 1.0);
    assert!(is_served(&server));
}

#[test]
fn who_lets_most_finish_may_give_up_some() {
    let server = server(&["server.max_resets=1"]);
    let mut connection = open(&server, &[]);
    for stream in (1..80).step_by(2) {
        if stream % 8 == 1 {
            connection.send(get(stream, &format!("/img/large.png?w={}&f=webp", 500 + stream))).expect("still there");
            sleep(Duration::from_millis(20));
            connection.send(frame(RST_STREAM, 0, stream, &8u32.to_be_bytes())).expect("still there");
        } else {
            connection.send(get(stream, "/img/a.png?w=20")).expect("still there");
            sleep(Duration::from_millis(10));
        }
    }
    connection.send(frame(GOAWAY, 0, 0, &[0; 8])).expect("still there");
    let whole = frames(&mut connection).iter().filter(|(kind, payload)| *kind == DATA && !payload.is_empty()).count();
    assert!(whole >= 25, "{whole}");
    assert_eq!(refused(&server, "resets"), 0.0);
}

#[test]
fn a_head_without_end_is_ended() {
    let server = server(&[]);
    let mut connection = open(&server, &[]);
    let piece: Vec<u8> = (0..100).flat_map(|n| field(&format!("x-{n}"), &"a".repeat(140))).collect();
    let mut sent = connection.send(frame(HEADERS, END_STREAM, 1, &head("/img/a.png")));
    let mut pieces = 0;
    while sent.is_ok() && pieces < 10_000 {
        sent = connection.send(frame(CONTINUATION, 0, 1, &piece));
        pieces += 1;
    }
    assert!(sent.is_err(), "150 MB of one head were taken");
    // Empty ones cost bytes only.
    let mut connection = open(&server, &[]);
    let mut sent = connection.send(frame(HEADERS, END_STREAM, 1, &head("/img/a.png")));
    let empty: Vec<u8> = std::iter::repeat_n(frame(CONTINUATION, 0, 1, &[]), 1000).flatten().collect();
    for _ in 0..10_000 {
        sent = sent.and_then(|()| connection.send(&empty));
    }
    assert!(sent.is_err(), "ten million pieces of one head were taken");
    assert!(is_served(&server));
}

#[test]
fn a_head_that_is_too_large_is_refused_and_the_others_are_not() {
    let server = server(&[]);
    let mut connection = open(&server, &[]);
    let piece: Vec<u8> = (0..100).flat_map(|n| field(&format!("x-{n}"), &"a".repeat(140))).collect();
    connection
        .send(frame(HEADERS, END_STREAM, 1, &[head("/img/a.png?w=20"), piece.clone()].concat()))
        .expect("connected");
    connection.send(frame(CONTINUATION, 0, 1, &piece)).expect("connected");
    connection.send(frame(CONTINUATION, END_HEADERS, 1, &piece)).expect("connected");
    connection.send(get(3, "/img/a.png?w=20")).expect("connected");
    connection.send(frame(GOAWAY, 0, 0, &[0; 8])).expect("connected");
    let found = frames(&mut connection);
    assert!(found.iter().any(|(kind, payload)| *kind == DATA && !payload.is_empty()), "the second is answered");
    assert_eq!(server.metric("tintype_requests_total"), 1.0, "the first was not");
}

#[test]
fn bodies_are_read_so_far_and_not_waited_for_without_end() {
    let server = server(&["server.header_timeout=500ms"]);
    // Longer than it said; without end; larger than anybody reads.
    let body = |length: &str| [head("/img/a.png?w=20"), field("content-length", length)].concat();
    let mut wrong = open(&server, &[]);
    wrong
        .send([frame(HEADERS, END_HEADERS, 1, &body("1")), frame(DATA, END_STREAM, 1, b"four")].concat())
        .expect("connected");
    wrong.send(frame(GOAWAY, 0, 0, &[0; 8])).expect("connected");
    let found = frames(&mut wrong);
    assert!(found.contains(&(RST_STREAM, 1u32.to_be_bytes().to_vec())), "PROTOCOL_ERROR: {found:?}");
    for data in [1, 30_000] {
        let mut slow = open(&server, &[]);
        slow.send(frame(HEADERS, END_HEADERS, 1, &body("1000000"))).expect("connected");
        slow.send(frame(DATA, 0, 1, &vec![0; data.min(16_000)])).expect("connected");
        let mut kinds = Vec::new();
        while !kinds.contains(&DATA) {
            let more = slow.read(1 << 16).expect("an answer all the same");
            let mut rest = &more[..];
            while rest.len() >= 9 {
                kinds.push(rest[3]);
                let length = u32::from_be_bytes([0, rest[0], rest[1], rest[2]]) as usize;
                rest = rest.get(9 + length..).unwrap_or_default();
            }
        }
    }
}

/// SETTINGS_INITIAL_WINDOW_SIZE
const WINDOW: u16 = 4;

#[test]
fn who_opens_no_window_is_cut_off() {
    for window in [0, 1, 1000] {
        let server = server(&["server.stream_timeout=500ms"]);
        let mut connection = open(&server, &[(WINDOW, window)]);
        connection.send(get(1, "/img/large.png?w=1000")).expect("connected");
        server.until("tintype_requests_total", 1.0);
        let mut pings = 0;
        while connection.send(frame(PING, 0, 0, &[0; 8])).is_ok() && pings < 1000 {
            sleep(Duration::from_millis(20));
            pings += 1;
        }
        assert!(pings < 1000, "pings buy no time, with a window of {window}");
        assert_eq!(refused(&server, "slow-reader"), 1.0);
        server.while_above("tintype_connections", 0.0);
    }
}

#[test]
fn who_takes_its_time_is_not_cut_off() {
    let server = server(&["server.stream_timeout=2s", "server.idle_timeout=500ms"]);
    let mut connection = open(&server, &[(WINDOW, 1000)]);
    connection.send(get(1, "/img/large.png?w=200&f=png")).expect("connected");
    let (mut body, mut end) = (0, false);
    let mut bytes = Vec::new();
    while !end {
        while bytes.len() < 9 || bytes.len() < 9 + u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize {
            let more = connection.read(1 << 16).expect("it goes on");
            assert!(!more.is_empty(), "cut off after {body} bytes");
            bytes.extend(more);
        }
        let length = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
        let (kind, flags) = (bytes[3], bytes[4]);
        bytes.drain(..9 + length);
        if kind == DATA {
            body += length;
            end = flags & END_STREAM != 0;
            sleep(Duration::from_millis(30));
            let credit = 2000u32.to_be_bytes();
            connection.send([frame(8, 0, 1, &credit), frame(8, 0, 0, &credit)].concat()).expect("it goes on");
        }
    }
    assert!(body > 50_000, "{body}");
    assert_eq!(refused(&server, "slow-reader"), 0.0);
}

#[test]
fn pings_keep_no_connection_open() {
    let server = server(&["server.idle_timeout=400ms"]);
    let mut connection = open(&server, &[]);
    let mut pings = 0;
    while connection.send(frame(PING, 0, 0, &[0; 8])).is_ok() && pings < 1000 {
        sleep(Duration::from_millis(20));
        pings += 1;
    }
    assert!(pings < 1000);
}

#[test]
fn pings_whose_answers_nobody_takes_are_cut_off() {
    let server = server(&["server.write_timeout=400ms"]);
    let mut connection = open(&server, &[]);
    connection.patience(Duration::from_secs(60));
    let flood: Vec<u8> = std::iter::repeat_n(frame(PING, 0, 0, &[0; 8]), 4000).flatten().collect();
    let sent = (0..10_000).take_while(|_| connection.send(&flood).is_ok()).count();
    assert!(sent < 10_000, "their answers are piled up somewhere");
    server.until("tintype_refused_connections_total{reason=\"slow-reader\"}", 1.0);
    assert!(is_served(&server));
}
