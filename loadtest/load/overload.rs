//! Hits while twice as many pictures are asked for as can be made: they wait for none of them.
//!
//! Budget: the 99th percentile of hits is at most three times that of an idle server, as the median over rounds that have both,
//! one after the other; every hit right; every picture made, or refused with 503 and `Retry-After`.

use crate::edge::{Edge, Verdict};
use crate::visitor::percentile;
use clap::Args;
use http::Method;
use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use testkit::client::{Client, Protocol};
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{MissedTickBehavior, interval, sleep};

const HIT: &str = "/img/river.jpg?w=320&f=webp";
/// Hits a second, whether the last one has been answered or not.
const HITS: u32 = 400;
const CONNECTIONS: usize = 8;
/// Times the idle percentile.
const BUDGET: f64 = 3.0;

#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Of each half of a round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

pub(crate) async fn run(binary: &Path, options: &Options) -> Verdict {
    LocalSet::new().run_until(overload(binary, options)).await
}

/// What became of the misses.
#[derive(Default)]
struct Misses {
    made: Cell<u64>,
    refused: Cell<u64>,
    wrong: Cell<u64>,
    number: Cell<u64>,
}

async fn overload(binary: &Path, options: &Options) -> Verdict {
    // Who would wait for longer than a second is refused, so that a round is long enough to see it.
    let sets = ["render.threads=1", "render.queue_timeout=1s", "origins.0.name=samples", "origins.0.kind=file"];
    let edge = Rc::new(Edge::start(binary, &sets.map(str::to_owned)));
    let (misses, length) = (Rc::new(Misses::default()), Duration::from_secs(options.seconds));
    let mut verdict = Verdict::default();
    drop(hits(&edge, Duration::from_secs(1)).await);
    let capacity = capacity(&edge, &misses, length).await;
    println!("capacity: {capacity:.1} pictures a second; then twice as many are asked for");
    let mut ratios = Vec::new();
    for _ in 0..options.rounds {
        let idle = hits(&edge, length).await;
        let flood = tokio::task::spawn_local(flood(Rc::clone(&edge), Rc::clone(&misses), 2.0 * capacity));
        sleep(Duration::from_millis(500)).await;
        let loaded = hits(&edge, length).await;
        flood.abort();
        // What was begun is finished, so that the next round begins idle.
        while edge.metrics().sum("tintype_render_busy") > 0.0 {
            sleep(Duration::from_millis(100)).await;
        }
        match (idle, loaded) {
            (Ok(mut idle), Ok(mut loaded)) => {
                let (before, after) = (percentile(&mut idle, 0.99), percentile(&mut loaded, 0.99));
                println!("p99 of hits: idle {before:.2} ms, under overload {after:.2} ms ({:.2} ×)", after / before);
                ratios.push(after / before);
            }
            (Err(wrong), _) | (_, Err(wrong)) => verdict.hold(false, wrong),
        }
    }
    let ratio = percentile(&mut ratios, 0.5);
    verdict.hold(ratio <= BUDGET, format!("p99 of hits under overload: {ratio:.2} times that of an idle server"));
    let Misses { made, refused, wrong, .. } = &*misses;
    verdict.hold(
        wrong.get() == 0,
        format!("misses: {} made, {} refused, {} wrong", made.get(), refused.get(), wrong.get()),
    );
    verdict.hold(refused.get() > 0, "it was more than could be made".to_owned());
    verdict
}

/// Asks at a fixed rate, and counts from the moment when it should have asked: how long each took, in milliseconds.
async fn hits(edge: &Edge, length: Duration) -> Result<Vec<f64>, String> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(Rc::new(edge.connect(Protocol::Http1).await.map_err(|error| error.to_string())?));
    }
    let mut asking = JoinSet::new();
    let mut due = interval(Duration::from_secs(1) / HITS);
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let began = Instant::now();
    for client in clients.iter().cycle() {
        let at = due.tick().await.into_std();
        if began.elapsed() >= length {
            break;
        }
        asking.spawn_local(hit(Rc::clone(client), at));
    }
    let mut took = Vec::new();
    while let Some(one) = asking.join_next().await {
        took.push(one.map_err(|error| error.to_string())??);
    }
    Ok(took)
}

async fn hit(client: Rc<Client>, due: Instant) -> Result<f64, String> {
    let response = client.ask(Method::GET, HIT, &[]).await.map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(format!("a hit was answered {}", response.status()));
    }
    Ok(due.elapsed().as_secs_f64() * 1e3)
}

/// Pictures a second that are made where four clients ask one after the other.
async fn capacity(edge: &Rc<Edge>, misses: &Rc<Misses>, length: Duration) -> f64 {
    let (mut clients, began, before) = (JoinSet::new(), Instant::now(), misses.made.get());
    for _ in 0..4 {
        let (edge, misses) = (Rc::clone(edge), Rc::clone(misses));
        clients.spawn_local(async move {
            while began.elapsed() < length {
                miss(&edge, &misses).await;
            }
        });
    }
    while clients.join_next().await.is_some() {}
    (misses.made.get() - before) as f64 / began.elapsed().as_secs_f64()
}

/// Asks for so many a second, each by a connection of its own. All that is under way ends with it.
async fn flood(edge: Rc<Edge>, misses: Rc<Misses>, rate: f64) {
    let mut asking = JoinSet::new();
    let mut due = interval(Duration::from_secs_f64(1.0 / rate.max(1.0)));
    loop {
        due.tick().await;
        let (edge, misses) = (Rc::clone(&edge), Rc::clone(&misses));
        asking.spawn_local(async move { miss(&edge, &misses).await });
        while asking.try_join_next().is_some() {}
    }
}

async fn miss(edge: &Edge, misses: &Misses) {
    let add = |count: &Cell<u64>| count.set(count.get() + 1);
    add(&misses.number);
    let target = format!("/img/barn.jpg?w=300&f=webp&cb={}", misses.number.get());
    let asked = match edge.connect(Protocol::Http1).await {
        Ok(client) => client.ask(Method::GET, &target, &[]).await,
        Err(error) => Err(error),
    };
    add(match asked {
        Ok(response) if response.status() == 200 => &misses.made,
        Ok(response) if response.status() == 503 && response.headers().contains_key("retry-after") => &misses.refused,
        Ok(_) | Err(_) => &misses.wrong,
    });
}
