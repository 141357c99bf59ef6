//! Several instances, each a process of its own, over one Redis and one origin.

mod cdn;
mod purge;
mod stampede;

use crate::server::sets;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::{Connection, Folder, Origin, Process, Redis, Reply, wire};

/// One instance.
struct Instance {
    process: Process,
    _folder: Folder,
}

/// The keys of a route `/web/` whose originals `origin` has.
fn web(origin: &Origin) -> Vec<String> {
    let base = format!("origins.1.base={}", origin.base());
    let own = [
        "origins.1.name=web",
        "origins.1.kind=http",
        &base,
        "origins.1.allow_private=127.0.0.0/8",
        "routes.1.prefix=/web/",
        "routes.1.origin=web",
    ];
    own.map(str::to_owned).to_vec()
}

/// The keys of a Redis, with time for a busy machine.
fn shared(redis: &Redis) -> Vec<String> {
    vec![
        format!("cache.redis.urls={}", redis.url()),
        "cache.redis.timeout=5s".to_owned(),
        "cache.redis.wait=60s".to_owned(),
        "cache.redis.pause=50ms".to_owned(),
    ]
}

impl Instance {
    fn start(more: &[&[String]]) -> Self {
        let folder = Folder::new();
        let more: Vec<&str> = more.iter().copied().flatten().map(String::as_str).collect();
        let process = Process::serve(Path::new(env!("CARGO_BIN_EXE_tintype")), &sets(&folder, &more));
        Self { process, _folder: folder }
    }

    fn get(&self, target: &str) -> Reply {
        wire::get(self.process.address, target, &[])
    }

    /// Asks for a purge; status and answer.
    fn purge(&self, body: &str) -> (u16, Value) {
        let mut connection = Connection::open(self.process.admin).expect("it listens");
        let length = body.len();
        let head = format!("POST /purge HTTP/1.1\r\nhost: admin\r\ncontent-length: {length}\r\n\r\n{body}");
        connection.send(head).expect("connected");
        let reply = connection.reply("POST").expect("an answer");
        let value = serde_json::from_slice(&reply.body).unwrap_or_else(|_| panic!("{}", reply.text()));
        (reply.status, value)
    }

    /// The sum of all samples whose line starts so.
    fn metric(&self, start: &str) -> f64 {
        let text = wire::get(self.process.admin, "/metrics", &[]).text();
        let values = text.lines().filter(|line| line.starts_with(start)).filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<f64>().expect("a number")).sum()
    }

    fn fills(&self) -> f64 {
        self.metric("tintype_fills_total")
    }

    /// Waits until the metric has at least this value.
    fn until(&self, start: &str, value: f64) {
        eventually(start, || self.metric(start) >= value);
    }
}

/// Waits for what has to happen, not for a time.
fn eventually(what: &str, happened: impl Fn() -> bool) {
    let began = Instant::now();
    while !happened() {
        assert!(began.elapsed() < Duration::from_secs(60), "it never happens: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
