//! Mixed traffic with faults, for as long as it is told to: nothing may grow, nobody may be left behind.
//!
//! Budgets: no wrong answer; memory, files, tasks and threads of the last quarter at most those of the second and a tenth; when
//! all have left, no connection, and as many files and tasks as at the start; the server's log free of errors; an orderly end.

use crate::edge::{Edge, Verdict};
use crate::peer::Peers;
use crate::sample::{self, Sample};
use crate::visitor::{Dice, Seen, Visitor};
use clap::Args;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use testkit::Folder;
use testkit::client::Protocol;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::sleep;

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// How long a fault stays.
const FAULT: Duration = Duration::from_secs(20);
/// How long connections may stay when all have left: the server's time-outs, several times.
const REST: Duration = Duration::from_secs(90);

#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// How long.
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
    /// Mean pause of each of the 16 visitors between requests, in milliseconds.
    #[arg(long, default_value_t = 500)]
    pause: u64,
}

pub(crate) async fn run(binary: &Path, options: &Options) -> Verdict {
    LocalSet::new().run_until(soak(binary, options)).await
}

async fn soak(binary: &Path, options: &Options) -> Verdict {
    let (peers, disk) = (Peers::start(), Folder::new());
    let edge = Rc::new(Edge::start(binary, &[sets(&disk), peers.sets()].concat()));
    let seen = Rc::new(Seen::default());
    sleep(Duration::from_secs(3)).await;
    let began = Instant::now();
    let first = Sample::take(&edge, began);
    let mut visitors = visit(&edge, &seen, Duration::from_millis(options.pause));
    let samples = watch(&edge, &peers, &seen, began, Duration::from_secs(options.seconds)).await;
    visitors.shutdown().await;
    peers.mend();
    let (last, rested) = rest(&edge, &first).await;

    let mut verdict = Verdict::default();
    sample::table(&samples, Duration::from_secs((options.seconds / 12).max(LOOK.as_secs())));
    println!("before: {first:?}\nafter, {} s after the last visitor: {last:?}", rested.as_secs());
    println!("seen: {}", seen.told());
    verdict.hold(seen.counted("wrong") == 0, format!("wrong answers: {} {:?}", seen.counted("wrong"), seen.wrongs()));
    // Asked of the server: visitors may have been served stale pictures all the while.
    let failed = edge.metrics().sum("tintype_origin_requests_total{result=\"failed\"");
    verdict
        .hold(failed > 0.0 && seen.counted("far") > 0, format!("the origin failed {failed} times and was well again"));
    sample::level(&samples, &mut verdict);
    verdict.hold(last.connections == 0.0, format!("connections when all have left: {}", last.connections));
    for (what, before, after, some) in
        [("files", first.files, last.files, 16.0), ("tasks", first.tasks, last.tasks, 16.0)]
    {
        verdict.hold(after <= before + some, format!("{what} when all have left: {after}, {before} at the start"));
    }
    let defects = edge.defects();
    verdict.hold(defects.is_empty(), format!("errors in the server's log: {} {:?}", defects.len(), defects.first()));
    match Rc::try_unwrap(edge) {
        Ok(edge) => verdict.hold(edge.end(), "the server drains and ends in order".to_owned()),
        Err(_held) => verdict.hold(false, "a visitor is left".to_owned()),
    }
    verdict
}

/// Small budgets, so that caches are full soon, and short time-outs, so that who is left behind shows.
fn sets(disk: &Folder) -> Vec<String> {
    let own = [
        "server.threads=2",
        "server.header_timeout=3s",
        "server.idle_timeout=15s",
        "server.write_timeout=5s",
        "server.stream_timeout=10s",
        "render.threads=1",
        "render.memory=128MiB",
        "cache.memory.bytes=16MiB",
        "cache.originals.bytes=4MiB",
        "cache.disk.bytes=32MiB",
        "origins.0.name=samples",
        "origins.0.kind=file",
        "routes.0.prefix=/img/",
        "routes.0.origin=samples",
    ];
    let disk = format!("cache.disk.path={}", disk.root().display());
    own.into_iter().map(str::to_owned).chain([disk]).collect()
}

fn visit(edge: &Rc<Edge>, seen: &Rc<Seen>, pause: Duration) -> JoinSet<()> {
    let mut visitors = JoinSet::new();
    let visitor = |number: u64| Visitor {
        edge: Rc::clone(edge),
        seen: Rc::clone(seen),
        dice: Dice(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number + 1)),
        pause,
    };
    for (number, protocol) in Protocol::ALL.into_iter().cycle().take(12).enumerate() {
        visitors.spawn_local(visitor(number as u64).browse(protocol));
    }
    for number in 12..14 {
        visitors.spawn_local(visitor(number).drop_in());
    }
    for number in 14..16 {
        visitors.spawn_local(Visitor { pause: pause * 2, ..visitor(number) }.misbehave());
    }
    visitors
}

/// Reads what the server holds, changes the peers' faults, purges and reloads, until the time is over.
async fn watch(edge: &Edge, peers: &Peers, seen: &Seen, began: Instant, length: Duration) -> Vec<Sample> {
    let (mut samples, mut dice, mut due) = (Vec::new(), Dice(7), Duration::ZERO);
    while began.elapsed() < length {
        let sample = Sample::take(edge, began);
        samples.push(sample);
        if sample.at >= due {
            due = sample.at + FAULT;
            let fault = peers.change(&mut dice);
            let Sample { resident, files, tasks, connections, .. } = sample;
            let minute = sample.at.as_secs_f64() / 60.0;
            eprintln!(
                "{minute:6.1} min  {resident:6.1} MiB  {files} files  {tasks} tasks  {connections} connections  wrong {}  ({fault})",
                seen.counted("wrong")
            );
            if dice.below(3) == 0 {
                edge.admin("POST", "/purge", r#"{"url": "/img/river.jpg?w=160&f=auto"}"#);
                edge.hang_up();
                seen.count("purged-and-reloaded");
            }
        }
        sleep(LOOK).await;
    }
    samples
}

/// Waits until what was there at the start is all that is left, or the time for it is over.
async fn rest(edge: &Edge, first: &Sample) -> (Sample, Duration) {
    let began = Instant::now();
    loop {
        sleep(Duration::from_secs(1)).await;
        let sample = Sample::take(edge, began);
        let gone =
            sample.connections == 0.0 && sample.tasks <= first.tasks + 16.0 && sample.files <= first.files + 16.0;
        if gone || began.elapsed() > REST {
            return (sample, began.elapsed());
        }
    }
}
