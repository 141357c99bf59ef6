//! Peers that are slow, silent, or too many; each costs what the config allows, and the others do not notice.

use crate::server::{Server, cache};
use std::thread::sleep;
use std::time::Duration;
use testkit::{Connection, picture};

const RAW: [&str; 3] = ["routes.1.prefix=/raw/", "routes.1.origin=folder", "routes.1.originals=true"];
/// More than the sockets of both sides hold.
const LARGE: usize = 32 << 20;

fn server(more: &[&str]) -> Server {
    let server = Server::start(&[&RAW, more].concat());
    server.folder.put("a.png", picture::gradient(60, 40)).put("large.bin", vec![7; LARGE]);
    server
}

fn is_served(connection: &mut Connection) -> bool {
    connection.ask("GET", "/img/a.png?w=30", &[]).is_ok_and(|reply| reply.status == 200)
}

#[test]
fn a_head_that_does_not_end_is_cut_off() {
    let server = server(&["server.header_timeout=300ms"]);
    let starts = ["", "P", "PRI", "G", "GET /img/a.png", "GET /img/a.png HTTP/1.1\r\nhost: a\r\nx: "];
    let mut silent: Vec<_> = starts.iter().map(|_| server.connect()).collect();
    for (connection, start) in silent.iter_mut().zip(starts) {
        connection.send(start).expect("connected");
    }
    let mut other = server.connect();
    for (connection, start) in silent.iter_mut().zip(starts) {
        assert!(is_served(&mut server.connect()), "others are served meanwhile");
        assert!(connection.is_ended(), "{start:?} is not cut off");
    }
    assert!(other.is_ended(), "a connection that says nothing at all");
    // On a kept connection, and with bytes that trickle.
    let mut kept = server.connect();
    assert!(is_served(&mut kept));
    let trickle = "GET /img/a.png?w=30 HTTP/1.1\r\nhost: a\r\n".bytes().chain(std::iter::repeat(b'x'));
    let sent = trickle.take(600).take_while(|byte| {
        sleep(Duration::from_millis(20));
        kept.send([*byte]).is_ok()
    });
    assert!(sent.count() < 600, "a byte now and then buys no time");
}

#[test]
fn an_idle_connection_is_closed_and_a_used_one_is_not() {
    let server = server(&["server.idle_timeout=2s"]);
    let (mut used, mut idle) = (server.connect(), server.connect());
    assert!(is_served(&mut idle));
    for _ in 0..12 {
        assert!(is_served(&mut used), "in use");
        sleep(Duration::from_millis(200));
    }
    assert!(idle.is_ended());
    assert!(used.is_ended());
}

#[test]
fn a_reader_that_takes_nothing_is_cut_off() {
    let server = server(&["server.write_timeout=300ms"]);
    let mut stuck = server.connect();
    stuck.request("GET", "/raw/large.bin", &[]).expect("connected");
    assert!(is_served(&mut server.connect()), "others are served meanwhile");
    server.until("tintype_connections", 1.0);
    server.while_above("tintype_connections", 0.0);
    let mut read = 0;
    while let Ok(bytes) = stuck.read(1 << 20) {
        read += bytes.len();
        if bytes.is_empty() {
            break;
        }
    }
    assert!(read < LARGE, "the response was given up");
}

#[test]
fn a_slow_reader_that_gets_on_is_not_idle() {
    let server = server(&["server.idle_timeout=300ms", "server.write_timeout=10s"]);
    let mut slow = server.connect();
    slow.request("GET", "/raw/large.bin", &[]).expect("connected");
    let (mut read, mut head) = (0, true);
    while read < LARGE {
        let bytes = slow.read(1 << 20).expect("the response goes on");
        assert!(!bytes.is_empty(), "cut off after {read} bytes");
        let start = if std::mem::take(&mut head) {
            bytes.windows(4).position(|b| b == b"\r\n\r\n").expect("a head") + 4
        } else {
            0
        };
        read += bytes.len() - start;
        sleep(Duration::from_millis(20));
    }
    assert_eq!(read, LARGE);
}

#[test]
fn connections_beyond_the_cap_wait() {
    for runtime in ["server.runtime=per-core", "server.runtime=multi-thread"] {
        let server = server(&["server.max_connections=1", runtime]);
        for _ in 0..8 {
            let mut first = server.connect();
            assert!(is_served(&mut first), "wherever the kernel sends it");
            let mut second = server.connect();
            second.request("GET", "/img/a.png?w=30", &[]).expect("the kernel accepts it");
            second.patience(Duration::from_millis(50));
            assert!(second.read(1).is_err(), "it waits");
            assert!(is_served(&mut first));
            drop(first);
            second.patience(Duration::from_secs(60));
            let reply = second.reply("GET").expect("its turn has come");
            assert_eq!((reply.status, cache(&reply).as_str()), (200, "tintype; hit; detail=memory"));
        }
    }
}
