//! The lane's thread: takes what is most urgent, while it is quiet, and sees to its end.
//!
//! Knows where jobs come from and what is done when they end; how one is done is `work`'s. Invariants: a job of the shared
//! queue is held while it is done, and handed back when the server drains before it was begun; one that panics costs
//! itself.

use super::job::Job;
use super::work::{self, Made};
use super::{Lane, shared};
use crate::app::App;
use crate::error::Error;
use crate::render::Class;
use crate::warm::Item;
use service::drain::Drain;
use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::task::JoinSet;

/// While one job renders, another may fetch its original.
const WORKERS_PER_THREAD: usize = 2;
/// A claim is renewed so often that two failures in a row do not lose it.
const BEAT: Duration = Duration::from_secs(shared::CLAIM.as_secs() / 3);

/// Something to do.
enum Task {
    /// Put off, queued in this process.
    Here(Job),
    /// Put off, claimed from the shared queue.
    Shared(Vec<u8>),
    /// To warm up.
    Warm(Item),
}

/// Starts the lane, unless it is configured away. It ends with the drain.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn start(app: &App, drain: &Drain) -> io::Result<()> {
    let workers = app.renderer.idle().threads() * WORKERS_PER_THREAD;
    if workers == 0 {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (app, drain) = (app.clone(), drain.clone());
    // Before the thread runs, so that the first request already finds the lane open.
    app.lane.0.runs.store(true, Ordering::Relaxed);
    std::thread::Builder::new().name("lane".to_owned()).spawn(move || {
        runtime.block_on(async {
            let mut all = JoinSet::new();
            for _ in 0..workers {
                all.spawn(work(app.clone(), drain.clone()));
            }
            drain.draining().await;
            app.lane.0.runs.store(false, Ordering::Relaxed);
            while all.join_next().await.is_some() {}
            let lost = app.lane.waiting();
            if lost > 0 {
                tracing::info!(lost, "renders that nobody waits for are given up: they waited in this process alone");
            }
        });
    })?;
    Ok(())
}

async fn work(app: App, drain: Drain) {
    loop {
        let task = tokio::select! {
            biased;
            () = drain.draining() => return,
            task = next(&app) => task,
        };
        let here = if let Task::Here(job) = &task { Some(job.clone()) } else { None };
        // In a task of its own: a panic shall not end the lane.
        if tokio::spawn(settle(app.clone(), drain.clone(), task)).await.is_err() {
            app.metrics.job("failed");
        }
        if let Some(job) = here {
            app.lane.here().done(&job);
        }
    }
}

/// The most urgent, once it is quiet.
async fn next(app: &App) -> Task {
    let lane = &app.lane;
    loop {
        app.renderer.admission().quiet().await;
        let mut nudged = pin!(lane.0.nudge.notified());
        // Enlisted before the look, so that what comes in between is not missed.
        nudged.as_mut().enable();
        let here = lane.here().take();
        if let Some(job) = here {
            return Task::Here(job);
        }
        if let Some(job) = claim(app, lane).await {
            return Task::Shared(job);
        }
        if let Some(item) = lane.warm().next() {
            return Task::Warm(item);
        }
        match &lane.0.shared {
            Some(_) => drop(tokio::time::timeout(lane.poll(), nudged).await),
            None => nudged.await,
        }
    }
}

async fn claim(app: &App, lane: &Lane) -> Option<Vec<u8>> {
    let taken = lane.0.shared.as_ref()?.take().await;
    let taken = taken.inspect_err(|failure| tracing::debug!(%failure, "the shared queue cannot be asked")).ok()?;
    for _ in 0..taken.dropped {
        app.metrics.job("given-up");
        tracing::warn!("a render that was put off was begun too often, and is given up");
    }
    taken.job
}

async fn settle(app: App, drain: Drain, task: Task) {
    match task {
        Task::Here(job) => {
            let made = make(&app, &job, Class::Deferred, &drain).await;
            tell(&app, &job, made.as_ref());
        }
        Task::Shared(bytes) => settle_shared(&app, &drain, &bytes).await,
        Task::Warm(item) => {
            let Some(job) = item.job() else { return };
            let made = make(&app, job, Class::Warm, &drain).await;
            tell(&app, job, made.as_ref());
            item.ended(made);
        }
    }
}

async fn settle_shared(app: &App, drain: &Drain, bytes: &[u8]) {
    let Some(shared) = &app.lane.0.shared else { return };
    let made = match Job::read(bytes) {
        Some(job) => {
            let made = tokio::select! {
                made = make(app, &job, Class::Deferred, drain) => made,
                () = beat(shared, bytes) => None,
            };
            tell(app, &job, made.as_ref());
            made
        }
        None => {
            app.metrics.job("unreadable");
            Some(Ok(Made::NotKept))
        }
    };
    // What cannot be said now: the claim runs out, and whoever takes it up finds the rendition there.
    let _unsaid = match made {
        Some(_) => shared.done(bytes).await,
        None => shared.back(bytes).await,
    };
}

/// Holds the claim for as long as it is polled.
async fn beat(shared: &shared::Shared, bytes: &[u8]) {
    loop {
        tokio::time::sleep(BEAT).await;
        let _next_time = shared.hold(bytes).await;
    }
}

async fn make(app: &App, job: &Job, class: Class, drain: &Drain) -> Option<Result<Made, Error>> {
    match job.asked(app) {
        Ok(asked) => work::make(app, &asked, class, drain).await,
        Err(error) => Some(Err(error)),
    }
}

fn tell(app: &App, job: &Job, made: Option<&Result<Made, Error>>) {
    match made {
        None => app.metrics.job("handed-back"),
        Some(Ok(made)) => {
            app.metrics.job(made.as_str());
            tracing::info!(url = job.target, class = job.class, made = made.as_str(), "rendered while it was quiet");
        }
        Some(Err(error)) => {
            app.metrics.job("failed");
            let internal = error.internal();
            tracing::warn!(url = job.target, class = job.class, %error, internal, "not rendered while it was quiet");
        }
    }
}
