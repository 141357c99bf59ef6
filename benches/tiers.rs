//! What each tier costs: a look-up, promotion, an envelope; and a hit in a far tier beside one in memory, through the handler.
//!
//! Redis is a real one over loopback, the bucket is `s3s-fs` within this process, the disk is a folder of the system's
//! temporary ones. What is missing is left out, with a line that says so.

// A request passes through many layers of futures: rustc follows them into this crate.
#![recursion_limit = "256"]

use aws::Aws;
use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use http::Request;
use prometheus_client::registry::Registry;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use testkit::Redis;
use testkit::s3::{self, Inside};
use tintype::app::App;
use tintype::cache::config::CacheConfig;
use tintype::cache::{Envelope, Label, Memory, Place, Tiers};
use tintype::config::Config;
use tintype::server::{Clock, Peer};
use tokio::runtime::{Builder, Runtime};

const SIZES: [(&str, usize); 4] = [("2 KB", 2_000), ("20 KB", 20_000), ("100 KB", 100_000), ("1 MB", 1_000_000)];
const LONG: Duration = Duration::from_secs(60);
const PEER: Peer = Peer::plain(Peer::LOCAL);

fn envelope(bytes: usize) -> Envelope {
    let body: Bytes = (0..bytes).map(|i| (i * 31 % 251) as u8).collect();
    Envelope {
        made: 1_700_000_000,
        generation: 0,
        hash: *blake3::hash(&body).as_bytes(),
        source: [7; 32],
        modified: Some(1_600_000_000),
        kind: "image/webp".into(),
        extension: "webp".into(),
        label: Arc::new(Label::default()),
        body,
    }
}

/// The tiers that there are, by name, as keys of the config below `prefix`.
struct Places {
    redis: Option<Redis>,
    bucket: Inside,
    folder: tempfile::TempDir,
}

impl Places {
    fn new() -> Self {
        let (redis, bucket) = (Redis::start(&[]), Inside::start(&["renditions"]));
        Self { redis, bucket, folder: tempfile::tempdir().expect("a folder") }
    }

    fn all(&self, prefix: &str) -> Vec<(&'static str, Vec<String>)> {
        let mut object = s3::sets(&format!("{prefix}s3"), &format!("{prefix}s3"), self.bucket.address, "renditions");
        object.push(format!("{prefix}s3.timeout=30s"));
        let path = format!("{prefix}disk.path={}", self.folder.path().display());
        let mut places = vec![("disk", vec![path, format!("{prefix}disk.timeout=30s")]), ("S3", object)];
        if let Some(redis) = &self.redis {
            let url = format!("{prefix}redis.urls={}", redis.url());
            places.insert(0, ("Redis", vec![url, format!("{prefix}redis.timeout=30s")]));
        }
        places
    }
}

fn open(sets: &[String]) -> Tiers {
    let config =
        service::config::load::<CacheConfig>(None, [], sets).unwrap_or_else(|errors| panic!("{errors}")).config;
    Tiers::open(&config, &Aws::new(), SystemTime::now).expect("a sound config")
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn put(runtime: &Runtime, tiers: &Tiers, name: [u8; 32], bytes: usize) {
    tiers.keep(name, || envelope(bytes));
    assert!(runtime.block_on(tiers.settle(LONG)), "it is written");
}

fn envelopes(c: &mut Criterion) {
    for (size, bytes) in SIZES {
        let (name, envelope) = ([1; 32], envelope(bytes));
        let stored = envelope.seal(&name);
        let mut group = c.benchmark_group("envelope");
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("seal {size}"), |b| b.iter(|| black_box(&envelope).seal(&name)));
        group.bench_function(format!("open {size}"), |b| b.iter(|| Envelope::open(black_box(&stored), &name)));
    }
}

fn look_ups(c: &mut Criterion) {
    let (places, runtime) = (Places::new(), runtime());
    let mut group = c.benchmark_group("look-up");
    let memory = Memory::new(1 << 30, |kept: &Arc<Envelope>| kept.body.len() as u64);
    for (number, (size, bytes)) in (0..).zip(SIZES) {
        memory.insert([number; 32], Arc::new(envelope(bytes)));
        group.bench_function(format!("memory {size}"), |b| b.iter(|| memory.get(black_box(&[number; 32]))));
    }
    for (place, sets) in places.all("") {
        let tiers = open(&sets);
        for (number, (size, bytes)) in (0..).zip(SIZES) {
            put(&runtime, &tiers, [number; 32], bytes);
            let find = || runtime.block_on(tiers.find(black_box([number; 32]), 0)).expect("it is there");
            assert_eq!(find().0.body.len(), bytes);
            group.bench_function(format!("{place} {size}"), |b| b.iter(find));
        }
        group.bench_function(format!("{place}, a miss"), |b| b.iter(|| runtime.block_on(tiers.find([99; 32], 0))));
    }
}

/// Found on disk, and written to Redis behind the answer.
fn promotion(c: &mut Criterion) {
    let (places, runtime) = (Places::new(), runtime());
    let all: Vec<_> = places.all("").into_iter().filter(|(place, _)| *place != "S3").collect();
    if all.len() < 2 {
        return;
    }
    let tiers = open(&all.into_iter().flat_map(|(_, sets)| sets).collect::<Vec<_>>());
    let mut group = c.benchmark_group("promotion, disk to Redis");
    for (number, (size, bytes)) in (0..).zip(SIZES) {
        let name = [number; 32];
        put(&runtime, &tiers, name, bytes);
        group.bench_function(size, |b| {
            b.iter_custom(|times| {
                let mut took = Duration::ZERO;
                for _ in 0..times {
                    assert!(runtime.block_on(tiers.settle(LONG)));
                    runtime.block_on(tiers.levels()[0].remove(&name)).expect("removed");
                    let began = Instant::now();
                    let found = runtime.block_on(tiers.find(name, 0)).expect("it is there");
                    took += began.elapsed();
                    assert_eq!(found.1, Place::Disk);
                }
                took
            });
        });
    }
}

/// A whole request: a memory of nothing sends each to the tier below.
fn handler(c: &mut Criterion) {
    let (places, runtime) = (Places::new(), runtime());
    let root = concat!("origins.0.root=", env!("CARGO_MANIFEST_DIR"), "/samples").to_owned();
    let request = Request::get("/img/river.jpg?w=200&f=webp").header("host", "img.example.org");
    let request = request.body(()).expect("a valid request").into_parts().0;
    let mut group = c.benchmark_group("hit through the handler");
    for (place, mut sets) in [("memory", Vec::new())].into_iter().chain(places.all("cache.")) {
        let detail = format!("detail={}", if place == "S3" { "object".to_owned() } else { place.to_lowercase() });
        sets.push(root.clone());
        if place != "memory" {
            sets.push("cache.memory.bytes=0".to_owned());
        }
        let config =
            service::config::load::<Config>(None, [], &sets).unwrap_or_else(|errors| panic!("{errors}")).config;
        let app = App::build(&config, &mut Registry::default(), Clock::SYSTEM).expect("samples/ is there");
        let began = Instant::now();
        loop {
            let response = runtime.block_on(app.respond(&PEER, &request));
            let said = response.headers()["cache-status"].to_str().expect("ASCII").to_owned();
            if said.contains(&detail) {
                break;
            }
            assert!(began.elapsed() < LONG, "{said}");
            std::thread::sleep(Duration::from_millis(50));
        }
        group.bench_function(place, |b| b.iter(|| runtime.block_on(app.respond(&PEER, black_box(&request)))));
    }
}

criterion_group!(benches, envelopes, look_ups, promotion, handler);
criterion_main!(benches);
