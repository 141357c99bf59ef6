//! A catalog, a queue and an index in one folder, somebody who changes assets, and the way from outbox to queue.

use catalog::{Asset, Catalog, CatalogConfig, Change, Content, ContentHash, Event, EventKind, Subject};
use finder::{Embedded, EmbeddedSetting, Finder};
use index::{Config, Indexer, Metrics, Policy};
use jiff::{SignedDuration, Timestamp};
use jobs::{JobKind, NewJob, Queue, Runner, SqliteQueue};
use serde_json::json;
use service::drain::Drain;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use uuid::Uuid;

pub(crate) struct Bench {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) drain: Drain,
}

/// The catalog and the queue of a folder.
pub(crate) async fn open(folder: &Path) -> Bench {
    let sets = [format!("sqlite.path={}", folder.join("catalog.db").display()), "timeout=60s".to_owned()];
    let config = service::config::load::<CatalogConfig>(None, [], &sets).expect("sound").config;
    let catalog = catalog::open(&config, &aws::Aws::new()).await.expect("a catalog");
    let queue = SqliteQueue::open(&folder.join("jobs.db")).await.expect("a queue");
    Bench { catalog, queue: Arc::new(queue), drain: Drain::new() }
}

/// The index of a folder. One process at a time has it.
pub(crate) fn engine(folder: &Path) -> Arc<dyn Finder> {
    let setting = EmbeddedSetting {
        folder: folder.join("index"),
        memory: 15 << 20,
        linger: Duration::from_millis(2),
        searches: 4,
        timeout: Duration::from_secs(60),
    };
    let began = Instant::now();
    loop {
        match Embedded::open(setting.clone()) {
            Ok(engine) => return Arc::new(engine),
            // The process that had it is only just gone.
            Err(error) => assert!(began.elapsed() < Duration::from_secs(20), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(crate) fn config() -> Config {
    service::config::load::<Config>(None, [], &["check_every=0s".to_owned()]).expect("sound").config
}

impl Bench {
    pub(crate) fn indexer(&self, finder: &Arc<dyn Finder>) -> Indexer {
        Indexer::new(Arc::clone(&self.catalog), Arc::clone(finder), Policy::default(), Metrics::default())
    }

    /// Works off jobs until the drain.
    pub(crate) fn work(&self, indexer: Indexer) -> JoinHandle<()> {
        let policy = jobs::Policy {
            lease: Duration::from_millis(500),
            rest: Duration::from_millis(5),
            attempts: 50,
            ..jobs::Policy::default()
        };
        let runner = index::work(Runner::new(Arc::clone(&self.queue)), &config(), policy, indexer);
        tokio::spawn(runner.run(self.drain.clone()))
    }

    /// Sends what the outbox has.
    pub(crate) async fn dispatch(&self) {
        loop {
            let events = self.catalog.pending(100).await.expect("asked");
            if events.is_empty() {
                return;
            }
            let jobs = events.iter().map(|event| NewJob::new(JobKind::INDEX, json!(event)).tenant(&event.tenant));
            self.queue.send(jobs.collect()).await.expect("taken in");
            self.catalog.sent(&events).await.expect("marked");
        }
    }

    /// Until no event waits any more.
    pub(crate) async fn until_quiet(&self) {
        let began = Instant::now();
        loop {
            self.dispatch().await;
            let depth = self.queue.depth().await.expect("asked");
            assert_eq!(depth.dead, 0, "{:?}", self.queue.jobs(&jobs::Filter::default(), None, 3).await);
            if depth.ready + depth.leased + depth.delayed == 0 {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "never quiet: {depth:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn create(&self, number: usize) -> Asset {
        let content = Content {
            hash: ContentHash::of(&number.to_le_bytes()),
            bytes: 9,
            media_type: "image/jpeg".parse().expect("a type"),
            width: 40,
            height: 30,
            frames: 1,
        };
        let tenant = if number.is_multiple_of(3) { "other" } else { "main" };
        let path = format!("pictures/{number}.jpg").parse().expect("a path");
        let asset = Asset::new(tenant.parse().expect("a tenant"), path, content, Timestamp::now());
        self.commit(Change::create(asset, actor())).await.expect("nobody else makes it").0
    }

    /// Commits; `None` where somebody was faster.
    pub(crate) async fn commit(&self, change: Change) -> Option<(Asset, Event)> {
        let committed = self.catalog.commit(change).await.ok()?;
        Some((committed.asset, committed.event))
    }

    /// Does something to an asset that its state allows, by the number.
    pub(crate) async fn change(&self, seen: &Asset, number: usize) -> Option<(Asset, Event)> {
        let now = Timestamp::now();
        let change = match (seen.is_live(), number % 4) {
            (true, 0) => Change::delete(seen, now + SignedDuration::from_hours(1), actor(), now),
            (true, _) => {
                let mut change = Change::of(seen, EventKind::Changed, actor(), now);
                change.asset.title = Some(format!("title {number}"));
                change
            }
            (false, 0) => Change::erase(seen, actor(), now),
            (false, _) => Change::restore(seen, actor(), now),
        };
        self.commit(change).await
    }

    /// Ids and revisions of all live records.
    pub(crate) async fn live(&self) -> BTreeMap<Uuid, u64> {
        let mut all = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.catalog.scan(after.as_ref(), 500).await.expect("asked");
            let live = page.items.iter().filter(|asset| asset.is_live());
            all.extend(live.map(|asset| (*asset.id.as_uuid(), asset.revision.get())));
            after = page.next;
            if after.is_none() {
                return all;
            }
        }
    }

    pub(crate) async fn end(&self, runner: JoinHandle<()>) {
        self.drain.begin();
        tokio::time::timeout(Duration::from_secs(30), runner).await.expect("it drains").expect("no panic");
    }
}

/// Ids and revisions of all documents.
pub(crate) async fn found(finder: &dyn Finder) -> BTreeMap<Uuid, u64> {
    let mut all = BTreeMap::new();
    let mut after = None;
    loop {
        let page = finder.scan(after, 500).await.expect("asked");
        let Some((last, _)) = page.last() else { return all };
        after = Some(*last);
        all.extend(page);
    }
}

pub(crate) fn actor() -> Subject {
    "user:ann".parse().expect("a subject")
}
