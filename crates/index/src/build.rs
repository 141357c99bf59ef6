//! The companion, made of its parts: its routes, its jobs, and what it measures meanwhile.
//!
//! Knows where nothing comes from. Invariant: nothing runs before the companion's tasks are started.

use crate::check::CheckRequest;
use crate::config::Config;
use crate::face::{self, State};
use crate::indexer::Indexer;
use crate::lag;
use crate::metric::Metrics;
use access::Door;
use catalog::Catalog;
use companion::{Base, Companion, Task};
use finder::Finder;
use jobs::{JobKind, JobsConfig, Policy, Queue, Runner, Schedule, Work};
use prometheus_client::registry::Registry;
use serde_json::json;
use service::drain::Drain;
use std::sync::Arc;
use std::time::Duration;

/// The first segment of its paths.
pub const NAME: &str = "index";
/// What its document says of it.
const ABOUT: &str = "Keeps what can be found in step with the catalog: background work, rebuilds and checks.";
/// Longest rebuild or check.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What it needs.
#[derive(Clone)]
pub struct Parts {
    /// Where the truth is.
    pub catalog: Arc<dyn Catalog>,
    /// What is kept in step with it.
    pub finder: Arc<dyn Finder>,
    /// Where events come from.
    pub queue: Arc<dyn Queue>,
    /// Who may do what.
    pub door: Arc<Door>,
    /// How jobs are worked off.
    pub jobs: JobsConfig,
    /// The numbers of all runners of the process.
    pub runners: jobs::Metrics,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("queue", &self.queue).finish_non_exhaustive()
    }
}

/// The companion. `base` is what is round its handlers, with the same door.
#[must_use]
pub fn build(config: &Config, parts: Parts, base: &Base, registry: &mut Registry) -> Companion {
    let Parts { catalog, finder, queue, door, jobs, runners } = parts;
    let metrics = Metrics::register(registry);
    let state = State { queue: Arc::clone(&queue), finder: Arc::clone(&finder), catalog: Arc::clone(&catalog), door };
    let companion = base.finish(NAME, ABOUT, face::routes(state));
    let works = {
        let (config, catalog, metrics) = (config.clone(), Arc::clone(&catalog), metrics.clone());
        let runner = Runner::new(Arc::clone(&queue)).metrics(&runners).grace(jobs.grace).keep(jobs.keep);
        Task::new("index.jobs", move |drain: Drain| async move {
            let indexer = Indexer::new(catalog, finder, config.policy(), metrics);
            work(runner, &config, jobs.policy(), indexer).run(drain).await;
        })
    };
    let measures = Task::new("index.lag", move |drain| lag::watch(catalog, queue, metrics, drain));
    companion.with_task(works).with_task(measures)
}

/// Gives a runner the handlers of this companion's kinds, and their schedule.
pub fn work(runner: Runner, config: &Config, policy: Policy, indexer: Indexer) -> Runner {
    let (indexing, rebuilding, checking) = (indexer.clone(), indexer.clone(), indexer);
    let alone = policy.clone().concurrency(1).limit(LONGEST);
    let runner = runner
        .with(JobKind::INDEX, policy.concurrency(config.concurrency), move |work: Work| {
            let indexer = indexing.clone();
            async move { indexer.index(work).await }
        })
        .with(JobKind::REBUILD, alone.clone(), move |work: Work| {
            let indexer = rebuilding.clone();
            async move { indexer.rebuild_job(work).await }
        })
        .with(JobKind::INDEX_CHECK, alone, move |work: Work| {
            let indexer = checking.clone();
            async move { indexer.check_job(work).await }
        });
    if config.check_every.is_zero() {
        return runner;
    }
    let request = CheckRequest { repair: config.repair };
    runner.every(Schedule::every(config.check_every, JobKind::INDEX_CHECK).payload(json!(request)))
}
