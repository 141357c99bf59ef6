//! The commands of the real binary: what they print, and how they end. `serve` has tests of its own.

use crate::server::sets;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use testkit::{Folder, Process, picture, wire};

const BINARY: &str = env!("CARGO_BIN_EXE_tintype");
const SECRET: &str = "signing.keys.0.secret=a secret of the tests, 32 bytes and more";

fn run(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).stdin(Stdio::null()).output().expect("a binary that can be started")
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn check_config_tells_all_faults_together() {
    let file = Folder::new();
    let text =
        "[server]\nlisten = [\"127.0.0.1:0\"]\nlisen = 3\n[render]\nnice = 20\n[cache.memory]\nbytes = \"many\"\n";
    file.put("bad.toml", text).put("broken.toml", "[server\n").put("good.toml", "[render]\nthreads = 2\n");
    let path = |name: &str| file.root().join(name).display().to_string();
    let bad = run(&["check-config", "--config", &path("bad.toml"), "--set", "origins.0.kind=ftp"]);
    assert_eq!(code(&bad), Some(3));
    for part in ["server.lisen", "server.listen", "render.nice", "0 to 19", "cache.memory.bytes", "ftp"] {
        assert!(err(&bad).contains(part), "{part} in {}", err(&bad));
    }
    assert_eq!(code(&run(&["check-config", "--config", &path("broken.toml")])), Some(3));
    assert_eq!(code(&run(&["check-config", "--config", &path("none.toml")])), Some(3));
    assert_eq!(code(&run(&["serve", "--config", &path("bad.toml")])), Some(3), "serve refuses it too");
    let good = run(&["check-config", "--config", &path("good.toml"), "--print", "effective"]);
    assert_eq!(code(&good), Some(0), "{}", err(&good));
    assert!(out(&good).contains("threads = 2"), "{}", out(&good));
    let secret = run(&["check-config", "--print", "effective", "--set", "signing.keys.0.kid=a", "--set", SECRET]);
    assert_eq!(code(&secret), Some(0), "{}", err(&secret));
    assert!(!out(&secret).contains("a secret of the tests"), "{}", out(&secret));
}

#[test]
fn transform_makes_the_bytes_that_the_server_sends() {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(300, 200)).put("bad.png", "no picture");
    let process = Process::serve(Path::new(BINARY), &sets(&folder, &[]));
    let path = |name: &str| folder.root().join(name).display().to_string();
    for parameters in ["w=80&f=webp", "w=80&h=80&fit=cover&f=jpeg&q=70", "w=64&f=avif", "rot=90&w=33", "f=png&blur=2"] {
        let sent = wire::get(process.address, &format!("/img/a.png?{parameters}"), &[]);
        assert_eq!(sent.status, 200, "{parameters}: {}", sent.text());
        let made = run(&["transform", &path("a.png"), "-", parameters]);
        assert_eq!(code(&made), Some(0), "{}", err(&made));
        assert!(made.stdout == sent.body, "{parameters}: {} and {} bytes", made.stdout.len(), sent.body.len());
    }
    let named = run(&["transform", &path("a.png"), &path("a.webp"), "w=80", "--verbose"]);
    assert!(code(&named) == Some(0) && err(&named).contains("80x53"), "{}", err(&named));
    let sent = wire::get(process.address, "/img/a.png?w=80&f=webp", &[]).body;
    assert!(std::fs::read(path("a.webp")).expect("written") == sent, "the ending chooses the format");
    assert_eq!(code(&run(&["transform", &path("bad.png"), "-", "w=80"])), Some(1));
    assert_eq!(code(&run(&["transform", &path("a.png"), "-", "w=none"])), Some(1));
    assert_eq!(code(&run(&["transform", &path("a.png"), "-", "utm=1"])), Some(1));
    assert_eq!(code(&run(&["transform"])), Some(2));
}

#[test]
fn info_tells_what_a_file_is() {
    let folder = Folder::new();
    folder.put("a.png", picture::alpha(30, 20)).put("bad.png", "no picture");
    let path = |name: &str| folder.root().join(name).display().to_string();
    let process = Process::serve(Path::new(BINARY), &sets(&folder, &[]));
    let good = run(&["info", "--json", &path("a.png")]);
    assert_eq!(out(&good), wire::get(process.address, "/img/a.png?f=json", &[]).text(), "what the server tells");
    let facts: serde_json::Value = serde_json::from_str(&out(&good)).expect("JSON");
    let original = &facts["original"];
    assert_eq!((&original["format"], &original["width"], &original["height"]), (&"PNG".into(), &30.into(), &20.into()));
    assert_eq!((&original["alpha"], &original["frames"], &original["depth"]), (&true.into(), &1.into(), &8.into()));
    let people = out(&run(&["info", &path("a.png")]));
    for text in ["a.png: PNG 30x20, 8 bit, alpha, orientation 1, frames 1, ", "looks.thumbhash ", "original.blake3 "] {
        assert!(people.contains(text), "{text} in {people}");
    }
    for hash in ["thumbhash", "blake3", "phash"] {
        let told = facts["looks"][hash].as_str().or(original[hash].as_str()).expect("a hash");
        assert!(people.contains(told), "{told} in {people}");
    }
    let two = run(&["info", "--json", "--parameters", "w=10", &path("a.png"), &path("a.png")]);
    let all: Vec<serde_json::Value> = serde_json::Deserializer::from_str(&out(&two))
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("one after another");
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|facts| facts["file"] == path("a.png") && facts["result"]["width"] == 10), "{all:?}");
    assert_eq!(code(&run(&["info", "--parameters", "w=none", &path("a.png")])), Some(1));
    assert_eq!(code(&run(&["info", "--parameters", "utm=1", &path("a.png")])), Some(1));
    let both = run(&["info", &path("bad.png"), &path("a.png")]);
    assert_eq!(code(&both), Some(1));
    assert!(out(&both).contains("30x20") && err(&both).contains("bad.png"), "the good one is told of all the same");
}

#[test]
fn spellings_of_a_url_have_one_key() {
    let lines = |url: &str| {
        let output = run(&["url", url]);
        assert_eq!(code(&output), Some(0), "{}", err(&output));
        out(&output)
    };
    assert_eq!(lines("/img/a.png?w=100&h=50"), lines("https://img.example/img/%61.png?h=50.0&w=100"));
    assert_ne!(lines("/img/a.png?w=100"), lines("/img/a.png?w=101"));
    assert!(lines("/img/a.png?w=1&utm=2").contains("ignored    utm"));
    assert_eq!(code(&run(&["url", "/img/a.png?w=none"])), Some(1));
    assert_eq!(code(&run(&["url", "/nowhere/a.png"])), Some(1));
}

#[test]
fn the_server_accepts_what_sign_signs() {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(60, 40));
    let signing = ["signing.mode=required", "signing.keys.0.kid=k1", SECRET];
    let process = Process::serve(Path::new(BINARY), &sets(&folder, &signing));
    let sets: Vec<_> = signing.iter().flat_map(|set| ["--set", set]).collect();
    for more in [&[][..], &["--kid", "k1", "--expires-in", "1h"]] {
        let signed = run(&[&["sign", "/img/a.png?w=20"], more, &sets].concat());
        assert_eq!(code(&signed), Some(0), "{}", err(&signed));
        let reply = wire::get(process.address, out(&signed).trim(), &[]);
        assert_eq!(reply.status, 200, "{}: {}", out(&signed), reply.text());
    }
    assert_eq!(code(&run(&[&["sign", "/img/a.png?w=20", "--kid", "k9"], &sets[..]].concat())), Some(1));
    assert_eq!(code(&run(&["sign", "/img/a.png?w=20"])), Some(1), "there is no key");
}

#[test]
fn health_and_the_admin_listener() {
    let folder = Folder::new();
    folder.put("a.png", picture::gradient(60, 40));
    let process = Process::serve(Path::new(BINARY), &sets(&folder, &["drain.notice=30s"]));
    assert_eq!(wire::get(process.address, "/img/a.png?w=20", &[]).status, 200);
    for (target, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/img/a.png", 404)] {
        assert_eq!(wire::get(process.admin, target, &[]).status, status, "{target}");
    }
    for target in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(wire::get(process.address, target, &[]).status, 404, "{target} is not public");
    }
    let metrics = wire::get(process.admin, "/metrics", &[]).text();
    for line in [
        "tintype_requests_total{cache=\"miss\",status=\"200\"} 1",
        "tintype_fills_total{format=\"png\"} 1",
        "tintype_stage_seconds_count{stage=\"encode\"} 1",
        "tintype_render_busy 0",
        "tintype_build_info{",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    let health = || code(&run(&["health", "--set", &format!("server.admin={}", process.admin)]));
    assert_eq!(health(), Some(0));
    process.terminate();
    while wire::get(process.admin, "/readyz", &[]).status == 200 {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert_eq!(health(), Some(4), "it drains");
    let admin = process.admin;
    drop(process);
    assert_eq!(code(&run(&["health", "--set", &format!("server.admin={admin}")])), Some(4), "nobody is there");
}

#[test]
fn a_port_that_is_taken_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let folder = Folder::new();
    for key in ["server.admin", "server.listen"] {
        let set = format!("{key}={address}");
        let mut sets = sets(&folder, &["server.admin=127.0.0.1:0"]);
        sets.push(set);
        let arguments: Vec<_> = sets.iter().flat_map(|set| ["--set", set.as_str()]).collect();
        let output = run(&[&["serve"], &arguments[..]].concat());
        assert_eq!(code(&output), Some(1), "{key}");
        assert!(err(&output).contains(&address), "{}", err(&output));
    }
}

#[test]
fn completions_and_help() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert!(code(&output) == Some(0) && out(&output).contains("check-config"), "{shell}");
    }
    for command in ["serve", "check-config", "transform", "info", "url", "sign", "health"] {
        let output = run(&[command, "--help"]);
        assert!(code(&output) == Some(0) && out(&output).contains("Example"), "{command}");
    }
    assert_eq!(code(&run(&["fly"])), Some(2));
}
