//! The statistics of the real process, as JSON and as the command shows them.

use crate::server::sets;
use std::path::Path;
use std::process::Command;
use testkit::{Folder, Process, picture, wire};

const BINARY: &str = env!("CARGO_BIN_EXE_tintype");

fn stats(process: &Process, arguments: &[&str]) -> String {
    let admin = process.admin.to_string();
    let output = Command::new(BINARY).args(["stats", "--admin", &admin]).args(arguments).output().expect("a binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn routes_are_told_of_apart_with_what_misses_most() {
    let folder = Folder::new();
    folder.put("a.png", picture::noise(200, 150, 3));
    let more = ["routes.1.prefix=/other/", "routes.1.origin=folder"];
    let process = Process::serve(Path::new(BINARY), &sets(&folder, &more));
    for (target, times) in [("/img/a.png?w=40&s=not-verified", 3), ("/img/a.png?w=41", 1), ("/other/a.png?w=42", 2)] {
        for _ in 0..times {
            assert_eq!(wire::get(process.address, target, &[]).status, 200);
        }
    }
    assert_eq!(wire::get(process.address, "/img/none.png", &[]).status, 404);

    let reply = wire::get(process.admin, "/stats", &[]);
    assert_eq!((reply.status, reply.field("content-type")), (200, "application/json"));
    let told: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    let route = |prefix: &str| {
        let routes = told["routes"].as_array().expect("a list");
        routes.iter().find(|route| route["route"] == prefix).expect("the route").clone()
    };
    let (img, other) = (route("/img/"), route("/other/"));
    assert_eq!(img["by"], serde_json::json!({"memory": 2, "miss": 2, "error": 1}));
    assert_eq!((&img["requests"], &img["hit_ratio"], &img["memory"]["entries"]), (&5.into(), &0.5.into(), &2.into()));
    assert_eq!((&other["requests"], &other["memory"]["entries"]), (&2.into(), &1.into()));
    assert_eq!(img["top_misses"][0], serde_json::json!({"url": "/img/a.png?w=40", "count": 1, "over": 0}));
    assert_eq!(told["memory"]["entries"], 3);
    let bytes = |value: &serde_json::Value| value["memory"]["bytes"].as_u64().expect("bytes");
    assert!(bytes(&img) > bytes(&other) && bytes(&img) + bytes(&other) <= bytes(&told), "{told:#}");
    assert!(img["sent_bytes"].as_u64() > Some(0));

    let table = stats(&process, &["--top", "1"]);
    for line in ["/img/", "  requests   5, hit ratio 50.0 %", "  by         error 1, memory 2, miss 2"] {
        assert!(table.lines().any(|shown| shown == line), "{line} in {table}");
    }
    assert_eq!(table.matches("missed").count(), 2, "one of each route: {table}");
    let whole: serde_json::Value = serde_json::from_str(&stats(&process, &["--json"])).expect("JSON");
    assert_eq!(whole["routes"][0]["by"], told["routes"][0]["by"]);
}

#[test]
fn what_is_pushed_out_is_counted_where_it_belongs() {
    let folder = Folder::new();
    folder.put("a.png", picture::noise(400, 300, 3));
    let process = Process::serve(Path::new(BINARY), &sets(&folder, &["cache.memory.bytes=300KiB"]));
    for width in 200..230 {
        assert_eq!(wire::get(process.address, &format!("/img/a.png?w={width}&f=png"), &[]).status, 200);
    }
    let told: serde_json::Value = serde_json::from_slice(&wire::get(process.admin, "/stats", &[]).body).expect("JSON");
    let route = &told["routes"][0]["memory"];
    assert!(route["evictions"].as_u64() > Some(0), "{told:#}");
    assert_eq!(route["evictions"], told["memory"]["evictions"]);
}
