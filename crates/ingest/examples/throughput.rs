//! Uploads to a `tintype-ingest` of its own, on embedded parts: `throughput BINARY [COUNT [AT_ONCE]]`.
//!
//! Each is a new picture of 49 KB (noise, so that nothing of it is spared), sent over one of `AT_ONCE` connections. Says uploads a
//! second, how long they took, and what the server held.

#[path = "../tests/issuer/mod.rs"]
mod issuer;

use issuer::{Issuer, peak};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use testkit::wire::{Connection, head};

fn main() -> Result<(), String> {
    let mut arguments = std::env::args().skip(1);
    let binary = arguments.next().ok_or("throughput BINARY [COUNT [AT_ONCE]]")?;
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse()).map_err(|_| "no number");
    let (count, at_once) = (number(2000)?, number(16)?);
    let data = tempfile::tempdir().map_err(|error| error.to_string())?;
    let issuer = Issuer::new();
    let server = issuer.serve(Path::new(&binary), data.path(), &["limits.rate=0.0"]);
    let (next, times) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let began = Instant::now();
    std::thread::scope(|scope| {
        let upload = || send(&server.address, &issuer.token, &next, count, &times);
        let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(upload)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked".to_owned())?)
    })?;
    let took = began.elapsed();
    let mut times = times.into_inner().map_err(|_| "a thread panicked")?;
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 1000).copied().unwrap_or_default().as_secs_f64() * 1000.0;
    println!("{count} uploads of 49 KB, {at_once} at once, in {:.1} s", took.as_secs_f64());
    println!("{:.0} a second; p50 {:.1} ms, p99 {:.1} ms", count as f64 / took.as_secs_f64(), at(500), at(990));
    println!("the server held {} MiB at most", peak(&server) >> 20);
    Ok(())
}

fn send(
    server: &std::net::SocketAddr,
    token: &str,
    next: &AtomicU64,
    count: u64,
    times: &Mutex<Vec<Duration>>,
) -> Result<(), String> {
    let failed = |error: std::io::Error| error.to_string();
    let mut connection = Connection::open(*server).map_err(failed)?;
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return Ok(());
        }
        let picture = testkit::picture::noise(128, 128, number * 2 + 1);
        let length = picture.len().to_string();
        let fields = [("authorization", token), ("content-length", length.as_str())];
        let target = format!("/ingest/v1/files/{}/{number}.png", number % 100);
        let request = [head("PUT", &target, &fields).as_bytes(), &picture].concat();
        let began = Instant::now();
        connection.send(request).map_err(failed)?;
        let reply = connection.reply("PUT").map_err(failed)?;
        if reply.status != 201 {
            return Err(format!("{}: {}", reply.status, reply.text()));
        }
        times.lock().map_err(|_| "a thread panicked")?.push(began.elapsed());
    }
}
