//! Files that are not what they say: a client's error, never the server's, and never much memory.

use crate::server::{Server, sets};
use std::path::Path;
use testkit::{Folder, Process, picture, wire};

const FORMATS: [&str; 4] = ["png", "jpeg", "webp", "avif"];

/// A sound file of each format, made by the server itself.
fn sound(server: &Server) -> Vec<(&'static str, Vec<u8>)> {
    server.folder.put("sound.png", picture::gradient(96, 64));
    let made = FORMATS.map(|format| (format, server.get(&format!("/img/sound.png?f={format}"))));
    made.into_iter()
        .map(|(format, reply)| {
            assert_eq!(reply.status, 200, "{format}: {}", reply.text());
            (format, reply.body)
        })
        .collect()
}

#[test]
fn files_that_end_early() {
    let server = Server::start(&[]);
    for (format, file) in sound(&server) {
        for cut in [0, 1, 7, 12, 30, file.len() / 3, file.len() - 9] {
            let name = format!("{format}-{cut}");
            server.folder.put(&name, &file[..cut]);
            let reply = server.get(&format!("/img/{name}?w=32&f=png"));
            let sane = (400..500).contains(&reply.status) || (cut > 30 && reply.status == 200);
            assert!(sane, "{format} of {} bytes cut at {cut}: {} {}", file.len(), reply.status, reply.text());
        }
    }
    assert_eq!(server.metric("tintype_failures_total{reason=\"internal\"}"), 0.0);
}

#[test]
fn files_with_a_wrong_byte() {
    let server = Server::start(&[]);
    for (format, file) in sound(&server) {
        for step in 0..48 {
            let mut wrong = file.clone();
            let at = step * (file.len() - 1) / 47;
            wrong[at] ^= 0xff;
            let name = format!("{format}-{at}");
            server.folder.put(&name, &wrong);
            let reply = server.get(&format!("/img/{name}?w=32&f=png"));
            let sane = reply.status == 200 || (400..500).contains(&reply.status);
            assert!(sane, "{format}, byte {at}: {} {}", reply.status, reply.text());
        }
    }
    assert_eq!(server.metric("tintype_failures_total{reason=\"internal\"}"), 0.0);
}

#[test]
fn the_content_counts_not_the_name() {
    let server = Server::start(&[]);
    for (format, file) in sound(&server) {
        server.folder.put("any.gif", file);
        let reply = server.get(&format!("/img/any.gif?w=32&f=png&cb={format}"));
        assert_eq!((reply.status, reply.field("content-type")), (200, "image/png"), "{format}: {}", reply.text());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    for (name, content) in [
        ("text.png", &b"Once upon a time"[..]),
        ("page.jpg", b"<!doctype html><script>alert(1)</script>"),
        ("archive.webp", b"PK\x03\x04............"),
        ("empty.avif", b""),
    ] {
        server.folder.put(name, content);
        let reply = server.get(&format!("/img/{name}?w=32"));
        assert_eq!((reply.status, reply.field("content-type")), (415, "application/problem+json"), "{name}");
    }
}

/// In a process of its own, whose peak memory is that of these requests.
#[test]
fn a_header_that_promises_too_much_costs_nothing() {
    let folder = Folder::new();
    for (name, width, height) in
        [("wide", 65_535, 65_535), ("flat", 200_000, 1), ("most", 2_147_483_647, 2_147_483_647), ("none", 0, 5)]
    {
        folder.put(name, picture::promise(width, height));
    }
    let process = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets(&folder, &[]));
    for name in ["wide", "flat", "most", "none"] {
        let reply = wire::get(process.address, &format!("/img/{name}?w=32"), &[]);
        assert_eq!((reply.status, reply.field("content-type")), (422, "application/problem+json"), "{name}");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    assert!(peak < 150 << 10, "{peak} KiB at its peak");
}
