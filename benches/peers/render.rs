//! One side of `make bench-peers`: renders a file over and over with the engine of the server, from memory to memory.
//! It knows no peer; `compare.py` runs it beside them and reads the one line of JSON that it prints.
//!
//! Usage: `bench_peers FILE QUERY CLASS THREADS SECONDS`

use cache_key::{FormatClass, Presets, Variant, parse};
use imaging::{Rendition, Scratch, Setup, Watch, render};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Renders before the clock starts: buffers exist, tables are built, caches are warm.
const WARM_UP: usize = 3;
/// As `render.scratch` in `config.toml`.
const SCRATCH: usize = 96 << 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, query, class, threads, seconds] = arguments.as_slice() else {
        return Err("usage: bench_peers FILE QUERY CLASS THREADS SECONDS".into());
    };
    let original = std::fs::read(file)?;
    let class = match class.as_str() {
        "avif" => FormatClass::Avif,
        "webp" => FormatClass::Webp,
        _ => FormatClass::Baseline,
    };
    let variant = Variant { transform: parse(Some(query), &Presets::none())?.transform, class };
    let (threads, seconds): (usize, f64) = (threads.parse()?, seconds.parse()?);
    let duration = Duration::from_secs_f64(seconds);

    let results: Vec<Worker> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&original, &variant, duration))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    let mut times: Vec<f64> = results.iter().flat_map(|worker| worker.times.iter().copied()).collect();
    times.sort_by(f64::total_cmp);
    let rate: f64 = results.iter().map(|worker| worker.times.len() as f64 / worker.elapsed).sum();
    let one = &results[0].last;
    println!(
        r#"{{"rate":{rate},"median_ms":{},"bytes":{},"width":{},"height":{}}}"#,
        times[times.len() / 2] * 1e3,
        one.bytes.len(),
        one.width,
        one.height
    );
    if let Ok(path) = std::env::var("BENCH_OUT") {
        std::fs::write(path, &one.bytes)?;
    }
    Ok(())
}

struct Worker {
    times: Vec<f64>,
    elapsed: f64,
    last: Rendition,
}

fn work(original: &[u8], variant: &Variant, duration: Duration) -> Worker {
    let (setup, mut scratch) = (Setup::default(), Scratch::new(SCRATCH));
    let mut once = || {
        render(original, variant, &setup, &Watch::new(), &mut scratch)
            .unwrap_or_else(|error| panic!("the picture cannot be rendered: {error}"))
    };
    let mut last = once();
    for _ in 1..WARM_UP {
        last = once();
    }
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < duration || times.len() < 3 {
        let before = Instant::now();
        last = once();
        times.push(before.elapsed().as_secs_f64());
    }
    Worker { times, elapsed: start.elapsed().as_secs_f64(), last }
}
