//! Events in any order, twice, late; what the index says in the end is what the catalog says.

use crate::bench::{found, open};
use catalog::{Change, EventKind};
use finder::Write;
use index::check::Difference;
use jiff::Timestamp;
use jobs::{Filter, JobKind, NewJob, State};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_may_come_in_any_order_and_twice() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path()).await;
    let finder = crate::bench::engine(folder.path());
    let mut events = Vec::new();
    for number in 0..20 {
        let mut asset = bench.create(number).await;
        for step in 0..5 {
            match bench.change(&asset, number + step).await {
                Some((next, event)) if event.kind != EventKind::Erased => {
                    asset = next;
                    events.push(event);
                }
                _ => break,
            }
        }
    }
    events.extend(bench.catalog.pending(500).await.unwrap());
    // Another order, the same in each run.
    events.sort_by_key(|event| blake(event.id.to_string().as_bytes(), event.revision.get()));
    let jobs: Vec<NewJob> = events.iter().map(|event| NewJob::new(JobKind::INDEX, json!(event))).collect();
    for some in jobs.chunks(400) {
        bench.queue.send(some.to_vec()).await.unwrap();
    }
    let runner = bench.work(bench.indexer(&finder));
    bench.until_quiet().await;
    bench.end(runner).await;
    let live = bench.live().await;
    assert!(!live.is_empty() && live.len() < 20, "some are deleted: {}", live.len());
    assert_eq!(found(&*finder).await, live);
}

fn blake(bytes: &[u8], salt: u64) -> u64 {
    bytes
        .iter()
        .fold(salt ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_event_is_dead_and_can_be_seen() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path()).await;
    let finder = crate::bench::engine(folder.path());
    bench.queue.send(vec![NewJob::new(JobKind::INDEX, json!({"schema": 9, "who": "knows"}))]).await.unwrap();
    bench.create(1).await;
    bench.dispatch().await;
    let runner = bench.work(bench.indexer(&finder));
    let dead = Filter { states: vec![State::Dead], ..Filter::default() };
    for _ in 0..1000 {
        let all = bench.queue.jobs(&Filter::default(), None, 10).await.unwrap();
        if all.len() == 1 && all[0].state == State::Dead {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    bench.end(runner).await;
    let dead = bench.queue.jobs(&dead, None, 10).await.unwrap();
    assert!(dead[0].reason.as_deref().unwrap().starts_with("the payload is no event"), "{dead:?}");
    assert_eq!((dead.len(), dead[0].attempts, found(&*finder).await.len()), (1, 1, 1));
}

/// A check finds what is missing, old and too much; and puts it right where it may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_tells_and_repairs() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path()).await;
    let finder = crate::bench::engine(folder.path());
    let indexer = bench.indexer(&finder);
    let mut assets = Vec::new();
    for number in 0..600 {
        assets.push(bench.create(number).await);
    }
    finder.apply(assets[1..].iter().map(|asset| indexer.write_of(asset)).collect()).await.unwrap();
    let mut change = Change::of(&assets[2], EventKind::Changed, crate::bench::actor(), Timestamp::now());
    change.asset.title = Some("newer".to_owned());
    bench.commit(change).await.unwrap();
    let gone = bench.change(&assets[4], 0).await.unwrap();
    assert_eq!(gone.1.kind, EventKind::Deleted);
    // Of an asset, and a tenant, that the catalog has never heard of.
    let mut stranger = index::document(&assets[5], index::Policy::default());
    (stranger.id, stranger.tenant) = (Uuid::now_v7(), "strangers".to_owned());
    finder.apply(vec![Write::Put(Box::new(stranger.clone()))]).await.unwrap();

    let mut looked = 0;
    let told = |records: u64, looked: &mut u64| {
        *looked = records;
        true
    };
    let checked = indexer.check(false, Duration::ZERO, |records| told(records, &mut looked)).await.unwrap().unwrap();
    assert_eq!((checked.records, checked.documents, looked), (600, 600, 600));
    assert_eq!((checked.missing, checked.older, checked.extra, checked.repaired), (1, 1, 2, 0));
    assert!(!checked.is_sound());
    let of = |id: &Uuid| checked.findings.iter().find(|finding| finding.id == *id).unwrap().difference;
    assert_eq!(of(assets[0].id.as_uuid()), Difference::Missing);
    assert_eq!(of(assets[2].id.as_uuid()), Difference::Older);
    assert_eq!((of(assets[4].id.as_uuid()), of(&stranger.id)), (Difference::Extra, Difference::Extra));

    let checked = indexer.check(true, Duration::ZERO, |_| true).await.unwrap().unwrap();
    assert_eq!((checked.missing + checked.older + checked.extra, checked.repaired), (4, 4));
    assert!(checked.is_sound());
    assert_eq!(found(&*finder).await, bench.live().await);
    let checked = indexer.check(false, Duration::ZERO, |_| true).await.unwrap().unwrap();
    assert!(checked.is_sound() && checked.findings.is_empty(), "{checked:?}");
    assert_eq!(indexer.check(false, Duration::ZERO, |_| false).await.unwrap(), None, "told to stop, it stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_rests_after_a_failure_counts_as_behind() {
    let folder = tempfile::tempdir().unwrap();
    let bench = open(folder.path()).await;
    bench.queue.send(vec![NewJob::new(JobKind::INDEX, json!({}))]).await.unwrap();
    let take = jobs::Take { kinds: vec![JobKind::INDEX], max: 1, lease: Duration::from_secs(60), wait: Duration::ZERO };
    let leased = bench.queue.receive(&take).await.unwrap().pop().unwrap();
    assert!(bench.queue.retry(&leased.lease, Duration::from_secs(60), "not yet").await.unwrap());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let (waiting, seconds) = index::lag::measure(&*bench.catalog, &*bench.queue).await.unwrap();
    assert!(waiting == 1 && seconds >= 0.05, "{waiting} {seconds}");
}
