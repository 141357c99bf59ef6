//! Warm-up over the admin listener and by the command, and that it yields to live work.

use super::{AVIF, kind, photograph};
use crate::server::{cache, sets};
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};
use testkit::{Folder, Process, Reply, picture, wire};

const BINARY: &str = env!("CARGO_BIN_EXE_tintype");

fn process(more: &[&str]) -> (Process, Folder) {
    let folder = Folder::new();
    folder.put("a.png", photograph()).put("b c.png", picture::gradient(200, 100));
    (Process::serve(Path::new(BINARY), &sets(&folder, &[&["render.lane.effort=0"], more].concat())), folder)
}

fn warm(process: &Process, arguments: &[&str]) -> Output {
    let admin = process.admin.to_string();
    Command::new(BINARY).args(["warm", "--admin", &admin]).args(arguments).output().expect("a binary")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn post(process: &Process, body: &str) -> Reply {
    let mut connection = testkit::Connection::open(process.admin).expect("it listens");
    let head = format!("POST /warm HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    connection.send(head).expect("sent");
    connection.reply("POST").expect("an answer")
}

/// The value of a name in flat JSON.
fn value(json: &str, name: &str) -> String {
    let (_, rest) = json.split_once(&format!("\"{name}\":")).unwrap_or_else(|| panic!("no {name} in {json}"));
    rest.trim_start_matches('"').split(['"', ',', '}']).next().expect("something").to_owned()
}

fn metric(process: &Process, start: &str) -> f64 {
    let text = wire::get(process.admin, "/metrics", &[]).text();
    let values = text.lines().filter(|line| line.starts_with(start)).filter_map(|line| line.rsplit(' ').next());
    values.map(|value| value.parse::<f64>().expect("a number")).sum()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(90), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_was_warmed_up_is_a_hit() {
    let (process, folder) = process(&[]);
    folder.put(
        "urls.txt",
        "# a list\n/img/a.png?w=60&f=auto\n\n/img/a.png?w=61\nhttp://any.example/img/b%20c.png?w=62\n",
    );
    let list = folder.root().join("urls.txt");
    let done = warm(&process, &["--file", list.to_str().expect("text")]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(text(&done.stdout), "5 renditions: 5 made\n");
    assert!(text(&done.stderr).contains("100 % 5 renditions: 5 made"), "{}", text(&done.stderr));
    for (target, accept, wanted) in [
        ("/img/a.png?w=60&f=auto", AVIF[0].1, "image/avif"),
        ("/img/a.png?w=60&f=auto", "image/webp", "image/webp"),
        ("/img/a.png?w=60&f=auto", "*/*", "image/jpeg"),
        ("/img/a.png?w=61", "*/*", "image/png"),
        ("/img/b%20c.png?w=62", "*/*", "image/png"),
    ] {
        let reply = wire::get(process.address, target, &[("accept", accept)]);
        assert_eq!((kind(&reply), cache(&reply).as_str()), (wanted, "tintype; hit; detail=memory"), "{target}");
    }
    let again = warm(&process, &["--class", "avif", "/img/a.png?w=60&f=auto"]);
    assert_eq!(text(&again.stdout), "1 renditions: 1 found\n");
    let sources = ["--source", "a.png", "--source", "b c.png", "--transform", "w=60", "--transform", "w=61"];
    assert_eq!(text(&warm(&process, &sources).stdout), "4 renditions: 1 found, 3 made\n");
}

#[test]
fn what_fails_is_listed_and_the_rest_is_made() {
    let (process, _folder) = process(&[]);
    let urls = ["/img/a.png?w=50", "/img/none.png?w=50", "/img/a.png?w=zero", "/elsewhere/a.png"];
    let done = warm(&process, &urls);
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(text(&done.stdout), "4 renditions: 1 made, 3 failed\n");
    let told = text(&done.stderr);
    for part in
        ["/img/none.png?w=50 (baseline): there is no such original", "w=zero: `w`", "/elsewhere/a.png: no route"]
    {
        assert!(told.contains(part), "{part} in {told}");
    }
    for (body, part) in [
        ("{}", "nothing to do"),
        ("/img/a.png", "no list"),
        (r#"{"urls":["/img/a.png"],"classes":["gif"]}"#, "avif, webp, baseline"),
        (r#"{"transforms":["w=1"]}"#, "need sources"),
        (r#"{"url":["/img/a.png"]}"#, "unknown field"),
    ] {
        let refused = post(&process, body);
        assert!(refused.status == 400 && refused.text().contains(part), "{body}: {}", refused.text());
    }
    let none = warm(&process, &["--status", "abcdef"]);
    assert!(none.status.code() == Some(1) && text(&none.stderr).contains("no such warm-up"), "{}", text(&none.stderr));
}

#[test]
fn it_yields_to_live_work_and_can_be_cancelled() {
    let (process, folder) = process(&["render.threads=1", "render.lane.jobs=4"]);
    folder.put("large.png", picture::noise(1500, 1000, 2));
    // A second of live work, or some.
    let mut client = testkit::Connection::open(process.address).expect("it listens");
    client.request("GET", "/img/large.png?f=avif&effort=5&w=700", &[]).expect("sent");
    until("it is not begun", || metric(&process, "tintype_render_busy") == 1.0);
    let run = post(&process, r#"{"urls":["/img/a.png?w=20","/img/a.png?w=21"]}"#);
    assert_eq!(run.status, 202, "{}", run.text());
    let more = post(&process, r#"{"urls":["/img/a.png?w=22","/img/a.png?w=23","/img/a.png?w=24"]}"#);
    assert!(more.status == 429 && more.text().contains("at most 4"), "{}", more.text());
    let other = value(&post(&process, r#"{"urls":["/img/a.png?w=25","/img/a.png?w=26"]}"#).text(), "id");
    let cancelled = warm(&process, &["--cancel", &other]);
    assert!(cancelled.status.success(), "{}", text(&cancelled.stderr));
    while metric(&process, "tintype_render_busy") == 1.0 {
        // Asked in this order: what was begun in between was begun after the live work.
        let begun =
            metric(&process, "tintype_lane_busy") + metric(&process, "tintype_lane_jobs_total{result=\"made\"}");
        assert!(begun == 0.0 || metric(&process, "tintype_render_busy") == 0.0, "begun beside live work");
    }
    assert_eq!(client.reply("GET").expect("a picture").status, 200);
    let path = format!("/warm/{}", value(&run.text(), "id"));
    until("it does not end", || value(&wire::get(process.admin, &path, &[]).text(), "state") == "done");
    assert_eq!(value(&wire::get(process.admin, &path, &[]).text(), "made"), "2");
    assert_eq!(cache(&wire::get(process.address, "/img/a.png?w=21", &[])), "tintype; hit; detail=memory");
    let told = text(&warm(&process, &["--status", &other]).stdout);
    assert!(told.starts_with("cancelled: 2 renditions"), "{told}");
    assert_eq!(cache(&wire::get(process.address, "/img/a.png?w=26", &[])), "tintype; fwd=miss; stored");
}
