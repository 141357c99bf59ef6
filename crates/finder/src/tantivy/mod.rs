//! The embedded engine: tantivy in a folder of this process.
//!
//! Searches run on blocking threads, at most as many as the setting says; writes go to one thread. What is acknowledged
//! is on disk. Invariant: a search never waits for a write.

mod folder;
mod gather;
mod generation;
mod schema;
mod translate;
mod writer;

use crate::changes::Local;
use crate::document::Document;
use crate::error::FinderError;
use crate::hits::Hits;
use crate::plan::{Completion, Found, Plan, only_count, page};
use crate::query::Query;
use crate::reach::Reach;
use crate::record::records;
use crate::seam::{Answer, Finder, Generation, MAX_IDS, Stats};
use crate::suggest::{Prompt, Suggestion};
use crate::write::{Applied, Write};
use generation::{Searching, broken};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, PoisonError, RwLock, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};
use uuid::Uuid;
use writer::{Batch, Order, Reply, Writer};

/// Batches that may wait for the writer.
const QUEUE: usize = 256;

/// How the embedded engine works.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where it keeps its generations.
    pub folder: PathBuf,
    /// Bytes that the writer may use before it writes a segment; 15 MB at least.
    pub memory: usize,
    /// How long a batch waits for others to share its commit.
    pub linger: Duration,
    /// Most searches at once; others wait.
    pub searches: usize,
    /// Longest search, with the wait.
    pub timeout: Duration,
}

/// The embedded engine. Closed when dropped, after the commit under way.
pub struct Embedded {
    shown: Arc<RwLock<Searching>>,
    /// There until it is dropped.
    orders: Option<mpsc::SyncSender<Order>>,
    writer: Option<JoinHandle<()>>,
    permits: Arc<Semaphore>,
    timeout: Duration,
    changes: Arc<Local>,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

impl Embedded {
    /// Opens the index, or makes one. Blocks: it reads files, and takes the folder's lock.
    ///
    /// # Errors
    /// [`FinderError::Unavailable`] where another process has it, [`FinderError::Broken`] where it cannot be read.
    pub fn open(setting: Setting) -> Result<Self, FinderError> {
        let (searches, timeout) = (setting.searches.max(1), setting.timeout);
        let changes = Arc::new(Local::default());
        let writer = Writer::open(setting, Arc::clone(&changes))?;
        let shown = writer.shown();
        let (orders, taken) = mpsc::sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("finder-writer".into());
        let writer = thread.spawn(move || writer.run(&taken)).map_err(broken)?;
        let permits = Arc::new(Semaphore::new(searches));
        Ok(Self { shown, orders: Some(orders), writer: Some(writer), permits, timeout, changes })
    }

    fn searching(&self) -> Searching {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask<T>(&self, order: impl FnOnce(Reply<T>) -> Order) -> Result<T, FinderError> {
        let gone = || FinderError::Unavailable("the index is closed".into());
        let (reply, answer) = oneshot::channel();
        self.orders.as_ref().ok_or_else(gone)?.try_send(order(reply)).map_err(|error| match error {
            TrySendError::Full(_) => FinderError::Unavailable("too many batches wait for the index".into()),
            TrySendError::Disconnected(_) => gone(),
        })?;
        answer.await.map_err(|_| gone())?
    }

    /// Runs `work` on a blocking thread, within the limits. The flag is set when the time is over.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Searching, &Arc<AtomicBool>) -> Result<T, FinderError> + Send + 'static,
    ) -> Result<T, FinderError> {
        let (searching, stop) = (self.searching(), Arc::new(AtomicBool::new(false)));
        let _stops = Stops(Arc::clone(&stop));
        let permits = Arc::clone(&self.permits);
        let task = async move {
            let permit = permits.acquire_owned().await.map_err(broken)?;
            let work = move || {
                let _permit = permit;
                work(&searching, &stop)
            };
            #[expect(clippy::disallowed_methods, reason = "no more of them at once than there are permits")]
            let done = tokio::task::spawn_blocking(work).await;
            done.map_err(broken)?
        };
        tokio::time::timeout(self.timeout, task).await.map_err(|_| FinderError::TimedOut)?
    }

    async fn run(&self, plan: Plan) -> Result<Found, FinderError> {
        self.work(move |searching, stop| searching.run(&plan, stop)).await
    }
}

/// Waits for the writer: then the folder's lock is free.
impl Drop for Embedded {
    fn drop(&mut self) {
        self.orders = None;
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the writer of the search index panicked");
        }
    }
}

/// Sets the flag when whoever waits has gone.
struct Stops(Arc<AtomicBool>);

impl Drop for Stops {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Finder for Embedded {
    fn apply(&self, writes: Vec<Write>) -> Answer<'_, Applied> {
        Box::pin(async move {
            let tenants = writes.iter().map(|write| write.tenant().to_owned()).collect();
            let records = records(writes)?;
            self.ask(|reply| Order::Apply(Batch { records, tenants, reply })).await
        })
    }

    fn search<'a>(&'a self, query: &'a Query) -> Answer<'a, Hits> {
        Box::pin(async move { Ok(page(query, self.run(Plan::of(query)?).await?)) })
    }

    fn suggest<'a>(&'a self, prompt: &'a Prompt) -> Answer<'a, Vec<Suggestion>> {
        Box::pin(async move {
            let Some(completion) = Completion::of(prompt)? else { return Ok(Vec::new()) };
            let [tags, words] = completion.plans();
            let tags = only_count(self.run(tags).await?)?;
            let words = only_count(self.run(words).await?)?;
            Ok(completion.finish(tags, words))
        })
    }

    fn get<'a>(&'a self, reach: &'a Reach, ids: &'a [Uuid]) -> Answer<'a, Vec<Document>> {
        Box::pin(async move {
            let (reach, ids) = (reach.clone(), ids.iter().take(MAX_IDS).copied().collect::<Vec<_>>());
            self.work(move |searching, _| {
                let mut found = Vec::with_capacity(ids.len());
                for id in ids {
                    found.extend(searching.get(id)?.filter(|document| reach.shows(document)));
                }
                Ok(found)
            })
            .await
        })
    }

    fn scan(&self, after: Option<Uuid>, limit: usize) -> Answer<'_, Vec<(Uuid, u64)>> {
        Box::pin(self.work(move |searching, _| searching.scan(after, limit)))
    }

    fn epoch<'a>(&'a self, tenants: Option<&'a [&'a str]>) -> Answer<'a, Option<u64>> {
        Box::pin(async move { Ok(Some(self.changes.of(tenants))) })
    }

    fn begin_rebuild(&self) -> Answer<'_, Generation> {
        Box::pin(self.ask(Order::Begin))
    }

    fn apply_to<'a>(&'a self, generation: &'a Generation, writes: Vec<Write>) -> Answer<'a, Applied> {
        Box::pin(async move {
            let records = records(writes)?;
            self.ask(|reply| Order::ApplyTo(generation.clone(), records, reply)).await
        })
    }

    fn switch<'a>(&'a self, generation: &'a Generation) -> Answer<'a, ()> {
        Box::pin(self.ask(|reply| Order::Switch(generation.clone(), reply)))
    }

    fn drop_old(&self) -> Answer<'_, usize> {
        Box::pin(self.ask(Order::DropOld))
    }

    fn stats(&self) -> Answer<'_, Stats> {
        Box::pin(async move {
            let building = self.ask(Order::Building).await?;
            self.work(move |searching, _| {
                let (documents, tombstones, bytes) = searching.size()?;
                Ok(Stats {
                    engine: "tantivy".into(),
                    current: Generation::named(&searching.name),
                    building,
                    documents,
                    tombstones,
                    bytes,
                    needs_rebuild: searching.is_incomplete(),
                })
            })
            .await
        })
    }
}
