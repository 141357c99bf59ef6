//! The end of the real process: no accepted request is lost, everybody is told, and a second signal ends at once.

use crate::server::sets;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use testkit::{Act, Connection, Folder, Origin, Process, picture, wire};

fn process(more: &[&str]) -> (Process, Folder) {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(60, 40));
    (Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets(&folder, more)), folder)
}

/// Asks until nobody listens any more. Connections are kept for as long as the server wants; `fresh` ones never.
fn ask_until_the_end(process: &Process, number: usize, fresh: bool, answered: &AtomicUsize) -> Result<(), String> {
    let mut kept: Option<Connection> = None;
    for round in 0.. {
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => match Connection::open(process.address) {
                Ok(connection) => connection,
                Err(_refused) => return Ok(()),
            },
        };
        // Mostly hits, now and then a miss.
        let width = if round % 20 == 0 { 1 + (number * 97 + round) % 59 } else { 30 };
        let reply = connection.ask("GET", &format!("/img/a.png?w={width}"), &[]);
        let reply = reply.map_err(|error| format!("client {number}, request {round}, fresh {fresh}: {error}"))?;
        if reply.status != 200 || picture::png_size(&reply.body).is_none() {
            return Err(format!("{}: {}", reply.status, reply.text()));
        }
        answered.fetch_add(1, Ordering::Relaxed);
        if !fresh && reply.header("connection") != Some("close") {
            kept = Some(connection);
        }
    }
    Ok(())
}

fn under_load(runtime: &str) {
    let (process, _folder) = process(&["drain.notice=700ms", runtime]);
    let process = Arc::new(process);
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..12)
        .map(|number| {
            let (process, answered) = (Arc::clone(&process), Arc::clone(&answered));
            thread::spawn(move || ask_until_the_end(&process, number, number % 2 == 0, &answered))
        })
        .collect();
    while answered.load(Ordering::Relaxed) < 500 {
        thread::sleep(Duration::from_millis(1));
    }
    process.terminate();
    let lost: Vec<_> = clients.into_iter().filter_map(|client| client.join().expect("no panic").err()).collect();
    assert!(lost.is_empty(), "of {answered:?}: {lost:?}");
    let process = Arc::into_inner(process).expect("all clients have ended");
    let (status, log) = process.wait(Duration::from_secs(60));
    assert!(status.success() && log.contains("\"drained\""), "{status}");
}

#[test]
fn no_request_is_lost_per_core() {
    under_load("server.runtime=per-core");
}

#[test]
fn no_request_is_lost_multi_thread() {
    under_load("server.runtime=multi-thread");
}

#[test]
fn during_the_notice_everybody_is_told() {
    let (process, _folder) = process(&["drain.notice=2s"]);
    let mut kept = Connection::open(process.address).expect("listening");
    let before = kept.ask("GET", "/img/a.png?w=20", &[]).expect("a reply");
    assert_eq!((before.status, before.header("connection")), (200, None));
    assert_eq!(wire::get(process.admin, "/readyz", &[]).status, 200);
    process.terminate();
    while wire::get(process.admin, "/readyz", &[]).status != 503 {
        thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(wire::get(process.admin, "/healthz", &[]).status, 200, "it lives");
    let told = kept.ask("GET", "/img/a.png?w=20", &[]).expect("a reply");
    assert_eq!((told.status, told.header("connection")), (200, Some("close")));
    assert!(kept.is_ended());
    let fresh = wire::get(process.address, "/img/a.png?w=20", &[]);
    assert_eq!((fresh.status, fresh.header("connection")), (200, Some("close")), "still accepting");
    let (status, _) = process.wait(Duration::from_secs(60));
    assert!(status.success());
}

/// What is under way is told by the origin, which keeps its answer back until the server drains: a render alone may be over
/// before anybody has looked.
#[test]
fn what_is_under_way_is_rendered_and_sent() {
    let origin = Origin::new();
    origin.on("/large.png", [Act::ok(&[("cache-control", "max-age=60")], picture::noise(900, 600, 5)).held()]);
    let base = format!("origins.1.base={}", origin.base());
    let web = ["origins.1.name=web", "origins.1.kind=http", &base, "origins.1.allow_private=127.0.0.0/8"];
    let route = ["routes.1.prefix=/web/", "routes.1.origin=web", "origins.1.http.response_timeout=60s"];
    let (process, _folder) =
        process(&[&web[..], &route, &["origins.1.http.timeout=60s", "drain.deadline=60s"]].concat());
    let mut waiting = Connection::open(process.address).expect("listening");
    waiting.request("GET", "/web/large.png?w=800&f=webp", &[]).expect("connected");
    origin.until("/large.png", 1);
    process.terminate();
    while !process.log().contains("\"signal received: draining\"") {
        thread::sleep(Duration::from_millis(2));
    }
    origin.release();
    let reply = waiting.reply("GET").expect("a whole response");
    assert_eq!((reply.status, reply.header("connection")), (200, Some("close")));
    let (status, _) = process.wait(Duration::from_secs(60));
    assert!(status.success());
}

#[test]
fn a_second_signal_ends_at_once() {
    let (process, _folder) = process(&["drain.notice=5m"]);
    process.terminate();
    while !process.log().contains("\"signal received: draining\"") {
        thread::sleep(Duration::from_millis(2));
    }
    process.terminate();
    let (status, _) = process.wait(Duration::from_secs(60));
    assert_eq!(status.code(), Some(128 + 15));
}

/// Asks the address until told to stop, by connections that are kept where the server wants and by fresh ones.
fn ask_on_and_on(
    address: std::net::SocketAddr,
    fresh: bool,
    go_on: &AtomicUsize,
    answered: &AtomicUsize,
) -> Result<(), String> {
    let mut kept: Option<Connection> = None;
    while go_on.load(Ordering::Relaxed) > 0 {
        let opened = kept.take().map_or_else(|| Connection::open(address), Ok);
        let reply = opened.and_then(|mut connection| {
            let reply = connection.ask("GET", "/img/a.png?w=30", &[])?;
            if !fresh && reply.header("connection") != Some("close") {
                kept = Some(connection);
            }
            Ok(reply)
        });
        match reply {
            Ok(reply) if reply.status == 200 => drop(answered.fetch_add(1, Ordering::Relaxed)),
            Ok(reply) => return Err(format!("{}: {}", reply.status, reply.text())),
            Err(error) => return Err(format!("fresh {fresh}: {error}")),
        }
    }
    Ok(())
}

#[test]
fn a_new_process_takes_over_and_no_request_fails() {
    let (old, folder) = process(&["drain.notice=300ms", "server.runtime=multi-thread"]);
    let address = old.address;
    let (go_on, answered) = (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..8)
        .map(|number| {
            let (go_on, answered) = (Arc::clone(&go_on), Arc::clone(&answered));
            thread::spawn(move || ask_on_and_on(address, number % 2 == 0, &go_on, &answered))
        })
        .collect();
    let more = |count| {
        let from = answered.load(Ordering::Relaxed);
        while answered.load(Ordering::Relaxed) < from + count && go_on.load(Ordering::Relaxed) > 0 {
            thread::sleep(Duration::from_millis(1));
        }
    };
    more(200);
    let listen = format!("server.listen={address}");
    let sets = sets(&folder, &["server.runtime=multi-thread", &listen]);
    let new = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets);
    assert_eq!((new.address, new.id() != old.id()), (address, true));
    more(200);
    old.terminate();
    let (status, log) = old.wait(Duration::from_secs(60));
    assert!(status.success() && log.contains("\"drained\""), "{status}");
    more(200);
    go_on.store(0, Ordering::Relaxed);
    let lost: Vec<_> = clients.into_iter().filter_map(|client| client.join().expect("no panic").err()).collect();
    assert!(lost.is_empty(), "of {answered:?}: {lost:?}");
    let served = wire::get(new.admin, "/metrics", &[]).text();
    assert!(served.contains("tintype_requests_total{cache=\"hit\",status=\"200\"}"), "{served}");
}
