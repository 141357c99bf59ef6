//! The same picture again and again, by any protocol, from any server: how many a second, and how long each took.
//!
//! For HTTP/3, which wrk and h2load do not speak, and for percentiles by HTTP/2. Closed loop: each stream asks again when it has
//! its answer. Invariant: an answer that is not the one expected ends the run.

use clap::Args;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use testkit::certificate;
use testkit::client::{Client, Protocol};
use tokio::task::JoinSet;

/// How long it runs before it counts.
const WARM_UP: Duration = Duration::from_millis(500);

#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// h1, h2, h1-tls, h2-tls or h3.
    #[arg(long, value_parser = protocol)]
    protocol: Protocol,
    /// Where the server listens; it is asked for the host a.example.
    #[arg(long)]
    address: SocketAddr,
    /// Path and query.
    #[arg(long)]
    target: String,
    /// Bytes that each answer has.
    #[arg(long)]
    bytes: usize,
    /// Who certified the server (PEM).
    #[arg(long)]
    ca: Option<PathBuf>,
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Requests at once on each.
    #[arg(long, default_value_t = 8)]
    streams: usize,
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

fn protocol(text: &str) -> Result<Protocol, String> {
    match text {
        "h1" => Ok(Protocol::Http1),
        "h2" => Ok(Protocol::Http2),
        "h1-tls" => Ok(Protocol::Http1Tls),
        "h2-tls" => Ok(Protocol::Http2Tls),
        "h3" => Ok(Protocol::Http3),
        _ => Err("h1, h2, h1-tls, h2-tls or h3".to_owned()),
    }
}

/// Prints one line: `requests/s`, `p50` and `p99` in milliseconds.
pub(crate) fn run(options: &Options) -> Result<(), String> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(options.threads).enable_all().build().map_err(|error| error.to_string())?;
    let mut took = runtime.block_on(all(options))?;
    took.sort_unstable();
    let part = |share: f64| took.get((took.len() as f64 * share) as usize).map_or(f64::NAN, |t| t.as_secs_f64() * 1e3);
    println!("{:.1} {:.3} {:.3}", took.len() as f64 / options.seconds as f64, part(0.5), part(0.99));
    Ok(())
}

async fn all(options: &Options) -> Result<Vec<Duration>, String> {
    let tls = certificate::trusting(options.ca.as_deref().map(read).transpose()?.as_deref());
    let options = Arc::new(options.clone());
    let counted = Instant::now() + WARM_UP;
    let mut streams = JoinSet::new();
    for _ in 0..options.connections {
        let client = Client::open(options.protocol, options.address, &tls).await.map_err(|error| error.to_string())?;
        let client = Arc::new(client);
        // One at a time is all that HTTP/1.1 can do.
        let at_once =
            if matches!(options.protocol, Protocol::Http1 | Protocol::Http1Tls) { 1 } else { options.streams };
        for _ in 0..at_once {
            streams.spawn(ask(Arc::clone(&client), Arc::clone(&options), counted));
        }
    }
    let mut took = Vec::new();
    while let Some(one) = streams.join_next().await {
        took.extend(one.map_err(|error| error.to_string())??);
    }
    Ok(took)
}

/// How long each request took that began and ended within the time that counts.
async fn ask(client: Arc<Client>, options: Arc<Options>, counted: Instant) -> Result<Vec<Duration>, String> {
    let (end, mut took) = (counted + Duration::from_secs(options.seconds), Vec::new());
    loop {
        let began = Instant::now();
        if began >= end {
            return Ok(took);
        }
        let response = client.ask(http::Method::GET, &options.target, &[]).await.map_err(|error| error.to_string())?;
        if response.status() != 200 || response.body().len() != options.bytes {
            return Err(format!("{} {}: {} bytes", options.target, response.status(), response.body().len()));
        }
        if began >= counted && Instant::now() <= end {
            took.push(began.elapsed());
        }
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
