//! What every store promises where many are at it at once.

use crate::world::{World, ann, at, committed, content, created, draft, sound, tenant};
use catalog::outbox::{Pace, Round};
use catalog::{
    AssetId, Catalog, Change, CommitError, Committed, ContentHash, Dispatcher, Event, EventKind, Facts, Later, Quota,
    Sink,
};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many are at it.
const TASKS: usize = 12;

pub(crate) async fn holds(world: &World) {
    one_wins(&world.empty().await).await;
    one_path(&world.empty().await).await;
    one_key(&world.empty().await).await;
    shared_content(&world.empty().await).await;
    last_place(&world.empty().await).await;
    dispatchers(&world.empty().await).await;
}

type Outcome = Result<Committed, CommitError>;

/// All of these at once: also those that would have to wait for a connection to be made, while the first are long done.
async fn race(catalog: &Arc<dyn Catalog>, changes: impl IntoIterator<Item = Change>) -> Vec<Outcome> {
    let warm = (0..TASKS).map(|_| {
        let catalog = Arc::clone(catalog);
        tokio::spawn(async move { catalog.ready().await })
    });
    for task in warm.collect::<Vec<_>>() {
        task.await.expect("no panic").expect("it is there");
    }
    let tasks: Vec<_> = changes
        .into_iter()
        .map(|change| {
            let catalog = Arc::clone(catalog);
            tokio::spawn(async move { catalog.commit(change).await })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("no panic"));
    }
    outcomes
}

fn won(outcomes: &[Outcome]) -> Vec<&Committed> {
    outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect()
}

async fn one_wins(catalog: &Arc<dyn Catalog>) {
    let mut asset = created(&**catalog, draft(&tenant("main"), "tom.png", "one", 0)).await;
    for _ in 0..5 {
        let changes = (0..TASKS).map(|number| {
            let mut change = Change::of(&asset, EventKind::Changed, ann(), at(1));
            change.asset.title = Some(number.to_string());
            change
        });
        let outcomes = race(catalog, changes).await;
        let winners = won(&outcomes);
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        let winner = &winners[0].asset;
        let told = |outcome: &&Outcome| matches!(outcome, Err(CommitError::Conflict(Some(now))) if **now == *winner);
        assert_eq!(outcomes.iter().filter(told).count(), TASKS - 1, "{outcomes:?}");
        asset = winner.clone();
    }
    let outcomes = race(catalog, (0..TASKS).map(|_| Change::create(asset.clone(), ann()))).await;
    assert!(won(&outcomes).is_empty());
    let new = draft(&tenant("main"), "rex.png", "two", 2);
    let outcomes = race(catalog, (0..TASKS).map(|_| Change::create(new.clone(), ann()))).await;
    assert_eq!(won(&outcomes).len(), 1, "one id is one asset: {outcomes:?}");
    sound(&**catalog).await;
}

async fn one_path(catalog: &Arc<dyn Catalog>) {
    let main = tenant("main");
    let outcomes =
        race(catalog, (0..TASKS).map(|n| Change::create(draft(&main, "tom.png", &n.to_string(), 0), ann()))).await;
    let winners = won(&outcomes);
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    let holder = winners[0].asset.id;
    let lost = outcomes.iter().filter(|outcome| **outcome == Err(CommitError::PathTaken(holder)));
    assert_eq!(lost.count(), TASKS - 1, "{outcomes:?}");
    // Two swap names: neither, since each is in the other's way.
    let tom = winners[0].asset.clone();
    let rex = created(&**catalog, draft(&main, "rex.png", "rex", 1)).await;
    let swap = |n: usize| {
        let (asset, path) = if n.is_multiple_of(2) { (&tom, &rex.path) } else { (&rex, &tom.path) };
        Change::rename(asset, path.clone(), ann(), at(2))
    };
    let outcomes = race(catalog, (0..4).map(swap)).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(CommitError::PathTaken(_)))), "{outcomes:?}");
    sound(&**catalog).await;
}

async fn one_key(catalog: &Arc<dyn Catalog>) {
    let main = tenant("main");
    let outcomes = race(
        catalog,
        (0..TASKS).map(|n| {
            let change = Change::create(draft(&main, &format!("{n}.png"), "one", 0), ann());
            change.once("k".parse().expect("a key"), ContentHash::of(b"request"))
        }),
    )
    .await;
    let winners = won(&outcomes);
    assert_eq!(winners.len(), TASKS, "{outcomes:?}");
    assert_eq!(winners.iter().filter(|done| !done.repeated).count(), 1);
    assert!(winners.iter().all(|done| done.asset == winners[0].asset));
    assert_eq!(catalog.usage(&main).await.expect("an answer").assets, 1);
    sound(&**catalog).await;
}

async fn shared_content(catalog: &Arc<dyn Catalog>) {
    let main = tenant("main");
    let made =
        race(catalog, (0..TASKS).map(|n| Change::create(draft(&main, &format!("{n}.png"), "one", 0), ann()))).await;
    let made: Vec<_> = won(&made).into_iter().map(|done| done.asset.clone()).collect();
    assert_eq!(
        (made.len(), catalog.references(&main, &content("one").hash).await.expect("an answer")),
        (TASKS, TASKS as u64)
    );
    let mixed = made.iter().enumerate().map(|(n, asset)| match n % 3 {
        0 => Change::erase(asset, ann(), at(1)),
        1 => Change::replace(asset, content("two"), Facts::new(), ann(), at(1)),
        _ => Change::replace(asset, content("one"), Facts::new(), ann(), at(1)),
    });
    let outcomes = race(catalog, mixed).await;
    assert_eq!(won(&outcomes).len(), TASKS, "{outcomes:?}");
    let third = TASKS as u64 / 3;
    assert_eq!(catalog.references(&main, &content("one").hash).await.expect("an answer"), third * 3);
    assert_eq!(catalog.references(&main, &content("two").hash).await.expect("an answer"), third);
    sound(&**catalog).await;
}

async fn last_place(catalog: &Arc<dyn Catalog>) {
    let main = tenant("main");
    let quota = Quota { assets: Some(3), bytes: None };
    let changes = (0..TASKS).map(|n| Change::create(draft(&main, &format!("{n}.png"), "x", 0), ann()).within(quota));
    let outcomes = race(catalog, changes).await;
    assert_eq!(won(&outcomes).len(), 3, "{outcomes:?}");
    let over = outcomes.iter().filter(|outcome| matches!(outcome, Err(CommitError::OverQuota(_))));
    assert_eq!(over.count(), TASKS - 3);
    sound(&**catalog).await;
}

/// Takes events, but not each time.
#[derive(Default)]
struct Picky {
    calls: AtomicU32,
    taken: Mutex<Vec<Event>>,
}

impl Sink for Picky {
    fn take<'a>(&'a self, events: &'a [Event]) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            if self.calls.fetch_add(1, Ordering::Relaxed) % 5 == 3 {
                return Err("not now".to_owned());
            }
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(events);
            Ok(())
        })
    }
}

async fn dispatchers(catalog: &Arc<dyn Catalog>) {
    let main = tenant("main");
    let sink = Arc::new(Picky::default());
    let pace = Pace { idle: Duration::from_millis(5), batch: 7, lease: Duration::from_secs(60) };
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut loops = Vec::new();
    for number in 0..3 {
        let dispatcher =
            Dispatcher::new(Arc::clone(catalog), Arc::clone(&sink) as Arc<dyn Sink>, number.to_string(), pace);
        let mut stopped = stopped.clone();
        loops.push(tokio::spawn(dispatcher.run(async move {
            let _sender_gone = stopped.wait_for(|stop| *stop).await;
        })));
    }
    let mut expected: HashMap<AssetId, u64> = HashMap::new();
    for number in 0..10 {
        let mut asset = created(&**catalog, draft(&main, &format!("{number}.png"), "x", number)).await;
        for second in 0..3 {
            asset = committed(&**catalog, Change::of(&asset, EventKind::Changed, ann(), at(second))).await.asset;
        }
        expected.insert(asset.id, asset.revision.get());
    }
    let all: usize = expected.values().map(|revision| usize::try_from(*revision).expect("a small number")).sum();
    let began = std::time::Instant::now();
    while catalog.lag().await.expect("an answer").events > 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "the outbox does not become empty");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send(true).expect("they listen");
    for task in loops {
        task.await.expect("no panic");
    }
    let taken = sink.taken.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(taken.len(), all, "each once, where nobody dies");
    for (asset, last) in expected {
        let of: Vec<u64> =
            taken.iter().filter(|event| event.asset == asset).map(|event| event.revision.get()).collect();
        assert_eq!(of, (1..=last).collect::<Vec<_>>(), "in order");
    }
    // The lead was given back: nobody has to wait for a lease to end.
    let heir = Dispatcher::new(Arc::clone(catalog), sink, "heir", pace);
    assert_eq!(heir.round(jiff::Timestamp::now()).await, Ok(Round::Sent(0)));
}
