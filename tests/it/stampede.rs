//! Many ask for one rendition that is not there: it is made once, whoever leaves meanwhile.

use crate::server::{Server, cache};
use testkit::{Connection, picture, wire};

const CLIENTS: usize = 1000;
const TARGET: &str = "/img/large.png?w=900&f=webp";

/// An original that takes long enough to render for a thousand requests to come meanwhile.
fn server(more: &[&str]) -> Server {
    let server = Server::start(more);
    server.folder.put("large.png", picture::noise(4000, 2500, 1));
    server
}

fn open(server: &Server, count: usize) -> Vec<Connection> {
    (0..count).map(|_| server.connect()).collect()
}

/// Sends the request on all, then reads all responses, which are equal; how many led, followed, and hit.
fn storm(clients: &mut [Connection]) -> (usize, usize, usize) {
    let request = wire::head("GET", TARGET, &[]);
    for client in &mut *clients {
        client.send(&request).expect("connected");
    }
    let mut body = None;
    let (mut led, mut followed, mut hit) = (0, 0, 0);
    for client in clients {
        let reply = client.reply("GET").expect("a whole response");
        assert_eq!(reply.status, 200, "{}", reply.text());
        match cache(&reply).as_str() {
            "tintype; fwd=miss; stored" => led += 1,
            "tintype; fwd=miss; collapsed" => followed += 1,
            "tintype; hit; detail=memory" => hit += 1,
            other => panic!("{other}"),
        }
        assert_eq!(body.get_or_insert_with(|| reply.body.clone()), &reply.body);
    }
    (led, followed, hit)
}

fn one_decode(more: &[&str]) {
    let server = server(more);
    let mut clients = open(&server, CLIENTS);
    let (led, followed, hit) = storm(&mut clients);
    assert_eq!((led, followed + hit), (1, CLIENTS - 1));
    assert!(followed > CLIENTS / 2, "{followed} of {CLIENTS} came while it was made: the original is too small");
    assert_eq!(server.fills(), 1.0);
    assert_eq!(server.metric("tintype_stage_seconds_count{stage=\"decode\"}"), 1.0);
    assert_eq!(server.metric("tintype_flights"), 0.0);
}

#[test]
fn a_thousand_requests_cause_one_decode_per_core() {
    one_decode(&["server.runtime=per-core"]);
}

#[test]
fn a_thousand_requests_cause_one_decode_multi_thread() {
    one_decode(&["server.runtime=multi-thread"]);
}

#[test]
fn the_render_survives_the_clients_that_asked_first() {
    let server = server(&[]);
    let mut first = open(&server, 20);
    let mut rest = open(&server, CLIENTS - 20);
    for client in &mut first {
        client.request("GET", TARGET, &[]).expect("connected");
    }
    server.until("tintype_render_busy", 1.0);
    drop(first);
    let (led, followed, hit) = storm(&mut rest);
    assert_eq!((led, followed + hit), (0, CLIENTS - 20));
    assert_eq!(server.fills(), 1.0);
}

#[test]
fn what_nobody_waits_for_any_more_is_kept_all_the_same() {
    let server = server(&[]);
    let mut only = open(&server, 1);
    only[0].request("GET", TARGET, &[]).expect("connected");
    server.until("tintype_render_busy", 1.0);
    drop(only);
    server.until("tintype_fills_total", 1.0);
    assert_eq!(cache(&server.get(TARGET)), "tintype; hit; detail=memory");
}
