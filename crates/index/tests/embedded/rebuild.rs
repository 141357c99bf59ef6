//! Rebuilds while assets come, change and go: nothing is lost, nothing that was deleted comes back, and whoever searches
//! never sees less than there was.

use crate::bench::{Bench, engine, found, open};
use jobs::{JobKind, NewJob, State};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Changes assets until it is told to stop; how many changes that were.
async fn unrest(bench: Arc<Bench>, stop: Arc<AtomicBool>) -> usize {
    let mut assets = Vec::new();
    let mut number = 100_000;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        if number % 5 == 0 || assets.is_empty() {
            assets.push(bench.create(number).await);
        } else {
            let at = number * 7919 % assets.len();
            match bench.change(&assets[at], number).await {
                Some((asset, event)) if event.kind != catalog::EventKind::Erased => assets[at] = asset,
                _ => drop(assets.swap_remove(at)),
            }
        }
        bench.dispatch().await;
    }
    number - 100_000
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_and_nothing_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let bench = Arc::new(open(folder.path()).await);
    let finder = engine(folder.path());
    for number in 0..700 {
        bench.create(number).await;
    }
    let runner = bench.work(bench.indexer(&finder));
    bench.until_quiet().await;
    let before = finder.stats().await.unwrap().current;
    let stop = Arc::new(AtomicBool::new(false));
    let changing = tokio::spawn(unrest(Arc::clone(&bench), Arc::clone(&stop)));
    for _ in 0..4 {
        let ids = bench.queue.send(vec![NewJob::new(JobKind::REBUILD, json!({})).key("rebuild")]).await.unwrap();
        loop {
            // Whoever searches finds what was there all the time.
            assert!(found(&*finder).await.len() >= 700, "a search sees less");
            let seen = bench.queue.get(ids[0]).await.unwrap().expect("it reports");
            match seen.state {
                State::Done => {
                    let report = seen.progress.unwrap();
                    assert!(report["live"].as_u64() >= Some(700) && report["refused"] == json!(0), "{report}");
                    break;
                }
                State::Dead | State::Cancelled => panic!("{seen:?}"),
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    let changes = changing.await.unwrap();
    assert!(changes > 20, "{changes} changes prove nothing");
    bench.until_quiet().await;
    bench.end(runner).await;
    assert_ne!(finder.stats().await.unwrap().current, before, "it is another index");
    assert_eq!(found(&*finder).await, bench.live().await);
}

/// One that is stopped half-way has changed nothing, and the next one is whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_that_is_stopped_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path()).await;
    let finder = engine(folder.path());
    let indexer = bench.indexer(&finder);
    for number in 0..30 {
        bench.create(number).await;
    }
    let before = finder.stats().await.unwrap().current;
    assert_eq!(indexer.rebuild(|_| false).await.unwrap(), None);
    assert_eq!((finder.stats().await.unwrap().current, found(&*finder).await.len()), (before, 0));
    let rebuilt = indexer.rebuild(|_| true).await.unwrap().unwrap();
    assert_eq!((rebuilt.records, rebuilt.live), (30, 30));
    assert_eq!(found(&*finder).await, bench.live().await);
}
