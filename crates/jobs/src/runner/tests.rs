//! The runner on a real queue: who runs when, and what becomes of what fails, hangs, panics or is cancelled.

use super::*;
use crate::job::{JobId, NewJob};
use crate::queue::{Filter, State};
use crate::sql::SqliteQueue;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::task::JoinHandle;

const KIND: JobKind = JobKind::of("work");

struct Bench {
    queue: Arc<dyn Queue>,
    drain: Drain,
    _folder: TempDir,
}

async fn bench() -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let queue = SqliteQueue::open(&folder.path().join("jobs.db")).await.expect("a queue");
    Bench { queue: Arc::new(queue), drain: Drain::new(), _folder: folder }
}

fn quick() -> Policy {
    let ms = Duration::from_millis;
    Policy { lease: ms(600), rest: ms(5), longest_rest: ms(40), attempts: 3, ..Policy::default() }
}

impl Bench {
    fn run(&self, runner: impl FnOnce(Runner) -> Runner) -> JoinHandle<()> {
        let runner = runner(Runner::new(Arc::clone(&self.queue)).grace(Duration::from_millis(200)));
        tokio::spawn(runner.run(self.drain.clone()))
    }

    async fn send(&self, count: usize) -> Vec<JobId> {
        let jobs = (0..count).map(|number| NewJob::new(KIND, json!(number))).collect();
        self.queue.send(jobs).await.expect("taken in")
    }

    /// Waits until the queue has exactly so many of a state.
    async fn until(&self, state: State, count: usize) {
        self.until_all(&[state], count).await;
    }

    async fn until_empty(&self) {
        self.until_all(&[State::Ready, State::Delayed, State::Running], 0).await;
    }

    async fn until_all(&self, states: &[State], count: usize) {
        let filter = Filter { states: states.to_vec(), ..Filter::default() };
        for _ in 0..2_000 {
            if self.queue.jobs(&filter, None, MOST).await.expect("asked").len() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("never {count} {states:?}: {:?}", self.queue.jobs(&Filter::default(), None, 10).await);
    }

    async fn end(&self, runner: JoinHandle<()>) {
        self.drain.begin();
        tokio::time::timeout(Duration::from_secs(20), runner).await.expect("it drains").expect("no panic");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_run_than_may() {
    let bench = bench().await;
    let (now, most, done) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&now), Arc::clone(&most), Arc::clone(&done));
    let runner = bench.run(|runner| {
        runner.with(KIND, quick().concurrency(3), move |_work| {
            let (now, most, done) = counts.clone();
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(3)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
                Ok(Ended::Done)
            }
        })
    });
    bench.send(60).await;
    bench.until_empty().await;
    bench.end(runner).await;
    assert_eq!((most.load(Ordering::SeqCst), done.load(Ordering::SeqCst)), (3, 60));
}

#[tokio::test]
async fn failures_panics_and_lateness_cost_attempts_and_then_the_job() {
    let bench = bench().await;
    let mut registry = prometheus_client::registry::Registry::default();
    let metrics = Metrics::register(&mut registry);
    let ids = bench.send(5).await;
    let policy = quick().limit(Duration::from_millis(40));
    let runner = bench.run(|runner| {
        runner.metrics(&metrics).with(KIND, policy, |work: Work| async move {
            match (work.job.payload.as_u64(), work.job.attempts) {
                (Some(0), 1 | 2) => Err(Failure::later("not yet")),
                (Some(1), _) => panic!("number {}", 1),
                (Some(2), _) => Err(Failure::never("wrong for good")),
                (Some(3), _) => std::future::pending().await,
                (Some(4), 1) => Err(Failure::after(Duration::from_millis(60), "busy")),
                _ => Ok(Ended::Report(json!({"attempts": work.job.attempts}))),
            }
        })
    });
    bench.until_empty().await;
    bench.end(runner).await;
    let mut ends = Vec::new();
    for id in ids {
        let seen = bench.queue.get(id).await.unwrap().expect("to be seen");
        ends.push((seen.state, seen.attempts, seen.reason.unwrap_or_default()));
    }
    let end = |state, attempts, reason: &str| (state, attempts, reason.to_owned());
    assert_eq!(
        ends,
        [
            end(State::Done, 3, "not yet"),
            end(State::Dead, 3, "panicked: number 1"),
            end(State::Dead, 1, "wrong for good"),
            end(State::Dead, 3, "not done within 40ms"),
            end(State::Done, 2, "busy"),
        ]
    );
    metrics.depth(&bench.queue.depth().await.unwrap());
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    for line in [
        "jobs_depth{kind=\"work\",state=\"dead\"} 3",
        "jobs_depth{kind=\"work\",state=\"ready\"} 0",
        "jobs_attempts_total{kind=\"work\",outcome=\"done\"} 2",
        "jobs_attempts_total{kind=\"work\",outcome=\"dead\"} 3",
        "jobs_attempts_total{kind=\"work\",outcome=\"failed\"} 7",
        "jobs_running{kind=\"work\"} 0",
        "jobs_duration_seconds_count{kind=\"work\"} 12",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

/// A handler that takes longer than the lease keeps its job by heartbeats, also beside another consumer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_work_is_held() {
    let bench = bench().await;
    let begun = Arc::new(AtomicUsize::new(0));
    let handler = {
        let begun = Arc::clone(&begun);
        move |work: Work| {
            let begun = Arc::clone(&begun);
            async move {
                begun.fetch_add(1, Ordering::SeqCst);
                work.progress(json!({"half": true}));
                tokio::time::sleep(Duration::from_millis(1500)).await;
                Ok(Ended::Done)
            }
        }
    };
    let policy = quick().limit(Duration::from_secs(60));
    let one = bench.run(|runner| runner.with(KIND, policy.clone(), handler.clone()));
    let two = bench.run(|runner| runner.with(KIND, policy, handler));
    let ids = bench.send(1).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(bench.queue.get(ids[0]).await.unwrap().unwrap().progress, Some(json!({"half": true})));
    bench.until_empty().await;
    bench.end(one).await;
    bench.end(two).await;
    assert_eq!(begun.load(Ordering::SeqCst), 1);
    assert_eq!(bench.queue.get(ids[0]).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_job_is_cancelled() {
    let bench = bench().await;
    let runner = bench.run(|runner| {
        runner.with(KIND, quick(), |work: Work| async move {
            assert_eq!(work.stopping().await, Stop::Cancelled);
            Err(Failure::stopped())
        })
    });
    let ids = bench.send(1).await;
    bench.until(State::Running, 1).await;
    assert_eq!(bench.queue.cancel(ids[0]).await, Ok(crate::Cancel::Asked));
    bench.until(State::Cancelled, 1).await;
    bench.end(runner).await;
}

/// What does not end in time is given back, without counting the attempt; what hears of the drain may end before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_finishes_or_gives_back() {
    let bench = bench().await;
    let ids = bench.send(3).await;
    let runner = bench.run(|runner| {
        runner.with(KIND, quick().limit(Duration::from_secs(60)), |work: Work| async move {
            match work.job.payload.as_u64() {
                Some(0) => std::future::pending().await,
                Some(1) => {
                    assert_eq!(work.stopping().await, Stop::Draining);
                    Err(Failure::stopped())
                }
                _ => {
                    work.stopping().await;
                    Ok(Ended::Report(json!("ended")))
                }
            }
        })
    });
    bench.until(State::Running, 3).await;
    bench.end(runner).await;
    let mut ends = Vec::new();
    for id in ids {
        let seen = bench.queue.get(id).await.unwrap().expect("nothing is lost");
        ends.push((seen.state, seen.attempts));
    }
    assert_eq!(ends, [(State::Ready, 0), (State::Ready, 0), (State::Done, 1)]);
    assert_eq!(bench.drain.in_flight(), 0);
}

/// A job that kills every process that begins it is dead after its attempts.
#[tokio::test]
async fn what_kills_its_consumers_is_dead_in_the_end() {
    let bench = bench().await;
    let ids = bench.send(1).await;
    for _ in 0..3 {
        let take = Take { kinds: vec![KIND], max: 1, lease: Duration::from_millis(5), wait: Duration::from_secs(5) };
        assert_eq!(bench.queue.receive(&take).await.unwrap().len(), 1);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let runner = bench.run(|runner| runner.with(KIND, quick(), |_work| async { Ok(Ended::Done) }));
    bench.until(State::Dead, 1).await;
    let reason = bench.queue.get(ids[0]).await.unwrap().unwrap().reason.unwrap();
    assert!(reason.starts_with("begun 3 times, and whoever began it"), "{reason}");
    bench.end(runner).await;
}

/// However many instances there are, within a period one of them sends the job.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scheduled_jobs_are_sent_once() {
    let bench = bench().await;
    let ran = Arc::new(AtomicUsize::new(0));
    let runners: Vec<_> = (0..3)
        .map(|_| {
            let ran = Arc::clone(&ran);
            bench.run(move |runner| {
                let schedule = Schedule::every(Duration::from_secs(3600), KIND);
                runner.every(schedule).with(KIND, quick(), move |work: Work| {
                    assert_eq!(work.job.payload, json!({}));
                    let ran = Arc::clone(&ran);
                    async move {
                        ran.fetch_add(1, Ordering::SeqCst);
                        Ok(Ended::Done)
                    }
                })
            })
        })
        .collect();
    for _ in 0..400 {
        if ran.load(Ordering::SeqCst) > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    for runner in runners {
        bench.end(runner).await;
    }
    assert_eq!(ran.load(Ordering::SeqCst), 1);
}
