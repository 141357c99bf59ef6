//! Load on an index: many synthetic documents, then questions of every kind, timed one by one.
//!
//! `cargo run --release -p tintype-finder --example million -- [DOCUMENTS] [FOLDER | http://SERVER]`. Prints a table in
//! Markdown, as in `docs/performance.md`.

mod documents;
mod questions;

use finder::{Embedded, EmbeddedSetting, Finder, OpenSearch, OpenSearchSetting, Refresh, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Documents of one batch.
const BATCH: u64 = 5_000;
/// Questions of each kind.
const ASKED: usize = 200;

type Failure = Box<dyn std::error::Error>;

fn open(place: &str) -> Result<Arc<dyn Finder>, Failure> {
    let timeout = Duration::from_secs(60);
    if place.starts_with("http") {
        let setting = OpenSearchSetting {
            server: place.parse()?,
            authorization: None,
            name: "load".into(),
            shards: 1,
            replicas: 0,
            refresh: Refresh::Now,
            timeout,
            tries: 3,
            changes: None,
        };
        return Ok(Arc::new(OpenSearch::new(setting)?));
    }
    let setting = EmbeddedSetting {
        folder: place.into(),
        memory: 256 << 20,
        linger: Duration::from_millis(1),
        searches: 4,
        timeout,
    };
    Ok(Arc::new(Embedded::open(setting)?))
}

/// Resident bytes of this process, or of the server named by `TINTYPE_LOAD_PID`: now, and at most.
fn resident() -> Result<(u64, u64), Failure> {
    let process = std::env::var("TINTYPE_LOAD_PID").unwrap_or_else(|_| "self".into());
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let field = |name: &str| {
        let value = status.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kibibytes| kibibytes >> 10)
    };
    Ok((field("VmRSS:").unwrap_or(0), field("VmHWM:").unwrap_or(0)))
}

fn load() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().split(' ').take(1).collect()
}

async fn fill(finder: &dyn Finder, count: u64) -> Result<(), Failure> {
    let generation = finder.begin_rebuild().await?;
    let began = Instant::now();
    let mut next = 0;
    while next < count {
        let end = (next + BATCH).min(count);
        let writes = (next..end).map(|number| Write::Put(Box::new(documents::document(number)))).collect();
        finder.apply_to(&generation, writes).await?;
        next = end;
        if next.is_multiple_of(100_000) {
            eprintln!("{next} documents after {:.1?}, load {}", began.elapsed(), load());
        }
    }
    finder.switch(&generation).await?;
    let took = began.elapsed();
    finder.drop_old().await?;
    let stats = finder.stats().await?;
    let (now, most) = resident()?;
    println!(
        "{}: {} documents in {took:.1?}, {:.0} a second (made in this process too); load {}",
        stats.engine,
        stats.documents,
        count as f64 / took.as_secs_f64(),
        load()
    );
    println!("on disk {} MiB, resident {now} MiB, at most {most} MiB", stats.bytes >> 20);
    Ok(())
}

/// What is written later, one batch after the other, each acknowledged when it is found.
async fn update(finder: &dyn Finder, count: u64) -> Result<(), Failure> {
    let mut times = Vec::new();
    for round in 0..20 {
        let writes = (0..100).map(|at| {
            let mut document = documents::document((round * 7_919 + at * 97) % count);
            document.revision += 1 + round;
            Write::Put(Box::new(document))
        });
        let began = Instant::now();
        finder.apply(writes.collect()).await?;
        times.push(began.elapsed());
    }
    println!("100 updates, acknowledged: {}", summary(&mut times));
    Ok(())
}

fn summary(times: &mut [Duration]) -> String {
    times.sort();
    let at = |part: usize| times.get(times.len() * part / 100).or(times.last()).copied().unwrap_or_default();
    format!("p50 {:.2} ms, p99 {:.2} ms", at(50).as_secs_f64() * 1e3, at(99).as_secs_f64() * 1e3)
}

async fn ask(finder: &dyn Finder) -> Result<(), Failure> {
    println!("\n| question | p50 ms | p99 ms | found (median) |\n|---|---:|---:|---:|");
    for (name, question) in questions::ALL {
        let (mut times, mut totals) = (Vec::new(), Vec::new());
        for number in 0..ASKED + 10 {
            let query = question(number as u64);
            let began = Instant::now();
            let hits = finder.search(&query).await?;
            // The first ones find nothing in the system's caches.
            if number >= 10 {
                times.push(began.elapsed());
                totals.push(hits.total.value);
            }
        }
        times.sort();
        totals.sort_unstable();
        let at = |part: usize| times[(times.len() * part / 100).min(times.len() - 1)].as_secs_f64() * 1e3;
        println!("| {name} | {:.2} | {:.2} | {} |", at(50), at(99), totals[totals.len() / 2]);
    }
    let mut times = Vec::new();
    for number in 0..ASKED as u64 {
        let prompt = questions::prompt(number);
        let began = Instant::now();
        finder.suggest(&prompt).await?;
        times.push(began.elapsed());
    }
    println!("\nsuggestions: {}; load {}", summary(&mut times), load());
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().as_deref().unwrap_or("1000000").replace('_', "").parse()?;
    let place = arguments.next().unwrap_or_else(|| "target/load-index".into());
    let finder = open(&place)?;
    if finder.stats().await?.documents < count {
        fill(&*finder, count).await?;
    }
    ask(&*finder).await?;
    update(&*finder, count).await
}
