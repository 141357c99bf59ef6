//! Many large pictures at once, and then nobody: the memory is given back.
//!
//! Budget: five seconds after the last answer the process holds at most 15 % more than what is live: what it held before, and
//! what its caches have taken in meanwhile. The first burst is the one that is measured, then a second one.

use crate::edge::{Edge, Verdict};
use clap::Args;
use http::Method;
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use testkit::client::Protocol;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

const MIB: f64 = (1 << 20) as f64;
/// How soon it is given back.
const REST: Duration = Duration::from_secs(5);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);
/// Times what is live.
const BUDGET: f64 = 1.15;

#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Clients at once.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Pictures that each asks for, one after the other.
    #[arg(long, default_value_t = 4)]
    pictures: usize,
    #[arg(long, default_value_t = 2)]
    bursts: usize,
}

pub(crate) async fn run(binary: &Path, options: &Options) -> Verdict {
    LocalSet::new().run_until(bursts(binary, options)).await
}

async fn bursts(binary: &Path, options: &Options) -> Verdict {
    let sets = ["render.threads=3", "render.queue_timeout=1m", "origins.0.name=samples", "origins.0.kind=file"];
    let edge = Rc::new(Edge::start(binary, &sets.map(str::to_owned)));
    let (mut verdict, made) = (Verdict::default(), Rc::new(Cell::new(0_u64)));
    // A thread's first picture brings its buffers.
    ask(&edge, &made, 4, 2, || {}).await;
    sleep(REST).await;
    for number in 1..=options.bursts {
        let (before, cached) = (edge.resident(), cached(&edge));
        let peak = Rc::new(Cell::new(before));
        let (seen, look) = (Rc::clone(&peak), Rc::clone(&edge));
        let answered =
            ask(&edge, &made, options.clients, options.pictures, || seen.set(seen.get().max(look.resident()))).await;
        sleep(REST).await;
        let after = edge.resident() as f64;
        let live = before as f64 + (self::cached(&edge) - cached).max(0.0);
        println!(
            "burst {number}: {answered} pictures; {:.1} MiB before, {:.1} at most, {:.1} afterwards, {:.1} live",
            before as f64 / MIB,
            peak.get() as f64 / MIB,
            after / MIB,
            live / MIB
        );
        verdict.hold(answered > 0, format!("burst {number} was answered"));
        verdict.hold(after <= live * BUDGET, format!("burst {number}: {:.2} times what is live", after / live));
    }
    verdict
}

/// Bytes of renditions in memory.
fn cached(edge: &Edge) -> f64 {
    let metrics = edge.metrics();
    metrics.sum("tintype_cache_memory_bytes") + metrics.sum("tintype_cache_originals_bytes")
}

/// How many were answered; `look` is called all the while.
async fn ask(edge: &Rc<Edge>, made: &Rc<Cell<u64>>, clients: usize, pictures: usize, look: impl Fn()) -> u64 {
    let mut asking = JoinSet::new();
    for _ in 0..clients {
        let (edge, made) = (Rc::clone(edge), Rc::clone(made));
        asking.spawn_local(async move {
            let Ok(client) = edge.connect(Protocol::Http1).await else { return 0 };
            let mut answered = 0;
            for _ in 0..pictures {
                made.set(made.get() + 1);
                let format = ["webp", "jpeg", "png"][made.get() as usize % 3];
                let target = format!("/img/landscape.jpg?w={}&f={format}", 600 + made.get());
                let asked = client.ask(Method::GET, &target, &[]).await;
                answered += u64::from(asked.is_ok_and(|response| response.status() == 200));
            }
            answered
        });
    }
    let mut answered = 0;
    loop {
        tokio::select! {
            one = asking.join_next() => match one {
                Some(one) => answered += one.unwrap_or(0),
                None => return answered,
            },
            () = sleep(LOOK) => look(),
        }
    }
}
