//! Five thousand connections that ask for nothing, and a thousand that do not stop asking.
//!
//! Budget: every answer right, no connection lost, none refused; the idle ones still answered at the end; and memory for each
//! at most 32 KiB.

use crate::edge::{Edge, Verdict};
use crate::visitor::percentile;
use clap::Args;
use http::Method;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use testkit::client::{Client, Protocol, Wrong};
use tokio::task::{JoinSet, LocalSet};

const HIT: &str = "/img/river.jpg?w=160&f=webp";
/// Bytes of memory that a connection between requests may cost.
const BUDGET: f64 = 32.0 * 1024.0;

#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Connections that ask once at the beginning and once at the end.
    #[arg(long, default_value_t = 5000)]
    idle: usize,
    /// Connections that ask again as soon as they have their answer.
    #[arg(long, default_value_t = 1000)]
    busy: usize,
    #[arg(long, default_value_t = 15)]
    seconds: u64,
}

pub(crate) async fn run(binary: &Path, options: &Options) -> Verdict {
    LocalSet::new().run_until(crowd(binary, options)).await
}

async fn crowd(binary: &Path, options: &Options) -> Verdict {
    let sets = ["server.threads=2", "origins.0.name=samples", "origins.0.kind=file"];
    let edge = Rc::new(Edge::start(binary, &sets.map(str::to_owned)));
    let mut verdict = Verdict::default();
    if let Err(error) = one(&edge).await {
        verdict.hold(false, format!("no picture: {error}"));
        return verdict;
    }
    let before = edge.resident();
    let mut idle = Vec::with_capacity(options.idle);
    let mut failed = 0;
    for _ in 0..options.idle {
        match one(&edge).await {
            Ok(client) => idle.push(client),
            Err(_refused) => failed += 1,
        }
    }
    let each = edge.resident().saturating_sub(before) as f64 / options.idle as f64;
    verdict.hold(failed == 0, format!("{} idle connections, {failed} failed", idle.len()));
    verdict.hold(each <= BUDGET, format!("memory for each of them: {:.1} KiB", each / 1024.0));

    let (mut busy, end) = (JoinSet::new(), Instant::now() + Duration::from_secs(options.seconds));
    for _ in 0..options.busy {
        busy.spawn_local(ask_on(Rc::clone(&edge), end));
    }
    let (mut took, mut wrong) = (Vec::new(), 0);
    while let Some(one) = busy.join_next().await {
        match one {
            Ok(Ok(times)) => took.extend(times),
            Ok(Err(_)) | Err(_) => wrong += 1,
        }
    }
    let rate = took.len() as f64 / options.seconds as f64;
    let (middle, high) = (percentile(&mut took, 0.5), percentile(&mut took, 0.99));
    println!("{rate:.0} requests/s from {} busy connections; p50 {middle:.1} ms, p99 {high:.1} ms", options.busy);
    verdict.hold(wrong == 0, format!("busy connections that were lost or answered wrongly: {wrong}"));
    let open = edge.metrics().sum("tintype_connections");
    verdict.hold(open >= idle.len() as f64, format!("connections open at the end: {open}"));
    let mut lost = 0;
    for client in &idle {
        lost += u32::from(!client.ask(Method::GET, HIT, &[]).await.is_ok_and(|response| response.status() == 200));
    }
    verdict.hold(lost == 0, format!("idle connections that were not answered at the end: {lost}"));
    verdict
}

/// A connection that has been answered once.
async fn one(edge: &Edge) -> Result<Client, Wrong> {
    let client = edge.connect(Protocol::Http1).await?;
    let response = client.ask(Method::GET, HIT, &[]).await?;
    if response.status() == 200 { Ok(client) } else { Err(response.status().to_string().into()) }
}

/// How long each answer took, in milliseconds.
async fn ask_on(edge: Rc<Edge>, end: Instant) -> Result<Vec<f64>, Wrong> {
    let (client, mut took) = (one(&edge).await?, Vec::new());
    while Instant::now() < end {
        let began = Instant::now();
        let response = client.ask(Method::GET, HIT, &[]).await?;
        if response.status() != 200 {
            return Err(response.status().to_string().into());
        }
        took.push(began.elapsed().as_secs_f64() * 1e3);
    }
    Ok(took)
}
